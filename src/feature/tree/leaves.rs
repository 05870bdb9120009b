//! The leaves: entries as columns, a slot of `LEAF` cells per leaf in each column.
//!
//! A time is a 32-bit distance from its leaf's first time, and a column that the layout leaves out costs nothing:
//! an entry of a count is 4 bytes and two bits. The price is that a leaf spans at most 49 days; an entry that
//! lies further away begins a leaf of its own. Columns grow by a sixteenth, not by doubling, since here memory
//! is worth more than copying.

use std::ops::Range;

use super::summary::{Part, Summary};
use super::{Entry, Layout};

/// All leaves of one tree.
#[derive(Clone, Debug)]
pub(super) struct Leaves<const LEAF: usize> {
    layout: Layout,
    heads: Vec<Head>,
    offsets: Vec<u32>,
    values: Vec<i64>,
    extra: Vec<u128>,
    free: Vec<u32>,
}

/// What a leaf has once.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    /// Time of the first entry; offsets count from here.
    base: i64,
    /// Bit `i`: entry `i` is a barrier.
    barriers: u64,
    /// Bit `i`: entry `i` is superseded.
    superseded: u64,
    len: u32,
}

/// Bits of a range of positions.
fn mask(range: &Range<usize>) -> u64 {
    let below = |end: usize| if end >= 64 { u64::MAX } else { (1 << end) - 1 };
    below(range.end) & !below(range.start)
}

/// The bits with one more put in at `position`.
fn bit_inserted(bits: u64, position: usize, bit: bool) -> u64 {
    let low = mask(&(0..position));
    (bits & low) | (u64::from(bit) << position) | ((bits & !low) << 1)
}

/// The bits without those of a range.
fn bits_removed(bits: u64, range: &Range<usize>) -> u64 {
    let high = if range.end >= 64 { 0 } else { bits >> range.end << range.start };
    (bits & mask(&(0..range.start))) | high
}

/// Whether `time` can be told as a distance from `base`.
pub(super) fn in_reach(base: i64, time: i64) -> bool {
    time.checked_sub(base).is_some_and(|distance| u32::try_from(distance).is_ok())
}

/// Room for `more` cells, a sixteenth at a time.
pub(super) fn reserve<T>(column: &mut Vec<T>, more: usize) {
    if column.capacity() - column.len() < more {
        column.reserve_exact(more.max(column.len() / 16));
    }
}

impl<const LEAF: usize> Leaves<LEAF> {
    pub fn new(layout: Layout) -> Self {
        assert!((2..=64).contains(&LEAF), "a leaf's flags are the bits of one word");
        let (heads, offsets, values, extra, free) = Default::default();
        Leaves { layout, heads, offsets, values, extra, free }
    }

    /// An empty leaf.
    pub fn allocate(&mut self) -> u32 {
        if let Some(leaf) = self.free.pop() {
            self.heads[leaf as usize] = Head::default();
            return leaf;
        }
        let leaf = self.heads.len();
        reserve(&mut self.heads, 1);
        self.heads.push(Head::default());
        grow(&mut self.offsets, LEAF);
        grow(&mut self.values, if self.layout.values { LEAF } else { 0 });
        grow(&mut self.extra, if self.layout.extra { LEAF } else { 0 });
        leaf as u32
    }

    /// Gives a leaf back.
    pub fn release(&mut self, leaf: u32) {
        self.free.push(leaf);
    }

    pub fn len(&self, leaf: u32) -> usize {
        self.heads[leaf as usize].len as usize
    }

    /// Memory held, bytes.
    pub fn bytes(&self) -> usize {
        self.heads.capacity() * size_of::<Head>()
            + (self.offsets.capacity() + self.free.capacity()) * size_of::<u32>()
            + self.values.capacity() * size_of::<i64>()
            + self.extra.capacity() * size_of::<u128>()
    }

    pub fn get(&self, leaf: u32, position: usize) -> Entry {
        let head = &self.heads[leaf as usize];
        let cell = leaf as usize * LEAF + position;
        Entry {
            time: head.base + i64::from(self.offsets[cell]),
            barrier: head.barriers >> position & 1 == 1,
            value: if self.layout.values { self.values[cell] } else { 0 },
            extra: if self.layout.extra { self.extra[cell] } else { 0 },
            superseded: head.superseded >> position & 1 == 1,
        }
    }

    pub fn time(&self, leaf: u32, position: usize) -> i64 {
        self.heads[leaf as usize].base + i64::from(self.offsets[leaf as usize * LEAF + position])
    }

    /// First position whose time satisfies a condition that stays true once it is.
    pub fn position(&self, leaf: u32, reached: impl Fn(i64) -> bool) -> usize {
        let head = &self.heads[leaf as usize];
        let start = leaf as usize * LEAF;
        self.offsets[start..start + head.len as usize]
            .partition_point(|offset| !reached(head.base + i64::from(*offset)))
    }

    /// What a range of positions comes to.
    pub fn summary(&self, leaf: u32, range: Range<usize>) -> Summary {
        let head = &self.heads[leaf as usize];
        let counted = mask(&range) & !head.barriers;
        let mut summary = Summary {
            count: u64::from(counted.count_ones()),
            live: u64::from((counted & !head.superseded).count_ones()),
            ..Summary::default()
        };
        if summary.count > 0 && !self.layout.values {
            (summary.min, summary.max) = (0, 0);
        } else if self.layout.values {
            let start = leaf as usize * LEAF;
            let values = &self.values[start + range.start..start + range.end];
            include_values(&mut summary, values, !head.barriers >> (range.start % 64));
        }
        summary
    }

    /// What a whole leaf comes to.
    pub fn part(&self, leaf: u32) -> Part {
        let (start, len) = (leaf as usize * LEAF, self.len(leaf));
        let Some(last) = len.checked_sub(1) else { return Part::default() };
        let offsets = &self.offsets[start..start + len];
        let gap = offsets.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        Part {
            summary: self.summary(leaf, 0..len),
            entries: len,
            first: self.time(leaf, 0),
            last: self.time(leaf, last),
            gap: i64::from(gap),
        }
    }

    pub fn set_superseded(&mut self, leaf: u32, position: usize, value: bool) {
        let bits = &mut self.heads[leaf as usize].superseded;
        *bits = *bits & !(1 << position) | u64::from(value) << position;
    }

    /// Last barrier before a position.
    pub fn last_barrier(&self, leaf: u32, end: usize) -> Option<usize> {
        let bits = self.heads[leaf as usize].barriers & mask(&(0..end));
        bits.checked_ilog2().map(|position| position as usize)
    }

    /// Last position strictly inside a range that comes more than `gap` ms after the one before it.
    pub fn last_gap(&self, leaf: u32, range: Range<usize>, gap: i64) -> Option<usize> {
        let start = leaf as usize * LEAF;
        let offsets = &self.offsets[start + range.start..start + range.end];
        let silent = |pair: &[u32]| i64::from(pair[1] - pair[0]) > gap;
        offsets.windows(2).rposition(silent).map(|index| range.start + index + 1)
    }

    /// Whether an entry of this time must not be put into a leaf, however much room it has.
    pub fn is_out_of_reach(&self, leaf: u32, time: i64) -> bool {
        let (first, last) = (self.time(leaf, 0), self.time(leaf, self.len(leaf) - 1));
        !in_reach(first.min(time), last.max(time))
    }

    /// Whether a leaf can take an entry of this time.
    pub fn has_room(&self, leaf: u32, time: i64) -> bool {
        let len = self.len(leaf);
        len == 0 || (len < LEAF && !self.is_out_of_reach(leaf, time))
    }

    /// Puts an entry where [`Leaves::has_room`] says it can be.
    pub fn insert(&mut self, leaf: u32, position: usize, entry: &Entry) {
        let len = self.len(leaf);
        if position == 0 {
            self.rebase(leaf, entry.time);
        }
        let head = &mut self.heads[leaf as usize];
        head.barriers = bit_inserted(head.barriers, position, entry.barrier);
        head.superseded = bit_inserted(head.superseded, position, entry.superseded);
        head.len += 1;
        let offset = (entry.time - head.base) as u32;
        let cells = leaf as usize * LEAF + position..leaf as usize * LEAF + len;
        put(&mut self.offsets, &cells, offset);
        if self.layout.values {
            put(&mut self.values, &cells, entry.value);
        }
        if self.layout.extra {
            put(&mut self.extra, &cells, entry.extra);
        }
    }

    /// Takes a range of positions out.
    pub fn remove(&mut self, leaf: u32, range: Range<usize>) {
        let len = self.len(leaf);
        let start = leaf as usize * LEAF;
        let (kept, to) = (start + range.end..start + len, start + range.start);
        self.offsets.copy_within(kept.clone(), to);
        if self.layout.values {
            self.values.copy_within(kept.clone(), to);
        }
        if self.layout.extra {
            self.extra.copy_within(kept, to);
        }
        let head = &mut self.heads[leaf as usize];
        head.barriers = bits_removed(head.barriers, &range);
        head.superseded = bits_removed(head.superseded, &range);
        head.len -= range.len() as u32;
        if range.start == 0 && head.len > 0 {
            let first = head.base + i64::from(self.offsets[start]);
            self.rebase(leaf, first);
        }
    }

    /// Moves what is from `position` on to a new leaf.
    pub fn split(&mut self, leaf: u32, position: usize) -> u32 {
        let right = self.allocate();
        self.transfer(leaf, position, right);
        right
    }

    /// Moves all of `right` behind `left` if it fits there; whether it did.
    pub fn join(&mut self, left: u32, right: u32) -> bool {
        let (len, more) = (self.len(left), self.len(right));
        let fits = len + more <= LEAF && (more == 0 || self.has_room(left, self.time(right, more - 1)));
        if fits {
            self.transfer(right, 0, left);
        }
        fits
    }

    /// Moves what is from `position` on in one leaf behind the entries of another, where it must fit.
    fn transfer(&mut self, from: u32, position: usize, to: u32) {
        let end = self.len(from);
        for source in position..end {
            let entry = self.get(from, source);
            self.insert(to, self.len(to), &entry);
        }
        self.remove(from, position..end);
    }

    /// Counts offsets from another base, which must not be after the first entry.
    fn rebase(&mut self, leaf: u32, base: i64) {
        let head = &mut self.heads[leaf as usize];
        let shift = head.base.wrapping_sub(base) as u32;
        let start = leaf as usize * LEAF;
        for offset in &mut self.offsets[start..start + head.len as usize] {
            *offset = offset.wrapping_add(shift);
        }
        head.base = base;
    }
}

/// Adds `cells` zero cells.
fn grow<T: Clone + Default>(column: &mut Vec<T>, cells: usize) {
    reserve(column, cells);
    column.resize(column.len() + cells, T::default());
}

/// Moves a range of cells up by one and fills the gap.
fn put<T: Copy>(column: &mut [T], cells: &Range<usize>, value: T) {
    column.copy_within(cells.clone(), cells.start + 1);
    column[cells.start] = value;
}

/// Adds those values whose bit is set.
fn include_values(summary: &mut Summary, values: &[i64], counted: u64) {
    if counted & mask(&(0..values.len())) == mask(&(0..values.len())) {
        return values.iter().for_each(|value| summary.include_value(*value));
    }
    for (position, value) in values.iter().enumerate() {
        if counted >> position & 1 == 1 {
            summary.include_value(*value);
        }
    }
}

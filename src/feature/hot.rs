//! The representation of a key that outgrew a scan: a counted tree, and for hashed values an index of occurrences.

use std::collections::BTreeSet;
use std::ops::Range;

use super::cursor::Cursor;
use super::occurrences::Occurrences;
use super::plan::{Cell, Stream};
use super::series::{Needs, SUPERSEDED, Series};
use super::tree::{Entry, Layout as TreeLayout, Summary, Tree};

/// Bytes per value of a sorted set: nodes have room for eleven, and are half full to two thirds.
const SEEN_BYTES: usize = 32;

/// What a hot stream of a key holds.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "almost all are series, and a box would be one more cache miss")]
pub enum Hot {
    /// Many entries.
    Series(HotSeries),
    /// The many values a token bucket has seen in its life.
    Seen(Seen),
}

impl Hot {
    /// Bytes held beyond its place.
    pub fn bytes(&self) -> usize {
        match self {
            Hot::Series(series) => series.bytes(),
            Hot::Seen(seen) => seen.values.len() * SEEN_BYTES,
        }
    }

    /// What it was last seen to hold, bytes.
    pub fn counted(&mut self) -> &mut usize {
        match self {
            Hot::Series(series) => &mut series.counted,
            Hot::Seen(seen) => &mut seen.counted,
        }
    }
}

/// The values a token bucket has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The values.
    pub values: BTreeSet<u128>,
    counted: usize,
}

impl From<BTreeSet<u128>> for Seen {
    fn from(values: BTreeSet<u128>) -> Seen {
        Seen { values, counted: 0 }
    }
}

/// Many entries of one key.
#[derive(Debug)]
pub struct HotSeries {
    /// The entries.
    pub tree: Tree,
    /// Where each hashed value occurs; only for [`Cell::Hash`].
    pub occurrences: Option<Occurrences>,
    /// Number of entries after the last compaction.
    pub compacted: usize,
    /// Number of barriers held.
    pub barriers: usize,
    /// Entries dropped from the front so far.
    pub(super) gone: u64,
    /// Where the windows start that are read in order.
    pub(super) cursors: Vec<Option<Cursor>>,
    /// Bytes held when somebody last looked.
    counted: usize,
}

impl HotSeries {
    /// An empty series for the entries of a stream.
    pub fn new(stream: &Stream) -> Self {
        HotSeries {
            tree: Tree::new(tree_layout(stream)),
            occurrences: (stream.cell == Cell::Hash).then(Occurrences::default),
            compacted: 0,
            barriers: 0,
            gone: 0,
            cursors: Vec::new(),
            counted: 0,
        }
    }

    #[cfg(test)]
    pub(super) fn of_hashes() -> Self {
        HotSeries {
            tree: Tree::new(TreeLayout { values: true, extra: true }),
            occurrences: Some(Occurrences::default()),
            compacted: 0,
            barriers: 0,
            gone: 0,
            cursors: Vec::new(),
            counted: 0,
        }
    }

    /// Adds an entry or barrier behind all of its time.
    pub fn insert(&mut self, mut entry: Entry) {
        let mut repeats = None;
        if entry.barrier {
            self.barriers += 1;
        } else if self.occurrences.is_some() {
            (entry.superseded, repeats) = self.supersede(entry.extra, entry.time);
        }
        let rank = self.tree.insert(entry);
        if rank + 1 < self.tree.len() || entry.barrier {
            self.cursors.clear();
        }
        let repeats = repeats.map(|rank| self.gone + rank as u64);
        self.cursors.iter_mut().flatten().for_each(|cursor| cursor.append(&entry, repeats));
    }

    /// Notes an occurrence of a value; returns whether a later one exists, else the rank of the one before it, which
    /// is flagged.
    fn supersede(&mut self, value: u128, time: i64) -> (bool, Option<usize>) {
        let Some(occurrences) = &mut self.occurrences else { return (false, None) };
        let latest = occurrences.latest(value);
        occurrences.insert(value, time);
        match latest {
            Some(latest) if latest > time => (true, None),
            Some(latest) => (false, self.flag(value, latest)),
            None => (false, None),
        }
    }

    fn flag(&mut self, value: u128, time: i64) -> Option<usize> {
        let mut rank = self.tree.upper_bound(time);
        while rank > 0 {
            rank -= 1;
            let entry = self.tree.get(rank);
            if entry.time != time {
                return None;
            }
            if !entry.barrier && entry.extra == value && !entry.superseded {
                self.tree.set_superseded(rank, true);
                return Some(rank);
            }
        }
        None
    }

    /// Drops the oldest entries.
    pub fn remove_front(&mut self, count: usize) {
        for rank in 0..if self.occurrences.is_some() || self.barriers > 0 { count } else { 0 } {
            let entry = self.tree.get(rank);
            self.forget(&entry);
        }
        self.tree.remove_front(count);
        self.gone += count as u64;
    }

    /// Drops one entry.
    pub fn remove(&mut self, rank: usize) {
        let entry = self.tree.get(rank);
        self.forget(&entry);
        self.tree.remove(rank);
        self.cursors.clear();
    }

    fn forget(&mut self, entry: &Entry) {
        if entry.barrier {
            self.barriers -= 1;
        } else if let Some(occurrences) = &mut self.occurrences {
            occurrences.remove(entry.extra, entry.time);
        }
    }

    /// Keeps only the entries for which `keep` is true, given each entry and the time of the next entry with the same
    /// value. Amortised: called when the series has doubled since the last time.
    pub fn compact(&mut self, stream: &Stream, keep: impl Fn(&Entry, Option<i64>) -> bool) {
        let mut fresh = HotSeries::new(stream);
        for entry in self.tree.iter(0..self.tree.len()) {
            let next = self.occurrences.as_ref().and_then(|o| o.successor(entry.extra, entry.time));
            // Two occurrences at one time: the flagged one is followed by the other.
            let next = if entry.superseded && next.is_none() { Some(entry.time) } else { next };
            if entry.barrier || keep(&entry, next) {
                fresh.insert(entry);
            }
        }
        (fresh.compacted, fresh.counted) = (fresh.tree.len(), self.counted);
        *self = fresh;
    }

    /// Whether an occurrence of the value at the given time lies in the range of ranks.
    fn occurs_in(&self, range: &Range<usize>, value: u128, time: i64) -> bool {
        if range.is_empty() || time < self.tree.get(range.start).time {
            return false;
        }
        if range.start == 0 || self.tree.get(range.start - 1).time != time {
            return true;
        }
        // Entries of this time lie on both sides of the range's start.
        let mut here = self.tree.iter(range.clone()).take_while(|entry| entry.time == time);
        here.any(|entry| !entry.barrier && entry.extra == value)
    }

    /// Newest time of a hashed value.
    pub fn latest(&self, value: u128) -> Option<i64> {
        self.occurrences.as_ref().and_then(|occurrences| occurrences.latest(value))
    }

    fn predecessor(&self, value: u128, at_or_before: i64) -> Option<i64> {
        self.occurrences.as_ref().and_then(|occurrences| occurrences.predecessor(value, at_or_before))
    }

    /// Bytes held beyond itself.
    pub fn bytes(&self) -> usize {
        let entries = self.tree.len() - self.barriers;
        let occurrences = self.occurrences.as_ref().map_or(0, |occurrences| occurrences.bytes(entries));
        let cursors = self.cursors.capacity() * size_of::<Option<Cursor>>();
        self.tree.bytes() - size_of::<Tree>() + occurrences + cursors
    }
}

impl Series for HotSeries {
    fn len(&self) -> usize {
        self.tree.len()
    }

    fn time(&self, rank: usize) -> i64 {
        self.tree.get(rank).time
    }

    fn lower_bound(&self, time: i64) -> usize {
        self.tree.lower_bound(time)
    }

    fn upper_bound(&self, time: i64) -> usize {
        self.tree.upper_bound(time)
    }

    fn last_barrier(&self, before: usize) -> Option<usize> {
        if self.barriers == 0 { None } else { self.tree.last_barrier(before) }
    }

    fn last_gap(&self, range: Range<usize>, gap: i64) -> Option<usize> {
        self.tree.last_gap(range, gap)
    }

    fn summary(&self, range: Range<usize>, needs: Needs) -> Summary {
        if needs == Needs::default() {
            return Summary { count: (range.end - range.start) as u64, ..Summary::default() };
        }
        self.tree.summary(range)
    }

    fn number(&self, rank: usize) -> i64 {
        self.tree.get(rank).value
    }

    fn extra(&self, rank: usize) -> u128 {
        self.tree.get(rank).extra
    }

    /// Distinct values of a suffix are its entries that no later one repeats. For a range that ends earlier, the values
    /// that occur only after its end are taken off again: the work is in the entries by which the two differ.
    fn distinct(&self, range: Range<usize>) -> u64 {
        let suffix = self.tree.summary(range.start..self.tree.len()).live;
        if range.end == self.tree.len() || range.is_empty() {
            return if range.is_empty() { 0 } else { suffix };
        }
        let end_time = self.tree.get(range.end - 1).time;
        let mut later = BTreeSet::new();
        for entry in self.tree.iter(range.end..self.tree.len()).filter(|entry| !entry.barrier) {
            let before = self.predecessor(entry.extra, end_time);
            if !before.is_some_and(|time| self.occurs_in(&range, entry.extra, time)) {
                later.insert(entry.extra);
            }
        }
        suffix - later.len() as u64
    }

    fn contains(&self, range: Range<usize>, value: u128) -> bool {
        if range.is_empty() {
            return false;
        }
        let end_time = self.tree.get(range.end - 1).time;
        self.predecessor(value & !SUPERSEDED, end_time).is_some_and(|time| self.occurs_in(&range, value, time))
    }
}

fn tree_layout(stream: &Stream) -> TreeLayout {
    TreeLayout {
        values: matches!(stream.cell, Cell::Number(_)),
        extra: matches!(stream.cell, Cell::Hash | Cell::Place | Cell::Text | Cell::Address),
    }
}

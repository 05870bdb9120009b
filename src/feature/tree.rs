//! The window entries of one hot key, in order of time and arrival, addressed by rank.

use std::ops::Range;

use super::exact::U256;

/// One entry of a window.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Entry {
    /// Event time, ms.
    pub time: i64,
    /// Marks a place that hides what is before it; is in no summary.
    pub barrier: bool,
    /// The aggregated number, or an order-preserving key of it.
    pub value: i64,
    /// Hashed value, place or wide value; 0 if unused.
    pub extra: u128,
    /// A newer entry has the same value.
    pub superseded: bool,
}

/// Which columns are stored; one that is not reads as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Layout {
    /// Keep [`Entry::value`].
    pub values: bool,
    /// Keep [`Entry::extra`].
    pub extra: bool,
}

/// What is known of a run of entries, barriers left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Entries.
    pub count: u64,
    /// Exact sum of the values.
    pub sum: i128,
    /// Exact sum of the squared values.
    pub squares: U256,
    /// Smallest value; `i64::MAX` when `count` is 0.
    pub min: i64,
    /// Greatest value; `i64::MIN` when `count` is 0.
    pub max: i64,
    /// Entries that are not superseded.
    pub live: u64,
}

impl Default for Summary {
    fn default() -> Self {
        Summary { count: 0, sum: 0, squares: U256::default(), min: i64::MAX, max: i64::MIN, live: 0 }
    }
}

impl Summary {
    /// Adds one entry; a barrier changes nothing.
    pub fn include(&mut self, entry: &Entry) {
        if entry.barrier {
            return;
        }
        let square = i128::from(entry.value) * i128::from(entry.value);
        self.count += 1;
        self.live += u64::from(!entry.superseded);
        self.sum += i128::from(entry.value);
        let square = U256 { high: 0, low: square.unsigned_abs() };
        self.squares = self.squares.checked_add(square).unwrap_or(self.squares);
        self.min = self.min.min(entry.value);
        self.max = self.max.max(entry.value);
    }
}

/// Entries sorted by (time, arrival).
#[derive(Clone, Debug)]
pub struct Tree {
    layout: Layout,
    entries: Vec<Entry>,
}

impl Tree {
    /// An empty tree with the columns of `layout`.
    pub fn new(layout: Layout) -> Tree {
        Tree { layout, entries: Vec::new() }
    }

    /// Entries held, barriers included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts an entry after all with its time or an earlier one; its rank.
    pub fn insert(&mut self, mut entry: Entry) -> usize {
        if !self.layout.values {
            entry.value = 0;
        }
        if !self.layout.extra {
            entry.extra = 0;
        }
        let rank = self.upper_bound(entry.time);
        self.entries.insert(rank, entry);
        rank
    }

    /// The entry of a rank below `len`.
    pub fn get(&self, rank: usize) -> Entry {
        self.entries[rank]
    }

    /// First rank with a time of at least `time`, else `len`.
    pub fn lower_bound(&self, time: i64) -> usize {
        self.entries.partition_point(|entry| entry.time < time)
    }

    /// First rank with a time after `time`, else `len`.
    pub fn upper_bound(&self, time: i64) -> usize {
        self.entries.partition_point(|entry| entry.time <= time)
    }

    /// What the entries of a range of ranks come to.
    pub fn summary(&self, range: Range<usize>) -> Summary {
        let mut summary = Summary::default();
        self.entries[range].iter().for_each(|entry| summary.include(entry));
        summary
    }

    /// Rank of the first entry at or after `time`, and the summary from there to the end.
    pub fn summary_from(&self, time: i64) -> (usize, Summary) {
        let rank = self.lower_bound(time);
        (rank, self.summary(rank..self.len()))
    }

    /// Greatest rank below `before` that is a barrier.
    pub fn last_barrier(&self, before: usize) -> Option<usize> {
        self.entries[..before].iter().rposition(|entry| entry.barrier)
    }

    /// Greatest rank strictly inside the range whose entry comes more than `gap` ms after the one before it.
    pub fn last_gap(&self, range: Range<usize>, gap: i64) -> Option<usize> {
        let silent = |rank: &usize| self.entries[*rank].time.saturating_sub(self.entries[*rank - 1].time) > gap;
        (range.start + 1..range.end).rev().find(silent)
    }

    /// Marks whether a newer entry has the same value.
    pub fn set_superseded(&mut self, rank: usize, value: bool) {
        self.entries[rank].superseded = value;
    }

    /// Drops the `count` oldest entries.
    pub fn remove_front(&mut self, count: usize) {
        self.entries.drain(..count.min(self.entries.len()));
    }

    /// Drops one entry.
    pub fn remove(&mut self, rank: usize) {
        self.entries.remove(rank);
    }

    /// The entries of a range of ranks, in order.
    pub fn iter(&self, range: Range<usize>) -> impl Iterator<Item = Entry> {
        self.entries[range].iter().copied()
    }

    /// Memory held, bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.entries.capacity() * size_of::<Entry>()
    }
}

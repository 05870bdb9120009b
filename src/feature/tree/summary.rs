//! What is known of a run of entries without looking at them again.
//!
//! A [`Summary`] is what a reader asks for. A [`Part`] is what a node keeps of each child: its summary and what
//! is needed to find a time, a barrier or a silence below it. Both are monoids, so a node is the fold of its
//! children, and an appended entry changes only the last part of each level.

use super::Entry;
use crate::feature::exact::U256;

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
        if !entry.barrier {
            self.count += 1;
            self.live += u64::from(!entry.superseded);
            self.include_value(entry.value);
        }
    }

    /// Adds a value, but no entry.
    #[inline]
    pub(super) fn include_value(&mut self, value: i64) {
        let wide = i128::from(value);
        self.sum += wide;
        self.squares = self.squares.wrapping_add(U256::from((wide * wide).unsigned_abs()));
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    /// Adds another run.
    #[inline]
    pub fn merge(&mut self, other: &Summary) {
        self.count += other.count;
        self.live += other.live;
        self.sum += other.sum;
        self.squares = self.squares.wrapping_add(other.squares);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// What a node keeps of one child.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub(super) struct Part {
    /// Aggregates of the child.
    pub summary: Summary,
    /// Entries below, barriers included.
    pub entries: usize,
    /// Time of the first entry, ms.
    pub first: i64,
    /// Time of the last entry, ms.
    pub last: i64,
    /// Longest time between neighbours, ms; 0 with fewer than two entries.
    pub gap: i64,
}

impl Part {
    /// Whether a barrier is among the entries.
    pub fn has_barrier(&self) -> bool {
        self.entries as u64 != self.summary.count
    }

    /// Adds an entry behind the last one.
    pub fn push(&mut self, entry: &Entry) {
        if self.entries == 0 {
            self.first = entry.time;
        } else {
            self.gap = self.gap.max(entry.time.saturating_sub(self.last));
        }
        self.last = entry.time;
        self.entries += 1;
        self.summary.include(entry);
    }

    /// Adds a run that follows this one.
    pub fn append(&mut self, next: &Part) {
        if self.entries == 0 {
            *self = *next;
            return;
        }
        self.gap = self.gap.max(next.gap).max(next.first.saturating_sub(self.last));
        self.last = next.last;
        self.entries += next.entries;
        self.summary.merge(&next.summary);
    }
}

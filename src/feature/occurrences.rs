//! Where each (hashed) value of a hot key occurs in time, so that the neighbours of an occurrence are found in
//! O(log n) when an entry comes late or leaves.

use std::collections::BTreeMap;

/// Times of each value, with multiplicity.
#[derive(Clone, Debug, Default)]
pub struct Occurrences {
    times: BTreeMap<(u128, i64), u32>,
}

impl Occurrences {
    /// Adds one occurrence of `value` at `time` (ms).
    pub fn insert(&mut self, value: u128, time: i64) {
        *self.times.entry((value, time)).or_insert(0) += 1;
    }

    /// Takes one occurrence back; without one nothing happens.
    pub fn remove(&mut self, value: u128, time: i64) {
        let Some(count) = self.times.get_mut(&(value, time)) else { return };
        *count -= 1;
        if *count == 0 {
            self.times.remove(&(value, time));
        }
    }

    /// Newest time of `value` that is not after `at_or_before`.
    pub fn predecessor(&self, value: u128, at_or_before: i64) -> Option<i64> {
        self.times.range((value, i64::MIN)..=(value, at_or_before)).next_back().map(|((_, time), _)| *time)
    }

    /// Oldest time of `value` that is after `after`.
    pub fn successor(&self, value: u128, after: i64) -> Option<i64> {
        let from = after.checked_add(1)?;
        self.times.range((value, from)..=(value, i64::MAX)).next().map(|((_, time), _)| *time)
    }

    /// Newest time of `value`.
    pub fn latest(&self, value: u128) -> Option<i64> {
        self.predecessor(value, i64::MAX)
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

//! Where each (hashed) value of a hot key occurs in time, so that the neighbours of an occurrence are found in
//! O(log n) when an entry comes late or leaves.

use std::collections::BTreeMap;

/// Times of each value, with multiplicity. One ordered map serves: the neighbours of a late entry are a step away,
/// and a second map of newest times would have to be kept true at every removal.
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

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Compares every answer with a plain list of pairs.
    fn check(steps: &[(bool, u128, i64)]) {
        let (mut index, mut pairs) = (Occurrences::default(), Vec::new());
        for (enters, value, time) in steps {
            if *enters {
                index.insert(*value, *time);
                pairs.push((*value, *time));
            } else {
                index.remove(*value, *time);
                pairs.iter().position(|pair| *pair == (*value, *time)).map(|at| pairs.swap_remove(at));
            }
            let times = || pairs.iter().filter(|pair| pair.0 == *value).map(|pair| pair.1);
            assert_eq!(index.predecessor(*value, *time), times().filter(|other| other <= time).max());
            assert_eq!(index.successor(*value, *time), times().filter(|other| other > time).min());
            assert_eq!(index.latest(*value), times().max());
            assert_eq!(index.is_empty(), pairs.is_empty());
        }
    }

    proptest! {
        #[test]
        fn equals_a_list(steps in vec((prop::bool::weighted(0.6), 0u128..4, -6i64..6), 0..200)) {
            check(&steps);
        }
    }

    #[test]
    fn the_ends_of_time() {
        check(&[(true, 1, i64::MAX), (true, 1, i64::MIN), (true, u128::MAX, 0), (false, 1, i64::MAX), (false, 2, 0)]);
    }
}

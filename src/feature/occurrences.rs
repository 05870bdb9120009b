//! Where each (hashed) value of a hot key occurs in time, so that the neighbours of an occurrence are found in
//! O(log n) when an entry comes late or leaves.

use std::collections::btree_map::BTreeMap;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

/// A node of a `BTreeMap<i64, u32>` without children: eleven keys and values, a pointer and two numbers.
const NODE_BYTES: usize = 11 * (8 + 4) + 8 + 4;

/// Times of each value, with multiplicity.
#[derive(Clone, Debug, Default)]
pub struct Occurrences {
    times: HashMap<u128, Times, BuildHasherDefault<ValueHasher>>,
}

/// The times of one value. The newest is apart: it is all that an event in order asks for.
#[derive(Clone, Debug)]
struct Times {
    newest: i64,
    /// How many entries have it.
    count: u32,
    older: BTreeMap<i64, u32>,
}

impl Times {
    fn insert(&mut self, time: i64) {
        match time.cmp(&self.newest) {
            std::cmp::Ordering::Less => *self.older.entry(time).or_insert(0) += 1,
            std::cmp::Ordering::Equal => self.count += 1,
            std::cmp::Ordering::Greater => {
                self.older.insert(self.newest, self.count);
                (self.newest, self.count) = (time, 1);
            }
        }
    }

    /// Takes one occurrence back; whether any is left.
    fn remove(&mut self, time: i64) -> bool {
        if time != self.newest {
            if let Some(count) = self.older.get_mut(&time) {
                *count -= 1;
                if *count == 0 {
                    self.older.remove(&time);
                }
            }
            return true;
        }
        self.count -= 1;
        if self.count > 0 {
            return true;
        }
        let next = self.older.pop_last();
        (self.newest, self.count) = next.unwrap_or_default();
        next.is_some()
    }
}

impl Occurrences {
    /// Adds one occurrence of `value` at `time` (ms).
    pub fn insert(&mut self, value: u128, time: i64) {
        match self.times.entry(value) {
            Entry::Occupied(mut times) => times.get_mut().insert(time),
            Entry::Vacant(place) => {
                place.insert(Times { newest: time, count: 1, older: BTreeMap::new() });
            }
        }
    }

    /// Takes one occurrence back; without one nothing happens.
    pub fn remove(&mut self, value: u128, time: i64) {
        if let Entry::Occupied(mut times) = self.times.entry(value)
            && !times.get_mut().remove(time)
        {
            times.remove();
        }
    }

    /// Newest time of `value` that is not after `at_or_before`.
    pub fn predecessor(&self, value: u128, at_or_before: i64) -> Option<i64> {
        let times = self.times.get(&value)?;
        if times.newest <= at_or_before {
            return Some(times.newest);
        }
        times.older.range(..=at_or_before).next_back().map(|(&time, _)| time)
    }

    /// Oldest time of `value` that is after `after`.
    pub fn successor(&self, value: u128, after: i64) -> Option<i64> {
        let times = self.times.get(&value)?;
        let older = times.older.range(after.checked_add(1)?..).next().map(|(&time, _)| time);
        older.or_else(|| Some(times.newest).filter(|&time| time > after))
    }

    /// Newest time of `value`.
    pub fn latest(&self, value: u128) -> Option<i64> {
        self.times.get(&value).map(|times| times.newest)
    }

    /// About how many bytes are held, where `entries` is how many occurrences there are. Asks no value: those that
    /// occurred before share what is left of the entries, a tree node to each of them or to eight entries.
    pub fn bytes(&self, entries: usize) -> usize {
        let repeats = entries.saturating_sub(self.times.len());
        let nodes = repeats.min(self.times.len()).max(repeats / 8);
        // A slot and its control byte; an eighth of the slots stays free.
        let slots = self.times.capacity() / 7 * 8;
        slots * (size_of::<(u128, Times)>() + 1) + nodes * NODE_BYTES
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }
}

/// Spreads values that are hashes, or small numbers.
#[derive(Clone, Copy, Debug, Default)]
struct ValueHasher(u64);

impl Hasher for ValueHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|&byte| self.write_u128(u128::from(byte)));
    }

    fn write_u128(&mut self, value: u128) {
        let folded = self.0.rotate_left(5) ^ value as u64 ^ (value >> 64) as u64;
        // The golden ratio's fraction; the fold brings the well-mixed high half down.
        let product = u128::from(folded) * 0x9e37_79b9_7f4a_7c15;
        self.0 = product as u64 ^ (product >> 64) as u64;
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

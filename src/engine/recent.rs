//! The duplicate index: which (account, id) was accepted when, for as long as a repetition could still be accepted.
//!
//! Open addressing over 32-byte entries with a 128-bit hash as key. Entries out of reach are removed by a hand that
//! moves on with each insertion, so the index neither keeps a queue nor ever stops to clean up.

use crate::feature::prefetch::prefetch;

/// Slots the hand passes per insertion: a full round while a quarter of the table is filled.
const HAND: usize = 4;

/// One accepted event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seen {
    /// Hash of account and id; 0 marks an empty slot.
    pub identity: u128,
    /// Event time, ms.
    pub time: i64,
    /// Fingerprint of all decoded fields.
    pub fingerprint: u64,
}

const EMPTY: Seen = Seen { identity: 0, time: 0, fingerprint: 0 };

/// What is known of an event's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Familiarity {
    /// Not seen within reach.
    Unknown,
    /// Seen with the same fields.
    Same,
    /// Seen with other fields.
    Different,
}

/// Accepted events by identity.
#[derive(Debug)]
pub struct Recent {
    slots: Vec<Seen>,
    len: usize,
    hand: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Recent { slots: vec![EMPTY; 1024], len: 0, hand: 0 }
    }
}

impl Recent {
    fn mask(&self) -> usize {
        self.slots.len() - 1
    }

    /// Number of events held.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Asks for an identity's slot to be brought into cache.
    pub fn prefetch(&self, identity: u128) {
        prefetch(&self.slots, identity as usize & self.mask());
    }

    /// Looks for an event with the same identity and a time within `reach` ms of this one.
    pub fn look_up(&self, event: &Seen, reach: i64) -> Familiarity {
        let mut found = Familiarity::Unknown;
        let mut at = event.identity as usize & self.mask();
        while self.slots[at].identity != 0 {
            let seen = &self.slots[at];
            if seen.identity == event.identity && seen.time.abs_diff(event.time) <= reach.unsigned_abs() {
                if seen.fingerprint == event.fingerprint {
                    return Familiarity::Same;
                }
                found = Familiarity::Different;
            }
            at = (at + 1) & self.mask();
        }
        found
    }

    /// Adds an accepted event; entries with a time before `horizon` may be forgotten.
    pub fn insert(&mut self, event: Seen, horizon: i64) {
        self.move_hand(horizon);
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.place(event);
        self.len += 1;
    }

    /// Looks at the next few slots; seldom is there an entry out of reach.
    fn move_hand(&mut self, horizon: i64) {
        let start = self.hand & self.mask();
        self.hand = start + HAND;
        // The number of slots is a multiple of HAND, and so is the hand.
        let old = |seen: &Seen| (seen.identity != 0) & (seen.time < horizon);
        if self.slots[start..start + HAND].iter().fold(false, |any, seen| any | old(seen)) {
            (start..start + HAND).for_each(|position| self.forget_at(position, horizon));
        }
    }

    fn place(&mut self, event: Seen) {
        let mut at = event.identity as usize & self.mask();
        while self.slots[at].identity != 0 {
            at = (at + 1) & self.mask();
        }
        self.slots[at] = event;
    }

    fn grow(&mut self) {
        let doubled = vec![EMPTY; self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, doubled);
        old.into_iter().filter(|seen| seen.identity != 0).for_each(|seen| self.place(seen));
    }

    /// Empties a slot whose entry is out of reach, closing the gap.
    fn forget_at(&mut self, position: usize, horizon: i64) {
        while self.slots[position].identity != 0 && self.slots[position].time < horizon {
            self.remove(position);
        }
    }

    fn remove(&mut self, position: usize) {
        let mask = self.mask();
        let mut hole = position;
        let mut at = (hole + 1) & mask;
        while self.slots[at].identity != 0 {
            let home = self.slots[at].identity as usize & mask;
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.slots[hole] = EMPTY;
        self.len -= 1;
    }

    /// All events with a time at or after `horizon`, sorted: the same on every machine.
    pub fn sorted(&self, horizon: i64) -> Vec<Seen> {
        let held = |seen: &&Seen| seen.identity != 0 && seen.time >= horizon;
        let mut all: Vec<Seen> = self.slots.iter().filter(held).copied().collect();
        all.sort_unstable();
        all
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Seen>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(identity: u128, time: i64, fingerprint: u64) -> Seen {
        Seen { identity, time, fingerprint }
    }

    #[test]
    fn tells_duplicates_from_conflicts_within_reach_only() {
        let mut recent = Recent::default();
        recent.insert(seen(5, 1000, 1), i64::MIN);
        recent.insert(seen(5, 9000, 2), i64::MIN);
        let cases = [
            (seen(5, 1100, 1), Familiarity::Same),
            (seen(5, 1100, 3), Familiarity::Different),
            (seen(5, 1101, 1), Familiarity::Unknown),
            (seen(5, 8900, 2), Familiarity::Same),
            (seen(6, 1000, 1), Familiarity::Unknown),
        ];
        for (event, expected) in cases {
            assert_eq!(recent.look_up(&event, 100), expected, "{event:?}");
        }
    }

    #[test]
    fn forgets_what_is_out_of_reach_and_nothing_else() {
        let mut recent = Recent::default();
        for time in 0..100_000_i64 {
            let identity = (time as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            recent.insert(seen(identity, time, 0), time - 500);
            let early =
                (time as u128 + 1 - (time as u128).min(500)).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
            assert_eq!(recent.look_up(&seen(early, (time - 500).max(0), 0), 0), Familiarity::Same);
        }
        assert!(recent.slots.len() <= 4096, "{} slots", recent.slots.len());
        assert_eq!(recent.sorted(99_999 - 500).len(), 501);
    }
}

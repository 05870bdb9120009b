//! What became of the attacks of a kind.

use std::collections::BTreeMap;

/// Counts of the attacks of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caught {
    /// Attacks of which at least one event of the attacker's was decided.
    pub planted: u64,
    /// Of those, the ones that ended without any of their events being noticed.
    pub missed: u64,
    /// Of those caught, the ones caught before their third damaging event.
    pub in_time: u64,
    /// By the number of the attacker's event that was the first not to be allowed: so many attacks.
    pub after: BTreeMap<u32, u64>,
}

impl Caught {
    /// Attacks of which an event was not simply allowed.
    pub fn caught(&self) -> u64 {
        self.after.values().sum()
    }

    /// Attacks that have not ended and of which no event was noticed yet.
    pub fn open(&self) -> u64 {
        self.planted.saturating_sub(self.caught() + self.missed)
    }

    /// After how many events half of those caught were caught.
    pub fn median(&self) -> Option<u32> {
        let half = self.caught().div_ceil(2);
        let mut sum = 0;
        let reached = |(_, count): &(&u32, &u64)| {
            sum += **count;
            sum >= half
        };
        self.after.iter().find(reached).map(|(events, _)| *events)
    }

    /// After how many events the last of those caught was caught.
    pub fn most(&self) -> Option<u32> {
        self.after.last_key_value().map(|(events, _)| *events)
    }

    /// Share of the attacks that were caught in time; `None` where there were none.
    pub fn recall(&self) -> Option<f64> {
        (self.planted > 0).then(|| self.in_time as f64 / self.planted as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_the_most_are_of_those_caught() {
        for (after, expected) in [
            (&[][..], (0, None, None)),
            (&[(5, 1)], (1, Some(5), Some(5))),
            (&[(1, 2), (7, 2)], (4, Some(1), Some(7))),
            (&[(1, 1), (3, 1), (9, 1)], (3, Some(3), Some(9))),
            (&[(2, 1), (40, 10)], (11, Some(40), Some(40))),
        ] {
            let caught = Caught { after: after.iter().copied().collect(), ..Caught::default() };
            assert_eq!((caught.caught(), caught.median(), caught.most()), expected, "{after:?}");
        }
        let caught = Caught { planted: 8, missed: 2, in_time: 2, after: [(1, 4)].into() };
        assert_eq!((caught.open(), caught.recall()), (2, Some(0.25)));
        assert_eq!(Caught::default().recall(), None);
    }
}

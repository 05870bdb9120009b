//! What was counted of decisions, locks and attacks: only what was read from the topics the service writes.

use std::collections::BTreeMap;

use crate::generate::AttackKind;
use crate::model::action::Action;
use crate::model::outcome::TransitionKind;

/// Counts so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Decisions, as [`Action::ALL`].
    pub decisions: [u64; Action::ALL.len()],
    /// Rejected records by code.
    pub rejected: BTreeMap<String, u64>,
    /// Lock transitions, as [`TransitionKind::ALL`].
    pub locks: [u64; TransitionKind::ALL.len()],
    /// Attacks, as [`AttackKind::ALL`].
    pub attacks: [Caught; AttackKind::ALL.len()],
    /// Accounts that were locked and that no attack targets.
    pub honest_locked: u64,
    /// Events of such accounts that were not simply allowed.
    pub honest_stopped: u64,
}

/// What became of the attacks of a kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caught {
    /// Attacks of which at least one event of the attacker's was decided.
    pub planted: u64,
    /// Of those, the ones that ended without any of their events being noticed.
    pub missed: u64,
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
}

impl Tally {
    /// Events decided.
    pub fn decided(&self) -> u64 {
        self.decisions.iter().sum()
    }

    /// Records rejected.
    pub fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Transitions of a kind.
    pub fn transitions(&self, kind: TransitionKind) -> u64 {
        self.locks[kind as usize]
    }

    /// Locks that were ended, in whatever way.
    pub fn ended(&self) -> u64 {
        use TransitionKind::{Expired, Released, Unlocked};
        [Expired, Released, Unlocked].into_iter().map(|kind| self.transitions(kind)).sum()
    }

    /// Locks that were set and not ended.
    pub fn active(&self) -> u64 {
        self.transitions(TransitionKind::Locked).saturating_sub(self.ended())
    }

    /// Attacks of all kinds: planted, caught.
    pub fn all_attacks(&self) -> (u64, u64) {
        self.attacks.iter().fold((0, 0), |(planted, caught), kind| (planted + kind.planted, caught + kind.caught()))
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
        let caught = Caught { planted: 9, missed: 2, after: [(1, 4)].into() };
        assert_eq!(caught.open(), 3);
    }

    #[test]
    fn locks_are_active_until_they_end() {
        let tally = Tally { locks: [9, 5, 2, 7, 1, 3], ..Tally::default() };
        assert_eq!((tally.ended(), tally.active()), (6, 3));
    }
}

//! What was counted of decisions, locks and attacks: only what was read from the topics the service writes.

use std::collections::BTreeMap;

use crate::generate::AttackKind;
use crate::judging::Caught;
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
    fn locks_are_active_until_they_end() {
        let tally = Tally { locks: [9, 5, 2, 7, 1, 3], ..Tally::default() };
        assert_eq!((tally.ended(), tally.active()), (6, 3));
    }
}

//! The attacks under way: which events are theirs, how far they have come, and which accounts they touch.
//!
//! Memory is bounded by the attacks under way and by the accounts attacked within two days.

use std::collections::{BTreeSet, HashMap};

use super::caught::Caught;
use crate::generate::{AttackKind, Part, Told};

/// With this damaging event it is too late.
const TOO_LATE: u32 = 3;

/// An attack under way.
#[derive(Debug, Clone, Copy, Default)]
struct Attack {
    decided: u32,
    damages: u32,
    is_caught: bool,
}

/// What an event that was decided is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Met {
    /// Part of no attack.
    Other,
    /// What the owner does while under attack.
    Owner,
    /// An attacker's.
    Act {
        /// The pattern.
        kind: AttackKind,
        /// Which attack of all.
        attack: u64,
        /// Whether the attack is caught with it.
        catches: bool,
    },
}

/// Follows attacks.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By event id: parts of attacks that were not decided yet.
    parts: HashMap<String, Part>,
    attacks: HashMap<u64, Attack>,
    /// Accounts that attacks touched today and the day before.
    targets: [BTreeSet<String>; 2],
    counts: [Caught; AttackKind::ALL.len()],
}

impl Ledger {
    /// An event is about to be decided.
    pub fn expect(&mut self, told: &Told) {
        if let Some(part) = told.part {
            self.parts.insert(told.id(), part);
            self.targets[0].insert(told.account_name());
        }
    }

    /// A day has begun: who was attacked the day before yesterday is honest again.
    pub fn begin_day(&mut self) {
        self.targets.swap(0, 1);
        self.targets[0].clear();
    }

    /// Whether an attack has touched the account lately.
    pub fn is_target(&self, account: &str) -> bool {
        self.targets.iter().any(|targets| targets.contains(account))
    }

    /// An event was decided; `is_stopped` says that it was not simply allowed.
    pub fn meet(&mut self, event: &str, is_stopped: bool) -> Met {
        let Some(Part { kind, attack, act, acts, damages }) = self.parts.remove(event) else { return Met::Other };
        if act.is_none() {
            return Met::Owner;
        }
        let (counts, under_way) = (&mut self.counts[kind as usize], self.attacks.entry(attack).or_default());
        counts.planted += u64::from(under_way.decided == 0);
        under_way.decided += 1;
        under_way.damages += u32::from(damages);
        let catches = is_stopped && !under_way.is_caught;
        if catches {
            under_way.is_caught = true;
            counts.in_time += u64::from(under_way.damages < TOO_LATE);
            *counts.after.entry(under_way.decided).or_default() += 1;
        }
        if under_way.decided == acts {
            counts.missed += u64::from(!under_way.is_caught);
            self.attacks.remove(&attack);
        }
        Met::Act { kind, attack, catches }
    }

    /// What became of the attacks, as [`AttackKind::ALL`].
    pub fn counts(&self) -> &[Caught; AttackKind::ALL.len()] {
        &self.counts
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::generate::Party;

    /// An event of an account that is part of no attack, or of one.
    pub(crate) fn told(number: u64, account: u32, part: Option<Part>) -> Told {
        let (time, kind, device, counterparty) = (0, "login", None, (Party::None, 0));
        Told { time, number, kind, account, device, counterparty, is_attempt: false, part }
    }

    /// The attack's event with this number; 0 is the owner's.
    pub(crate) fn part(attack: u64, act: u32, acts: u32) -> Option<Part> {
        let act = Some(act).filter(|act| *act > 0);
        Some(Part { kind: AttackKind::Takeover, attack, act, acts, damages: false })
    }

    /// Decides the events of one attack, by act, whether it does damage, and whether it was stopped.
    fn check(acts: u32, decisions: &[(u32, bool, bool)]) -> Caught {
        let mut ledger = Ledger::default();
        for (number, (act, damages, is_stopped)) in (1..).zip(decisions) {
            let part = part(1, *act, acts).map(|part| Part { damages: *damages, ..part });
            ledger.expect(&told(number, 7, part));
            let met = ledger.meet(&told(number, 7, None).id(), *is_stopped);
            assert_eq!(met == Met::Owner, *act == 0, "{met:?}");
        }
        assert!(ledger.is_target("a7") && !ledger.is_target("a8"));
        ledger.counts()[AttackKind::Takeover as usize].clone()
    }

    #[test]
    fn an_attack_is_caught_with_its_first_event_that_is_not_allowed() {
        let caught = |after: &[(u32, u64)], missed| {
            let after: std::collections::BTreeMap<u32, u64> = after.iter().copied().collect();
            Caught { planted: 1, missed, in_time: after.len() as u64, after }
        };
        assert_eq!(check(3, &[(1, false, false), (2, false, true), (3, false, true)]), caught(&[(2, 1)], 0));
        assert_eq!(check(2, &[(1, false, false), (2, false, false)]), caught(&[], 1));
        assert_eq!(check(2, &[(1, false, false)]), caught(&[], 0), "it goes on");
        let owner = check(2, &[(0, false, true), (1, false, true), (2, false, false)]);
        assert_eq!(owner, caught(&[(1, 1)], 0), "the owner is no attack");
        assert_eq!(check(2, &[(0, false, true)]), Caught::default(), "the attacker has not come yet");
    }

    #[test]
    fn in_time_is_before_the_third_damaging_event() {
        let in_time = |damages: &[bool], stopped: u32| {
            let acts: Vec<(u32, bool, bool)> =
                (1..).zip(damages).map(|(act, damages)| (act, *damages, act == stopped)).collect();
            check(damages.len() as u32, &acts).in_time
        };
        assert_eq!(in_time(&[true, true, false, true], 3), 1);
        assert_eq!(in_time(&[true, true, false, true], 2), 1);
        assert_eq!(in_time(&[true, true, false, true], 4), 0, "the third itself");
        assert_eq!(in_time(&[true, true, true, false], 4), 0);
        assert_eq!(in_time(&[false, false, false, false], 4), 1, "no damage was done");
    }

    #[test]
    fn targets_are_honest_again_on_the_second_day() {
        let mut ledger = Ledger::default();
        ledger.expect(&told(1, 7, part(1, 1, 1)));
        for expected in [true, true, false] {
            assert_eq!(ledger.is_target("a7"), expected);
            ledger.begin_day();
        }
    }
}

//! What a rule set came to: recall and precision per attack, and what honest people had to put up with.
//!
//! Recall is the share of the attacks caught in time. Precision is asked of the rules that had a part in catching attacks
//! of a kind: of all cases they raise, how many are attacks. A case is an attack, or a day of an honest account. It
//! depends on how many attacks there are among how much ordinary traffic, so the honest cases are told as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::caught::Caught;
use crate::generate::AttackKind;
use crate::model::action::Action;
use crate::tables::{finish, grouped, new_table};

/// An honest account on a local day.
pub type Case = (u32, i64);

/// What honest accounts had to put up with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Honest {
    /// Events that were not simply allowed, as [`Action::ALL`].
    pub events: [u64; Action::ALL.len()],
    /// Accounts with an event that was answered by a lock, with the rules that had a part in it.
    pub locked: BTreeMap<u32, BTreeSet<String>>,
    /// Accounts with an event refused because of a lock that another event had set.
    pub refused_by_lock: BTreeSet<u32>,
    /// Accounts and days with an event that was not simply allowed.
    pub cases: BTreeSet<Case>,
    /// The same by rule.
    pub cases_of: BTreeMap<String, BTreeSet<Case>>,
}

/// All figures.
#[derive(Debug, Clone)]
pub struct Report {
    /// Accounts there are.
    pub accounts: u32,
    /// Days that passed.
    pub days: f64,
    /// Of those, the days at which accounts had been known for a while.
    pub known_days: f64,
    /// Events decided or rejected.
    pub events: u64,
    /// Events rejected.
    pub rejected: u64,
    /// Attacks, as [`AttackKind::ALL`].
    pub attacks: [Caught; AttackKind::ALL.len()],
    /// By kind: rules that had a part in catching one.
    pub catchers: [BTreeSet<String>; AttackKind::ALL.len()],
    /// By rule: attacks it had a part in stopping.
    pub attacks_of: BTreeMap<String, BTreeSet<u64>>,
    /// Everybody else.
    pub honest: Honest,
}

impl Report {
    /// Share of the attacks of these kinds that were caught in time.
    pub fn recall(&self, kinds: &[AttackKind]) -> f64 {
        let of = |count: fn(&Caught) -> u64| kinds.iter().map(|kind| count(&self.attacks[*kind as usize])).sum::<u64>();
        of(|caught| caught.in_time) as f64 / of(|caught| caught.planted).max(1) as f64
    }

    /// Of the cases raised by the rules that had a part in catching such attacks, the share that are attacks.
    pub fn precision(&self, kind: AttackKind) -> Option<f64> {
        let rules = &self.catchers[kind as usize];
        let attacks: BTreeSet<_> = rules.iter().filter_map(|rule| self.attacks_of.get(rule)).flatten().collect();
        let honest: BTreeSet<_> = rules.iter().filter_map(|rule| self.honest.cases_of.get(rule)).flatten().collect();
        let all = attacks.len() + honest.len();
        (all > 0).then(|| attacks.len() as f64 / all as f64)
    }

    /// The same for all rules and attacks together.
    pub fn precision_of_all(&self) -> f64 {
        let attacks: BTreeSet<_> = self.attacks_of.values().flatten().collect();
        attacks.len() as f64 / (attacks.len() + self.honest.cases.len()).max(1) as f64
    }

    /// Honest accounts locked, per ten thousand accounts and thirty days.
    pub fn locked_per_10_000(&self) -> f64 {
        self.per_10_000(self.honest.locked.len(), self.days)
    }

    fn per_10_000(&self, count: usize, days: f64) -> f64 {
        count as f64 * 10_000.0 / f64::from(self.accounts.max(1)) * 30.0 / days
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_attacks(out)?;
        self.write_honest(out)?;
        self.write_rules(out)
    }
}

impl Report {
    fn write_attacks(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles =
            ["attack", "planted", "in time", "too late", "missed", "recall", "precision", "events until caught"];
        let mut table = new_table(&titles);
        for (kind, name) in AttackKind::ALL {
            let caught = &self.attacks[kind as usize];
            if caught.planted == 0 {
                continue;
            }
            let counts =
                [caught.planted, caught.in_time, caught.caught() - caught.in_time, caught.missed + caught.open()];
            let median = caught.median().map_or_else(|| "-".to_owned(), |events| events.to_string());
            let row = [name.to_owned()].into_iter().chain(counts.map(grouped));
            table.add_row(row.chain([share(caught.recall()), share(self.precision(kind)), median]));
        }
        write!(out, "{}", finish(table))
    }

    fn write_honest(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { honest, accounts, days, known_days, events, rejected, .. } = self;
        let stopped: Vec<String> = Action::ALL[1..]
            .iter()
            .zip(&honest.events[1..])
            .map(|((_, name), count)| format!("{} {name}", grouped(*count)))
            .collect();
        writeln!(
            out,
            "\n{} events of {} accounts in {days} days, {rejected} rejected. Of all cases raised {} are attacks.\n\
             Honest: {} accounts locked ({:.2} per 10 000 accounts and 30 days), {} refused by a lock not of their own \
             making;\nnot simply allowed in the last {known_days} days: {} (days of accounts: {})",
            grouped(*events),
            grouped(u64::from(*accounts)),
            share(Some(self.precision_of_all())),
            honest.locked.len(),
            self.locked_per_10_000(),
            honest.refused_by_lock.len(),
            stopped.join(", "),
            grouped(honest.cases.len() as u64),
        )
    }

    fn write_rules(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = new_table(&["rule", "attacks", "honest cases", "per 10 000 accounts and 30 days"]);
        let rules: BTreeSet<&String> = self.attacks_of.keys().chain(self.honest.cases_of.keys()).collect();
        for rule in rules {
            let attacks = self.attacks_of.get(rule).map_or(0, BTreeSet::len);
            let honest = self.honest.cases_of.get(rule).map_or(0, BTreeSet::len);
            let rate = format!("{:.1}", self.per_10_000(honest, self.known_days));
            table.add_row([rule.clone(), grouped(attacks as u64), grouped(honest as u64), rate]);
        }
        write!(out, "{}", finish(table))?;
        for (account, rules) in &self.honest.locked {
            writeln!(out, "a{account} was locked by {}", rules.iter().cloned().collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

fn share(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.1} %", share * 100.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shares_and_rates() {
        let mut report = Report {
            accounts: 20_000,
            days: 15.0,
            known_days: 10.0,
            events: 1234,
            rejected: 0,
            attacks: Default::default(),
            catchers: Default::default(),
            attacks_of: [("r".to_owned(), [1, 2, 3].into())].into(),
            honest: Honest::default(),
        };
        report.attacks[0] = Caught { planted: 4, missed: 1, in_time: 2, after: [(5, 1), (7, 2)].into() };
        report.catchers[0].insert("r".to_owned());
        report.honest.locked.insert(5, ["r".to_owned()].into());
        report.honest.cases = [(5, 1)].into();
        report.honest.cases_of.insert("r".to_owned(), [(5, 1)].into());
        assert_eq!((report.recall(&[AttackKind::PasswordGuessing]), report.locked_per_10_000()), (0.5, 1.0));
        assert_eq!((report.precision(AttackKind::PasswordGuessing), report.precision_of_all()), (Some(0.75), 0.75));
        assert_eq!(report.precision(AttackKind::Stuffing), None);
        let text = report.to_string();
        for line in [
            " password_guessing         4         2          1        1   50.0 %      75.0 %                     7",
            " r            3              1                               1.5",
            "Honest: 1 accounts locked (1.00 per 10 000 accounts and 30 days), 0 refused by a lock not of their own making;",
        ] {
            assert!(text.lines().any(|found| found.trim_end() == line), "{line}\n{text}");
        }
        assert!(!text.contains("stuffing") && text.ends_with("a5 was locked by r\n"), "{text}");
    }
}

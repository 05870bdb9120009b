//! Reads what a rule set says of generated traffic, batch by batch, and keeps count.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;

use super::ledger::{Ledger, Met};
use super::report::{Honest, Report};
use crate::generate::{AttackKind, Told, local_day};
use crate::model::action::Action;

/// A line of output; transitions and rejections have other members as well.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    hits: Vec<Hit<'a>>,
    #[serde(borrow, default)]
    covered_by: Vec<Cover<'a>>,
}

#[derive(Deserialize)]
struct Hit<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    #[serde(borrow)]
    mode: Cow<'a, str>,
    #[serde(borrow)]
    action: Cow<'a, str>,
    score: u32,
}

#[derive(Deserialize)]
struct Cover<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
}

/// What was decided of an event that was not simply allowed.
struct Stop {
    action: Action,
    /// Rules that had a part in it.
    rules: BTreeSet<String>,
    is_covered: bool,
}

/// Keeps count of what was decided.
#[derive(Debug, Default)]
pub struct Court {
    ledger: Ledger,
    known_from: i64,
    day: i64,
    honest: Honest,
    events: u64,
    rejected: u64,
    /// By kind: rules that had a part in catching one.
    catchers: [BTreeSet<String>; AttackKind::ALL.len()],
    /// By rule: attacks it had a part in stopping.
    attacks_of: BTreeMap<String, BTreeSet<u64>>,
}

impl Court {
    /// A court that counts locks from the first event on, but other trouble of honest accounts only from `known_from`
    /// (epoch ms) on: before, nobody's devices and payees are known.
    pub fn new(known_from: i64) -> Court {
        Court { known_from, ..Court::default() }
    }

    /// Judges a batch: what the events were, and the lines that say what became of them, at least all that are not a
    /// bare allow.
    ///
    /// # Errors
    /// A line that is none of the engine's.
    pub fn hear(&mut self, told: &[Told], lines: &[u8]) -> Result<(), serde_json::Error> {
        let mut stops = HashMap::new();
        for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let line: Line = serde_json::from_slice(line)?;
            match (&*line.kind, &line.event) {
                ("decision", Some(event)) => {
                    stops.extend(stop(&line).map(|stop| (event.clone().into_owned(), stop)));
                }
                ("rejected", _) => self.rejected += 1,
                _ => {}
            }
        }
        for event in told {
            self.judge(event, stops.remove(&event.id()));
        }
        Ok(())
    }

    fn judge(&mut self, told: &Told, stop: Option<Stop>) {
        self.events += 1;
        let day = local_day(told.time);
        if day > self.day {
            self.day = day;
            self.ledger.begin_day();
        }
        self.ledger.expect(told);
        match (self.ledger.meet(&told.id(), stop.is_some()), stop) {
            (Met::Act { kind, attack, catches }, Some(stop)) => self.stop_attack(kind, attack, catches, stop),
            (Met::Other, Some(stop)) if !self.ledger.is_target(&told.account_name()) => self.stop_honest(told, &stop),
            _ => {}
        }
    }

    fn stop_attack(&mut self, kind: AttackKind, attack: u64, catches: bool, stop: Stop) {
        for rule in stop.rules {
            self.attacks_of.entry(rule.clone()).or_default().insert(attack);
            if catches {
                self.catchers[kind as usize].insert(rule);
            }
        }
    }

    fn stop_honest(&mut self, told: &Told, stop: &Stop) {
        if stop.action == Action::Lock {
            self.honest.locked.entry(told.account).or_default().extend(stop.rules.iter().cloned());
        } else if stop.is_covered {
            self.honest.refused_by_lock.insert(told.account);
        }
        if told.time < self.known_from {
            return;
        }
        self.honest.events[stop.action as usize] += 1;
        let case = (told.account, self.day);
        self.honest.cases.insert(case);
        for rule in &stop.rules {
            self.honest.cases_of.entry(rule.clone()).or_default().insert(case);
        }
    }

    /// What it came to, for so many accounts in a period of so many ms from `start` (epoch ms) on.
    pub fn report(self, accounts: u32, start: i64, length: i64) -> Report {
        let days = |ms: i64| ms as f64 / 86_400_000.0;
        Report {
            accounts,
            days: days(length),
            known_days: days(length - (self.known_from - start).clamp(0, length)),
            events: self.events,
            rejected: self.rejected,
            attacks: self.ledger.counts().clone(),
            catchers: self.catchers,
            attacks_of: self.attacks_of,
            honest: self.honest,
        }
    }
}

/// What a decision stops; `None` where it simply allows.
fn stop(line: &Line) -> Option<Stop> {
    let (action, _) = *Action::ALL.iter().find(|(_, name)| *name == line.action)?;
    if action == Action::Allow {
        return None;
    }
    let counts = |hit: &&Hit| hit.mode == "enforce" && (hit.score > 0 || hit.action != "allow");
    let hits = line.hits.iter().filter(counts).map(|hit| &hit.rule);
    let rules = hits.chain(line.covered_by.iter().map(|cover| &cover.rule)).map(|rule| rule.clone().into_owned());
    Some(Stop { action, rules: rules.collect(), is_covered: !line.covered_by.is_empty() })
}

#[cfg(test)]
mod tests {
    use super::super::ledger::tests::{part, told};
    use super::*;

    fn decision(number: u64, action: &str, rules: &[(&str, &str, u32)], covered_by: &str) -> String {
        let hits: Vec<String> = rules
            .iter()
            .map(|(rule, mode, score)| {
                format!(r#"{{"rule":"{rule}","mode":"{mode}","action":"allow","score":{score},"values":{{}}}}"#)
            })
            .collect();
        let (event, hits) = (told(number, 0, None).id(), hits.join(","));
        format!(
            r#"{{"kind":"decision","event":"{event}","action":"{action}","hits":[{hits}],"covered_by":[{covered_by}]}}"#
        ) + "\n"
    }

    #[test]
    fn rules_are_credited_with_attacks_and_charged_with_honest_cases() {
        let mut court = Court::default();
        let events: Vec<Told> = vec![
            told(1, 7, part(1, 1, 2)),
            told(2, 7, part(1, 2, 2)),
            told(3, 8, None),
            told(4, 8, None),
            told(5, 9, None),
            told(6, 7, None),
            told(7, 6, part(2, 1, 1)),
        ];
        let lines = [
            decision(2, "challenge", &[("a", "enforce", 40), ("b", "shadow", 40), ("c", "enforce", 0)], ""),
            decision(3, "alert", &[("a", "enforce", 40)], ""),
            decision(4, "lock", &[("a", "enforce", 40), ("d", "enforce", 9)], ""),
            decision(5, "deny", &[], r#"{"rule":"d"}"#),
            decision(6, "lock", &[("a", "enforce", 40)], ""),
            r#"{"kind":"lock","transition":"locked","rule":"d","target":{},"event":"e4"}"#.to_owned(),
        ];
        court.hear(&events, lines.concat().as_bytes()).expect("lines of the engine");
        let report = court.report(10, 0, 86_400_000);
        let takeover = &report.attacks[AttackKind::Takeover as usize];
        assert_eq!((takeover.planted, takeover.in_time, takeover.missed), (2, 1, 1));
        assert_eq!(report.catchers[AttackKind::Takeover as usize], ["a".to_owned()].into());
        assert_eq!(report.honest.events, [0, 1, 0, 1, 1], "the target's own is nobody's fault");
        let lock = [(8, ["a".to_owned(), "d".to_owned()].into())].into();
        assert_eq!((report.honest.locked.clone(), report.honest.refused_by_lock.clone()), (lock, [9].into()));
        assert_eq!((report.honest.cases.len(), report.honest.cases_of["a"].len()), (2, 1));
        assert_eq!(report.precision(AttackKind::Takeover), Some(0.5));
    }

    #[test]
    fn strangers_are_no_cases_but_their_locks_count() {
        let mut court = Court::new(1);
        let lines = decision(1, "lock", &[("a", "enforce", 40)], "");
        court.hear(&[told(1, 8, None)], lines.as_bytes()).expect("lines of the engine");
        let report = court.report(10, -86_399_999, 2 * 86_400_000);
        assert_eq!((report.honest.locked.len(), report.honest.cases.len()), (1, 0));
        assert_eq!((report.days, report.known_days), (2.0, 1.0));
    }

    #[test]
    fn foreign_lines_are_errors() {
        assert!(Court::default().hear(&[], b"{}\n").is_err());
        assert!(Court::default().hear(&[], b"\n\n").is_ok());
    }
}

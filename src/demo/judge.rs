//! What the decisions are worth: the generator knows which events are an attacker's, the service's topics say what was
//! decided, and here both meet.
//!
//! Attacks are followed as [`crate::judging`] does everywhere, in the order of the decisions. Pure; memory is bounded by
//! the attacks under way and the accounts there are.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::news::{Moment, News};
use super::tally::Tally;
use crate::generate::Told;
use crate::judging::{Ledger, Met};
use crate::model::action::Action;
use crate::model::outcome::TransitionKind;

/// A line of the decisions topic; evictions have only their kind.
#[derive(Deserialize)]
struct Decision<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Cow<'a, str>,
    #[serde(borrow, default)]
    account: Cow<'a, str>,
    #[serde(borrow, default)]
    action: Cow<'a, str>,
    #[serde(borrow, default)]
    hits: Vec<Hit<'a>>,
}

#[derive(Deserialize)]
struct Hit<'a> {
    #[serde(borrow)]
    rule: Cow<'a, str>,
    #[serde(default)]
    reason: BTreeMap<String, String>,
}

/// A line of the topic of lock transitions.
#[derive(Deserialize)]
struct Transition<'a> {
    #[serde(borrow)]
    transition: Cow<'a, str>,
    #[serde(borrow)]
    rule: Cow<'a, str>,
    target: BTreeMap<String, Value>,
    start: String,
    end: Option<String>,
    event: Option<String>,
}

/// A line of a dead-letter topic.
#[derive(Deserialize)]
struct Rejection<'a> {
    #[serde(borrow)]
    code: Cow<'a, str>,
    #[serde(borrow, default)]
    event: Option<Cow<'a, str>>,
}

/// Judges decisions.
#[derive(Debug, Default)]
pub struct Judge {
    tally: Tally,
    news: News,
    ledger: Ledger,
    honest_locked: BTreeSet<String>,
}

impl Judge {
    /// An event is about to be sent.
    pub fn expect(&mut self, told: &Told) {
        self.ledger.expect(told);
    }

    /// A day has begun: who was attacked the day before yesterday is honest again.
    pub fn begin_day(&mut self) {
        self.ledger.begin_day();
    }

    /// Reads a line of the decisions topic; whether it decides an event.
    ///
    /// # Errors
    /// A line that is none of the service's.
    pub fn decision(&mut self, line: &[u8]) -> Result<bool> {
        let decision: Decision = serde_json::from_slice(line).context("a decision that cannot be read")?;
        if decision.kind != "decision" {
            return Ok(false);
        }
        let known = Action::ALL.iter().find(|(_, name)| *name == decision.action);
        let (action, _) = known.with_context(|| format!("`{}` is no action", decision.action))?;
        self.tally.decisions[*action as usize] += 1;
        let is_stopped = *action != Action::Allow;
        let is_part = self.meet(&decision.event, is_stopped);
        if is_stopped && !is_part && !self.ledger.is_target(&decision.account) {
            self.tally.honest_stopped += 1;
        }
        if *action == Action::Lock {
            for Hit { rule, mut reason } in decision.hits {
                if let Some(text) = reason.remove("en").or_else(|| reason.pop_first().map(|(_, text)| text)) {
                    self.news.explain(&decision.event, &rule, text);
                }
            }
        }
        Ok(true)
    }

    /// Reads a line of the topic of lock transitions.
    ///
    /// # Errors
    /// A line that is none of the service's.
    pub fn transition(&mut self, line: &[u8]) -> Result<()> {
        let found: Transition = serde_json::from_slice(line).context("a lock transition that cannot be read")?;
        let known = TransitionKind::ALL.iter().find(|(_, name)| *name == found.transition);
        let (kind, _) = *known.with_context(|| format!("`{}` is no transition", found.transition))?;
        self.tally.locks[kind as usize] += 1;
        if kind == TransitionKind::Locked
            && let Some(Value::String(account)) = found.target.get("account")
            && !self.ledger.is_target(account)
        {
            self.honest_locked.insert(account.clone());
            self.tally.honest_locked = self.honest_locked.len() as u64;
        }
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let target = found.target.into_iter().map(|(name, value)| (name, text(value))).collect();
        let Transition { rule, start, end, event, .. } = found;
        self.news.add(Moment { kind, rule: rule.into_owned(), target, start, end, event, reason: None });
        Ok(())
    }

    /// Reads a line of a dead-letter topic.
    ///
    /// # Errors
    /// A line that is none of the service's.
    pub fn rejection(&mut self, line: &[u8]) -> Result<()> {
        let Rejection { code, event } = serde_json::from_slice(line).context("a rejection that cannot be read")?;
        *self.tally.rejected.entry(code.into_owned()).or_default() += 1;
        if let Some(event) = event {
            self.meet(&event, false);
        }
        Ok(())
    }

    /// Everything counted so far.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The newest lock transitions, newest first.
    pub fn news(&self) -> impl Iterator<Item = &Moment> {
        self.news.iter()
    }

    /// Takes an event off the list of what is expected; whether it is part of an attack.
    fn meet(&mut self, event: &str, is_stopped: bool) -> bool {
        let met = self.ledger.meet(event, is_stopped);
        if let Met::Act { kind, .. } = met {
            self.tally.attacks[kind as usize].clone_from(&self.ledger.counts()[kind as usize]);
        }
        met != Met::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::AttackKind;
    use crate::judging::Caught;
    use crate::judging::ledger::tests::{part, told};

    fn decision(number: u64, account: u32, action: &str) -> String {
        let event = told(number, account, None).id();
        let hits = r#"[{"rule":"r","mode":"enforce","action":"lock","score":1,"values":{},"reason":{"de":"viele","en":"many"}}]"#;
        format!(r#"{{"kind":"decision","event":"{event}","account":"a{account}","action":"{action}","hits":{hits}}}"#)
    }

    fn lock(transition: &str, target: &str, event: &str) -> String {
        let times = r#""start":"2026-01-05T08:00:00.000Z","end":null,"level":0"#;
        format!(
            r#"{{"kind":"lock","transition":"{transition}","rule":"r","target":{target},{times},"event":"{event}"}}"#
        )
    }

    /// Decides the events of one attack, by act and action; what was counted of it.
    fn check(acts: u32, decisions: &[(u32, &str)]) -> Caught {
        let mut judge = Judge::default();
        for (number, (act, action)) in (1..).zip(decisions) {
            judge.expect(&told(number, 7, part(1, *act, acts)));
            assert!(judge.decision(decision(number, 7, action).as_bytes()).expect("a decision"));
        }
        assert_eq!(judge.tally().honest_stopped, 0, "the target is not honest traffic");
        judge.tally.attacks[AttackKind::Takeover as usize].clone()
    }

    #[test]
    fn an_attack_is_caught_with_its_first_event_that_is_not_allowed() {
        let caught = |after: &[(u32, u64)], missed| Caught {
            planted: 1,
            missed,
            in_time: after.len() as u64,
            after: after.iter().copied().collect(),
        };
        assert_eq!(check(3, &[(1, "allow"), (2, "alert"), (3, "lock")]), caught(&[(2, 1)], 0));
        assert_eq!(check(2, &[(1, "allow"), (2, "allow")]), caught(&[], 1));
        assert_eq!(check(2, &[(1, "allow")]), caught(&[], 0), "it goes on");
        assert_eq!(check(2, &[(0, "lock"), (1, "deny"), (2, "allow")]), caught(&[(1, 1)], 0), "the owner is no attack");
        assert_eq!(check(2, &[(0, "lock")]), Caught::default(), "the attacker has not come yet");
    }

    #[test]
    fn who_is_not_attacked_is_honest() {
        let mut judge = Judge::default();
        judge.expect(&told(1, 7, part(1, 1, 1)));
        let stopped = |judge: &mut Judge, number, account| {
            judge.decision(decision(number, account, "challenge").as_bytes()).expect("a decision");
            judge.tally().honest_stopped
        };
        assert_eq!((stopped(&mut judge, 1, 7), stopped(&mut judge, 2, 7), stopped(&mut judge, 3, 8)), (0, 0, 1));
        for (target, expected) in [(r#"{"account":"a7"}"#, 0), (r#"{"account":"a8"}"#, 1), (r#"{"device":"d1"}"#, 1)] {
            judge.transition(lock("locked", target, "e1").as_bytes()).expect("a transition");
            assert_eq!(judge.tally().honest_locked, expected, "{target}");
        }
        judge.transition(lock("locked", r#"{"account":"a8"}"#, "e9").as_bytes()).expect("a transition");
        assert_eq!(judge.tally().honest_locked, 1, "accounts are counted, not locks");
        judge.begin_day();
        assert_eq!(stopped(&mut judge, 4, 7), 1, "it was attacked yesterday");
        judge.begin_day();
        assert_eq!(stopped(&mut judge, 5, 7), 2);
    }

    #[test]
    fn rejections_are_decided_as_well_but_catch_nothing() {
        let mut judge = Judge::default();
        judge.expect(&told(1, 7, part(1, 1, 1)));
        for line in [r#"{"kind":"rejected","code":"late","event":"e1"}"#, r#"{"kind":"rejected","code":"malformed"}"#] {
            judge.rejection(line.as_bytes()).expect("a rejection");
        }
        assert_eq!(judge.tally().rejected, [("late".to_owned(), 1), ("malformed".to_owned(), 1)].into());
        assert_eq!((judge.tally().all_attacks(), judge.tally().attacks[2].missed), ((1, 0), 1));
    }

    #[test]
    fn locks_are_explained_whichever_topic_comes_first() {
        let mut judge = Judge::default();
        judge.transition(lock("locked", r#"{"account":"a7","n":1}"#, "e1").as_bytes()).expect("a transition");
        judge.decision(decision(1, 7, "lock").as_bytes()).expect("a decision");
        judge.decision(decision(2, 7, "lock").as_bytes()).expect("a decision");
        judge.transition(lock("locked", r#"{"account":"a7"}"#, "e2").as_bytes()).expect("a transition");
        let reasons: Vec<_> = judge.news().map(|moment| (moment.event.as_deref(), moment.reason.as_deref())).collect();
        assert_eq!(reasons, [(Some("e2"), Some("many")), (Some("e1"), Some("many"))]);
        let target = judge.news().last().map(|moment| moment.target.clone());
        assert_eq!(target, Some(vec![("account".to_owned(), "a7".to_owned()), ("n".to_owned(), "1".to_owned())]));
    }

    #[test]
    fn foreign_lines_are_errors() {
        let mut judge = Judge::default();
        assert_eq!(judge.decision(br#"{"kind":"evicted","dimension":"account"}"#).ok(), Some(false));
        for line in ["", "{}", r#"{"kind":"decision","action":"dance"}"#, "\u{1}"] {
            assert!(judge.decision(line.as_bytes()).is_err() && judge.transition(line.as_bytes()).is_err(), "{line}");
        }
        assert!(judge.rejection(b"{}").is_err());
        assert_eq!(judge.tally(), &Tally::default());
    }
}

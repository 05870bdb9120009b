//! One pass over a stream: intake, rules, score, action, locks, and the lines they give.

use super::decode::{Event, Refusal, decode};
use super::eval::{Fault, Scope, evaluate, is_true};
use super::locks::{Lock, Locks, Moment, Transition};
use super::model::{History, View};
use super::output;
use super::rules::{Rule, RuleSet};
use super::value::Value;

/// Actions in rising severity.
pub const ACTIONS: [&str; 5] = ["allow", "alert", "challenge", "deny", "lock"];

/// A decision before it is written.
pub struct Decision<'a> {
    pub action: &'static str,
    pub score: i64,
    pub hits: Vec<(&'a str, &'a Rule)>,
    pub covered_by: Vec<Lock>,
}

/// The whole output for a stream read from standard input.
pub fn run(rules: &RuleSet, stream: &[u8]) -> String {
    let mut history = History::new(rules);
    let mut locks = Locks::default();
    let mut out = String::new();
    for (number, line) in stream.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let record = line.strip_suffix(b"\r").unwrap_or(line);
        match decode(record, rules).and_then(|event| admit(event, &history)) {
            Err(refusal) => out += &output::rejected(&refusal, number + 1),
            Ok(event) => {
                history.accept(event);
                decide(&history, &mut locks, &mut out);
            }
        }
    }
    out
}

/// Late, duplicate and conflicting events are refused.
fn admit(event: Event, history: &History) -> Result<Event, Refusal> {
    let head = &history.rules.ruleset;
    let refuse = |code| Err(Refusal::plain(code, event.text("id").map(str::to_owned)));
    let watermark = history.events().map(Event::time).max().map(|highest| highest - head.lateness.0);
    if watermark.is_some_and(|watermark| event.time() < watermark) {
        return refuse("late");
    }
    let same = |other: &&Event| {
        ["account", "id"].iter().all(|name| other.text(name) == event.text(name))
            && (other.time() - event.time()).abs() <= head.dedup.0
    };
    let known: Vec<_> = history.events().filter(same).collect();
    match known.iter().any(|other| other.identity() == event.identity()) {
        true => refuse("duplicate"),
        false if !known.is_empty() => refuse("conflict"),
        false => Ok(event),
    }
}

/// Everything about the newest event, appended to the output.
fn decide(history: &History, locks: &mut Locks, out: &mut String) {
    let view = history.newest();
    let rules = history.rules;
    let Some(Value::Time(time)) = view.lookup("time") else { panic!("every event has a time") };
    let moment = Moment { view: &view, rules, arrival: history.events().count() - 1, time };
    let digits = view.digits();
    for expired in locks.expire(&moment) {
        *out += &output::transition(&expired, None, digits);
    }
    let covered_by = locks.covering(&moment);
    let hits: Vec<_> = rules
        .rules
        .iter()
        .filter(|(_, rule)| rule.mode.as_deref() != Some("off") && fires(rule, &view))
        .map(|(id, rule)| (id.as_str(), rule))
        .collect();
    let (actions, mut done) = act(&hits, locks, &moment);
    let score = hits.iter().filter(|(_, rule)| enforces(rule)).map(|(_, rule)| rule.score).sum::<i64>().min(100);
    let cover = if covered_by.is_empty() { "allow" } else { "deny" };
    let all = actions.into_iter().chain([threshold(score, rules), cover]);
    let action = ACTIONS[all.map(severity).max().unwrap_or(0)];
    *out += &output::decision(&Decision { action, score, hits, covered_by }, rules, &view);
    done.extend(locks.unlock(&moment));
    done.extend(locks.release(&moment));
    locks.forgive(&moment);
    // The sort is stable: firing, unlock, release stay in this order for one lock.
    done.sort_by_key(|change| (change.lock.rule.clone(), change.lock.order(digits)));
    for change in &done {
        *out += &output::transition(change, Some(&view), digits);
    }
}

fn severity(action: &str) -> usize {
    ACTIONS.iter().position(|known| *known == action).expect("a known action")
}

fn enforces(rule: &Rule) -> bool {
    rule.mode.as_deref().unwrap_or("enforce") == "enforce"
}

fn fires(rule: &Rule, view: &View) -> bool {
    let on = rule.on.as_ref().is_none_or(|cel| is_true(&cel.0, view));
    let when = match evaluate(&rule.when.0, view) {
        Ok(value) => value == Value::Bool(true),
        Err(Fault) => rule.if_missing.as_deref() == Some("fire"),
    };
    on && when
}

/// Actions of the fired enforcing rules, and the locks they set or extended.
fn act(hits: &[(&str, &Rule)], locks: &mut Locks, moment: &Moment) -> (Vec<&'static str>, Vec<Transition>) {
    let mut actions = Vec::new();
    let mut done = Vec::new();
    for (id, rule) in hits.iter().filter(|(_, rule)| enforces(rule)) {
        let written = rule.action.as_deref().unwrap_or("allow");
        if written != "lock" {
            actions.push(ACTIONS[severity(written)]);
            continue;
        }
        let (locked, change) = locks.fire(id, moment);
        actions.push(if locked { "lock" } else { "deny" });
        done.extend(change);
    }
    (actions, done)
}

fn threshold(score: i64, rules: &RuleSet) -> &'static str {
    let levels = &rules.ruleset.thresholds;
    let reached = |level: Option<i64>| level.is_some_and(|level| score >= level);
    match (reached(levels.deny), reached(levels.challenge), reached(levels.alert)) {
        (true, ..) => "deny",
        (_, true, _) => "challenge",
        (.., true) => "alert",
        _ => "allow",
    }
}

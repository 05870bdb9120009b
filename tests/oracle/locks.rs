//! Section 3: every lock ever set is kept, and each sentence is looked up in that list.

use num_bigint::BigInt;

use super::eval::{Fault, Scope, evaluate, is_true};
use super::model::View;
use super::number::{Decimal, power};
use super::rules::{Backoff, Lock as Written, RuleSet};
use super::texts::Length;
use super::time::LAST;
use super::value::Value;

/// Default of `forget`: seven days.
const FORGET: i64 = 7 * 86_400_000;

/// A lock that was set.
#[derive(Debug, Clone)]
pub struct Lock {
    pub rule: String,
    pub target: Vec<(String, Value)>,
    pub start: i64,
    pub end: Option<i64>,
    pub level: u32,
    /// Its end has been written.
    closed: bool,
    /// An event since it was set makes the next level 0.
    forgiven: bool,
    /// Which accepted event set it, counted from 0.
    set_by: usize,
}

/// What happened to a lock, as it is then.
#[derive(Debug, Clone)]
pub struct Transition {
    pub name: &'static str,
    pub lock: Lock,
}

/// The event at hand.
pub struct Moment<'a> {
    pub view: &'a View<'a>,
    pub rules: &'a RuleSet,
    /// Accepted events before it.
    pub arrival: usize,
    pub time: i64,
}

impl Moment<'_> {
    fn text(&self, name: &str) -> Option<String> {
        if let Some(Value::Text(text)) = self.view.lookup(name) { Some(text) } else { None }
    }

    fn matches(&self, lock: &Lock) -> bool {
        lock.target.iter().all(|(name, value)| self.view.lookup(name).as_ref() == Some(value))
    }

    fn written(&self, rule: &str) -> &Written {
        self.rules.rules[rule].lock.as_ref().expect("only locking rules set locks")
    }
}

/// All locks ever set, in the order set.
#[derive(Default)]
pub struct Locks(Vec<Lock>);

impl Lock {
    fn before_end(&self, time: i64) -> bool {
        self.end.is_none_or(|end| time < end)
    }

    /// Target values as unescaped text, for ordering.
    pub fn order(&self, digits: u32) -> Vec<String> {
        self.target.iter().map(|(_, value)| value.bare(digits)).collect()
    }

    fn finish(&mut self, time: i64) {
        self.end = Some(self.start.max(time));
        self.closed = true;
    }
}

fn transition(name: &'static str, lock: &Lock) -> Transition {
    Transition { name, lock: lock.clone() }
}

impl Locks {
    /// Locks whose end has come by this event, ordered by end, rule, target.
    pub fn expire(&mut self, moment: &Moment) -> Vec<Transition> {
        let mut due = Vec::new();
        for lock in self.0.iter_mut().filter(|lock| !lock.closed && !lock.before_end(moment.time)) {
            lock.closed = true;
            due.push(transition("expired", lock));
        }
        let digits = moment.view.digits();
        due.sort_by_key(|due| (due.lock.end, due.lock.rule.clone(), due.lock.order(digits)));
        due
    }

    /// Locks that cover this event, by rule, start, target.
    pub fn covering(&self, moment: &Moment) -> Vec<Lock> {
        if ["unlock", "freeze", "label"].contains(&moment.text("type").unwrap_or_default().as_str()) {
            return Vec::new();
        }
        let covers = |lock: &&Lock| lock.before_end(moment.time) && covered(lock, moment);
        let mut covering: Vec<_> = self.0.iter().filter(covers).cloned().collect();
        let digits = moment.view.digits();
        covering.sort_by_key(|lock| (lock.rule.clone(), lock.start, lock.order(digits)));
        covering
    }

    /// A firing of an enforcing locking rule: whether it counts as `lock` (else `deny`), and what it changed.
    pub fn fire(&mut self, rule: &str, moment: &Moment) -> (bool, Option<Transition>) {
        let written = moment.written(rule);
        let names = written.target_names();
        let target: Option<Vec<_>> =
            names.into_iter().map(|name| moment.view.lookup(&name).map(|value| (name, value))).collect();
        let (Some(target), Ok(base)) = (target, base_length(&written.length, moment)) else { return (false, None) };
        let newest = self.0.iter_mut().rfind(|lock| lock.rule == rule && lock.target == target);
        if let Some(newest) = newest.filter(|lock| lock.before_end(moment.time)) {
            let moved = written.extend && extend(newest, base, written.backoff.as_ref(), moment.time);
            return (true, moved.then(|| transition("extended", newest)));
        }
        let newest = self.0.iter().rfind(|lock| lock.rule == rule && lock.target == target);
        let level = next_level(newest, written.backoff.as_ref(), moment.time);
        let length = length_at(level, base, written.backoff.as_ref());
        let end = length.map(|length| end_after(moment.time, length));
        let lock = Lock {
            rule: rule.to_owned(),
            target,
            start: moment.time,
            end,
            level,
            closed: false,
            forgiven: false,
            set_by: moment.arrival,
        };
        self.0.push(lock.clone());
        (true, Some(transition("locked", &lock)))
    }

    fn earlier_open<'a>(&'a mut self, moment: &'a Moment) -> impl Iterator<Item = &'a mut Lock> {
        self.0.iter_mut().filter(|lock| {
            lock.set_by < moment.arrival && !lock.closed && lock.before_end(moment.time) && moment.matches(lock)
        })
    }

    /// What an `unlock` event does.
    pub fn unlock(&mut self, moment: &Moment) -> Vec<Transition> {
        if moment.text("type").as_deref() != Some("unlock") {
            return Vec::new();
        }
        let rule = moment.text("rule");
        let failed = moment.text("outcome").as_deref() == Some("failure");
        let proof = moment.text("proof").filter(|_| !failed);
        let mut done = Vec::new();
        for lock in self.earlier_open(moment) {
            let meant = match &rule {
                Some(rule) => *rule == lock.rule,
                None => lock.target.iter().any(|(name, _)| name == "account"),
            };
            let accepted = &moment.written(&lock.rule).unlock;
            match proof.as_ref().is_some_and(|proof| accepted.contains(proof)) {
                _ if !meant => {}
                true => {
                    lock.finish(moment.time);
                    done.push(transition("unlocked", lock));
                }
                false => done.push(transition("unlock_refused", lock)),
            }
        }
        done
    }

    /// Locks whose `release` is true for this event.
    pub fn release(&mut self, moment: &Moment) -> Vec<Transition> {
        let mut done = Vec::new();
        for lock in self.earlier_open(moment) {
            let release = moment.written(&lock.rule).release.as_ref();
            if release.is_some_and(|cel| is_true(&cel.0, moment.view)) {
                lock.finish(moment.time);
                done.push(transition("released", lock));
            }
        }
        done
    }

    /// Backoff resets: the newest lock of its rule and target no longer raises the next level.
    pub fn forgive(&mut self, moment: &Moment) {
        for lock in self.0.iter_mut().filter(|lock| lock.set_by < moment.arrival && moment.matches(lock)) {
            let reset = moment.written(&lock.rule).backoff.as_ref().and_then(|backoff| backoff.reset.as_ref());
            lock.forgiven |= reset.is_some_and(|cel| is_true(&cel.0, moment.view));
        }
    }
}

/// Whether a lock's target and `covers` hold for an event; a `covers` in error holds.
fn covered(lock: &Lock, moment: &Moment) -> bool {
    let written = moment.written(&lock.rule);
    let matching = match &written.covers_by {
        Some(by) => by.0.iter().any(|name| moment.view.lookup(name).as_ref() == Some(&lock.target[0].1)),
        None => moment.matches(lock),
    };
    let covers = written.covers.as_ref().map(|cel| evaluate(&cel.0, moment.view));
    matching && covers != Some(Ok(Value::Bool(false)))
}

/// `for` as written: `None` is without end; a fault where it locks nothing.
fn base_length(length: &Length, moment: &Moment) -> Result<Option<i64>, Fault> {
    let length = match length {
        Length::UntilUnlocked => return Ok(None),
        Length::Fixed(length) => *length,
        Length::Computed(expr) => match evaluate(expr, moment.view)? {
            Value::Duration(length) => length,
            _ => return Err(Fault),
        },
    };
    if length > 0 { Ok(Some(length)) } else { Err(Fault) }
}

fn next_level(newest: Option<&Lock>, backoff: Option<&Backoff>, time: i64) -> u32 {
    let (Some(newest), Some(backoff)) = (newest, backoff) else { return 0 };
    let forget = backoff.forget.map_or(FORGET, |pause| pause.0);
    let recent = newest.end.is_some_and(|end| time - end <= forget);
    if recent && !newest.forgiven { newest.level + 1 } else { 0 }
}

/// Duration at a level; `None` is without end.
fn length_at(level: u32, base: Option<i64>, backoff: Option<&Backoff>) -> Option<BigInt> {
    let Some(backoff) = backoff else { return base.map(BigInt::from) };
    if backoff.until_unlocked_from.is_some_and(|from| i64::from(level) >= from) {
        return None;
    }
    let capped = |length: BigInt| match backoff.max {
        Some(max) => length.min(BigInt::from(max.0)),
        None => length,
    };
    let factor = Decimal::parse(backoff.factor.as_deref().unwrap_or("2")).expect("a decimal");
    let first = capped(BigInt::from(base?));
    Some((0..level).fold(first, |length, _| capped(length * factor.mantissa / power(factor.scale))))
}

fn end_after(time: i64, length: BigInt) -> i64 {
    let end = (length + time).min(BigInt::from(LAST));
    i64::try_from(end).expect("no later than the last instant")
}

/// Moves the end of a lock that is still open; whether it moved.
fn extend(lock: &mut Lock, base: Option<i64>, backoff: Option<&Backoff>, time: i64) -> bool {
    let length = length_at(lock.level, base, backoff);
    match (lock.end, length) {
        (Some(end), Some(length)) if !lock.closed && time >= lock.start => {
            let moved = end_after(time, length);
            lock.end = Some(end.max(moved));
            moved > end
        }
        _ => false,
    }
}

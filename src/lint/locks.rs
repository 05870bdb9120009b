//! `endless-lock`, `unreachable-tier`, `forgets-too-soon`: locks whose ends and backoff are not what they seem.

use crate::model::time::duration_text;
use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Backoff, Lock, LockDuration, Rule};

use super::subject::Subject;

/// Most levels that are looked at; by then every factor above 1 has reached any duration.
const MOST_LEVELS: u32 = 100_000;

/// The longest duration that can be written, ms.
const LONGEST: i64 = 36_500 * 24 * 60 * 60 * 1000;

/// Looks at every lock.
pub fn check(subject: &Subject, faults: &mut Faults) {
    for rule in &subject.rules.rules {
        let Some(lock) = &rule.lock else { continue };
        endless(subject, rule, lock, faults);
        if let Some(backoff) = &lock.backoff {
            tiers(subject, rule, (lock, backoff), faults);
            forgets(subject, rule, (lock, backoff), faults);
        }
    }
}

/// Loading sees locks without end from the start; here those that become so, and those whose release never comes.
fn endless(subject: &Subject, rule: &Rule, lock: &Lock, faults: &mut Faults) {
    let is_endless = lock.duration == LockDuration::UntilUnlocked;
    let becomes = lock.backoff.as_ref().is_some_and(|backoff| backoff.until_unlocked_from.is_some());
    let ends = lock.release.is_some_and(|release| subject.logic.can_be_true(release));
    let is_told = is_endless && lock.release.is_none();
    if !(is_endless || becomes) || !lock.unlock.is_empty() || ends || is_told {
        return;
    }
    let path: &[&str] = if is_endless { &["lock", "for"] } else { &["lock", "backoff", "until_unlocked_from"] };
    let place = subject.outline.key("rules", &rule.id, path);
    let message =
        if is_endless { "nothing can ever end this lock" } else { "nothing can ever end the locks from this level on" };
    let finding = faults.warning("endless-lock", &place, message);
    if lock.release.is_some() {
        finding.other(&subject.outline.value("rules", &rule.id, &["lock", "release"]), "this is never true");
    }
    finding.help("give `unlock` the proofs that end it, or a `release` expression".to_string());
}

/// Backoff that does not lengthen anything.
fn tiers(subject: &Subject, rule: &Rule, (lock, backoff): (&Lock, &Backoff), faults: &mut Faults) {
    let mut warn = |key: &str, message: &str, help: &str| {
        let place = subject.outline.key("rules", &rule.id, &["lock", "backoff", key]);
        faults.warning("unreachable-tier", &place, message).help(help.to_string());
    };
    let grows_endless = backoff.until_unlocked_from.is_some();
    match (lock.duration, backoff.max) {
        (LockDuration::UntilUnlocked, _) => {
            let help = "give `for` a duration, or leave `backoff` out";
            warn("", "no lock can follow longer than this one: it has no end from the start", help);
        }
        (LockDuration::Fixed(first), Some(max)) if max < first => {
            warn("max", "no lock is ever as long as `for`: `max` is shorter", "make `max` longer than `for`");
        }
        (LockDuration::Fixed(first), Some(max)) if max == first && !grows_endless => {
            warn(
                "max",
                "no lock is ever longer than the first: `max` is as long as `for`",
                "make `max` longer than `for`",
            );
        }
        _ if is_one(backoff) && !grows_endless => {
            let help = "give a `factor` above 1, or `until_unlocked_from`";
            warn("factor", "no lock is ever longer than the first: the factor is 1", help);
        }
        _ if backoff.forget == 0 => {
            let help = "give `forget` the time within which a further lock is a repetition";
            warn("forget", "no second level is reached: a lock is forgotten at its end", help);
        }
        _ => {}
    }
}

fn is_one(backoff: &Backoff) -> bool {
    backoff.factor == (1, 0)
}

/// Whoever waits out the longest lock waits less for it to be forgotten: the backoff starts anew for the price of one
/// short pause.
fn forgets(subject: &Subject, rule: &Rule, (lock, backoff): (&Lock, &Backoff), faults: &mut Faults) {
    let Some(longest) = longest(lock, backoff) else { return };
    if backoff.forget >= longest || backoff.forget == 0 {
        return;
    }
    let place = subject.outline.key("rules", &rule.id, &["lock", "backoff", "forget"]);
    let message =
        format!("a lock of {} is forgotten {} after its end", duration_text(longest), duration_text(backoff.forget));
    let help = "make `forget` at least as long as the longest lock; 7d if it is not given";
    faults.warning("forgets-too-soon", &place, message).help(help.to_string());
}

/// The longest lock that has an end, ms; `None` where nothing bounds it.
fn longest(lock: &Lock, backoff: &Backoff) -> Option<i64> {
    let LockDuration::Fixed(first) = lock.duration else {
        let computed = matches!(lock.duration, LockDuration::Computed(_));
        return backoff.max.filter(|_| computed && !is_one(backoff) && backoff.until_unlocked_from.is_none());
    };
    if is_one(backoff) {
        return Some(first.min(backoff.max.unwrap_or(i64::MAX)));
    }
    match (backoff.max, backoff.until_unlocked_from) {
        // Without either it grows as long as somebody goes on: only its first length is certain.
        (None, None) => Some(first),
        (max, levels) => Some(grown(first, backoff.factor, levels, max.unwrap_or(LONGEST))),
    }
}

/// The length at the last level before there is no end, or `max` where that comes first.
fn grown(first: i64, (mantissa, scale): (i64, u32), levels: Option<u32>, max: i64) -> i64 {
    let mut length = first.min(max);
    for _ in 1..levels.unwrap_or(MOST_LEVELS).min(MOST_LEVELS) {
        let next = i128::from(length) * i128::from(mantissa) / 10_i128.pow(scale);
        let next = i64::try_from(next).unwrap_or(max).min(max);
        if next == length {
            break;
        }
        length = next;
    }
    length
}

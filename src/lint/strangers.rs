//! `stranger-can-lock`: a lock of the whole account that grows, covers everything, and is set by guesses of strangers.

use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Aggregate, Feature, Lock, Rule};

use super::logic::{Goal, Truths};
use super::subject::{Subject, conditions};

/// Looks at every lock.
pub fn check(subject: &Subject, faults: &mut Faults) {
    for rule in subject.living_rules() {
        let is_whole = rule.lock.as_ref().is_some_and(|lock| is_whole(subject, lock));
        if !is_whole || !is_fed_by_guesses(subject, rule) {
            continue;
        }
        let place = subject.outline.key("rules", &rule.id, &["lock", "backoff"]);
        let message = "whoever guesses passwords keeps the owner out of the whole account, longer each time";
        let finding = faults.warning("stranger-can-lock", &place, message);
        finding.other(&subject.outline.key("rules", &rule.id, &["lock"]), "there is no `covers`");
        finding.help(
            "say in `covers` what the lock refuses and spare the owner's known devices, or lock `[account, device]`"
                .to_string(),
        );
    }
}

/// Whether a lock with backoff refuses everything of an account.
fn is_whole(subject: &Subject, lock: &Lock) -> bool {
    let spares = |covers| subject.logic.possible(&[Goal::Is(covers, Truths::FALSE)]);
    lock.backoff.is_some() && subject.is_account(&lock.target) && !lock.covers.is_some_and(spares)
}

/// Whether wrong passwords alone, from anywhere, make a rule fire.
fn is_fed_by_guesses(subject: &Subject, rule: &Rule) -> bool {
    if !subject.logic.may_fire(rule, &guess(subject)) {
        return false;
    }
    let features = subject.features_of(conditions(rule));
    if features.is_empty() {
        return !subject.logic.may_pass(rule, &guess(subject)) && !subject.logic.may_fire(rule, &success(subject));
    }
    // Any other feature may tell a known device from a strange one.
    let features: Vec<&Feature> = features.into_iter().map(|index| subject.feature(index)).collect();
    let is_counter = |feature: &&Feature| {
        let counts =
            matches!(feature.aggregate, Aggregate::Count | Aggregate::Distinct | Aggregate::LeakyBucket { .. });
        counts && subject.is_account(&feature.by) && feature.read_by.is_none()
    };
    features.iter().all(is_counter) && features.iter().any(|feature| counts_guesses(subject, feature))
}

/// Whether every wrong password of a login is counted, and no success.
fn counts_guesses(subject: &Subject, feature: &Feature) -> bool {
    let Some(filter) = feature.filter else { return false };
    let with = |truths: Truths, mut goals: Vec<Goal>| {
        goals.push(Goal::Is(filter, truths));
        subject.logic.possible(&goals)
    };
    !with(Truths::TRUE.others(), guess(subject)) && !with(Truths::TRUE, success(subject))
}

/// A login that a stranger can bring about.
fn guess(subject: &Subject) -> Vec<Goal> {
    let reason = Goal::equals(subject.leaves.reason, "wrong_password");
    vec![subject.is_type("login"), subject.has_outcome("failure"), reason]
}

/// A login that needs the password.
fn success(subject: &Subject) -> Vec<Goal> {
    vec![subject.is_type("login"), subject.has_outcome("success"), Goal::Missing(subject.leaves.reason)]
}

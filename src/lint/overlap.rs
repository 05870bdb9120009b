//! `redundant-rule`: whenever it fires another one does, and nothing is different with it.

use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Action, Mode, Rule, Thresholds};

use super::logic::{Goal, Truths};
use super::subject::{Subject, conditions};

/// Compares every rule with every other one; of two that are alike the later one is told.
pub fn check(subject: &Subject, faults: &mut Faults) {
    let rules: Vec<&Rule> = subject.living_rules().filter(|rule| subject.logic.may_pass(rule, &[])).collect();
    for (index, rule) in rules.iter().enumerate() {
        let others = rules.iter().enumerate().filter(|(other, _)| *other != index);
        let found = others.into_iter().find_map(|(other, wider)| {
            let message = redundant(subject, rule, wider, other < index)?;
            Some((message, wider))
        });
        if let Some((message, wider)) = found {
            let finding = faults.warning("redundant-rule", &subject.outline.name("rules", &rule.id), message);
            finding.other(&subject.outline.name("rules", &wider.id), "beside this one");
            finding.help("leave one of them out, or correct the condition".to_string());
        }
    }
}

/// Why `rule` is not needed beside `wider`, if so.
fn redundant(subject: &Subject, rule: &Rule, wider: &Rule, is_later: bool) -> Option<String> {
    if rule.mode != wider.mode {
        return None;
    }
    let twins = rule.action == wider.action && rule.lock == wider.lock;
    let adds_nothing = rule.mode == Mode::Enforce && adds_nothing(rule, wider, subject.rules.thresholds);
    if !(twins && is_later) && !adds_nothing || !implies(subject, rule, wider) {
        return None;
    }
    if twins && implies(subject, wider, rule) {
        let message = format!("the rule `{}` fires exactly where `{}` does, and does the same", rule.id, wider.id);
        return is_later.then_some(message);
    }
    let message =
        format!("the rule `{}` adds nothing: where it fires, `{}` does, and weighs as much", rule.id, wider.id);
    adds_nothing.then_some(message)
}

/// Whether a decision is the same with or without `rule` where `wider` fires. A rule without any effect is there to be
/// seen, and is left alone.
fn adds_nothing(rule: &Rule, wider: &Rule, thresholds: Thresholds) -> bool {
    let has_effect = rule.score > 0 || rule.action > Action::Allow;
    let same_score = rule.score == 0 || wider.score >= 100;
    let same_lock = rule.lock.is_none() || rule.lock == wider.lock;
    has_effect && same_score && same_lock && rule.action <= reached(wider, thresholds)
}

/// The action that a rule brings about by itself.
fn reached(rule: &Rule, thresholds: Thresholds) -> Action {
    let levels =
        [(thresholds.alert, Action::Alert), (thresholds.challenge, Action::Challenge), (thresholds.deny, Action::Deny)];
    let by_score = levels.into_iter().filter(|(level, _)| level.is_some_and(|level| rule.score >= level));
    by_score.map(|(_, action)| action).fold(rule.action, Action::max)
}

/// Whether `wider` certainly fires wherever `rule` does.
fn implies(subject: &Subject, rule: &Rule, wider: &Rule) -> bool {
    // A condition about something else does not follow; this spares the search for most pairs.
    let about = |rule: &Rule| subject.leaves_of(conditions(rule));
    if rule.on == wider.on && rule.when == wider.when && rule.fire_if_missing == wider.fire_if_missing {
        return true;
    }
    let when = if rule.fire_if_missing { Truths::TRUE.or(Truths::ERROR) } else { Truths::TRUE };
    let mut goals = vec![Goal::Is(rule.when, when)];
    goals.extend(rule.on.map(|on| Goal::Is(on, Truths::TRUE)));
    let shared = about(wider).intersection(&about(rule)).next().is_some();
    shared && !subject.logic.may_pass(wider, &goals)
}

//! `never-fires`, `always-fires`: conditions that say nothing.

use crate::expr::graph::Node;
use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::Rule;

use super::logic::{Goal, Truths};
use super::subject::Subject;

/// Looks at every rule.
pub fn check(subject: &Subject, faults: &mut Faults) {
    for (rule, fires) in subject.rules.rules.iter().zip(&subject.fires) {
        if *fires {
            always(subject, rule, faults);
        } else {
            never(subject, rule, faults);
        }
    }
}

fn never(subject: &Subject, rule: &Rule, faults: &mut Faults) {
    let place = |key: &str| subject.outline.value("rules", &rule.id, &[key]);
    let help = "no event can make it true: compare the values with what the fields and features can be";
    if rule.on.is_some_and(|on| !subject.logic.can_be_true(on)) {
        let message = format!("the rule `{}` can never fire: its `on` is never true", rule.id);
        faults.warning("never-fires", &place("on"), message).help(help.to_string());
        return;
    }
    let alone = Rule { on: None, ..rule.clone() };
    if rule.on.is_none() || !subject.logic.may_fire(&alone, &[]) {
        let message = format!("the rule `{}` can never fire: its `when` is never true", rule.id);
        faults.warning("never-fires", &place("when"), message).help(help.to_string());
        return;
    }
    let message = format!("the rule `{}` can never fire: its `on` and `when` are never true together", rule.id);
    let finding = faults.warning("never-fires", &place("when"), message);
    finding.other(&place("on"), "and this").help("let both speak of the same events".to_string());
}

/// `when: "true"` is how a rule says that `on` alone decides, so that is no finding unless `on` decides nothing.
fn always(subject: &Subject, rule: &Rule, faults: &mut Faults) {
    let place = subject.outline.value("rules", &rule.id, &["when"]);
    let logic = &subject.logic;
    if !logic.may_pass(rule, &[]) {
        let message = format!("the rule `{}` fires on every event", rule.id);
        let help = "say in `on` or `when` which events it is about, or leave the rule out";
        faults.warning("always-fires", &place, message).help(help.to_string());
        return;
    }
    let Some(on) = rule.on else { return };
    let is_plain = matches!(subject.node(rule.when), Node::Bool(true));
    let says_nothing = || !logic.possible(&[Goal::Is(rule.when, Truths::FALSE)]);
    if !is_plain && says_nothing() && !logic.may_pass(rule, &[Goal::Is(on, Truths::TRUE)]) {
        let message = format!("the rule `{}` fires wherever its `on` is true: `when` is never false", rule.id);
        let help = "correct the condition, or write `when: \"true\"` if `on` alone shall decide";
        faults.warning("always-fires", &place, message).help(help.to_string());
    }
}

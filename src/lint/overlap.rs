//! `redundant-rule`: whenever it fires another one does, and nothing is different with it.

use std::collections::BTreeSet;

use crate::expr::graph::NodeId;
use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Action, Mode, Rule, Thresholds};

use super::logic::{Goal, Truths};
use super::subject::{Subject, conditions, is_constant};

/// Most pairs of rules that are looked at closely.
const MOST_PAIRS: usize = 200_000;

/// A rule, and the leaves that its condition is about.
struct Judged<'a> {
    rule: &'a Rule,
    /// What can follow from it: its leaves, and the same counters over longer windows.
    says: BTreeSet<NodeId>,
    /// What it must follow from.
    about: BTreeSet<NodeId>,
}

/// Compares every rule with every other one that is about the same; of two that are alike the later one is told.
pub fn check(subject: &Subject, faults: &mut Faults) {
    let rules = subject.living_rules().filter(|rule| subject.logic.may_pass(rule, &[]));
    let rules: Vec<Judged> = rules.map(|rule| judged(subject, rule)).collect();
    let mut pairs = 0;
    for (index, narrow) in rules.iter().enumerate() {
        let found = rules.iter().enumerate().filter(|(other, _)| *other != index).find_map(|(other, wide)| {
            if pairs > MOST_PAIRS || wide.about.is_disjoint(&narrow.says) {
                return None;
            }
            pairs += 1;
            let message = redundant(subject, narrow.rule, wide.rule, other < index)?;
            Some((message, wide.rule))
        });
        if let Some((message, wider)) = found {
            let place = subject.outline.name("rules", &narrow.rule.id);
            let finding = faults.warning("redundant-rule", &place, message);
            finding.other(&subject.outline.name("rules", &wider.id), "beside this one");
            finding.help("leave one of them out, or correct the condition".to_string());
        }
    }
}

fn judged<'a>(subject: &Subject, rule: &'a Rule) -> Judged<'a> {
    let leaves = |roots: &[NodeId]| {
        let mut leaves = subject.leaves_of(roots.iter().copied());
        leaves.retain(|leaf| !is_constant(subject.node(*leaf)));
        leaves
    };
    let all: Vec<NodeId> = conditions(rule).collect();
    let mut says = leaves(&all);
    let longer: Vec<NodeId> = says.iter().flat_map(|leaf| subject.logic.longer(*leaf)).collect();
    says.extend(longer);
    // Many rules look at the same events; what they ask about these tells them apart.
    let about = Some(leaves(&[rule.when])).filter(|about| !about.is_empty()).unwrap_or_else(|| leaves(&all));
    Judged { rule, says, about }
}

/// Why `rule` is not needed beside `wider`, if so.
fn redundant(subject: &Subject, rule: &Rule, wider: &Rule, is_later: bool) -> Option<String> {
    if rule.mode != wider.mode {
        return None;
    }
    let twins = rule.action == wider.action && rule.lock == wider.lock;
    let adds_nothing = rule.mode == Mode::Enforce && adds_nothing(rule, wider, subject.rules.thresholds);
    let is_suspect = adds_nothing || (twins && is_later);
    if !is_suspect || !implies(subject, rule, wider) {
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
    if rule.on == wider.on && rule.when == wider.when && rule.fire_if_missing == wider.fire_if_missing {
        return true;
    }
    let when = if rule.fire_if_missing { Truths::TRUE.or(Truths::ERROR) } else { Truths::TRUE };
    let mut goals = vec![Goal::Is(rule.when, when)];
    goals.extend(rule.on.map(|on| Goal::Is(on, Truths::TRUE)));
    !subject.logic.may_pass(wider, &goals)
}

//! `blind-without-rate`: an amount in a currency without a rate is missing, and a rule that needs it stays silent.

use std::collections::BTreeSet;

use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Action, Mode, Rule};

use super::logic::{Goal, Truths};
use super::subject::{Subject, conditions};

/// Looks at every rule with an effect, unless one of them is there for such amounts.
pub fn check(subject: &Subject, faults: &mut Faults) {
    if subject.rules.rules.iter().any(|rule| catches(subject, rule)) {
        return;
    }
    for rule in subject.living_rules().filter(|rule| has_effect(rule)) {
        let reads_amount = subject.leaves_of(conditions(rule)).contains(&subject.leaves.amount);
        // A rule about known currencies only says so.
        if !subject.logic.may_fire(rule, &[unrated(subject)]) {
            continue;
        }
        if reads_amount {
            directly(subject, rule, faults);
        } else {
            by_feature(subject, rule, faults);
        }
    }
}

fn has_effect(rule: &Rule) -> bool {
    rule.score > 0 || rule.action > Action::Allow
}

/// An amount is given, in a currency without a rate.
fn unrated(subject: &Subject) -> Goal {
    let own = subject.rules.currency.code;
    let rated: BTreeSet<String> = subject.rules.schema.rates.keys().chain([&own]).map(text).collect();
    Goal::NoneOf(subject.leaves.currency, rated)
}

fn text(code: &[u8; 3]) -> String {
    String::from_utf8_lossy(code).into_owned()
}

/// Whether a rule is there for amounts without a rate: it fires for them, and for amounts with one it does not.
fn catches(subject: &Subject, rule: &Rule) -> bool {
    let (logic, amount) = (&subject.logic, subject.leaves.amount);
    let own = Goal::equals(subject.leaves.currency, &text(&subject.rules.currency.code));
    rule.mode == Mode::Enforce
        && has_effect(rule)
        && logic.may_fire(rule, &[unrated(subject), Goal::Missing(amount)])
        && (!logic.may_fire(rule, &[Goal::Present(amount)]) || !logic.may_fire(rule, &[own]))
}

/// A rule that compares the amount itself.
fn directly(subject: &Subject, rule: &Rule, faults: &mut Faults) {
    if subject.logic.may_fire(rule, &[unrated(subject), Goal::Missing(subject.leaves.amount)]) {
        return;
    }
    let place = subject.outline.value("rules", &rule.id, &["when"]);
    let message = format!("the rule `{}` stays silent where the amount's currency has no rate", rule.id);
    let finding = faults.warning("blind-without-rate", &place, message);
    finding.help("write `if_missing: fire`, or a rule for `has(currency) && !has(amount)`".to_string());
}

/// A rule that compares what a feature makes of amounts: those without a rate are no entries.
fn by_feature(subject: &Subject, rule: &Rule, faults: &mut Faults) {
    let blind = subject.features_of(conditions(rule)).into_iter().map(|index| subject.feature(index)).find(|feature| {
        let of_amounts = feature.of.is_some_and(|(of, _)| subject.leaves_of([of]).contains(&subject.leaves.amount));
        let enter = |filter| subject.logic.possible(&[Goal::Is(filter, Truths::TRUE), unrated(subject)]);
        of_amounts && feature.filter.is_none_or(enter)
    });
    let Some(feature) = blind else { return };
    let place = subject.outline.value("rules", &rule.id, &["when"]);
    let message = format!("the rule `{}` does not see amounts whose currency has no rate", rule.id);
    let finding = faults.warning("blind-without-rate", &place, message);
    finding.other(&subject.outline.value("features", &feature.name, &["of"]), "they are no entries here");
    finding.help("add a rule for `has(currency) && !has(amount)`".to_string());
}

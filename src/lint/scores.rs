//! `unreachable-threshold`: no event's rules can score that much together.

use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::Mode;

use super::logic::Goal;
use super::subject::Subject;

/// Looks at every threshold; a rule set without rules has nothing to reach them yet.
pub fn check(subject: &Subject, faults: &mut Faults) {
    let thresholds = subject.rules.thresholds;
    if subject.rules.rules.is_empty() || thresholds == Default::default() {
        return;
    }
    let highest = highest_score(subject);
    for (name, threshold) in
        [("alert", thresholds.alert), ("challenge", thresholds.challenge), ("deny", thresholds.deny)]
    {
        if let Some(threshold) = threshold.filter(|threshold| *threshold > highest) {
            let place = subject.outline.header(&["thresholds", name]);
            let message = format!("no score reaches {threshold}: all rules that can fire together have {highest}");
            let help = "lower the threshold, leave it out, or give rules a higher `score`";
            faults.warning("unreachable-threshold", &place, message).help(help.to_string());
        }
    }
}

/// The most that one event can score, over the types of events; rules of one type are taken to fire together.
fn highest_score(subject: &Subject) -> i64 {
    let types = &subject.rules.types;
    let known = types.iter().map(|name| subject.is_type(name));
    let others = Goal::NoneOf(subject.leaves.kind, types.iter().cloned().collect());
    known.chain([others]).map(|goal| score_of(subject, &goal)).max().unwrap_or(0)
}

fn score_of(subject: &Subject, of_type: &Goal) -> i64 {
    let scoring = subject.living_rules().filter(|rule| rule.mode == Mode::Enforce && rule.score > 0);
    let together = scoring.filter(|rule| subject.logic.may_fire(rule, std::slice::from_ref(of_type)));
    together.map(|rule| rule.score).sum::<i64>().min(100)
}

//! Rules as columns: which fire for which event, and what that makes of score and action, before locks.

use crate::expr::eval::{ColumnData, Evaluator, Truth};
use crate::expr::graph::NodeId;
use crate::ruleset::types::{Action, Mode, Rule, RuleSet, Thresholds};

/// Per row, what the rules say.
#[derive(Debug, Default)]
pub struct Verdicts {
    /// Per rule: whether it fires.
    pub fired: Vec<Vec<bool>>,
    /// Whether any rule fires, shadow ones included.
    pub any: Vec<bool>,
    /// Capped score.
    pub score: Vec<i64>,
    /// Most severe action of thresholds and fired enforcing rules.
    pub action: Vec<Action>,
    /// Per rule: rows (accepted or not) for which `on` holds but `when` is in error.
    pub undecided: Vec<Vec<bool>>,
}

impl Verdicts {
    /// Evaluates all rules over a batch.
    pub fn fill(&mut self, rules: &RuleSet, evaluator: &Evaluator, rows: usize) {
        self.fired.resize_with(rules.rules.len(), Vec::new);
        self.undecided.resize_with(rules.rules.len(), Vec::new);
        self.any.clear();
        self.any.resize(rows, false);
        self.score.clear();
        self.score.resize(rows, 0);
        self.action.clear();
        self.action.resize(rows, Action::Allow);
        for (index, rule) in rules.rules.iter().enumerate() {
            fire(&mut self.fired[index], &mut self.undecided[index], rule, evaluator, rows);
            self.add(index, rule);
        }
        self.judge(&rules.thresholds);
    }

    fn add(&mut self, index: usize, rule: &Rule) {
        let fired = &self.fired[index];
        self.any.iter_mut().zip(fired).for_each(|(any, &fired)| *any |= fired);
        if rule.mode == Mode::Shadow {
            return;
        }
        self.score.iter_mut().zip(fired).for_each(|(score, &fired)| *score += rule.score * i64::from(fired));
        // What a locking rule comes to is found out when it tries to lock.
        if rule.action > Action::Allow && rule.lock.is_none() {
            let severe = |(action, &fired): (&mut Action, &bool)| {
                if fired {
                    *action = rule.action.max(*action);
                }
            };
            self.action.iter_mut().zip(fired).for_each(severe);
        }
    }

    fn judge(&mut self, thresholds: &Thresholds) {
        for (score, action) in self.score.iter_mut().zip(&mut self.action) {
            if *score > 0 || thresholds_at_zero(thresholds) {
                *score = (*score).min(100);
                *action = (*action).max(action_at(thresholds, *score));
            }
        }
    }
}

fn thresholds_at_zero(thresholds: &Thresholds) -> bool {
    [thresholds.alert, thresholds.challenge, thresholds.deny].into_iter().flatten().any(|limit| limit <= 0)
}

fn action_at(thresholds: &Thresholds, score: i64) -> Action {
    let reached = |limit: Option<i64>| limit.is_some_and(|limit| score >= limit);
    if reached(thresholds.deny) {
        Action::Deny
    } else if reached(thresholds.challenge) {
        Action::Challenge
    } else if reached(thresholds.alert) {
        Action::Alert
    } else {
        Action::Allow
    }
}

fn fire(fired: &mut Vec<bool>, undecided: &mut Vec<bool>, rule: &Rule, evaluator: &Evaluator, rows: usize) {
    fired.clear();
    undecided.clear();
    let when = truths(evaluator, rule.when);
    let missing = rule.fire_if_missing;
    let fires = |truth: Truth| truth == Truth::True || (missing && truth == Truth::Error);
    match rule.on.map(|on| truths(evaluator, on)) {
        None => {
            fired.extend(when.iter().map(|&when| fires(when)));
            undecided.extend(when.iter().map(|&when| when == Truth::Error));
        }
        Some(on) => {
            fired.extend(when.iter().zip(on).map(|(&when, &on)| (on == Truth::True) & fires(when)));
            undecided.extend(when.iter().zip(on).map(|(&when, &on)| (on == Truth::True) & (when == Truth::Error)));
        }
    }
    // A condition that is no bool column cannot pass the loader; such a rule would never fire.
    fired.resize(rows, false);
    undecided.resize(rows, false);
}

/// The truth values of a bool node.
pub fn truths(evaluator: &Evaluator, node: NodeId) -> &[Truth] {
    match evaluator.column(node) {
        ColumnData::Bool(column) => column,
        ColumnData::I64(_) | ColumnData::F64(_) | ColumnData::Ip(_) | ColumnData::Text(_) => &[],
    }
}

//! Rules as columns: which fire for which event, and what that makes of score and action, before locks.

use crate::expr::eval::{ColumnData, Evaluator, Truth};
use crate::expr::graph::NodeId;
use crate::ruleset::types::{Action, Mode, Rule, RuleSet, Thresholds};

/// What the rules say; all columns are per row of the batch, and rows that were not accepted have no verdict.
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
    /// Per rule: for how many rows it fires.
    pub hits: Vec<u64>,
    /// Per rule: for how many rows `on` holds but `when` is in error.
    pub undecided: Vec<u64>,
    /// The rows that the rule at hand looks at.
    concerned: Vec<bool>,
}

impl Verdicts {
    /// Evaluates all rules over the accepted rows of a batch.
    pub fn fill(&mut self, rules: &RuleSet, evaluator: &Evaluator, accepted: &[bool]) {
        self.start(rules, accepted.len());
        for (index, rule) in rules.rules.iter().enumerate() {
            self.concern(rule, evaluator, accepted);
            let when = truths(evaluator, rule.when);
            self.undecided[index] = count_errors(&self.concerned, when);
            self.fire(index, rule, when);
            if self.hits[index] > 0 {
                self.add(index, rule);
            }
        }
        self.judge(&rules.thresholds);
    }

    fn start(&mut self, rules: &RuleSet, rows: usize) {
        self.fired.resize_with(rules.rules.len(), Vec::new);
        self.hits.resize(rules.rules.len(), 0);
        self.undecided.resize(rules.rules.len(), 0);
        self.any.clear();
        self.any.resize(rows, false);
        self.score.clear();
        self.score.resize(rows, 0);
        self.action.clear();
        self.action.resize(rows, Action::Allow);
    }

    /// Finds the rows for which a rule's `on` holds.
    fn concern(&mut self, rule: &Rule, evaluator: &Evaluator, accepted: &[bool]) {
        self.concerned.clear();
        match rule.on.map(|on| truths(evaluator, on)) {
            None => self.concerned.extend_from_slice(accepted),
            Some(on) => {
                self.concerned.extend(on.iter().zip(accepted).map(|(&on, &accepted)| (on == Truth::True) & accepted));
            }
        }
    }

    fn fire(&mut self, index: usize, rule: &Rule, when: &[Truth]) {
        let fired = &mut self.fired[index];
        let rows = self.concerned.iter().zip(when);
        fired.clear();
        if rule.fire_if_missing {
            fired.extend(rows.map(|(&concerned, &when)| concerned & (when != Truth::False)));
        } else {
            fired.extend(rows.map(|(&concerned, &when)| concerned & (when == Truth::True)));
        }
        // A condition that is no bool column cannot pass the loader; such a rule would never fire.
        fired.resize(self.any.len(), false);
        self.hits[index] = count(fired);
    }

    fn add(&mut self, index: usize, rule: &Rule) {
        // What a locking rule comes to is found out when it tries to lock.
        let action = if rule.lock.is_none() { rule.action } else { Action::Allow };
        for row in set_rows(&self.fired[index]) {
            self.any[row] = true;
            if rule.mode == Mode::Enforce {
                self.score[row] += rule.score;
                self.action[row] = self.action[row].max(action);
            }
        }
    }

    fn judge(&mut self, thresholds: &Thresholds) {
        let Verdicts { any, score, action, .. } = self;
        let judge = |row: usize| {
            score[row] = score[row].min(100);
            action[row] = action[row].max(action_at(thresholds, score[row]));
        };
        // Without a rule that fires, only thresholds at zero are reached.
        if thresholds_at_zero(thresholds) { (0..any.len()).for_each(judge) } else { set_rows(any).for_each(judge) }
    }
}

/// Flags whose sum fits a byte: so many are added up in vector registers.
const COUNTED: usize = 255;

fn count(flags: &[bool]) -> u64 {
    let sum = |flags: &[bool]| flags.iter().map(|&flag| u8::from(flag)).sum::<u8>();
    flags.chunks(COUNTED).map(|flags| u64::from(sum(flags))).sum()
}

fn count_errors(concerned: &[bool], when: &[Truth]) -> u64 {
    let is_error = |(&concerned, &when): (&bool, &Truth)| u8::from(concerned & (when == Truth::Error));
    let chunks = concerned.chunks(COUNTED).zip(when.chunks(COUNTED));
    chunks.map(|(concerned, when)| u64::from(concerned.iter().zip(when).map(is_error).sum::<u8>())).sum()
}

/// The rows with `true`, which are few.
fn set_rows(flags: &[bool]) -> impl Iterator<Item = usize> {
    let blocks = flags.chunks(BLOCK).enumerate().filter(|(_, block)| any(block));
    blocks.flat_map(|(index, block)| {
        block.iter().enumerate().filter(|(_, flag)| **flag).map(move |(at, _)| index * BLOCK + at)
    })
}

/// Rows that are looked at together.
const BLOCK: usize = 16;

fn any(block: &[bool]) -> bool {
    match block.first_chunk::<BLOCK>() {
        Some(full) => full.iter().fold(false, |any, &flag| any | flag),
        None => block.contains(&true),
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

/// The truth values of a bool node.
pub fn truths(evaluator: &Evaluator, node: NodeId) -> &[Truth] {
    match evaluator.column(node) {
        ColumnData::Bool(column) => column,
        ColumnData::I64(_) | ColumnData::F64(_) | ColumnData::Ip(_) | ColumnData::Text(_) => &[],
    }
}

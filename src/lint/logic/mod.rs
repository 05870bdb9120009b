//! Can these conditions hold together? A small, honest search over what an event and its features can be.
//!
//! Conditions are taken apart along `&&`, `||`, `!` and `? :` until only comparisons are left; these narrow what each
//! term can be ([`facts`]), and a way that leaves a term without any value is given up. "No" is a proof: of what
//! cannot be reasoned about, or takes too many steps, everything is taken to be possible.

mod atoms;
mod choice;
mod facts;
mod goal;
mod missing;
mod range;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::BTreeSet;

use crate::expr::graph::{Graph, NodeId};
use crate::model::value::Type;
use crate::ruleset::types::{Feature, Rule};

use facts::Facts;
pub use goal::{Goal, Truths};

/// Most ways that are looked at for one answer.
const MOST_STEPS: usize = 4_000;

/// What is known of every event: the terms, the features they read, and which features never have an entry.
#[derive(Debug)]
pub struct Logic<'a> {
    graph: &'a Graph,
    features: &'a [Feature],
    /// Features without any entry ever, by index.
    empty: Vec<bool>,
    /// Leaves of features whose first can never exceed the second: the same counter over a shorter window.
    nested: BTreeSet<(NodeId, NodeId)>,
}

impl<'a> Logic<'a> {
    /// The logic of a rule set's features over `graph`.
    pub fn new(graph: &'a Graph, features: &'a [Feature]) -> Self {
        let mut logic = Logic { graph, features, empty: vec![false; features.len()], nested: BTreeSet::new() };
        logic.empty = features.iter().map(|feature| feature.filter.is_some_and(|on| !logic.can_be_true(on))).collect();
        logic.nested = range::nested(graph, features);
        logic
    }

    /// The terms.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Leaves of counters that are the counter of `leaf` over longer windows.
    pub fn longer(&self, leaf: NodeId) -> impl Iterator<Item = NodeId> {
        self.nested.range((leaf, 0)..=(leaf, NodeId::MAX)).map(|(_, long)| *long)
    }

    /// Whether a condition is true for some event.
    pub fn can_be_true(&self, condition: NodeId) -> bool {
        self.possible(&[Goal::Is(condition, Truths::TRUE)])
    }

    /// Whether there may be an event for which all goals hold; `false` is certain.
    pub fn possible(&self, goals: &[Goal]) -> bool {
        let steps = Cell::new(0);
        self.search(goals.to_vec(), Vec::new(), Facts::default(), &steps)
    }

    /// Whether a rule may fire for an event for which all goals hold; `false` is certain.
    pub fn may_fire(&self, rule: &Rule, goals: &[Goal]) -> bool {
        let mut all = goals.to_vec();
        all.extend(fires(rule));
        self.possible(&all)
    }

    /// Whether a rule may stay silent for an event for which all goals hold; `false` is certain.
    pub fn may_pass(&self, rule: &Rule, goals: &[Goal]) -> bool {
        let silent = fires(rule).into_iter().filter_map(|goal| match goal {
            Goal::Is(node, truths) => Some(Goal::Is(node, truths.others())),
            _ => None,
        });
        silent.into_iter().any(|goal| self.possible(&[goals, &[goal]].concat()))
    }

    /// Works off goals, those that fork last; every way is a copy.
    fn search(
        &self,
        mut now: Vec<Goal>,
        mut later: Vec<Vec<Vec<Goal>>>,
        mut facts: Facts,
        steps: &Cell<usize>,
    ) -> bool {
        while let Some(goal) = now.pop() {
            steps.set(steps.get() + 1);
            if steps.get() > MOST_STEPS {
                return true;
            }
            match self.take(goal, &mut facts) {
                goal::Step::Impossible => return false,
                goal::Step::Then(goals) => now.extend(goals),
                goal::Step::Fork(ways) => later.push(ways),
            }
        }
        match later.pop() {
            None => facts.hold(self),
            Some(ways) => ways.into_iter().any(|way| self.search(way, later.clone(), facts.clone(), steps)),
        }
    }

    fn kind(&self, node: NodeId) -> Type {
        self.graph.kind(node)
    }
}

/// When a rule fires, as goals.
fn fires(rule: &Rule) -> Vec<Goal> {
    let when = if rule.fire_if_missing { Truths::TRUE.or(Truths::ERROR) } else { Truths::TRUE };
    let on = rule.on.map(|on| Goal::Is(on, Truths::TRUE));
    on.into_iter().chain([Goal::Is(rule.when, when)]).collect()
}

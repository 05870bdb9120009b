//! Which features an event can need: those that only rules name whose `on` is false for it are not read.
//!
//! Most events are nobody's payment, and most features are asked for by payment rules alone. Each distinct `on` is a
//! bit; a feature carries the bits of the rules that name it, a row those that hold for it, and what they have in
//! common says whether the feature is read. Nothing can tell the difference: a rule whose `on` does not hold neither
//! fires nor counts as undecided, whatever its `when` comes to.

use crate::expr::eval::{ColumnData, Evaluator, Truth};
use crate::expr::graph::{Graph, NodeId};
use crate::expr::node::Node;
use crate::ruleset::types::RuleSet;

/// The bit that every row has.
pub const ALWAYS: u64 = 1;

/// Conditions beyond this many are not told apart.
const CONDITIONS: usize = 63;

/// The conditions under which features are needed.
#[derive(Debug, Clone)]
pub struct Demand {
    /// The distinct conditions, and the level at which each is known; condition `i` has bit `i + 1`.
    conditions: Vec<(NodeId, usize)>,
    /// Per feature: the bits under which it is needed.
    pub features: Vec<u64>,
}

impl Demand {
    /// What the rules ask for; `levels` are those of the features.
    pub fn new(rules: &RuleSet, levels: &[usize]) -> Demand {
        let graph = &rules.graph;
        let node_levels = graph.levels(|feature| levels[feature]);
        let mut demand = Demand { conditions: Vec::new(), features: vec![0; rules.features.len()] };
        demand.ask(ALWAYS, |_| true, &features_under(graph, unconditional(rules)));
        for rule in &rules.rules {
            let named = features_under(graph, rule.shown().chain([rule.when]));
            match rule.on {
                None => demand.ask(ALWAYS, |_| true, &named),
                Some(on) => {
                    let known = node_levels[on as usize];
                    let bit = demand.bit(on, known);
                    // A feature that is read before the condition is known is read always.
                    demand.ask(bit, |feature| known <= levels[feature], &named);
                    demand.ask(ALWAYS, |feature| known > levels[feature], &named);
                }
            }
        }
        // What no rule names may still be looked at by whoever drives the features alone.
        demand.features.iter_mut().filter(|bits| **bits == 0).for_each(|bits| *bits = ALWAYS);
        demand
    }

    fn bit(&mut self, on: NodeId, level: usize) -> u64 {
        let known = self.conditions.iter().position(|&(node, _)| node == on);
        match known {
            Some(index) => 2 << index,
            None if self.conditions.len() == CONDITIONS => ALWAYS,
            None => {
                self.conditions.push((on, level));
                1 << self.conditions.len()
            }
        }
    }

    fn ask(&mut self, bit: u64, applies: impl Fn(usize) -> bool, named: &[bool]) {
        let features = self.features.iter_mut().zip(named).enumerate();
        features.filter(|(index, (_, named))| **named && applies(*index)).for_each(|(_, (bits, _))| *bits |= bit);
    }

    /// Per row the bits that hold for it, as far as they are known at a level.
    pub fn fill(&self, level: usize, evaluator: &Evaluator, rows: usize, wanted: &mut Vec<u64>) {
        wanted.clear();
        wanted.resize(rows, ALWAYS);
        for (index, &(node, known)) in self.conditions.iter().enumerate() {
            if known > level {
                continue;
            }
            if let ColumnData::Bool(truths) = evaluator.column(node) {
                let holds = |truth: Truth| u64::from(truth == Truth::True) << (index + 1);
                wanted.iter_mut().zip(truths).for_each(|(bits, &truth)| *bits |= holds(truth));
            }
        }
    }
}

/// What is computed for every event: the inputs of features, conditions, and all that locks look at.
fn unconditional(rules: &RuleSet) -> impl Iterator<Item = NodeId> + '_ {
    let features = rules.features.iter().flat_map(|feature| feature.values().chain(feature.conditions()));
    let conditions = rules.rules.iter().filter_map(|rule| rule.on);
    let locks = rules.rules.iter().filter_map(|rule| rule.lock.as_ref());
    features.chain(conditions).chain(locks.flat_map(|lock| lock.keys().chain(lock.conditions())))
}

/// Per feature whether any of the nodes rests on it.
fn features_under(graph: &Graph, roots: impl Iterator<Item = NodeId>) -> Vec<bool> {
    let mut reached = vec![false; graph.len()];
    let mut features = Vec::new();
    roots.for_each(|root| reached[root as usize] = true);
    for id in (0..graph.len() as NodeId).rev() {
        if !reached[id as usize] {
            continue;
        }
        graph.arguments(id).for_each(|argument| reached[argument as usize] = true);
        if let Node::Feature(index) = graph.node(id) {
            features.resize(features.len().max(index + 1), false);
            features[*index] = true;
        }
    }
    features
}

//! What the lints look at: the rule set, where it is written, and the logic of its conditions.

use std::collections::BTreeSet;

use crate::expr::graph::{Graph, Node, NodeId};
use crate::expr::node::Relation;
use crate::model::events::TextField;
use crate::model::value::Type;
use crate::ruleset::load::Loaded;
use crate::ruleset::outline::Outline;
use crate::ruleset::types::{Feature, Named, Rule, RuleSet};

use super::logic::{Goal, Logic};

/// Terms that lints ask about, whether or not the rule set names them.
#[derive(Debug, Clone, Copy)]
pub struct Leaves {
    /// `type`
    pub kind: NodeId,
    /// `outcome`
    pub outcome: NodeId,
    /// `reason`
    pub reason: NodeId,
    /// `proof`
    pub proof: NodeId,
    /// `currency`
    pub currency: NodeId,
    /// `amount`
    pub amount: NodeId,
    /// `factors == 3`
    pub all_factors: NodeId,
}

impl Leaves {
    /// Adds the terms to a graph.
    pub fn new(graph: &mut Graph) -> Self {
        let mut text = |field: TextField| graph.add(Node::Text(field), Type::String);
        let (kind, outcome, reason) = (text(TextField::Type), text(TextField::Outcome), text(TextField::Reason));
        let (proof, currency) = (text(TextField::Proof), text(TextField::Currency));
        let amount = graph.add(Node::Amount, Type::Money);
        let (factors, three) = (graph.add(Node::Factors, Type::Int), graph.add(Node::Whole(3), Type::Int));
        let all_factors = graph.add(Node::Compare(Relation::Equal, factors, three), Type::Bool);
        Leaves { kind, outcome, reason, proof, currency, amount, all_factors }
    }
}

/// A loaded rule set under the lints.
#[derive(Debug)]
pub struct Subject<'a> {
    /// The rule set.
    pub rules: &'a RuleSet,
    /// Where it is written.
    pub outline: &'a Outline,
    /// What its conditions can be.
    pub logic: Logic<'a>,
    /// Terms to ask about.
    pub leaves: Leaves,
    /// By rule, in the order of the rule set: whether it may fire at all.
    pub fires: Vec<bool>,
}

impl<'a> Subject<'a> {
    /// A subject; `graph` is the rule set's with the leaves.
    pub fn new(loaded: &'a Loaded, graph: &'a Graph, leaves: Leaves) -> Self {
        let rules = &loaded.rules;
        let logic = Logic::new(graph, &rules.features);
        let fires = rules.rules.iter().map(|rule| logic.may_fire(rule, &[])).collect();
        Subject { rules, outline: &loaded.outline, logic, leaves, fires }
    }

    /// The rules that may fire.
    pub fn living_rules(&self) -> impl Iterator<Item = &'a Rule> {
        self.rules.rules.iter().zip(&self.fires).filter(|(_, fires)| **fires).map(|(rule, _)| rule)
    }

    /// An event of this type.
    pub fn is_type(&self, name: &str) -> Goal {
        Goal::equals(self.leaves.kind, name)
    }

    /// An event with this outcome.
    pub fn has_outcome(&self, outcome: &str) -> Goal {
        Goal::equals(self.leaves.outcome, outcome)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> &'a Node {
        self.logic.graph().node(id)
    }

    /// The leaves of expressions; features are leaves.
    pub fn leaves_of(&self, roots: impl IntoIterator<Item = NodeId>) -> BTreeSet<NodeId> {
        let (mut seen, mut open) = (BTreeSet::new(), roots.into_iter().collect::<Vec<_>>());
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.node(id).arguments());
            }
        }
        seen.retain(|id| self.node(*id).is_leaf());
        seen
    }

    /// The features that expressions read, and those that these read, by index.
    pub fn features_of(&self, roots: impl IntoIterator<Item = NodeId>) -> BTreeSet<usize> {
        let (mut found, mut open) = (BTreeSet::new(), roots.into_iter().collect::<Vec<_>>());
        while let Some(id) = open.pop() {
            if let Node::Feature(index) = self.node(id)
                && found.insert(*index)
            {
                let feature = &self.rules.features[*index];
                open.extend(feature.conditions().chain(feature.values()));
            }
            open.extend(self.node(id).arguments());
        }
        found
    }

    /// Whether every part of a key, of which there is one at least, is made of such leaves only.
    pub fn is_made_of(&self, parts: &[Named], is_such: impl Fn(&Node) -> bool) -> bool {
        let made = |part: &Named| {
            let leaves: Vec<&Node> = self.leaves_of([part.node]).into_iter().map(|leaf| self.node(leaf)).collect();
            let fields: Vec<&&Node> = leaves.iter().filter(|leaf| !is_constant(leaf)).collect();
            !fields.is_empty() && fields.into_iter().all(|leaf| is_such(leaf))
        };
        !parts.is_empty() && parts.iter().all(made)
    }

    /// Whether a key is the account and nothing else.
    pub fn is_account(&self, parts: &[Named]) -> bool {
        parts.len() == 1 && self.is_made_of(parts, |leaf| leaf == &Node::Text(TextField::Account))
    }

    /// A feature by index.
    pub fn feature(&self, index: usize) -> &'a Feature {
        &self.rules.features[index]
    }
}

/// Whether a leaf stands in the rule set's text.
pub fn is_constant(node: &Node) -> bool {
    matches!(node, Node::Bool(_) | Node::Whole(_) | Node::Real(_) | Node::Literal(_) | Node::Address(_))
}

/// The conditions of a rule.
pub fn conditions(rule: &Rule) -> impl Iterator<Item = NodeId> + '_ {
    rule.on.into_iter().chain([rule.when])
}

//! Which terms can be without a value, and what follows where they are.

use crate::expr::graph::{Node, NodeId};
use crate::expr::node::Conversion;
use crate::model::events::TextField;
use crate::ruleset::types::{Aggregate, Feature};

use super::Logic;
use super::facts::Facts;
use super::goal::{Goal, Step};

impl Logic<'_> {
    /// A term has a value: so have the terms it is computed from.
    pub(super) fn present(&self, node: NodeId, facts: &mut Facts) -> Step {
        match facts.note_present(node, true) {
            None => return Step::Impossible,
            Some(false) => return Step::of(true),
            Some(true) => {}
        }
        Step::Then(match self.graph.node(node) {
            Node::Feature(index) => self.needed(*index).map(Goal::Present).collect(),
            Node::Choose(_) => Vec::new(),
            _ => self.graph.arguments(node).map(Goal::Present).collect(),
        })
    }

    /// A term has no value: neither has one of the terms it is computed from, unless it can fail by itself.
    pub(super) fn missing(&self, node: NodeId, facts: &mut Facts) -> Step {
        if self.is_always_present(node, facts) {
            return Step::Impossible;
        }
        // Conditions are judged by their truth; only values are noted here.
        let news = facts.note_present(node, false);
        match news {
            None => return Step::Impossible,
            Some(false) => return Step::of(true),
            Some(true) => {}
        }
        let sources: Vec<NodeId> = match self.graph.node(node) {
            Node::Feature(index) if is_total(&self.features[*index]) => self.needed(*index).collect(),
            total if is_total_operation(total) => self.graph.arguments(node).collect(),
            _ => return Step::of(true),
        };
        let may_miss = sources.into_iter().filter(|source| !self.is_always_present(*source, facts));
        Step::ways(may_miss.map(|source| vec![Goal::Missing(source)]).collect())
    }

    /// Whether a term certainly has a value.
    pub(super) fn is_always_present(&self, node: NodeId, facts: &Facts) -> bool {
        if let Some(present) = facts.is_present(node) {
            return present;
        }
        match self.graph.node(node) {
            Node::Bool(_) | Node::Whole(_) | Node::Real(_) | Node::Literal(_) | Node::Address(_) => true,
            Node::Text(TextField::Id | TextField::Type | TextField::Account) | Node::Time | Node::Behind => true,
            Node::Present(_) => true,
            Node::Feature(index) => {
                is_total(&self.features[*index]) && self.needed(*index).all(|part| self.is_always_present(part, facts))
            }
            total if is_total_operation(total) => {
                self.graph.arguments(node).all(|argument| self.is_always_present(argument, facts))
            }
            _ => false,
        }
    }

    /// The terms without which a feature reads nothing.
    fn needed(&self, index: usize) -> impl Iterator<Item = NodeId> {
        let feature = &self.features[index];
        let key = feature.read_by.as_ref().unwrap_or(&feature.by).iter().map(|part| part.node);
        let own = feature.of.filter(|_| feature.aggregate == Aggregate::IsNew).map(|(node, _)| node);
        key.chain(own)
    }
}

/// Whether a feature has a value whenever it can be read.
fn is_total(feature: &Feature) -> bool {
    matches!(
        feature.aggregate,
        Aggregate::Count | Aggregate::Distinct | Aggregate::IsNew | Aggregate::LeakyBucket { .. }
    )
}

/// Whether an operation has a value whenever all its terms have.
fn is_total_operation(node: &Node) -> bool {
    match node {
        Node::Compare(..) | Node::CompareMixed(..) => true,
        Node::InTexts(..) | Node::InWholes(..) | Node::InAddresses(..) | Node::InList(..) => true,
        Node::Not(_) | Node::All(_) | Node::Any(_) | Node::AnyStrict(_) => true,
        Node::Search(..) | Node::Matches(..) | Node::Size(_) | Node::Join(..) | Node::Prefix(..) => true,
        Node::Smallest(_) | Node::Greatest(_) => true,
        Node::Convert(conversion, _) => {
            matches!(conversion, Conversion::IntToDouble | Conversion::MoneyToDouble(_) | Conversion::ToText(_))
        }
        _ => false,
    }
}

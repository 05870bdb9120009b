//! What a comparison that holds, or does not, says of its terms.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::expr::graph::{Node, NodeId};
use crate::expr::lists::List;
use crate::expr::node::Relation;
use crate::model::value::Type;

use super::Logic;
use super::facts::{Facts, Orders};
use super::goal::{Goal, Step, Truths};

impl Logic<'_> {
    /// A condition that is no connective has exactly one truth value.
    pub(super) fn atom(&self, node: NodeId, truth: Truths, facts: &mut Facts) -> Step {
        if self.graph.node(node).is_leaf() {
            return if truth == Truths::ERROR { self.missing(node, facts) } else { self.present(node, facts) };
        }
        if truth == Truths::ERROR {
            return self.missing(node, facts);
        }
        if !self.note(node, truth == Truths::TRUE, facts) {
            return Step::Impossible;
        }
        let mut goals: Vec<Goal> = self.graph.arguments(node).map(Goal::Present).collect();
        goals.extend(self.compared_bool(node, truth));
        Step::Then(goals)
    }

    /// Notes what follows for the terms; `false` where nothing is left of one.
    fn note(&self, node: NodeId, holds: bool, facts: &mut Facts) -> bool {
        match self.graph.node(node) {
            Node::Compare(relation, a, b) => self.compare(as_held(*relation, holds), *a, *b, facts),
            Node::CompareMixed(relation, a, b) => self.compare_mixed(as_held(*relation, holds), *a, *b, facts),
            Node::InTexts(text, these) => {
                let these = these.iter().cloned().collect();
                if holds { facts.text(*text).keep(&these) } else { facts.text(*text).remove(&these) }
            }
            Node::InWholes(number, these) => {
                let these = these.iter().copied().collect();
                if holds { facts.whole(*number).keep(&these) } else { facts.whole(*number).remove(&these) }
            }
            Node::InAddresses(address, these) => {
                let these = these.iter().copied().collect();
                if holds { facts.address(*address).keep(&these) } else { facts.address(*address).remove(&these) }
            }
            Node::InList(value, list) => match self.graph.list(*list) {
                List::Text(texts) => {
                    let these = texts.iter().cloned().collect();
                    if holds { facts.text(*value).keep(&these) } else { facts.text(*value).remove(&these) }
                }
                List::Cidr(_) => {
                    facts.note_member(*value, *list, holds);
                    true
                }
            },
            _ => true,
        }
    }

    fn compare(&self, relation: Relation, a: NodeId, b: NodeId, facts: &mut Facts) -> bool {
        match (self.graph.node(a), self.graph.node(b)) {
            (Node::Whole(x), Node::Whole(y)) => relation_holds(relation, x.cmp(y)),
            (Node::Literal(x), Node::Literal(y)) => relation_holds(relation, x.cmp(y)),
            (_, Node::Whole(value)) => facts.whole(a).narrow(relation, *value),
            (Node::Whole(value), _) => facts.whole(b).narrow(relation.swapped(), *value),
            (_, Node::Real(value)) => facts.real(a).narrow(relation, value.get()),
            (Node::Real(value), _) => facts.real(b).narrow(relation.swapped(), value.get()),
            (_, Node::Literal(text)) => literal(relation, facts.text(a), text.clone()),
            (Node::Literal(text), _) => literal(relation, facts.text(b), text.clone()),
            (_, Node::Address(address)) => literal(relation, facts.address(a), *address),
            (Node::Address(address), _) => literal(relation, facts.address(b), *address),
            _ => facts.narrow_order(a, b, orders(relation)),
        }
    }

    /// An int (first) with a double.
    fn compare_mixed(&self, relation: Relation, a: NodeId, b: NodeId, facts: &mut Facts) -> bool {
        /// Up to here every int is a double.
        const EXACT: u64 = 1 << 53;
        match self.graph.node(a) {
            Node::Whole(value) if value.unsigned_abs() <= EXACT => {
                facts.real(b).narrow(relation.swapped(), *value as f64)
            }
            _ => true,
        }
    }

    /// `flag == true` says as much as `flag`.
    fn compared_bool(&self, node: NodeId, truth: Truths) -> Option<Goal> {
        let Node::Compare(relation, a, b) = self.graph.node(node) else { return None };
        let (term, value) = match (self.graph.node(*a), self.graph.node(*b)) {
            (_, Node::Bool(value)) if self.kind(*a) == Type::Bool => (*a, *value),
            (Node::Bool(value), _) => (*b, *value),
            _ => return None,
        };
        let equal = match as_held(*relation, truth == Truths::TRUE) {
            Relation::Equal => true,
            Relation::Unequal => false,
            _ => return None,
        };
        Some(Goal::Is(term, if equal == value { Truths::TRUE } else { Truths::FALSE }))
    }
}

/// The relation that holds where `relation` does, or does not.
fn as_held(relation: Relation, holds: bool) -> Relation {
    if holds {
        return relation;
    }
    match relation {
        Relation::Equal => Relation::Unequal,
        Relation::Unequal => Relation::Equal,
        Relation::Less => Relation::AtLeast,
        Relation::AtMost => Relation::Greater,
        Relation::Greater => Relation::AtMost,
        Relation::AtLeast => Relation::Less,
    }
}

fn relation_holds(relation: Relation, ordering: Ordering) -> bool {
    let orders = orders(relation);
    match ordering {
        Ordering::Less => orders.less,
        Ordering::Equal => orders.equal,
        Ordering::Greater => orders.greater,
    }
}

fn orders(relation: Relation) -> Orders {
    let less = matches!(relation, Relation::Less | Relation::AtMost | Relation::Unequal);
    let equal = matches!(relation, Relation::Equal | Relation::AtMost | Relation::AtLeast);
    let greater = matches!(relation, Relation::Greater | Relation::AtLeast | Relation::Unequal);
    Orders { less, equal, greater }
}

/// A comparison with a constant that has no bounds: only equality says something.
fn literal<T: Ord + Clone>(relation: Relation, choice: &mut super::choice::Choice<T>, value: T) -> bool {
    match relation {
        Relation::Equal => choice.keep(&BTreeSet::from([value])),
        Relation::Unequal => choice.remove(&BTreeSet::from([value])),
        _ => true,
    }
}

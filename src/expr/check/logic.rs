//! `&&`, `||`, `!` and the conditional.

use crate::model::value::Type;

use super::super::fault::Fault;
use super::super::graph::{Node, NodeId};
use super::super::syntax::{Kind, Syntax};
use super::{Checker, article};

impl Checker<'_> {
    pub(super) fn not(&mut self, inner: &Syntax) -> Option<(NodeId, Type)> {
        let node = self.expect(inner, Type::Bool)?;
        Some((self.graph.add(Node::Not(node), Type::Bool), Type::Bool))
    }

    /// A whole chain of `&&` (or of `||`) is one node: both are associative, errors included.
    pub(super) fn connective(&mut self, syntax: &Syntax, all: bool) -> Option<(NodeId, Type)> {
        let mut terms = Vec::new();
        flatten(syntax, all, &mut terms);
        let nodes: Vec<Option<NodeId>> = terms.into_iter().map(|term| self.expect(term, Type::Bool)).collect();
        let mut distinct: Vec<NodeId> = Vec::with_capacity(nodes.len());
        for node in nodes.into_iter().collect::<Option<Vec<_>>>()? {
            if !distinct.contains(&node) {
                distinct.push(node);
            }
        }
        let node = match distinct[..] {
            [only] => only,
            _ if all => self.graph.add(Node::All(distinct), Type::Bool),
            _ => self.graph.add(Node::Any(distinct), Type::Bool),
        };
        Some((node, Type::Bool))
    }

    pub(super) fn choose(&mut self, [condition, first, second]: &[Syntax; 3]) -> Option<(NodeId, Type)> {
        let condition = self.expect(condition, Type::Bool);
        let (first_term, second_term) = (self.plain(first), self.plain(second));
        let (condition, (first_node, kind), (second_node, other)) = (condition?, first_term?, second_term?);
        if kind != other {
            let message = format!("the branches differ: {} and {}", article(kind), article(other));
            let fault = Fault::new(first.range.start..second.range.end, message).expected("branches of one type");
            return self.fault(fault);
        }
        Some((self.graph.add(Node::Choose([condition, first_node, second_node]), kind), kind))
    }
}

fn flatten<'s>(syntax: &'s Syntax, all: bool, out: &mut Vec<&'s Syntax>) {
    match &syntax.kind {
        Kind::And(pair) if all => pair.iter().for_each(|each| flatten(each, all, out)),
        Kind::Or(pair) if !all => pair.iter().for_each(|each| flatten(each, all, out)),
        _ => out.push(syntax),
    }
}

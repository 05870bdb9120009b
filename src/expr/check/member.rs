//! `x in [..]` and `x in list('name')`.
//!
//! Literal elements become one sorted set; the others one comparison each. An element that is missing makes the
//! whole an error, even where another is equal.

use std::ops::Range;

use crate::model::value::Type;

use super::super::decimal::{self, Floor};
use super::super::fault::Fault;
use super::super::graph::{Node, NodeId};
use super::super::lists::List;
use super::super::node::Relation;
use super::super::syntax::{Call, Kind, NumberValue, Syntax};
use super::compare::incomparable;
use super::{Checker, Term, article, kind_of};

impl Checker<'_> {
    pub(super) fn member(&mut self, [value, set]: &[Syntax; 2]) -> Option<(NodeId, Type)> {
        let term = self.term(value);
        let node = match &set.kind {
            Kind::List(elements) => self.in_elements(term, value, elements)?,
            Kind::Call(call) if call.name == "list" && call.target.is_none() => self.in_list(term, value, call)?,
            _ => {
                let fault = Fault::new(set.range.clone(), "`in` needs a list on its right");
                return self.fault(fault.expected("`[a, b]` or `list('name')`"));
            }
        };
        Some((node, Type::Bool))
    }

    fn in_list(&mut self, term: Option<Term>, value: &Syntax, call: &Call) -> Option<NodeId> {
        let [argument] = &call.arguments[..] else {
            let fault = Fault::new(call.name_range.clone(), "`list` takes the name of one list");
            return self.fault(fault.expected("`list('name')`"));
        };
        let Kind::Text(name) = &argument.kind else {
            let fault = Fault::new(argument.range.clone(), "the name of a list is a string literal");
            return self.fault(fault.expected("`list('name')`"));
        };
        let Some(list) = self.scope.list(name) else {
            let fault = Fault::new(argument.range.clone(), format!("there is no list `{name}`"));
            return self.fault(fault.nearest(name, self.scope.list_names()));
        };
        let (node, kind) = self.settle(term?);
        let wanted = match self.graph.list(list) {
            List::Text(_) => Type::String,
            List::Cidr(_) => Type::Ip,
        };
        if kind != wanted {
            let message = format!("the list `{name}` holds {}, this is {}", holds(wanted), article(kind));
            return self.fault(Fault::new(value.range.clone(), message).expected(article(wanted)));
        }
        Some(self.graph.add(Node::InList(node, list), Type::Bool))
    }

    fn in_elements(&mut self, term: Option<Term>, value: &Syntax, elements: &[Syntax]) -> Option<NodeId> {
        let terms: Vec<Option<Term>> = elements.iter().map(|element| self.term(element)).collect();
        let term = term?;
        self.note_event_types(&term, elements.iter());
        let terms: Vec<Term> = terms.into_iter().collect::<Option<_>>()?;
        let (node, kind) = self.settle(term);
        let mut nodes = Vec::new();
        let mut literals = Vec::new();
        let mut sound = true;
        for (element, range) in terms.into_iter().zip(elements.iter().map(|element| &element.range)) {
            let known = Term::Value(node, kind);
            if !self.comparable(&known, &element) {
                self.faults.push(incomparable(kind, kind_of(&element), range));
                sound = false;
            } else if matches!(element, Term::Value(..)) || kind == Type::Double {
                let places = [&value.range, range];
                nodes.extend(self.compare_terms(Relation::Equal, known, element, places, range));
            } else {
                literals.push((element, range));
            }
        }
        let set = self.set(node, kind, literals);
        nodes.extend(set.filter(|set| nodes.is_empty() || !is_empty_set(self.graph.node(*set))));
        let known = sound && self.faults.is_empty();
        match nodes[..] {
            _ if !known => None,
            [only] => Some(only),
            _ => Some(self.graph.add(Node::AnyStrict(nodes), Type::Bool)),
        }
    }

    /// The set of literals of a list, as a node.
    fn set(&mut self, node: NodeId, kind: Type, literals: Vec<(Term, &Range<usize>)>) -> Option<NodeId> {
        let set = match kind {
            Type::String => Node::InTexts(node, sorted(literals.into_iter().filter_map(|(term, _)| text(term)))),
            Type::Ip => {
                let addresses = literals.into_iter().filter_map(|(term, range)| self.address(&text(term)?, range));
                let addresses = sorted(addresses.collect::<Vec<_>>());
                Node::InAddresses(node, addresses)
            }
            Type::Int | Type::Money | Type::Duration | Type::Timestamp => {
                let values: Vec<i64> =
                    literals.into_iter().filter_map(|(term, range)| self.whole(kind, term, range)).collect();
                Node::InWholes(node, sorted(values))
            }
            // No literal: the value itself must be there, nothing else.
            Type::Double | Type::Bool => Node::AnyStrict(vec![self.never(node, kind)]),
        };
        Some(self.graph.add(set, Type::Bool))
    }

    /// False, or an error where the value is missing.
    fn never(&mut self, node: NodeId, kind: Type) -> NodeId {
        debug_assert!(matches!(kind, Type::Double | Type::Bool));
        self.graph.add(Node::Compare(Relation::Unequal, node, node), Type::Bool)
    }

    /// The whole number a literal equals, if there is one.
    fn whole(&mut self, kind: Type, term: Term, range: &Range<usize>) -> Option<i64> {
        let Term::Number(number) = term else { return None };
        let floor = match (kind, number.value) {
            (Type::Money, _) => self.money_floor(&number, range)?,
            (_, NumberValue::Int(value)) => Floor::Exact(value),
            (_, NumberValue::Double(value)) => decimal::floor_double(value),
        };
        if let Floor::Exact(value) = floor { Some(value) } else { None }
    }
}

fn text(term: Term) -> Option<String> {
    if let Term::Text(text) = term { Some(text) } else { None }
}

fn sorted<T: Ord>(values: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// A set that adds nothing beside other elements: those are errors too where the value is missing.
fn is_empty_set(node: &Node) -> bool {
    match node {
        Node::InTexts(_, set) => set.is_empty(),
        Node::InWholes(_, set) => set.is_empty(),
        Node::InAddresses(_, set) => set.is_empty(),
        Node::AnyStrict(_) => true,
        _ => false,
    }
}

fn holds(kind: Type) -> &'static str {
    if kind == Type::Ip { "networks" } else { "strings" }
}

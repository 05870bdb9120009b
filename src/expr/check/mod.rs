//! Typing: syntax tree -> nodes of the graph.
//!
//! A literal has no type until its partner is known: a number becomes exact money beside money, a text an address
//! beside an address. After a fault the rest is checked all the same, so that all faults are told at once; a faulty
//! term makes no further faults in the terms around it.

mod arithmetic;
mod calls;
mod compare;
mod conversions;
mod logic;
mod member;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::events::TextField;
use crate::model::value::Type;

use super::fault::Fault;
use super::graph::{Graph, Node, NodeId};
use super::node::Bits;
use super::syntax::{Kind, Number, NumberValue, Syntax};
use super::{Compiled, Scope};

/// Checks a tree and adds it to the graph.
pub(super) fn check(syntax: &Syntax, scope: &dyn Scope, graph: &mut Graph) -> Result<Compiled, Vec<Fault>> {
    let mut checker = Checker { scope, graph, faults: Vec::new(), names: BTreeSet::new(), event_types: Vec::new() };
    let term = checker.plain(syntax);
    let Checker { mut faults, names, event_types, .. } = checker;
    match term {
        Some((node, kind)) if faults.is_empty() => Ok(Compiled { node, kind, names, event_types }),
        _ => {
            faults.sort_by_key(|fault| (fault.range.start, fault.range.end));
            Err(faults)
        }
    }
}

/// A term whose type is settled as far as it can be without its partner.
#[derive(Debug, Clone, PartialEq)]
enum Term {
    /// A node and its type.
    Value(NodeId, Type),
    /// A number literal.
    Number(Number),
    /// A text literal.
    Text(String),
}

struct Checker<'a> {
    scope: &'a dyn Scope,
    graph: &'a mut Graph,
    faults: Vec<Fault>,
    names: BTreeSet<String>,
    event_types: Vec<(String, Range<usize>)>,
}

impl Checker<'_> {
    /// Notes a fault.
    fn fault<T>(&mut self, fault: Fault) -> Option<T> {
        self.faults.push(fault);
        None
    }

    /// Checks a term; `None` after a fault.
    fn term(&mut self, syntax: &Syntax) -> Option<Term> {
        let (node, kind) = match &syntax.kind {
            Kind::Number(number) => return Some(Term::Number(number.clone())),
            Kind::Text(text) => return Some(Term::Text(text.clone())),
            Kind::Name(name) => self.name(name, &syntax.range)?,
            Kind::Bool(value) => (self.graph.add(Node::Bool(*value), Type::Bool), Type::Bool),
            Kind::Not(inner) => self.not(inner)?,
            Kind::And(_) => self.connective(syntax, true)?,
            Kind::Or(_) => self.connective(syntax, false)?,
            Kind::Choose(all) => self.choose(all)?,
            Kind::Compare(relation, pair) => self.compare(*relation, pair, &syntax.range)?,
            Kind::In(pair) => self.member(pair)?,
            Kind::Negate(inner) => self.negate(inner, &syntax.range)?,
            Kind::Arithmetic(operator, pair) => self.arithmetic(*operator, pair, &syntax.range)?,
            Kind::Call(call) => self.call(call, &syntax.range)?,
            Kind::List(_) => {
                let fault = Fault::new(syntax.range.clone(), "a list stands only to the right of `in`");
                return self.fault(fault);
            }
        };
        Some(Term::Value(node, kind))
    }

    /// Checks a term whose literals mean what they say: int, double or string.
    fn plain(&mut self, syntax: &Syntax) -> Option<(NodeId, Type)> {
        self.term(syntax).map(|term| self.settle(term))
    }

    /// Gives a literal its plain type.
    fn settle(&mut self, term: Term) -> (NodeId, Type) {
        match term {
            Term::Value(node, kind) => (node, kind),
            Term::Text(text) => (self.graph.add(Node::Literal(text), Type::String), Type::String),
            Term::Number(Number { value: NumberValue::Int(value), .. }) => {
                (self.graph.add(Node::Whole(value), Type::Int), Type::Int)
            }
            Term::Number(Number { value: NumberValue::Double(value), .. }) => {
                (self.graph.add(Node::Real(Bits::new(value)), Type::Double), Type::Double)
            }
        }
    }

    /// Checks a term that must have one type.
    fn expect(&mut self, syntax: &Syntax, wanted: Type) -> Option<NodeId> {
        let (node, kind) = self.plain(syntax)?;
        if kind == wanted {
            return Some(node);
        }
        let fault = Fault::new(syntax.range.clone(), format!("this is {}", article(kind)));
        self.fault(fault.expected(article(wanted)))
    }

    fn name(&mut self, name: &str, range: &Range<usize>) -> Option<(NodeId, Type)> {
        self.names.insert(name.to_owned());
        if let Some(found) = self.scope.lookup(name) {
            return Some(found);
        }
        let fault = Fault::new(range.clone(), format!("there is no field, derived value or feature `{name}`"));
        let fault = fault.nearest(name, self.scope.names());
        self.fault(fault)
    }

    /// Notes the text literals among `sides` where another side is the field `type`.
    fn note_event_types<'s>(&mut self, field: &Term, literals: impl Iterator<Item = &'s Syntax>) {
        let Term::Value(node, _) = field else { return };
        if self.graph.node(*node) != &Node::Text(TextField::Type) {
            return;
        }
        for literal in literals {
            if let Kind::Text(text) = &literal.kind {
                self.event_types.push((text.clone(), literal.range.clone()));
            }
        }
    }
}

/// The type of a term, for messages.
fn kind_of(term: &Term) -> Type {
    match term {
        Term::Value(_, kind) => *kind,
        Term::Text(_) => Type::String,
        Term::Number(Number { value: NumberValue::Int(_), .. }) => Type::Int,
        Term::Number(Number { value: NumberValue::Double(_), .. }) => Type::Double,
    }
}

/// A type's name with its article.
fn article(kind: Type) -> String {
    match kind {
        Type::Int | Type::Ip => format!("an {}", kind.name()),
        Type::Money => kind.name().to_owned(),
        _ => format!("a {}", kind.name()),
    }
}

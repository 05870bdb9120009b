//! `int double string`, and the functions that keep the type of their arguments: `abs min max`.

use std::ops::Range;

use crate::model::value::Type;

use super::super::decimal::Floor;
use super::super::fault::Fault;
use super::super::graph::{Node, NodeId};
use super::super::node::Conversion;
use super::super::syntax::Syntax;
use super::{Checker, Term, article, kind_of};

type Checked = Option<(NodeId, Type)>;

impl Checker<'_> {
    pub(super) fn int_of(&mut self, value: &Syntax) -> Checked {
        let (node, kind) = self.plain(value)?;
        let conversion = match kind {
            Type::Int => return Some((node, kind)),
            Type::Double => Conversion::DoubleToInt,
            Type::String => Conversion::TextToInt,
            _ => return self.inconvertible(value, kind, "an int, a double or a string"),
        };
        Some((self.graph.add(Node::Convert(conversion, node), Type::Int), Type::Int))
    }

    pub(super) fn double_of(&mut self, value: &Syntax) -> Checked {
        let (node, kind) = self.plain(value)?;
        let conversion = match kind {
            Type::Double => return Some((node, kind)),
            Type::Int => Conversion::IntToDouble,
            Type::Money => Conversion::MoneyToDouble(self.scope.currency().exponent),
            Type::String => Conversion::TextToDouble,
            _ => return self.inconvertible(value, kind, "an int, a double, money or a string"),
        };
        Some((self.graph.add(Node::Convert(conversion, node), Type::Double), Type::Double))
    }

    pub(super) fn text_of(&mut self, value: &Syntax) -> Checked {
        let (node, kind) = self.plain(value)?;
        if !matches!(kind, Type::Int | Type::Double | Type::Bool | Type::Money | Type::Timestamp) {
            return self.inconvertible(value, kind, "an int, a double, a bool, money or a timestamp");
        }
        let digits = if kind == Type::Money { self.scope.currency().exponent } else { 0 };
        let node = self.graph.add(Node::Convert(Conversion::ToText(digits), node), Type::String);
        Some((node, Type::String))
    }

    fn inconvertible(&mut self, value: &Syntax, kind: Type, expected: &str) -> Checked {
        let fault = Fault::new(value.range.clone(), format!("{} cannot be converted", article(kind)));
        self.fault(fault.expected(expected))
    }

    pub(super) fn absolute(&mut self, value: &Syntax) -> Checked {
        let (node, kind) = self.plain(value)?;
        if !matches!(kind, Type::Int | Type::Double | Type::Money | Type::Duration) {
            let fault = Fault::new(value.range.clone(), format!("{} has no absolute value", article(kind)));
            return self.fault(fault.expected("an int, a double, money or a duration"));
        }
        Some((self.graph.add(Node::Absolute(node), kind), kind))
    }

    /// `min` and `max`. Number literals become money beside money.
    pub(super) fn extreme(
        &mut self,
        arguments: &[&Syntax],
        build: fn(Vec<NodeId>) -> Node,
        range: &Range<usize>,
    ) -> Checked {
        let terms: Vec<Option<Term>> = arguments.iter().map(|argument| self.term(argument)).collect();
        let terms: Vec<Term> = terms.into_iter().collect::<Option<_>>()?;
        let money = terms.iter().any(|term| kind_of(term) == Type::Money);
        let ranges = arguments.iter().map(|argument| &argument.range);
        let settled: Vec<Checked> = terms
            .into_iter()
            .zip(ranges)
            .map(|(term, range)| if money { self.as_money(term, range) } else { Some(self.settle(term)) })
            .collect();
        let settled: Vec<(NodeId, Type)> = settled.into_iter().collect::<Option<_>>()?;
        let kind = settled[0].1;
        if let Some((_, other)) = settled.iter().find(|(_, other)| *other != kind) {
            let message = format!("the arguments differ: {} and {}", article(kind), article(*other));
            return self.fault(Fault::new(range.clone(), message).expected("values of one type"));
        }
        if matches!(kind, Type::String | Type::Bool | Type::Ip) {
            let fault = Fault::new(range.clone(), format!("there is no least or greatest {}", kind.name()));
            return self.fault(fault.expected("ints, doubles, money, durations or timestamps"));
        }
        let node = build(settled.into_iter().map(|(node, _)| node).collect());
        Some((self.graph.add(node, kind), kind))
    }

    /// A number literal as money, which must have no more digits than the currency.
    fn as_money(&mut self, term: Term, range: &Range<usize>) -> Checked {
        let Term::Number(number) = &term else { return Some(self.settle(term)) };
        match self.money_floor(number, range)? {
            Floor::Exact(minor) => Some((self.graph.add(Node::Whole(minor), Type::Money), Type::Money)),
            _ => {
                let digits = self.scope.currency().exponent;
                let fault = Fault::new(range.clone(), "the number is no amount of the rule set's currency");
                self.fault(fault.expected(format!("at most {digits} digits after the point")))
            }
        }
    }
}

//! `+ - * / %` and the unary minus: which types go together, and what comes out.

use std::ops::Range;

use crate::model::value::Type;

use super::super::fault::Fault;
use super::super::graph::{Node, NodeId};
use super::super::node::Operator;
use super::super::syntax::Syntax;
use super::{Checker, article};

/// How an operation is computed.
enum Way {
    Whole,
    Real,
    Ratio,
    Join,
}

impl Checker<'_> {
    pub(super) fn arithmetic(
        &mut self,
        operator: Operator,
        pair: &[Syntax; 2],
        range: &Range<usize>,
    ) -> Option<(NodeId, Type)> {
        let (first, second) = (self.plain(&pair[0]), self.plain(&pair[1]));
        let ((a, a_kind), (b, b_kind)) = (first?, second?);
        let Some((way, kind)) = outcome(operator, a_kind, b_kind) else {
            return self.fault(impossible(operator, a_kind, b_kind, range));
        };
        let node = match way {
            Way::Whole => Node::Whole2(operator, a, b),
            Way::Real => Node::Real2(operator, a, b),
            Way::Ratio => Node::Ratio(a, b),
            Way::Join => Node::Join(a, b),
        };
        Some((self.graph.add(node, kind), kind))
    }

    pub(super) fn negate(&mut self, inner: &Syntax, range: &Range<usize>) -> Option<(NodeId, Type)> {
        let (node, kind) = self.plain(inner)?;
        if !matches!(kind, Type::Int | Type::Double) {
            let fault = Fault::new(range.clone(), format!("{} has no negative", article(kind)));
            return self.fault(fault.expected("an int or a double"));
        }
        Some((self.graph.add(Node::Negate(node), kind), kind))
    }
}

/// The table of arithmetic; everything else is a fault.
fn outcome(operator: Operator, a: Type, b: Type) -> Option<(Way, Type)> {
    use Operator::{Add, Divide, Multiply, Subtract};
    Some(match (a, operator, b) {
        (Type::Int, _, Type::Int) => (Way::Whole, Type::Int),
        (Type::Double, Add | Subtract | Multiply | Divide, Type::Double) => (Way::Real, Type::Double),
        (Type::Money, Add | Subtract, Type::Money) => (Way::Whole, Type::Money),
        (Type::Money, Multiply, Type::Int) => (Way::Whole, Type::Money),
        (Type::Money, Divide, Type::Money) => (Way::Ratio, Type::Double),
        (Type::Duration, Add | Subtract, Type::Duration) => (Way::Whole, Type::Duration),
        (Type::Duration, Multiply, Type::Int) => (Way::Whole, Type::Duration),
        (Type::Timestamp, Subtract, Type::Timestamp) => (Way::Whole, Type::Duration),
        (Type::Timestamp, Add | Subtract, Type::Duration) => (Way::Whole, Type::Timestamp),
        (Type::String, Add, Type::String) => (Way::Join, Type::String),
        _ => return None,
    })
}

fn impossible(operator: Operator, a: Type, b: Type, range: &Range<usize>) -> Fault {
    let sign = operator.symbol();
    let fault = Fault::new(range.clone(), format!("there is no {} {sign} {}", a.name(), b.name()));
    match (a, operator, b) {
        (Type::Int, Operator::Multiply, Type::Money | Type::Duration) => {
            fault.help(format!("write the {} first: `{} * int`", b.name(), b.name()))
        }
        (Type::Int, _, Type::Double) | (Type::Double, _, Type::Int) => {
            fault.help("int and double do not mix: convert with `double(..)`, or write `2.0` for `2`")
        }
        (Type::Money, ..) | (_, _, Type::Money) => {
            fault.help("`double(amount)` is the amount in major units as a double")
        }
        (Type::Duration, ..) | (_, _, Type::Duration) => fault.help("a duration is written `duration('15m')`"),
        _ => fault,
    }
}

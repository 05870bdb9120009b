//! Comparisons: what compares with what, and exact literals.

use std::ops::Range;

use crate::model::value::Type;

use super::super::decimal::{self, Floor};
use super::super::fault::Fault;
use super::super::graph::{Node, NodeId};
use super::super::lists::parse_address;
use super::super::node::Relation;
use super::super::syntax::{Number, NumberValue, Syntax};
use super::{Checker, Term, article, kind_of};

impl Checker<'_> {
    pub(super) fn compare(
        &mut self,
        relation: Relation,
        pair: &[Syntax; 2],
        range: &Range<usize>,
    ) -> Option<(NodeId, Type)> {
        let (first, second) = (self.term(&pair[0]), self.term(&pair[1]));
        let (first, second) = (first?, second?);
        if matches!(relation, Relation::Equal | Relation::Unequal) {
            self.note_event_types(&first, pair[1..].iter());
            self.note_event_types(&second, pair[..1].iter());
        }
        // A literal goes to the right, so that `5 < x` and `x > 5` are one node.
        let (relation, a, b, ranges) = match first {
            Term::Value(..) => (relation, first, second, [&pair[0].range, &pair[1].range]),
            _ => (relation.swapped(), second, first, [&pair[1].range, &pair[0].range]),
        };
        let node = self.compare_terms(relation, a, b, ranges, range)?;
        Some((node, Type::Bool))
    }

    /// Compares two terms; `ranges` are their places, `whole` that of the comparison.
    pub(super) fn compare_terms(
        &mut self,
        relation: Relation,
        a: Term,
        b: Term,
        ranges: [&Range<usize>; 2],
        whole: &Range<usize>,
    ) -> Option<NodeId> {
        if let Term::Value(node, kind) = a {
            match (kind, &b) {
                (Type::Money, Term::Number(number)) => return self.money_literal(relation, node, number, ranges[1]),
                (Type::Int, Term::Number(Number { value: NumberValue::Double(value), .. })) => {
                    return Some(self.whole_literal(relation, node, Type::Int, decimal::floor_double(*value)));
                }
                (Type::Ip, Term::Text(text)) => return self.address_literal(relation, node, text, ranges[1]),
                _ => {}
            }
        }
        let (a, b) = (self.settle(a), self.settle(b));
        self.compare_values(relation, a, b, whole)
    }

    fn compare_values(
        &mut self,
        relation: Relation,
        (a, a_kind): (NodeId, Type),
        (b, b_kind): (NodeId, Type),
        whole: &Range<usize>,
    ) -> Option<NodeId> {
        let node = match (a_kind, b_kind) {
            (Type::Int, Type::Double) => Node::CompareMixed(relation, a, b),
            (Type::Double, Type::Int) => Node::CompareMixed(relation.swapped(), b, a),
            (Type::Ip, Type::Ip) if !matches!(relation, Relation::Equal | Relation::Unequal) => {
                let message = format!("addresses have no order for `{}`", relation.symbol());
                let fault = Fault::new(whole.clone(), message).expected("`==`, `!=` or `in`");
                return self.fault(fault);
            }
            _ if a_kind == b_kind => Node::Compare(relation, a, b),
            _ => return self.fault(incomparable(a_kind, b_kind, whole)),
        };
        Some(self.graph.add(node, Type::Bool))
    }

    fn money_literal(
        &mut self,
        relation: Relation,
        node: NodeId,
        number: &Number,
        range: &Range<usize>,
    ) -> Option<NodeId> {
        let floor = self.money_floor(number, range)?;
        Some(self.whole_literal(relation, node, Type::Money, floor))
    }

    /// A literal in minor units of the rule set's currency.
    pub(super) fn money_floor(&mut self, number: &Number, range: &Range<usize>) -> Option<Floor> {
        let floor = decimal::floor(&number.text, self.scope.currency().exponent);
        floor.or_else(|| self.fault(Fault::new(range.clone(), "the number cannot be read")))
    }

    /// Compares whole numbers with an exact number: with the whole number next to it, in the way that comes to the
    /// same. What holds for all or for none is still an error where the value is missing.
    fn whole_literal(&mut self, relation: Relation, node: NodeId, kind: Type, floor: Floor) -> NodeId {
        let all = (Relation::AtLeast, i64::MIN);
        let none = (Relation::Less, i64::MIN);
        let (relation, value) = match (floor, relation) {
            (Floor::Exact(value), _) => (relation, value),
            (_, Relation::Equal) => none,
            (_, Relation::Unequal) => all,
            (Floor::Below(value), Relation::Less | Relation::AtMost) => (Relation::AtMost, value),
            (Floor::Below(value), _) => (Relation::Greater, value),
            (Floor::TooLarge, Relation::Less | Relation::AtMost) => all,
            (Floor::TooSmall, Relation::Greater | Relation::AtLeast) => all,
            _ => none,
        };
        let literal = self.graph.add(Node::Whole(value), kind);
        self.graph.add(Node::Compare(relation, node, literal), Type::Bool)
    }

    fn address_literal(
        &mut self,
        relation: Relation,
        node: NodeId,
        text: &str,
        range: &Range<usize>,
    ) -> Option<NodeId> {
        let address = self.address(text, range)?;
        let literal = self.graph.add(Node::Address(address), Type::Ip);
        self.compare_values(relation, (node, Type::Ip), (literal, Type::Ip), range)
    }

    /// Reads an address literal.
    pub(super) fn address(&mut self, text: &str, range: &Range<usize>) -> Option<u128> {
        parse_address(text).or_else(|| {
            let fault = Fault::new(range.clone(), format!("`{text}` is not an IP address"));
            let network = text.contains('/');
            let help = "for networks declare a list of kind `cidr` and write `ip in list('name')`";
            self.fault(if network { fault.help(help) } else { fault.expected("an IPv4 or IPv6 address") })
        })
    }

    /// Whether two terms may be compared by `==`.
    pub(super) fn comparable(&self, a: &Term, b: &Term) -> bool {
        let (kind, other) = (kind_of(a), kind_of(b));
        let number = |kind| matches!(kind, Type::Int | Type::Double);
        kind == other
            || (number(kind) && number(other))
            || (kind == Type::Money && matches!(b, Term::Number(_)))
            || (kind == Type::Ip && matches!(b, Term::Text(_)))
    }
}

/// The fault of comparing two types.
pub(super) fn incomparable(a: Type, b: Type, range: &Range<usize>) -> Fault {
    let fault = Fault::new(range.clone(), format!("{} does not compare with {}", article(a), article(b)));
    match (a, b) {
        (Type::Money, Type::Int | Type::Double) | (Type::Int | Type::Double, Type::Money) => {
            fault.help("`double(amount)` is the amount in major units; a number literal compares with money directly")
        }
        (Type::Duration, _) | (_, Type::Duration) => fault.help("a duration is written `duration('15m')`"),
        (Type::Timestamp, _) | (_, Type::Timestamp) => {
            fault.help("a timestamp is written `timestamp('2026-01-31T08:00:00Z')`")
        }
        _ => fault.expected("two values of one type"),
    }
}

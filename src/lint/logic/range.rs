//! Bounds of terms: of fields by what an event may hold, of features by what they compute, of operations by their terms.

use std::collections::BTreeSet;

use crate::expr::graph::{Graph, Node, NodeId};
use crate::expr::node::{Curve, Operator, Part};
use crate::model::events::TextField;
use crate::model::money::Currency;
use crate::model::value::Type;
use crate::ruleset::types::{Aggregate, Feature, Window};

use super::Logic;
use super::choice::Real;
use super::facts::Facts;

const ALL: (i64, i64) = (i64::MIN, i64::MAX);
const NOT_NEGATIVE: (i64, i64) = (0, i64::MAX);

impl Logic<'_> {
    /// Bounds of a whole number, both included; all numbers for what is none.
    pub(super) fn whole_range(&self, node: NodeId, facts: &Facts) -> (i64, i64) {
        let (least, most) = match self.graph.node(node) {
            Node::Whole(value) => (*value, *value),
            Node::Amount | Node::Behind | Node::Size(_) | Node::Absolute(_) => NOT_NEGATIVE,
            Node::Kyc => (1, 3),
            Node::Factors => (0, 3),
            Node::Feature(index) => self.feature_range(*index),
            Node::Part(part, _) => part_range(*part),
            Node::Whole2(operator, a, b) => {
                arithmetic(*operator, self.whole_range(*a, facts), self.whole_range(*b, facts))
            }
            Node::Smallest(terms) | Node::Greatest(terms) if self.kind(node) != Type::Double => {
                let ranges = terms.iter().map(|term| self.whole_range(*term, facts));
                let smallest = matches!(self.graph.node(node), Node::Smallest(_));
                ranges
                    .reduce(|a, b| if smallest { (a.0.min(b.0), a.1.min(b.1)) } else { (a.0.max(b.0), a.1.max(b.1)) })
                    .unwrap_or(ALL)
            }
            Node::Choose([_, first, second]) => {
                let (a, b) = (self.whole_range(*first, facts), self.whole_range(*second, facts));
                (a.0.min(b.0), a.1.max(b.1))
            }
            _ => ALL,
        };
        let known = facts.whole_bounds(node);
        (least.max(known.0), most.min(known.1))
    }

    /// Bounds of a double, both included; all doubles for what is none.
    pub(super) fn real_range(&self, node: NodeId, facts: &Facts) -> Real {
        let not_negative = Real(0.0, f64::INFINITY);
        let mut range = match self.graph.node(node) {
            Node::Real(value) => Real(value.get(), value.get()),
            Node::Lat => Real(-90.0, 90.0),
            Node::Lon => Real(-180.0, 180.0),
            Node::Absolute(_) | Node::Curve(Curve::Sqrt | Curve::Exp, _) => not_negative,
            Node::Feature(index) => self.real_feature_range(*index),
            Node::Convert(_, inner) if self.is_never_negative(*inner) => not_negative,
            _ => Real::default(),
        };
        range.within(facts.real_bounds(node));
        range
    }

    fn feature_range(&self, index: usize) -> (i64, i64) {
        let feature = &self.features[index];
        let of = || feature.of.map_or(ALL, |(node, _)| self.whole_range(node, &Facts::default()));
        match feature.aggregate {
            Aggregate::Count | Aggregate::Distinct if self.empty[index] => (0, 0),
            Aggregate::Count | Aggregate::Distinct => NOT_NEGATIVE,
            Aggregate::Sum if of().0 >= 0 => NOT_NEGATIVE,
            Aggregate::Min | Aggregate::Max | Aggregate::Last | Aggregate::First => of(),
            Aggregate::SinceLast | Aggregate::SinceFirst => {
                let longest = if let Window::Sliding(window) = feature.window { window } else { i64::MAX };
                (feature.delay.unwrap_or(0), longest)
            }
            _ => ALL,
        }
    }

    fn real_feature_range(&self, index: usize) -> Real {
        let feature = &self.features[index];
        let not_negative = Real(0.0, f64::INFINITY);
        match feature.aggregate {
            Aggregate::Stddev | Aggregate::Speed => not_negative,
            Aggregate::Mean | Aggregate::Sum if feature.of.is_some_and(|(of, _)| self.is_never_negative(of)) => {
                not_negative
            }
            Aggregate::Min | Aggregate::Max | Aggregate::Last | Aggregate::First => {
                feature.of.map_or(Real::default(), |(of, _)| self.real_range(of, &Facts::default()))
            }
            _ => Real::default(),
        }
    }

    /// Whether a number is never below zero.
    fn is_never_negative(&self, node: NodeId) -> bool {
        match self.kind(node) {
            Type::Double => self.real_range(node, &Facts::default()).0 >= 0.0,
            Type::Int | Type::Money => self.whole_range(node, &Facts::default()).0 >= 0,
            _ => false,
        }
    }

    /// All texts that a field can hold, where they are few.
    pub(super) fn few_texts(&self, node: NodeId) -> Option<BTreeSet<String>> {
        let few = match self.graph.node(node) {
            Node::Text(TextField::Outcome) => ["success", "failure"],
            Node::Text(TextField::Label) => ["fraud", "genuine"],
            _ => return None,
        };
        Some(few.map(str::to_string).into())
    }

    /// Whether an event can carry this text in this field.
    pub(super) fn fits(&self, node: NodeId, text: &str) -> bool {
        let Node::Text(field) = self.graph.node(node) else { return true };
        let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        match field {
            TextField::Country => text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()),
            TextField::Currency => Currency::parse(text).is_some(),
            TextField::Type => {
                (1..=32).contains(&text.len()) && text.as_bytes()[0].is_ascii_lowercase() && text.bytes().all(lower)
            }
            TextField::Id | TextField::Account => (1..=128).contains(&text.len()),
            _ => (1..=256).contains(&text.len()),
        }
    }
}

/// Bounds of a result; beyond i64 there is none, so bounds stop there.
fn arithmetic(operator: Operator, a: (i64, i64), b: (i64, i64)) -> (i64, i64) {
    match operator {
        Operator::Add => (a.0.saturating_add(b.0), a.1.saturating_add(b.1)),
        Operator::Subtract => (a.0.saturating_sub(b.1), a.1.saturating_sub(b.0)),
        Operator::Multiply => {
            let products = [(a.0, b.0), (a.0, b.1), (a.1, b.0), (a.1, b.1)].map(|(x, y)| x.saturating_mul(y));
            products
                .iter()
                .fold((i64::MAX, i64::MIN), |(least, most), product| (least.min(*product), most.max(*product)))
        }
        Operator::Divide | Operator::Remainder if a.0 >= 0 && b.0 >= 0 => (0, a.1),
        Operator::Divide | Operator::Remainder => ALL,
    }
}

fn part_range(part: Part) -> (i64, i64) {
    match part {
        Part::Year => (0, 10_000),
        Part::Month => (0, 11),
        Part::Date => (1, 31),
        Part::DayOfMonth => (0, 30),
        Part::DayOfWeek => (0, 6),
        Part::DayOfYear => (0, 365),
        Part::Hour => (0, 23),
        Part::Minute | Part::Second => (0, 59),
        Part::Millisecond => (0, 999),
        Part::RestMilliseconds => (-999, 999),
        Part::TotalHours | Part::TotalMinutes | Part::TotalSeconds => ALL,
    }
}

/// Leaves of counters that differ in nothing but their windows, the shorter one first.
pub(super) fn nested(graph: &Graph, features: &[Feature]) -> BTreeSet<(NodeId, NodeId)> {
    let mut leaves = vec![None; features.len()];
    for node in 0..graph.len() as NodeId {
        if let Node::Feature(index) = graph.node(node) {
            leaves[*index] = Some(node);
        }
    }
    let mut pairs = BTreeSet::new();
    for (short, leaf) in features.iter().zip(&leaves).filter(|(feature, _)| is_counter(graph, feature)) {
        for (long, other) in features.iter().zip(&leaves) {
            if let (Some(leaf), Some(other)) = (leaf, other)
                && is_longer(short, long)
            {
                pairs.insert((*leaf, *other));
            }
        }
    }
    pairs
}

/// Whether more entries never make the value less. Amounts are never negative.
fn is_counter(graph: &Graph, feature: &Feature) -> bool {
    match feature.aggregate {
        _ if feature.gap.is_some() => false,
        Aggregate::Count => feature.reset_at.is_none(),
        Aggregate::Distinct => true,
        Aggregate::Sum => feature.of.is_some_and(|(of, _)| graph.node(of) == &Node::Amount),
        _ => false,
    }
}

fn is_longer(short: &Feature, long: &Feature) -> bool {
    let longer = match (short.window, long.window) {
        (Window::Sliding(short), Window::Sliding(long)) => short < long,
        (short, Window::Lifetime) => short != Window::Lifetime,
        _ => false,
    };
    longer && Feature { name: short.name.clone(), window: short.window, ..long.clone() } == *short
}

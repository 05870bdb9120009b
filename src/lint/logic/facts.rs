//! What is known of an event on one way of the search.
//!
//! Every fact narrows one term. They meet in [`Facts::hold`], where each term's facts are compared with what can be
//! computed of it from its parts.

use std::collections::{BTreeMap, BTreeSet};

use crate::expr::graph::{ListId, NodeId};
use crate::expr::lists::List;

use super::Logic;
use super::choice::{Choice, Real, Whole};
use super::goal::Truths;

/// Which orders of two terms are left: less, equal, greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Orders {
    /// The first may be less.
    pub less: bool,
    /// They may be equal.
    pub equal: bool,
    /// The first may be greater.
    pub greater: bool,
}

/// What is known; nothing at first.
#[derive(Debug, Clone, Default)]
pub(super) struct Facts {
    truths: BTreeMap<NodeId, Truths>,
    present: BTreeMap<NodeId, bool>,
    texts: BTreeMap<NodeId, Choice<String>>,
    addresses: BTreeMap<NodeId, Choice<u128>>,
    /// Addresses that are in a list of networks, or are not.
    members: BTreeSet<(NodeId, ListId, bool)>,
    wholes: BTreeMap<NodeId, Whole>,
    reals: BTreeMap<NodeId, Real>,
    orders: BTreeMap<(NodeId, NodeId), Orders>,
}

impl Facts {
    /// Narrows a condition's truth; what is left of it, `None` for nothing.
    pub fn narrow_truth(&mut self, node: NodeId, truths: Truths) -> Option<Truths> {
        let known = self.truths.entry(node).or_insert(Truths::ANY);
        *known = known.and(truths);
        Some(*known).filter(|known| !known.is_none())
    }

    /// Notes whether a term has a value; `None` where the contrary is known, else whether it is news.
    pub fn note_present(&mut self, node: NodeId, present: bool) -> Option<bool> {
        match self.present.insert(node, present) {
            None => Some(true),
            Some(before) => (before == present).then_some(false),
        }
    }

    /// Whether a term is known to have a value, or to have none.
    pub fn is_present(&self, node: NodeId) -> Option<bool> {
        self.present.get(&node).copied()
    }

    /// What a text can be.
    pub fn text(&mut self, node: NodeId) -> &mut Choice<String> {
        self.texts.entry(node).or_default()
    }

    /// What an address can be.
    pub fn address(&mut self, node: NodeId) -> &mut Choice<u128> {
        self.addresses.entry(node).or_default()
    }

    /// Notes whether an address is in a list of networks; judged once all is known of it.
    pub fn note_member(&mut self, node: NodeId, list: ListId, inside: bool) {
        self.members.insert((node, list, inside));
    }

    /// What a whole number can be.
    pub fn whole(&mut self, node: NodeId) -> &mut Whole {
        self.wholes.entry(node).or_default()
    }

    /// What a double can be.
    pub fn real(&mut self, node: NodeId) -> &mut Real {
        self.reals.entry(node).or_default()
    }

    /// The bounds of a whole number that are known.
    pub fn whole_bounds(&self, node: NodeId) -> (i64, i64) {
        self.wholes.get(&node).map_or((i64::MIN, i64::MAX), |whole| whole.bounds)
    }

    /// The bounds of a double that are known.
    pub fn real_bounds(&self, node: NodeId) -> Real {
        self.reals.get(&node).copied().unwrap_or_default()
    }

    /// Narrows the order of two terms; whether one is left.
    pub fn narrow_order(&mut self, a: NodeId, b: NodeId, orders: Orders) -> bool {
        let (key, orders) = if a <= b {
            ((a, b), orders)
        } else {
            ((b, a), Orders { less: orders.greater, equal: orders.equal, greater: orders.less })
        };
        let known = self.orders.entry(key).or_insert(Orders { less: true, equal: true, greater: true });
        known.less &= orders.less && a != b;
        known.equal &= orders.equal;
        known.greater &= orders.greater && a != b;
        known.less || known.equal || known.greater
    }

    /// Whether all facts can hold together, as far as bounds tell.
    pub fn hold(&self, logic: &Logic) -> bool {
        let wholes = self.wholes.iter().all(|(node, whole)| whole.clone().within(logic.whole_range(*node, self)));
        let reals = self.reals.iter().all(|(node, real)| {
            let mut real = *real;
            real.within(logic.real_range(*node, self))
        });
        let texts = self.texts.iter().all(|(node, texts)| {
            let mut texts = texts.clone();
            let of_few = logic.few_texts(*node).is_none_or(|few| texts.keep(&few));
            of_few && texts.retain(|text| logic.fits(*node, text))
        });
        wholes && reals && texts && self.members_hold(logic) && self.orders_hold(logic) && self.windows_hold(logic)
    }

    fn members_hold(&self, logic: &Logic) -> bool {
        self.addresses.iter().all(|(node, choice)| {
            let mut choice = choice.clone();
            self.members.iter().filter(|(of, ..)| of == node).all(|(_, list, inside)| match logic.graph.list(*list) {
                List::Cidr(set) => choice.retain(|address| set.contains(*address) == *inside),
                List::Text(_) => true,
            })
        })
    }

    fn orders_hold(&self, logic: &Logic) -> bool {
        self.orders.iter().all(|((a, b), orders)| {
            let (least_first, most_first) = logic.whole_range(*a, self);
            let (least_second, most_second) = logic.whole_range(*b, self);
            // The value over a shorter window is never the greater one.
            let less = orders.less && !logic.nested.contains(&(*b, *a));
            let greater = orders.greater && !logic.nested.contains(&(*a, *b));
            (less && least_first < most_second)
                || (orders.equal && least_first <= most_second && least_second <= most_first)
                || (greater && most_first > least_second)
        })
    }

    /// A shorter window never holds more than a longer one.
    fn windows_hold(&self, logic: &Logic) -> bool {
        let above = |short: &NodeId, least: i64| {
            let longer = |long: &NodeId, most: i64| most < least && logic.nested.contains(&(*short, *long));
            self.wholes.iter().any(|(long, whole)| longer(long, whole.bounds.1))
        };
        !self.wholes.iter().any(|(short, whole)| above(short, whole.bounds.0))
    }
}

//! Goals of the search, and how a goal about a condition is taken apart.

use std::collections::BTreeSet;

use crate::expr::graph::{Node, NodeId};
use crate::model::value::Type;

use super::Logic;
use super::facts::Facts;

/// A set of truth values: true, false, error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Truths(u8);

impl Truths {
    /// Only true.
    pub const TRUE: Truths = Truths(1);
    /// Only false.
    pub const FALSE: Truths = Truths(2);
    /// Only error: something is missing.
    pub const ERROR: Truths = Truths(4);
    /// All of them.
    pub const ANY: Truths = Truths(7);
    /// True or false: there is a value.
    pub const KNOWN: Truths = Truths(3);

    /// Those in either.
    pub fn or(self, other: Truths) -> Truths {
        Truths(self.0 | other.0)
    }

    /// Those in both.
    pub fn and(self, other: Truths) -> Truths {
        Truths(self.0 & other.0)
    }

    /// Those that are not in it.
    pub fn others(self) -> Truths {
        Truths(!self.0 & Truths::ANY.0)
    }

    /// Whether there is none.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    fn holds(self, one: Truths) -> bool {
        !self.and(one).is_none()
    }

    /// What `!` makes of it.
    fn negated(self) -> Truths {
        let swapped = (self.0 & 1) << 1 | (self.0 & 2) >> 1;
        Truths(swapped | self.0 & 4)
    }

    /// Its truth values one by one.
    fn each(self) -> impl Iterator<Item = Truths> {
        [Truths::TRUE, Truths::FALSE, Truths::ERROR].into_iter().filter(move |one| self.holds(*one))
    }
}

/// Something that shall hold of the event.
#[derive(Debug, Clone, PartialEq)]
pub enum Goal {
    /// A condition has one of these truth values.
    Is(NodeId, Truths),
    /// A term has a value.
    Present(NodeId),
    /// A term has no value.
    Missing(NodeId),
    /// A text is one of these.
    OneOf(NodeId, BTreeSet<String>),
    /// A text is there, and none of these.
    NoneOf(NodeId, BTreeSet<String>),
}

impl Goal {
    /// A text is exactly this.
    pub fn equals(node: NodeId, text: &str) -> Goal {
        Goal::OneOf(node, BTreeSet::from([text.to_string()]))
    }
}

/// What becomes of a goal.
pub(super) enum Step {
    /// It cannot hold beside what is known.
    Impossible,
    /// It is noted, and these are left.
    Then(Vec<Goal>),
    /// One of these ways is left.
    Fork(Vec<Vec<Goal>>),
}

impl Step {
    /// Nothing is left, or nothing goes.
    pub(super) fn of(holds: bool) -> Step {
        if holds { Step::Then(Vec::new()) } else { Step::Impossible }
    }

    /// One of several ways.
    pub(super) fn ways(mut ways: Vec<Vec<Goal>>) -> Step {
        match ways.len() {
            0 => Step::Impossible,
            1 => Step::Then(ways.swap_remove(0)),
            _ => Step::Fork(ways),
        }
    }
}

impl Logic<'_> {
    /// Takes one goal.
    pub(super) fn take(&self, goal: Goal, facts: &mut Facts) -> Step {
        match goal {
            Goal::Is(node, truths) => match facts.narrow_truth(node, truths) {
                Some(truths) => self.take_condition(node, truths, facts),
                None => Step::Impossible,
            },
            Goal::Present(node) if self.kind(node) == Type::Bool => Step::Then(vec![Goal::Is(node, Truths::KNOWN)]),
            Goal::Missing(node) if self.kind(node) == Type::Bool => Step::Then(vec![Goal::Is(node, Truths::ERROR)]),
            Goal::Present(node) => self.present(node, facts),
            Goal::Missing(node) => self.missing(node, facts),
            Goal::OneOf(node, texts) => with(Step::of(facts.text(node).keep(&texts)), Goal::Present(node)),
            Goal::NoneOf(node, texts) => with(Step::of(facts.text(node).remove(&texts)), Goal::Present(node)),
        }
    }

    fn take_condition(&self, node: NodeId, truths: Truths, facts: &mut Facts) -> Step {
        if truths == Truths::ANY {
            return Step::of(true);
        }
        match self.graph.node(node) {
            Node::Bool(value) => Step::of(truths.holds(if *value { Truths::TRUE } else { Truths::FALSE })),
            Node::Not(inner) => Step::Then(vec![Goal::Is(*inner, truths.negated())]),
            Node::All(terms) => Step::ways(all(terms, truths)),
            // `a || b` is `!(!a && !b)`, errors included.
            Node::Any(terms) => Step::ways(negated(all(terms, truths.negated()))),
            Node::AnyStrict(terms) => Step::ways(any_strict(terms, truths)),
            Node::Choose([condition, first, second]) => Step::ways(choose([*condition, *first, *second], truths)),
            Node::Present(inner) => present_ways(*inner, truths),
            _ => match truths.each().collect::<Vec<_>>()[..] {
                [one] => self.atom(node, one, facts),
                ref several => Step::ways(several.iter().map(|one| vec![Goal::Is(node, *one)]).collect()),
            },
        }
    }
}

/// A step with one goal more.
pub(super) fn with(step: Step, goal: Goal) -> Step {
    match step {
        Step::Then(mut goals) => {
            goals.push(goal);
            Step::Then(goals)
        }
        other => other,
    }
}

/// The ways in which `&&` over terms has one of the truth values.
fn all(terms: &[NodeId], truths: Truths) -> Vec<Vec<Goal>> {
    let every = |truths: Truths| terms.iter().map(|term| Goal::Is(*term, truths)).collect::<Vec<_>>();
    let one = |truths: Truths| terms.iter().map(move |term| vec![Goal::Is(*term, truths)]);
    let not_false = Truths::TRUE.or(Truths::ERROR);
    if truths == not_false {
        return vec![every(not_false)];
    }
    if truths == not_false.others().or(Truths::ERROR) {
        return one(truths).collect();
    }
    let mut ways = Vec::new();
    if truths.holds(Truths::TRUE) {
        ways.push(every(Truths::TRUE));
    }
    if truths.holds(Truths::FALSE) {
        ways.extend(one(Truths::FALSE));
    }
    if truths.holds(Truths::ERROR) {
        ways.extend(one(Truths::ERROR).map(|way| [way, every(not_false)].concat()));
    }
    ways
}

/// Ways about terms as ways about their negations.
fn negated(ways: Vec<Vec<Goal>>) -> Vec<Vec<Goal>> {
    let negate = |goal| match goal {
        Goal::Is(node, truths) => Goal::Is(node, truths.negated()),
        other => other,
    };
    ways.into_iter().map(|way| way.into_iter().map(negate).collect()).collect()
}

/// As `||`, but an error wherever one is an error.
fn any_strict(terms: &[NodeId], truths: Truths) -> Vec<Vec<Goal>> {
    let every = |truths: Truths| terms.iter().map(|term| Goal::Is(*term, truths)).collect::<Vec<_>>();
    let one = |truths: Truths| terms.iter().map(move |term| vec![Goal::Is(*term, truths)]);
    let mut ways = Vec::new();
    if truths.holds(Truths::TRUE) {
        ways.extend(one(Truths::TRUE).map(|way| [way, every(Truths::KNOWN)].concat()));
    }
    if truths.holds(Truths::FALSE) {
        ways.push(every(Truths::FALSE));
    }
    if truths.holds(Truths::ERROR) {
        ways.extend(one(Truths::ERROR));
    }
    ways
}

fn choose([condition, first, second]: [NodeId; 3], truths: Truths) -> Vec<Vec<Goal>> {
    let mut ways = vec![
        vec![Goal::Is(condition, Truths::TRUE), Goal::Is(first, truths)],
        vec![Goal::Is(condition, Truths::FALSE), Goal::Is(second, truths)],
    ];
    if truths.holds(Truths::ERROR) {
        ways.push(vec![Goal::Is(condition, Truths::ERROR)]);
    }
    ways
}

/// `has()` is never an error.
fn present_ways(inner: NodeId, truths: Truths) -> Step {
    let mut ways = Vec::new();
    if truths.holds(Truths::TRUE) {
        ways.push(vec![Goal::Present(inner)]);
    }
    if truths.holds(Truths::FALSE) {
        ways.push(vec![Goal::Missing(inner)]);
    }
    Step::ways(ways)
}

//! What a value can still be: some of a few, or all but a few; whole numbers and doubles within bounds as well.

use std::collections::BTreeSet;

use crate::expr::node::Relation;

/// Most numbers of a narrow range that are looked at one by one.
const FEW: i64 = 64;

/// Some of a few values, or all but a few.
#[derive(Debug, Clone)]
pub struct Choice<T> {
    only: Option<BTreeSet<T>>,
    never: BTreeSet<T>,
}

impl<T> Default for Choice<T> {
    fn default() -> Self {
        Choice { only: None, never: BTreeSet::new() }
    }
}

impl<T: Ord + Clone> Choice<T> {
    /// Keeps these; whether anything is left.
    pub fn keep(&mut self, these: &BTreeSet<T>) -> bool {
        let only = match &self.only {
            Some(only) => only.intersection(these).cloned().collect(),
            None => these.clone(),
        };
        self.only = Some(only.difference(&self.never).cloned().collect());
        self.is_some()
    }

    /// Removes these; whether anything is left.
    pub fn remove(&mut self, these: &BTreeSet<T>) -> bool {
        self.never.extend(these.iter().cloned());
        if let Some(only) = &mut self.only {
            only.retain(|value| !these.contains(value));
        }
        self.is_some()
    }

    /// Keeps those of a finite choice that pass.
    pub fn retain(&mut self, passes: impl Fn(&T) -> bool) -> bool {
        if let Some(only) = &mut self.only {
            only.retain(passes);
        }
        self.is_some()
    }

    /// Whether anything is left.
    pub fn is_some(&self) -> bool {
        self.only.as_ref().is_none_or(|only| !only.is_empty())
    }
}

/// A whole number between two bounds, both included.
#[derive(Debug, Clone)]
pub struct Whole {
    /// The bounds.
    pub bounds: (i64, i64),
    choice: Choice<i64>,
}

impl Default for Whole {
    fn default() -> Self {
        Whole { bounds: (i64::MIN, i64::MAX), choice: Choice::default() }
    }
}

impl Whole {
    /// Narrows to the numbers that stand in this relation to `value`; whether anything is left.
    pub fn narrow(&mut self, relation: Relation, value: i64) -> bool {
        let bounds = match relation {
            Relation::Equal => Some((value, value)),
            Relation::Unequal => return self.choice.remove(&BTreeSet::from([value])) && self.is_some(),
            Relation::Less => value.checked_sub(1).map(|most| (i64::MIN, most)),
            Relation::AtMost => Some((i64::MIN, value)),
            Relation::Greater => value.checked_add(1).map(|least| (least, i64::MAX)),
            Relation::AtLeast => Some((value, i64::MAX)),
        };
        bounds.is_some_and(|bounds| self.within(bounds))
    }

    /// Narrows to the numbers between two bounds; whether anything is left.
    pub fn within(&mut self, (least, most): (i64, i64)) -> bool {
        self.bounds = (self.bounds.0.max(least), self.bounds.1.min(most));
        self.is_some()
    }

    /// Keeps these; whether anything is left.
    pub fn keep(&mut self, these: &BTreeSet<i64>) -> bool {
        self.choice.keep(these) && self.is_some()
    }

    /// Removes these; whether anything is left.
    pub fn remove(&mut self, these: &BTreeSet<i64>) -> bool {
        self.choice.remove(these) && self.is_some()
    }

    /// Whether anything is left.
    pub fn is_some(&self) -> bool {
        let (least, most) = self.bounds;
        let inside = |value: &i64| (least..=most).contains(value);
        let narrow = most.checked_sub(least).is_some_and(|span| span < FEW);
        least <= most
            && self.choice.only.as_ref().is_none_or(|only| only.iter().any(inside))
            && (!narrow || (least..=most).any(|value| !self.choice.never.contains(&value)))
    }
}

/// A double between two bounds, both included.
#[derive(Debug, Clone, Copy)]
pub struct Real(pub f64, pub f64);

impl Default for Real {
    fn default() -> Self {
        Real(f64::NEG_INFINITY, f64::INFINITY)
    }
}

impl Real {
    /// Narrows to the doubles that stand in this relation to `value`; whether anything is left.
    pub fn narrow(&mut self, relation: Relation, value: f64) -> bool {
        match relation {
            Relation::Equal => self.within(Real(value, value)),
            Relation::Unequal => self.0 < self.1 || self.0 != value,
            Relation::Less => self.within(Real(f64::NEG_INFINITY, value.next_down())),
            Relation::AtMost => self.within(Real(f64::NEG_INFINITY, value)),
            Relation::Greater => self.within(Real(value.next_up(), f64::INFINITY)),
            Relation::AtLeast => self.within(Real(value, f64::INFINITY)),
        }
    }

    /// Narrows to the doubles between two bounds; whether anything is left.
    pub fn within(&mut self, other: Real) -> bool {
        *self = Real(self.0.max(other.0), self.1.min(other.1));
        self.0 <= self.1
    }
}

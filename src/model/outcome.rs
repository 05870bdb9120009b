//! What the engine says about a batch: decisions, lock transitions, rejections, evictions, in output order.

use std::sync::Arc;

use crate::model::action::Action;
use crate::model::value::Value;

/// What a lock is on: the rule that set it and the values it is set for.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Id of the locking rule.
    pub rule: String,
    /// Name and value of each part.
    pub parts: Vec<(String, Value)>,
    /// The values as text, for ordering.
    pub texts: Vec<String>,
}

/// A change of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransitionKind {
    /// Set.
    Locked,
    /// Its end moved.
    Extended,
    /// Ended by proof.
    Unlocked,
    /// A proof was not accepted.
    UnlockRefused,
    /// Ended by its rule's `release`.
    Released,
    /// Ran out.
    Expired,
}

impl TransitionKind {
    /// All kinds with their names.
    pub const ALL: [(TransitionKind, &'static str); 6] = [
        (TransitionKind::Locked, "locked"),
        (TransitionKind::Extended, "extended"),
        (TransitionKind::Unlocked, "unlocked"),
        (TransitionKind::UnlockRefused, "unlock_refused"),
        (TransitionKind::Released, "released"),
        (TransitionKind::Expired, "expired"),
    ];

    /// The name in the output.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// A lock transition, with the lock as it is afterwards.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// What happened.
    pub kind: TransitionKind,
    /// To which lock.
    pub target: Arc<Target>,
    /// Start, ms.
    pub start: i64,
    /// End, ms; `None` for a lock without end.
    pub end: Option<i64>,
    /// Level of escalation.
    pub level: u32,
    /// The row of the event that caused it; `None` for an expiry.
    pub row: Option<u32>,
    /// Whether it is the newest lock of its rule and target. An older one's end may be written while a newer one is
    /// active, where the two were set in different partitions.
    pub is_newest: bool,
}

/// A lock that covers an event.
#[derive(Debug, Clone, PartialEq)]
pub struct Cover {
    /// Rule and target of the lock.
    pub target: Arc<Target>,
    /// Start, ms.
    pub start: i64,
    /// End, ms, or none.
    pub until: Option<i64>,
}

/// A decision about one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// The event's row.
    pub row: u32,
    /// What to do.
    pub action: Action,
    /// Capped sum of the fired enforcing rules' scores.
    pub score: i64,
    /// The rules that fired, as a range of [`Outcome::hits`].
    pub hits: (u32, u32),
    /// The locks that cover it, as a range of [`Outcome::covers`].
    pub covers: (u32, u32),
}

impl Decision {
    /// Whether nothing is to be said: allowed, no rule fired (shadow ones included), no lock covers it.
    pub fn is_bare(&self) -> bool {
        self.action == Action::Allow && self.hits.0 == self.hits.1 && self.covers.0 == self.covers.1
    }
}

/// State given up because a bound was reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Eviction {
    /// Name and value of each part of the key.
    pub key: Vec<(String, Value)>,
    /// Time of the key's last event, ms.
    pub last: i64,
}

/// One line of output.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// Index into the batch's rejections, then into those of intake.
    Rejected(u32),
    /// Index into [`Outcome::evictions`].
    Evicted(u32),
    /// Index into [`Outcome::transitions`].
    Transition(u32),
    /// A decision.
    Decision(Decision),
}

/// All that is said about a batch, in output order.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The lines.
    pub items: Vec<Item>,
    /// Rules that fired (indices into the rule set's rules), by decision.
    pub hits: Vec<u32>,
    /// Covering locks, by decision.
    pub covers: Vec<Cover>,
    /// Lock transitions.
    pub transitions: Vec<Transition>,
    /// Evictions.
    pub evictions: Vec<Eviction>,
}

impl Outcome {
    /// Removes all and keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.hits.clear();
        self.covers.clear();
        self.transitions.clear();
        self.evictions.clear();
    }
}

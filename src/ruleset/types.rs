//! A loaded rule set: what the engine runs. Immutable, complete, and valid by construction.

use chrono_tz::Tz;

use crate::expr::graph::{Graph, NodeId};
pub use crate::model::action::{Action, Mode};
pub use crate::model::calendar::Period;
use crate::model::money::Currency;
use crate::model::value::Type;
use crate::wire::Schema;

/// A rule set, checked and compiled.
#[derive(Debug, Clone)]
pub struct RuleSet {
    /// `ruleset.name`
    pub name: String,
    /// Name, `@`, and the first 12 hex digits of SHA-256 over the canonical form.
    pub id: String,
    /// Currency in which amounts are compared and summed.
    pub currency: Currency,
    /// Zone of calendar windows.
    pub timezone: Tz,
    /// How far behind the watermark's source an event may be, ms.
    pub lateness: i64,
    /// How long an event's id is remembered, ms of event time either way.
    pub dedup: i64,
    /// Score thresholds.
    pub thresholds: Thresholds,
    /// Optional bound on state.
    pub bounds: Bounds,
    /// What decoding needs: currency, rates, declared fields.
    pub schema: Schema,
    /// Event types that exist, sorted.
    pub types: Vec<String>,
    /// Every expression of the rule set.
    pub graph: Graph,
    /// Features sorted by name; `Node::Feature(i)` is index `i` here.
    pub features: Vec<Feature>,
    /// Rules sorted by id, those with mode `off` left out.
    pub rules: Vec<Rule>,
}

/// Score from which an action is taken; `None` is never reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Thresholds {
    /// For `alert`.
    pub alert: Option<i64>,
    /// For `challenge`.
    pub challenge: Option<i64>,
    /// For `deny`.
    pub deny: Option<i64>,
}

/// Bounds on state per dimension (set of `by` names); `None` is unbounded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Keys held.
    pub keys: Option<u64>,
    /// Window entries held, over all keys.
    pub entries: Option<u64>,
}

/// A named value expression, as used in keys, targets, `values` and reasons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Field, derived or feature name.
    pub name: String,
    /// Its node.
    pub node: NodeId,
    /// Its type.
    pub kind: Type,
}

/// One feature.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// Type of its value.
    pub kind: Type,
    /// What it computes.
    pub aggregate: Aggregate,
    /// The aggregated expression (`of`; for the bucket its `distinct`) and its type.
    pub of: Option<(NodeId, Type)>,
    /// Key under which events enter; empty: one key for all events.
    pub by: Vec<Named>,
    /// Key under which the value is read, where it differs; same length and types as `by`.
    pub read_by: Option<Vec<Named>>,
    /// Which events are entries.
    pub filter: Option<NodeId>,
    /// Which events hide what was before them.
    pub reset: Option<NodeId>,
    /// The window; [`Window::Lifetime`] for the aggregates that take none.
    pub window: Window,
    /// Entries before a silence longer than this (ms) are hidden.
    pub gap: Option<i64>,
    /// The window ends this many ms before the event.
    pub delay: Option<i64>,
    /// With fewer entries there is no value.
    pub least: u64,
    /// An own value of at least this hides what has arrived.
    pub reset_at: Option<i64>,
}

/// What a feature computes; the table of the rule language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Aggregate {
    /// Number of entries.
    Count,
    /// Exact sum.
    Sum,
    /// Arithmetic mean.
    Mean,
    /// Sample standard deviation.
    Stddev,
    /// Smallest value.
    Min,
    /// Greatest value.
    Max,
    /// Number of distinct values.
    Distinct,
    /// Value of the newest earlier entry.
    Last,
    /// Value of the oldest earlier entry.
    First,
    /// Time since the newest earlier entry.
    SinceLast,
    /// Time since the oldest earlier entry.
    SinceFirst,
    /// Whether no earlier entry has this value.
    IsNew,
    /// Speed over ground since the newest earlier place, km/h.
    Speed,
    /// Token bucket: whether this event overflowed.
    LeakyBucket {
        /// Tokens.
        capacity: i64,
        /// One token comes back per so many ms.
        leak: i64,
    },
}

/// How far back a feature looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Window {
    /// The closed interval of this many ms up to the event.
    Sliding(i64),
    /// From the first instant of the local day, ISO week, month or year.
    Calendar(Period),
    /// Everything.
    Lifetime,
}

/// One rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its id.
    pub id: String,
    /// Enforcing or shadow.
    pub mode: Mode,
    /// Which events it looks at.
    pub on: Option<NodeId>,
    /// When it fires.
    pub when: NodeId,
    /// Whether a `when` in error fires.
    pub fire_if_missing: bool,
    /// Points added, 0 to 100.
    pub score: i64,
    /// Its own action.
    pub action: Action,
    /// Present exactly where `action` is `lock`.
    pub lock: Option<Lock>,
    /// What `when` names, sorted by name.
    pub values: Vec<Named>,
    /// Texts for people, in the order written: language and template.
    pub reason: Vec<(String, Vec<ReasonPart>)>,
    /// Free tags.
    pub tags: Vec<String>,
}

/// A piece of a reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReasonPart {
    /// Literal text.
    Text(String),
    /// The value of a name.
    Value(Named),
}

/// What a locking rule sets.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock {
    /// What is locked.
    pub target: Vec<Named>,
    /// For how long, before backoff.
    pub duration: LockDuration,
    /// Which later events it covers; `None` is all.
    pub covers: Option<NodeId>,
    /// Values that may equal the (single) target's; for several targets the target itself.
    pub covers_by: Vec<Named>,
    /// Escalation.
    pub backoff: Option<Backoff>,
    /// Whether a firing while locked moves the end.
    pub extend: bool,
    /// Proofs that unlock.
    pub unlock: Vec<String>,
    /// Which later event of the same target ends it.
    pub release: Option<NodeId>,
}

/// Length of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockDuration {
    /// Milliseconds.
    Fixed(i64),
    /// A duration expression over the firing event.
    Computed(NodeId),
    /// Without end.
    UntilUnlocked,
}

/// How repeated locks grow.
#[derive(Debug, Clone, PartialEq)]
pub struct Backoff {
    /// Exact decimal factor: `mantissa / 10^scale`, per level.
    pub factor: (i64, u32),
    /// Longest duration, ms.
    pub max: Option<i64>,
    /// An ended lock older than this (ms) no longer counts.
    pub forget: i64,
    /// From this level on there is no end.
    pub until_unlocked_from: Option<u32>,
    /// An event of the same target that makes the next level 0.
    pub reset: Option<NodeId>,
}

//! What the status page and `/status.json` show, by value, at one moment.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use crate::model::outcome::TransitionKind;
use crate::model::time::write_timestamp;

/// Everything the status page shows, at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What the service is doing.
    pub state: &'static str,
    /// Why, or how far it has come.
    pub reason: Option<String>,
    /// Version of lockkeeper.
    pub version: &'static str,
    /// Name and hash of the rule set.
    pub rule_set: String,
    /// Seconds since the process began.
    pub uptime_seconds: i64,
    /// Records consumed since then.
    pub records: u64,
    /// Over the last ten seconds.
    pub records_per_second: f64,
    /// Decisions other than `allow`, over the last ten seconds.
    pub flagged_per_second: f64,
    /// Decisions by action.
    pub decisions: BTreeMap<&'static str, u64>,
    /// Rejected records by code.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Locks set and not ended.
    pub active_locks: u64,
    /// Lag by partition.
    pub partitions: Vec<PartitionReport>,
    /// The rules that fired most.
    pub top_rules: Vec<RuleReport>,
    /// Recent lock transitions, newest first.
    pub recent_locks: Vec<LockNotice>,
    /// The newest snapshot.
    pub snapshot: Option<SnapshotReport>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionReport {
    /// Its topic.
    pub topic: String,
    /// Its number.
    pub partition: i32,
    /// Records not committed yet.
    pub lag: u64,
}

/// A rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleReport {
    /// Its id.
    pub rule: String,
    /// `enforce` or `shadow`.
    pub mode: &'static str,
    /// Events it fired for.
    pub hits: u64,
    /// Events for which it could not be decided.
    pub undecided: u64,
}

/// A snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SnapshotReport {
    /// When it was taken, ms.
    #[serde(serialize_with = "as_timestamp")]
    pub taken_at: i64,
    /// Its age.
    pub age_seconds: i64,
    /// Its size.
    pub bytes: u64,
}

/// A lock transition, for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LockNotice {
    /// What happened.
    pub transition: &'static str,
    /// The rule that set the lock.
    pub rule: String,
    /// Names and values of what is locked.
    #[serde(serialize_with = "as_object")]
    pub target: Vec<(String, String)>,
    /// Start, ms.
    #[serde(serialize_with = "as_timestamp")]
    pub start: i64,
    /// End, ms; `None` for a lock without end.
    #[serde(serialize_with = "as_optional_timestamp")]
    pub end: Option<i64>,
    /// The event that caused it.
    pub event: Option<String>,
    /// The rule's reason, in its first language.
    pub reason: Option<String>,
}

impl LockNotice {
    /// A notice without event and reason.
    pub fn new(kind: TransitionKind, rule: &str, target: Vec<(String, String)>, start: i64, end: Option<i64>) -> Self {
        LockNotice { transition: kind.name(), rule: rule.to_string(), target, start, end, event: None, reason: None }
    }
}

/// A time as text.
pub fn timestamp(ms: i64) -> String {
    let mut text = Vec::new();
    write_timestamp(&mut text, ms);
    String::from_utf8(text).unwrap_or_default()
}

fn as_timestamp<S: Serializer>(ms: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*ms))
}

fn as_optional_timestamp<S: Serializer>(ms: &Option<i64>, serializer: S) -> Result<S::Ok, S::Error> {
    ms.map(timestamp).serialize(serializer)
}

fn as_object<S: Serializer>(parts: &[(String, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(parts.iter().map(|(name, value)| (name, value)))
}

//! A rule set as written: the structure a file or the generator gives, before any meaning.
//!
//! Reading trusts its input (the files are ours); the engine's own loader is what has to be strict.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::ast::Expr;
use super::texts::{By, Cel, InOrder, Length, Pause, Window};

/// A whole rule set.
#[derive(Debug, Clone, Deserialize)]
pub struct RuleSet {
    pub ruleset: Head,
    #[serde(default)]
    pub rates: BTreeMap<String, String>,
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    #[serde(default)]
    pub derive: BTreeMap<String, Cel>,
    #[serde(default)]
    pub lists: BTreeMap<String, List>,
    #[serde(default)]
    pub features: BTreeMap<String, Feature>,
    #[serde(default)]
    pub rules: BTreeMap<String, Rule>,
}

/// The `ruleset:` section.
#[derive(Debug, Clone, Deserialize)]
pub struct Head {
    pub name: String,
    pub currency: String,
    pub timezone: String,
    #[serde(default = "ten_minutes")]
    pub lateness: Pause,
    #[serde(default = "one_hour")]
    pub dedup: Pause,
    #[serde(default)]
    pub thresholds: Thresholds,
}

fn ten_minutes() -> Pause {
    Pause(600_000)
}

fn one_hour() -> Pause {
    Pause(3_600_000)
}

/// Scores from which actions are taken.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Thresholds {
    pub alert: Option<i64>,
    pub challenge: Option<i64>,
    pub deny: Option<i64>,
}

/// A named list.
#[derive(Debug, Clone, Deserialize)]
pub struct List {
    pub kind: String,
    pub values: Vec<String>,
}

/// A feature.
#[derive(Debug, Clone, Deserialize)]
pub struct Feature {
    pub aggregate: String,
    pub of: Option<Cel>,
    pub by: By,
    pub read_by: Option<By>,
    #[serde(rename = "where")]
    pub filter: Option<Cel>,
    pub window: Option<Window>,
    pub reset: Option<Cel>,
    pub gap: Option<Pause>,
    pub reset_at: Option<i64>,
    pub delay: Option<Pause>,
    pub least: Option<i64>,
    pub capacity: Option<i64>,
    pub leak: Option<Pause>,
    pub distinct: Option<Cel>,
}

/// A rule.
#[derive(Debug, Clone, Deserialize)]
pub struct Rule {
    pub mode: Option<String>,
    pub on: Option<Cel>,
    pub when: Cel,
    pub if_missing: Option<String>,
    #[serde(default)]
    pub score: i64,
    pub action: Option<String>,
    pub lock: Option<Lock>,
    #[serde(default)]
    pub reason: InOrder,
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What a locking rule sets.
#[derive(Debug, Clone, Deserialize)]
pub struct Lock {
    pub target: Option<By>,
    #[serde(rename = "for")]
    pub length: Length,
    pub covers: Option<Cel>,
    pub covers_by: Option<By>,
    pub backoff: Option<Backoff>,
    #[serde(default)]
    pub extend: bool,
    #[serde(default)]
    pub unlock: Vec<String>,
    pub release: Option<Cel>,
}

/// How repeated locks grow.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Backoff {
    pub factor: Option<String>,
    pub max: Option<Pause>,
    pub forget: Option<Pause>,
    pub until_unlocked_from: Option<i64>,
    pub reset: Option<Cel>,
}

impl RuleSet {
    /// Reads a rule set file.
    pub fn read(yaml: &str) -> Result<RuleSet, String> {
        serde_saphyr::from_str(yaml).map_err(|error| error.to_string())
    }
}

impl Lock {
    /// Names whose values make the target.
    pub fn target_names(&self) -> Vec<String> {
        self.target.as_ref().map_or_else(|| vec!["account".to_owned()], |by| by.0.clone())
    }
}

impl Feature {
    /// The expression whose value an entry carries: `of`, or the bucket's `distinct`.
    pub fn carried(&self) -> Option<&Expr> {
        self.of.as_ref().or(self.distinct.as_ref()).map(|cel| &cel.0)
    }
}

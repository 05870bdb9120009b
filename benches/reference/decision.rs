//! Output lines with serde, in the key order of lockkeeper's own.

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::features::{Row, Value};
use super::rules::{Action, Rule};

/// A decision.
#[derive(Serialize)]
pub struct Decision<'a> {
    pub kind: &'static str,
    pub event: &'a str,
    #[serde(rename = "type")]
    pub event_type: &'a str,
    pub account: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub order: &'a str,
    pub time: String,
    pub action: Action,
    pub score: u32,
    pub hits: &'a [Hit<'a>],
    pub covered_by: [(); 0],
    pub ruleset: &'a str,
}

/// A rule that fired.
#[derive(Serialize)]
pub struct Hit<'a> {
    pub rule: &'static str,
    pub mode: &'static str,
    pub action: Action,
    pub score: u32,
    pub values: Values<'a>,
}

/// The values a rule names.
pub struct Values<'a> {
    pub rule: &'a Rule,
    pub row: &'a Row,
}

impl Serialize for Values<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for name in self.rule.names {
            if let Some(value) = self.row[name as usize] {
                map.serialize_entry(name.text(), &value)?;
            }
        }
        map.end()
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Value::Count(count) => serializer.serialize_i64(count),
            Value::Fen(fen) => serializer.collect_str(&format_args!("{}.{:02}", fen / 100, fen % 100)),
            Value::Yuan(yuan) => serializer.serialize_f64(yuan),
        }
    }
}

/// A record that is not judged.
#[derive(Serialize)]
pub struct Rejected<'a> {
    pub kind: &'static str,
    pub code: &'static str,
    pub position: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub event: &'a str,
    pub detail: &'static str,
}

//! Log lines as events, by the forms of `fixtures/crowdsec/lines.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::crowdsec::Scenario;
use super::run::Result;
use super::when;

/// What `lines.yaml` says of one test.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reading {
    pub lines: Vec<BTreeMap<String, String>>,
    pub scenarios: Vec<Scenario>,
    #[serde(rename = "where")]
    pub filter: Option<String>,
    pub not_run: Option<String>,
}

/// One form of line: what it looks like, and the fields that every such line has.
struct Form {
    line: Regex,
    after: Option<Regex>,
    constants: Vec<(String, String)>,
    /// The connections that a line `after` named.
    seen: BTreeSet<String>,
}

/// The events of a log. A line whose time is none is left out, as it is no line of that log.
pub fn events(reading: &Reading, log: &[String]) -> Result<Vec<Value>> {
    let mut forms = reading.lines.iter().map(form).collect::<Result<Vec<_>>>()?;
    let mut events = Vec::new();
    for (number, line) in log.iter().enumerate() {
        let fields = forms.iter_mut().find_map(|form| form.read(line));
        if let (Some(fields), Some(millis)) = (fields, when::of_line(line)) {
            events.push(event(number, millis, fields));
        }
    }
    Ok(events)
}

/// The names of all fields that lines may give, other than the address.
pub fn fields(reading: &Reading) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for form in reading.lines.iter().map(form) {
        let form = form?;
        names.extend(form.constants.iter().map(|(name, _)| name.clone()));
        names.extend(form.line.capture_names().flatten().map(str::to_owned));
    }
    names.remove("ip");
    Ok(names)
}

fn event(number: usize, millis: i64, fields: Map<String, Value>) -> Value {
    let mut record = json!({"id": format!("line-{number}"), "type": "login", "time": millis, "account": "-"});
    for (name, value) in fields {
        record[name] = value;
    }
    record
}

fn form(entry: &BTreeMap<String, String>) -> Result<Form> {
    let regex = |key| entry.get(key).map(|text: &String| Regex::new(text)).transpose();
    let constants = entry.iter().filter(|(key, _)| *key != "line" && *key != "after");
    Ok(Form {
        line: regex("line")?.ok_or("a form without `line`")?,
        after: regex("after")?,
        constants: constants.map(|(key, value)| (key.clone(), value.clone())).collect(),
        seen: BTreeSet::new(),
    })
}

impl Form {
    fn read(&mut self, line: &str) -> Option<Map<String, Value>> {
        if let Some(before) = self.after.as_ref().and_then(|after| after.captures(line)) {
            self.seen.insert(before["connection"].to_owned());
        }
        let captures = self.line.captures(line)?;
        if self.after.is_some() && !self.seen.contains(&captures["connection"]) {
            return None;
        }
        let named = self.line.capture_names().flatten();
        let named = named.filter_map(|name| Some((name.to_owned(), Value::from(captures.name(name)?.as_str()))));
        let constants = self.constants.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
        Some(named.chain(constants).collect())
    }
}

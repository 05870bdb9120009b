//! What was found: a table for people, one JSON object for programs.

use serde_json::{Map, Value, json};

use super::clock::{Pick, Series};

/// Findings in the order they were made.
#[derive(Debug, Default)]
pub struct Report {
    findings: Vec<Finding>,
}

/// One claim's numbers.
#[derive(Debug)]
struct Finding {
    key: String,
    what: String,
    values: Vec<(&'static str, f64)>,
    unit: &'static str,
}

impl Report {
    /// One number.
    pub fn number(&mut self, key: &str, what: &str, value: f64, unit: &'static str) {
        self.add(key, what, vec![("value", value)], unit);
    }

    /// Speed of one thing, for so many events a repetition.
    pub fn speed(&mut self, key: &str, what: &str, series: &Series, events: u64, pick: Pick) {
        let nanos = |seconds: f64| seconds * 1e9 / events as f64;
        let values = vec![
            ("least", nanos(series.least(pick))),
            ("median", nanos(series.median(pick))),
            ("events_per_second", events as f64 / series.least(pick)),
        ];
        self.add(key, what, values, "ns/event");
    }

    /// How many times as long the first takes as the second, for equally many events.
    pub fn ratio(&mut self, key: &str, what: &str, [first, second]: [&Series; 2], pick: Pick) {
        let values = vec![
            ("least", first.least(pick) / second.least(pick)),
            ("median", first.median(pick) / second.median(pick)),
        ];
        self.add(key, what, values, "times");
    }

    fn add(&mut self, key: &str, what: &str, values: Vec<(&'static str, f64)>, unit: &'static str) {
        self.findings.push(Finding { key: key.to_owned(), what: what.to_owned(), values, unit });
    }

    /// One finding a line.
    pub fn table(&self) -> String {
        let mut table = comfy_table::Table::new();
        table
            .load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY)
            .set_header(["claim", "least", "median", "unit", "events/s"]);
        for Finding { what, values, unit, .. } in &self.findings {
            let cell = |name: &str| {
                let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
                value.map_or(String::new(), shown)
            };
            let least = if values.len() == 1 { cell("value") } else { cell("least") };
            table.add_row([what.clone(), least, cell("median"), (*unit).to_owned(), cell("events_per_second")]);
        }
        format!("{table}\n")
    }

    /// All findings by key.
    pub fn json(&self) -> anyhow::Result<String> {
        let mut all = Map::new();
        for Finding { key, what, values, unit } in &self.findings {
            let mut entry = Map::from_iter([("what".to_owned(), json!(what)), ("unit".to_owned(), json!(unit))]);
            entry.extend(values.iter().map(|(name, value)| ((*name).to_owned(), json!(value))));
            all.insert(key.clone(), Value::Object(entry));
        }
        Ok(format!("{}\n", serde_json::to_string(&all)?))
    }
}

fn shown(value: f64) -> String {
    if value.abs() < 100.0 { format!("{value:.2}") } else { format!("{value:.0}") }
}

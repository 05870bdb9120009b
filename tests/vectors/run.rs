//! A rule set and events through the binary, as a user would; output as values.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A file of `fixtures/`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// A fixture in JSON.
pub fn json(name: &str) -> Result<Value> {
    Ok(serde_json::from_str(&fs::read_to_string(fixture(name))?)?)
}

/// All output lines of a replay of the events.
pub fn replay(rules: &str, events: &[Value]) -> Result<Vec<Value>> {
    let folder = tempfile::tempdir()?;
    let (rule_file, event_file) = (folder.path().join("rules.yaml"), folder.path().join("events.jsonl"));
    fs::write(&rule_file, rules)?;
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    fs::write(&event_file, lines.join("\n"))?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.args(["replay", "--emit", "all", "--rules"]).arg(&rule_file).arg(&event_file);
    let output = command.output()?;
    assert!(output.status.success(), "{}\n{rules}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout)?;
    let records = lines.lines().map(serde_json::from_str).collect::<std::result::Result<Vec<Value>, _>>()?;
    let rejected = records.iter().find(|record| record["kind"] == "rejected");
    assert_eq!(rejected, None, "{rules}");
    Ok(records)
}

/// The decisions among output lines, with the values of the rule's hit if it fired.
pub fn hits<'a>(records: &'a [Value], rule: &str) -> Vec<(&'a str, Option<&'a Value>)> {
    let decisions = records.iter().filter(|record| record["kind"] == "decision");
    decisions
        .map(|decision| {
            let hit = decision["hits"].as_array().into_iter().flatten().find(|hit| hit["rule"] == rule);
            (decision["event"].as_str().unwrap_or_default(), hit.map(|hit| &hit["values"]))
        })
        .collect()
}

//! The login tests of CrowdSec's hub: raw logs, scenarios, and the overflows that CrowdSec expects.
//!
//! A scenario becomes a `leaky_bucket` (or, for a trigger, a condition) and a lock on the source that lasts as long as
//! CrowdSec's blackhole. What overflows during a blackhole is dropped there; here it fires again without a new lock. So
//! the overflows expected are the locks set.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::net::IpAddr;

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::lines::{self, Reading};
use super::run::{Result, fixture, hits, replay};
use super::when;

/// A scenario, of the parameters that matter for when it overflows.
#[derive(Clone, Debug, Deserialize)]
pub struct Scenario {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    filter: String,
    groupby: String,
    distinct: Option<String>,
    capacity: Option<i64>,
    leakspeed: Option<String>,
    blackhole: Option<String>,
    scope: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct Test {
    test: String,
    scenario_params: Vec<Scenario>,
    log: Vec<String>,
    expected_results: usize,
    expected_overflows: Vec<Expected>,
}

/// An overflow as expected. Some tests leave parts of it open.
#[derive(Debug, Deserialize)]
struct Expected {
    scenario: Option<String>,
    sources: Vec<Source>,
    events_count: Option<i64>,
    events: Vec<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
struct Source {
    value: String,
}

/// An overflow as found: scenario, source, events of the bucket's life (not known of sets), time of the last one.
#[derive(Debug)]
struct Overflow {
    scenario: String,
    source: String,
    events: Option<i64>,
    second: String,
}

fn tests() -> Result<Vec<Test>> {
    let text = zstd::decode_all(File::open(fixture("crowdsec/tests.jsonl.zst"))?)?;
    let lines = std::str::from_utf8(&text)?.lines();
    Ok(lines.map(serde_json::from_str).collect::<std::result::Result<_, _>>()?)
}

fn readings() -> Result<BTreeMap<String, Reading>> {
    Ok(serde_saphyr::from_str(&std::fs::read_to_string(fixture("crowdsec/lines.yaml"))?)?)
}

/// `evt.Meta.log_type` is a field of the event here, and the source is its address.
fn field(name: &str) -> Result<String> {
    let name = Regex::new(r"evt\.(?:Meta|Parsed)\.(\w+)")?.replace_all(name, "$1").into_owned();
    Ok(Regex::new(r"\bsource_ip\b")?.replace_all(&name, "ip").into_owned())
}

/// A filter in CEL: operators that are words there are methods or signs here.
fn filter(scenario: &Scenario, reading: &Reading) -> Result<String> {
    if let Some(filter) = &reading.filter {
        return Ok(filter.clone());
    }
    let filter = field(&scenario.filter)?.replace('\n', " ").replace(" and ", " && ");
    let words = Regex::new(r"(\w+) (startsWith|contains) ('[^']*')")?;
    Ok(words.replace_all(&filter, "$1.$2($3)").trim().to_owned())
}

/// The parts of the key: `evt.Meta.source_ip + '--' + evt.Meta.log_type`.
fn key(scenario: &Scenario) -> Result<String> {
    let parts = scenario.groupby.split('+').map(str::trim).filter(|part| !part.starts_with('\''));
    Ok(parts.map(field).collect::<Result<Vec<_>>>()?.join(", "))
}

/// The rule set of a test: per scenario a bucket, the rule that looks at it, and one that shows what enters it.
fn rules(scenarios: &[Scenario], reading: &Reading) -> Result<String> {
    let (mut features, mut rules) = (String::new(), String::new());
    for (number, scenario) in scenarios.iter().enumerate() {
        let entry = Value::from(filter(scenario, reading)?);
        let when = if scenario.kind == "trigger" { entry.to_string() } else { format!("overflow_{number}") };
        if scenario.kind == "leaky" {
            features.push_str(&bucket(number, scenario, &entry)?);
        }
        let (target, blackhole) = (target_parts(scenario)?, scenario.blackhole.as_deref().unwrap_or("1ms"));
        let lock = format!("{{ target: [{target}], for: {blackhole}, covers: 'false' }}");
        writeln!(rules, "  overflow-{number}: {{ on: 'true', when: {when}, action: lock, lock: {lock} }}")?;
        writeln!(rules, "  entry-{number}: {{ when: {entry} }}")?;
    }
    let fields: Vec<_> = lines::fields(reading)?.into_iter().map(|name| format!("{name}: string")).collect();
    let head = "ruleset: { name: crowdsec, currency: USD, lateness: 36500d }";
    let features = if features.is_empty() { "{}".to_owned() } else { format!("\n{features}") };
    Ok(format!("{head}\nfields: {{ {} }}\nfeatures: {features}\nrules:\n{rules}", fields.join(", ")))
}

fn bucket(number: usize, scenario: &Scenario, entry: &Value) -> Result<String> {
    let (key, capacity) = (key(scenario)?, scenario.capacity.ok_or("a bucket without capacity")?);
    let leak = scenario.leakspeed.as_deref().ok_or("a bucket without leak")?;
    let distinct = scenario.distinct.as_deref().map(field).transpose()?;
    let distinct = distinct.map_or(String::new(), |name| format!(", distinct: {name}"));
    let options = format!("by: [{key}], where: {entry}, capacity: {capacity}, leak: {leak}{distinct}");
    Ok(format!("  overflow_{number}: {{ aggregate: leaky_bucket, {options} }}\n"))
}

/// What an overflow is about: the scope's own expression, or the key.
fn target_parts(scenario: &Scenario) -> Result<String> {
    let scope = scenario.scope.as_ref().and_then(|scope| scope.get("expression"));
    scope.map_or_else(|| key(scenario), |expression| field(expression))
}

/// What the replay says has overflowed.
fn found(scenarios: &[Scenario], records: &[Value], events: &[Value]) -> Vec<Overflow> {
    let mut overflows = Vec::new();
    for (number, scenario) in scenarios.iter().enumerate() {
        let rule = format!("overflow-{number}");
        let counts = lives(scenario, records, events, number);
        let locks = records.iter().filter(|record| record["transition"] == "locked" && record["rule"] == rule.as_str());
        overflows.extend(locks.map(|lock| Overflow {
            scenario: scenario.name.clone(),
            source: target(lock),
            events: counts.get(lock["event"].as_str().unwrap_or_default()).copied(),
            second: lock["start"].as_str().unwrap_or_default()[..19].to_owned(),
        }));
    }
    overflows
}

/// By event that overflowed: how many entries the life of that bucket had, in order of arrival. Not known where values
/// seen before are left out.
fn lives(scenario: &Scenario, records: &[Value], events: &[Value], number: usize) -> BTreeMap<String, i64> {
    let life = scenario.leakspeed.as_deref().map_or(0, millis) * (scenario.capacity.unwrap_or_default() + 1);
    let entries = hits(records, &format!("entry-{number}"));
    let overflows = hits(records, &format!("overflow-{number}"));
    let mut open: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    let mut counts = BTreeMap::new();
    for (event, (entered, overflowed)) in events.iter().zip(entries.into_iter().zip(overflows)) {
        if entered.1.is_none() || scenario.distinct.is_some() {
            continue;
        }
        let time = event["time"].as_i64().unwrap_or_default();
        let (count, newest) = open.entry(event["ip"].to_string()).or_insert((0, time));
        *count = if time - *newest > life { 1 } else { *count + 1 };
        *newest = time.max(*newest);
        if overflowed.1.is_some() {
            counts.insert(entered.0.to_owned(), *count);
            open.remove(&event["ip"].to_string());
        }
    }
    counts
}

fn millis(duration: &str) -> i64 {
    let (number, unit) = duration.split_at(duration.len() - 1);
    let unit = BTreeMap::from([("s", 1000), ("m", 60_000), ("h", 3_600_000)]).get(unit).copied();
    number.parse().unwrap_or(0) * unit.unwrap_or(0)
}

/// The value that a lock is on: the address, or whatever alone it is on.
fn target(lock: &Value) -> String {
    let target = &lock["target"];
    let value = target.get("ip").or_else(|| target.as_object().and_then(|parts| parts.values().next()));
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

impl Expected {
    /// Whether an overflow is the one expected, as far as the expectation goes.
    fn is(&self, overflow: &Overflow) -> bool {
        let last = self.events.last().and_then(|event| event.get("timestamp"));
        self.scenario.as_ref().is_none_or(|scenario| *scenario == overflow.scenario)
            && (self.sources.is_empty() || self.sources.iter().any(|source| is_source(&source.value, &overflow.source)))
            && self.events_count.zip(overflow.events).is_none_or(|(expected, found)| expected == found)
            && last.is_none_or(|time| when::of_line(time).map(when::second) == Some(overflow.second.clone()))
    }
}

/// Addresses are compared as such: `::ffff:10.0.0.1` is `10.0.0.1`.
fn is_source(expected: &str, found: &str) -> bool {
    match (expected.parse::<IpAddr>(), found.parse::<IpAddr>()) {
        (Ok(expected), Ok(found)) => expected.to_canonical() == found.to_canonical(),
        _ => expected == found,
    }
}

/// What is expected and not found, or found and not expected.
fn differences(test: &Test, mut overflows: Vec<Overflow>) -> Vec<String> {
    let mut differences = Vec::new();
    if overflows.len() != test.expected_results {
        differences.push(format!("{} overflows, expected {}", overflows.len(), test.expected_results));
    }
    for expected in &test.expected_overflows {
        match overflows.iter().position(|overflow| expected.is(overflow)) {
            Some(position) => drop(overflows.swap_remove(position)),
            None => differences
                .push(format!("missing {:?} {:?} {:?}", expected.scenario, expected.sources, expected.events_count)),
        }
    }
    differences.extend(overflows.iter().map(|overflow| format!("unexpected {overflow:?}")));
    differences
}

#[test]
fn every_bucket_and_trigger_overflows_as_expected() -> Result<()> {
    let readings = readings()?;
    let (mut run, mut failures) = (0, Vec::new());
    for test in tests()? {
        let reading = readings.get(&test.test).ok_or_else(|| format!("{} is not in lines.yaml", test.test))?;
        if reading.not_run.is_some() {
            continue;
        }
        let collected = if reading.scenarios.is_empty() { &test.scenario_params } else { &reading.scenarios };
        let events = lines::events(reading, &test.log)?;
        let output = replay(&rules(collected, reading)?, &events)?;
        let differences = differences(&test, found(collected, &output, &events));
        failures.extend(differences.iter().map(|difference| format!("{}: {difference}", test.test)));
        run += 1;
    }
    assert!(failures.is_empty(), "{} of {run}\n{}", failures.len(), failures.join("\n"));
    assert_eq!(run, 106);
    Ok(())
}

#[test]
fn only_what_says_why_is_not_run() -> Result<()> {
    let tests = tests()?;
    let readings = readings()?;
    assert_eq!((tests.len(), readings.len()), (114, 114));
    for test in tests {
        let plain = test.scenario_params.iter().all(|scenario| ["leaky", "trigger"].contains(&scenario.kind.as_str()));
        let reason = readings.get(&test.test).and_then(|reading| reading.not_run.as_deref());
        let is_left_out = reason.is_some_and(|reason| reason.len() > 40);
        assert_eq!(is_left_out, !plain || test.test == "pterodactyl-wings-bf", "{}", test.test);
    }
    Ok(())
}

//! The plain reference engine of the benchmarks: its rules are those of the shared rule file, and its decisions are
//! right on small streams and agree with a count by brute force on generated traffic.

#[path = "../benches/reference/mod.rs"]
mod reference;

use std::collections::{BTreeMap, BTreeSet};

use lockkeeper::engine::{self, Emit, Engine};
use lockkeeper::feature::store::Serial;
use lockkeeper::generate::{Attacks, Options, OptionsError, write_events};
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::Span;
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::ruleset::types::RuleSet;
use lockkeeper::wire::{RawBatch, RawRecord, decode};
use reference::Reference;
use reference::rules::{self, On, Rule, Term};
use serde_json::Value;

const RULES: &str = include_str!("../benches/velocity/rules.yaml");

fn judge(lines: &[&str]) -> Vec<Value> {
    let (mut engine, mut out) = (Reference::new("velocity@0"), Vec::new());
    lines.iter().for_each(|line| engine.process(line.as_bytes(), &mut out));
    out.split_inclusive(|&byte| byte == b'\n').map(|line| serde_json::from_slice(line).expect("JSON")).collect()
}

fn rule_set() -> RuleSet {
    let file = SourceFile { path: "rules.yaml".to_owned(), text: RULES.to_owned() };
    load(&[file], &|_, name| panic!("no list `{name}` in the workload")).expect("the rule file").rules
}

/// What lockkeeper says about lines from standard input, in batches of so many.
fn judge_with_lockkeeper(lines: &[&str], batch_records: usize) -> Vec<u8> {
    let rules = rule_set();
    let (schema, mut batch) = (rules.schema.clone(), Batch::new(&[]));
    let mut raw = RawBatch { sources: vec![Source::File("-".to_owned())], ..RawBatch::default() };
    let mut engine = Engine::new(rules, engine::Options::default());
    let mut out = Vec::new();
    for (index, chunk) in lines.chunks(batch_records).enumerate() {
        for (number, line) in chunk.iter().enumerate() {
            let span = Span { start: raw.text.len() as u32, len: line.len() as u32 };
            let number = (index * batch_records + number + 1) as u64;
            raw.text.extend_from_slice(line.as_bytes());
            raw.records.push(RawRecord { span, origin: Origin { number, ..Origin::default() } });
        }
        decode(&mut raw, &schema, &mut batch);
        engine.apply(&batch, &Serial, Emit::All, &mut out);
    }
    out
}

fn judge_with_reference(lines: &[&str]) -> Vec<u8> {
    let (mut engine, mut out) = (Reference::new(&rule_set().id), Vec::new());
    lines.iter().for_each(|line| engine.process(line.as_bytes(), &mut out));
    out
}

fn payment(number: usize, second: usize, amount: &str) -> String {
    format!(
        concat!(
            r#"{{"id":"e{number}","type":"payment","time":"2026-01-05T10:00:{second:02}.000Z","account":"a1","#,
            r#""amount":"{amount}","currency":"CNY","order":"o{number}","counterparty":"m{number}","device":"d1","#,
            r#""kyc":3,"ip":"10.0.0.1","factors":1}}"#
        ),
        number = number,
        second = second,
        amount = amount
    )
}

/// The rule as the rule file writes it: `on`, `when`, score, action.
fn written(rule: &Rule) -> (String, String, u64, String) {
    let on = match rule.on {
        On::Any => "",
        On::Attempt => "type in ['payment', 'transfer'] && !has(outcome)",
        On::Login => "type == 'login'",
    };
    let terms = rule.terms.map(|term| match term {
        Term::AtLeast(name, limit) => format!("{} >= {limit}", name.text()),
        Term::Below(name, limit) => format!("{} < {limit}", name.text()),
    });
    (on.to_owned(), terms.join(" && "), rule.score.into(), format!("{:?}", rule.action).to_lowercase())
}

#[derive(serde::Deserialize)]
struct RuleFile {
    features: BTreeMap<String, BTreeMap<String, String>>,
    rules: BTreeMap<String, RuleEntry>,
}

#[derive(serde::Deserialize)]
struct RuleEntry {
    #[serde(default)]
    on: String,
    when: String,
    score: u64,
    #[serde(default)]
    action: Option<String>,
}

#[test]
fn the_rules_are_those_of_the_rule_file() {
    let file: RuleFile = serde_saphyr::from_str(RULES).expect("the rule file");
    assert_eq!(file.features.len(), 14);
    let of_file: Vec<_> = file
        .rules
        .into_iter()
        .map(|(id, r)| (id, (r.on, r.when, r.score, r.action.unwrap_or_else(|| "allow".to_owned()))))
        .collect();
    let of_engine: Vec<_> = rules::all().iter().map(|rule| (rule.id.to_owned(), written(rule))).collect();
    assert_eq!(of_engine, of_file);
}

#[test]
fn a_decision_has_the_bytes_of_the_contract() {
    let (mut engine, mut out) = (Reference::new("velocity@0123456789ab"), Vec::new());
    for number in 0..6 {
        out.clear();
        engine.process(payment(number, number, "20.50").as_bytes(), &mut out);
    }
    let expected = concat!(
        r#"{"kind":"decision","event":"e5","type":"payment","account":"a1","order":"o5","#,
        r#""time":"2026-01-05T10:00:05.000Z","action":"alert","score":30,"hits":[{"rule":"burst-1m","#,
        r#""mode":"enforce","action":"allow","score":30,"values":{"amount":"20.50","payments_1m":6,"#,
        r#""payments_5m":6}}],"covered_by":[],"ruleset":"velocity@0123456789ab"}"#,
        "\n"
    );
    assert_eq!(String::from_utf8_lossy(&out), expected);
}

#[test]
fn means_and_sums_are_shown_in_yuan() {
    let lines: Vec<String> = (0..5).map(|number| payment(number, number, "0.10")).collect();
    let decisions = judge(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    let expected = serde_json::json!({"mean_spent_24h": 0.1, "payments_5m": 5, "spent_1h": "0.50"});
    assert_eq!(decisions[4]["hits"][0]["values"], expected);
    assert_eq!(decisions[3]["hits"].as_array().map(Vec::len), Some(0));
}

#[test]
fn repeated_and_broken_records_are_rejected() {
    let (first, changed) = (payment(1, 0, "1.00"), payment(1, 1, "2.00"));
    let decisions = judge(&[&first, &first, &changed, "{", &first.replace("2026-01-05T", "yesterday ")]);
    let codes: Vec<_> = decisions.iter().map(|line| line["code"].as_str().unwrap_or("none")).collect();
    assert_eq!(codes, ["none", "duplicate", "conflict", "malformed", "invalid_field"]);
    assert_eq!(decisions[1]["position"], "-:2");
}

/// Byte for byte the same from both engines, on traffic with attacks, for any cut into batches.
#[test]
fn lockkeeper_and_the_reference_say_the_same() {
    // The reference knows only streams in order of time.
    let attacks = "all=4,back_dating=0".parse().expect("a list");
    let options = Options { accounts: 2000, events: 20_000, attacks, ..Options::default() };
    let text = traffic(&options);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 20_000);
    let expected = judge_with_reference(&lines);
    assert!(String::from_utf8_lossy(&expected).matches("\"rule\":").count() > 100);
    for batch_records in [2048, 7] {
        let found = judge_with_lockkeeper(&lines, batch_records);
        let pairs = found.split(|&byte| byte == b'\n').zip(expected.split(|&byte| byte == b'\n'));
        for (number, (found, expected)) in pairs.enumerate() {
            let (found, expected) = (String::from_utf8_lossy(found), String::from_utf8_lossy(expected));
            assert_eq!(found, expected, "line {} in batches of {batch_records}", number + 1);
        }
        assert_eq!(found.len(), expected.len());
    }
}

fn traffic(options: &Options) -> String {
    let mut traffic = Vec::new();
    write_events::<OptionsError>(options, |chunk, _| {
        traffic.extend_from_slice(chunk);
        Ok(())
    })
    .expect("traffic");
    String::from_utf8(traffic).expect("UTF-8")
}

/// Counts by brute force what the rule `stuffing-ip` names, for every hit of it on generated traffic with attacks.
#[test]
fn windows_agree_with_brute_force() {
    let options = Options { accounts: 300, events: 8000, attacks: Attacks::each(4), ..Options::default() };
    let text = traffic(&options);
    let lines: Vec<&str> = text.lines().collect();
    let events: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let mut compared = 0;
    for (index, decision) in judge(&lines).iter().enumerate() {
        for hit in decision["hits"].as_array().expect("hits").iter().filter(|hit| hit["rule"] == "stuffing-ip") {
            compared += 1;
            let seen = &events[..=index];
            assert_eq!(hit["values"]["ip_accounts_10m"], accounts_of("ip", 600_000, seen));
            assert_eq!(hit["values"]["device_accounts_1h"], accounts_of("device", 3_600_000, seen));
        }
    }
    assert!(compared > 100, "{compared} hits");
}

/// Distinct accounts of the last event's key within `span` ms, counted one by one.
fn accounts_of(field: &str, span: i64, events: &[Value]) -> usize {
    let last = events.last().expect("an event");
    let within = |event: &&Value| event[field] == last[field] && time(event) >= time(last) - span;
    events.iter().filter(within).map(|event| event["account"].to_string()).collect::<BTreeSet<_>>().len()
}

fn time(event: &Value) -> i64 {
    let text = event["time"].as_str().expect("a time");
    chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339").timestamp_millis()
}

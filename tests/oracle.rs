//! The engine against the oracle, and both against examples worked out by hand.
#[path = "oracle/mod.rs"]
mod oracle;

use std::path::{Path, PathBuf};

use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::{FieldType, Span};
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::wire::{RawBatch, RawRecord, decode};
use oracle::generate::{Trial, shrink::shrink};
use oracle::{decide, rules::RuleSet, yaml};

/// Folders of hand-made examples: `rules.yaml`, `events.jsonl`, `expected.jsonl`.
fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics");
    let entries = std::fs::read_dir(&root).expect("the examples are there");
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `detail` is for people; the examples leave it empty.
fn first_difference(expected: &str, actual: &str) -> Option<String> {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    let unlike = lines.find(|(_, (expected, actual))| expected != actual);
    match unlike {
        Some((number, (expected, actual))) => {
            Some(format!("line {}:\n  expected {expected}\n  actual   {actual}", number + 1))
        }
        None if expected.lines().count() != actual.lines().count() => {
            Some(format!("{} lines expected, {} given", expected.lines().count(), actual.lines().count()))
        }
        None => None,
    }
}

#[test]
fn the_oracle_agrees_with_every_example() {
    let folders = examples();
    assert!(folders.len() >= 40, "only {} examples", folders.len());
    let mut wrong = Vec::new();
    for folder in &folders {
        let rules = RuleSet::read(&read(folder, "rules.yaml")).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let actual = decide::run(&rules, &std::fs::read(folder.join("events.jsonl")).unwrap());
        if let Some(difference) = first_difference(&read(folder, "expected.jsonl"), &actual) {
            wrong.push(format!("{}: {difference}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is compared with the oracle: rule set and stream in, output lines out.
type Judge = fn(&str, &[u8]) -> Result<String, String>;

/// Connects the engine; the only place that knows how it is called.
const ENGINE: Judge = run_binary;

fn run_binary(rules: &str, stream: &[u8]) -> Result<String, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (rules_file, stream_file) = (folder.path().join("rules.yaml"), folder.path().join("events.jsonl"));
    std::fs::write(&rules_file, rules)
        .and_then(|()| std::fs::write(&stream_file, stream))
        .map_err(|e| e.to_string())?;
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_lockkeeper"))
        .args(["replay", "--emit", "all", "--out", "-", "--rules"])
        .args([&rules_file, Path::new("-")])
        .stdin(std::fs::File::open(&stream_file).map_err(|error| error.to_string())?)
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => String::from_utf8(output.stdout).map_err(|error| error.to_string()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

/// The engine with all but the smallest keys indexed as if they were hot, a few events to a batch.
fn run_indexed(rules: &str, stream: &[u8]) -> Result<String, String> {
    let files = [SourceFile { path: "rules.yaml".into(), text: rules.into() }];
    let loaded = load(&files, &|_, list| Err(format!("no list file {list}")));
    let rules = loaded.map_err(|faults| format!("{faults:?}"))?.rules;
    let schema = rules.schema.clone();
    let types: Vec<FieldType> = schema.fields.iter().map(|(_, kind)| *kind).collect();
    let mut engine = Engine::new(rules, Options { scanned: Some(8), ..Options::default() });
    let (mut batch, mut out) = (Batch::new(&types), Vec::new());
    let lines: Vec<(usize, &[u8])> = stream.split(|&byte| byte == b'\n').enumerate().collect();
    for lines in lines.chunks(7) {
        let mut raw = RawBatch { sources: vec![Source::File("-".into())], headers: vec![None], ..RawBatch::default() };
        for (number, line) in lines.iter().filter(|(_, line)| !line.trim_ascii().is_empty()) {
            let span = Span { start: raw.text.len() as u32, len: line.len() as u32 };
            raw.text.extend_from_slice(line);
            raw.records.push(RawRecord { span, origin: Origin { number: *number as u64 + 1, ..Origin::default() } });
        }
        decode(&mut raw, &schema, &mut batch);
        engine.apply(&batch, &Serial, Emit::All, &mut out);
    }
    String::from_utf8(out).map_err(|error| error.to_string())
}

/// Replaces what is not part of the comparison: the rule set's hash, `detail`, and the last digits of speeds.
fn comparable(output: &str) -> String {
    let patterns = [
        (r#""ruleset":"([^"@]*)@[0-9a-f]{12}"\}"#, r#""ruleset":"$1@000000000000"}"#),
        (r#"(?m)^(\{"kind":"rejected".*)"detail":"(?:[^"\\]|\\.)*"\}$"#, r#"$1"detail":""}"#),
    ];
    let fixed = patterns.iter().fold(output.to_owned(), |text, (pattern, with)| {
        regex::Regex::new(pattern).expect("a pattern").replace_all(&text, *with).into_owned()
    });
    let speeds = regex::Regex::new(r#"("speed_[0-9]+":)([0-9.e+-]+)"#).expect("a pattern");
    let rounded = |found: &regex::Captures| format!("{}{:.9e}", &found[1], found[2].parse::<f64>().expect("a number"));
    speeds.replace_all(&fixed, rounded).into_owned()
}

/// How the engine differs from the oracle on a trial.
fn difference(trial: &Trial, engine: Judge) -> Option<String> {
    let expected = comparable(&decide::run(&trial.rules, &trial.stream()));
    match engine(&yaml::print(&trial.rules), &trial.stream()) {
        Ok(actual) => first_difference(&expected, &comparable(&actual)),
        Err(error) => Some(format!("the engine failed: {error}")),
    }
}

/// Seeds that failed once, then the first so many of the rest (`ORACLE_TRIALS`, default 200).
fn seeds() -> Vec<u64> {
    let known = include_str!("oracle/seeds.txt").lines().filter_map(|line| line.parse().ok());
    let trials = std::env::var("ORACLE_TRIALS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let first = std::env::var("ORACLE_FIRST").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    known.chain(first..first + trials).collect()
}

#[test]
fn the_engine_agrees_with_every_example() {
    for folder in examples() {
        let stream = std::fs::read(folder.join("events.jsonl")).unwrap();
        let actual = ENGINE(&read(&folder, "rules.yaml"), &stream);
        let actual = actual.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let difference = first_difference(&read(&folder, "expected.jsonl"), &comparable(&actual));
        assert_eq!(difference, None, "{}", folder.display());
    }
}

#[test]
fn the_engine_agrees_with_the_oracle() {
    check_trials(ENGINE);
}

#[test]
fn hot_keys_agree_with_the_oracle() {
    check_trials(run_indexed);
}

fn check_trials(engine: Judge) {
    for seed in seeds() {
        let trial = Trial::from_seed(seed);
        if difference(&trial, engine).is_some() {
            let small = shrink(trial, &|trial| difference(trial, engine).is_some());
            panic!(
                "seed {seed} (add it to tests/oracle/seeds.txt)\n{}\n{}\n{}",
                yaml::print(&small.rules),
                String::from_utf8_lossy(&small.stream()),
                difference(&small, engine).expect("it still fails")
            );
        }
    }
}

/// The oracle reading its own printed rule set, as an engine.
fn run_printed(rules: &str, stream: &[u8]) -> Result<String, String> {
    RuleSet::read(rules).map(|rules| decide::run(&rules, stream))
}

#[test]
fn printed_rule_sets_mean_the_same() {
    for seed in 0..100 {
        assert_eq!(difference(&Trial::from_seed(seed), run_printed), None, "seed {seed}");
    }
}

#[test]
fn trials_reach_every_kind_of_line() {
    let outputs: String =
        (0..100).map(Trial::from_seed).map(|trial| decide::run(&trial.rules, &trial.stream())).collect();
    let transitions = ["locked", "extended", "unlocked", "unlock_refused", "released", "expired"];
    let codes = ["late", "duplicate", "conflict", "malformed", "invalid_field"];
    for word in transitions.iter().chain(&codes).chain(&decide::ACTIONS) {
        let count = outputs.matches(&format!("\":\"{word}\"")).count();
        assert!(count >= 10, "{word} only {count} times");
    }
    for part in ["\"level\":3", "\"end\":null", "\"until\":null", "\"reason\":{", "\"mode\":\"shadow\""] {
        assert!(outputs.contains(part), "{part} is missing");
    }
}

/// An engine with a fault: it forgets to write expiries.
fn run_without_expiries(rules: &str, stream: &[u8]) -> Result<String, String> {
    let output = run_printed(rules, stream)?;
    let kept = output.lines().filter(|line| !line.contains("\"transition\":\"expired\""));
    Ok(kept.map(|line| format!("{line}\n")).collect())
}

#[test]
fn a_fault_is_found_and_made_small() {
    let fails = |trial: &Trial| difference(trial, run_without_expiries).is_some();
    let found = (0..50).map(Trial::from_seed).find(fails).expect("some trial has an expiry");
    let small = shrink(found, &fails);
    assert_eq!(small.rules.rules.len(), 1);
    // The firing, what makes its condition true, and the event after the end.
    assert!(small.lines.len() <= 6, "{}", String::from_utf8_lossy(&small.stream()));
}

/// What the engine takes and gives, the JSON Schemas take too: rule sets, accepted events, lines of output.
#[test]
fn trials_follow_the_schemas() {
    let schema = |schema| jsonschema::draft7::new(&schema).expect("a schema");
    let [rules, event, decision] = [
        schema(lockkeeper::schema::rules::schema()),
        schema(lockkeeper::schema::event::schema()),
        schema(lockkeeper::schema::decision::schema()),
    ];
    let mut accepted = 0;
    for trial in (0..150).map(Trial::from_seed) {
        let text = yaml::print(&trial.rules);
        let options = serde_saphyr::options! { strict_booleans: true };
        let file: serde_json::Value = serde_saphyr::from_str_with_options(&text, options).expect("YAML");
        assert!(rules.is_valid(&file), "{text}\n{:?}", rules.iter_errors(&file).next());
        let output = decide::run(&trial.rules, &trial.stream());
        let lines = output.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"));
        let mut malformed = std::collections::BTreeSet::new();
        for line in lines {
            assert!(decision.is_valid(&line), "{line}");
            if line["code"] == "malformed" || line["code"] == "invalid_field" {
                malformed.insert(line["position"].to_string());
            }
        }
        for (number, line) in (1..).zip(&trial.lines) {
            let Ok(record) = serde_json::from_slice::<serde_json::Value>(line) else { continue };
            if !malformed.contains(&format!("\"-:{number}\"")) {
                assert!(event.is_valid(&record), "{record}\n{:?}", event.iter_errors(&record).next());
                accepted += 1;
            }
        }
    }
    assert!(accepted > 5000, "only {accepted} events");
}

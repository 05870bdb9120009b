//! Run through, or encode, decode at any event and continue: the output is the same; and the bytes of the state do not
//! depend on how the events were cut into batches.
#[path = "oracle/mod.rs"]
#[allow(dead_code, reason = "only the trials are used here")]
mod oracle;

use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::{FieldType, Span};
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::ruleset::types::RuleSet;
use lockkeeper::wire::{RawBatch, RawRecord, decode};
use oracle::generate::Trial;
use oracle::yaml;

const TRIALS: u64 = 16;

fn rules_of(text: &str) -> RuleSet {
    let files = [SourceFile { path: "rules.yaml".into(), text: text.into() }];
    load(&files, &|_, list| Err(format!("no list file {list}"))).expect("a valid rule set").rules
}

/// Applies lines as one batch; `first` is the number of the first.
fn apply(engine: &mut Engine, lines: &[Vec<u8>], first: usize) -> Vec<u8> {
    let schema = engine.rules().schema.clone();
    let types: Vec<FieldType> = schema.fields.iter().map(|(_, kind)| *kind).collect();
    let mut raw = RawBatch { sources: vec![Source::File("-".into())], headers: vec![None], ..RawBatch::default() };
    for (index, line) in lines.iter().enumerate() {
        let span = Span { start: raw.text.len() as u32, len: line.len() as u32 };
        raw.text.extend_from_slice(line);
        let origin = Origin { number: (first + index + 1) as u64, ..Origin::default() };
        raw.records.push(RawRecord { span, origin });
    }
    let mut batch = Batch::new(&types);
    decode(&mut raw, &schema, &mut batch);
    let mut out = Vec::new();
    engine.apply(&batch, &Serial, Emit::All, &mut out);
    out
}

fn apply_in_batches(engine: &mut Engine, lines: &[Vec<u8>], size: usize) -> Vec<u8> {
    lines.chunks(size).enumerate().flat_map(|(index, chunk)| apply(engine, chunk, index * size)).collect()
}

/// The state after all lines, and the output, when the engine is replaced by its own copy after every `every` lines.
fn with_restarts(text: &str, lines: &[Vec<u8>], every: usize) -> (Vec<u8>, Vec<u8>) {
    let mut engine = Engine::new(rules_of(text), Options::default());
    let mut out = Vec::new();
    for (index, chunk) in lines.chunks(every).enumerate() {
        out.extend(apply(&mut engine, chunk, index * every));
        let state = engine.encode().expect("a state");
        engine = Engine::decode(rules_of(text), Options::default(), &state).expect("its own state");
        assert_eq!(engine.encode().expect("a state"), state, "decoding and encoding changes the state");
    }
    (engine.encode().expect("a state"), out)
}

fn check(text: &str, lines: &[Vec<u8>], what: &str) {
    let mut engine = Engine::new(rules_of(text), Options::default());
    let expected = apply_in_batches(&mut engine, lines, lines.len().max(1));
    let state = engine.encode().expect("a state");
    for every in [1, 9] {
        let (restarted_state, out) = with_restarts(text, lines, every);
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected), "{what}, restarts after {every}");
        assert_eq!(restarted_state, state, "{what}, state with restarts after {every}");
    }
}

#[test]
fn restarts_change_nothing_on_random_rule_sets_and_streams() {
    for seed in 0..TRIALS {
        let trial = Trial::from_seed(seed);
        check(&yaml::print(&trial.rules), &trial.lines, &format!("seed {seed}"));
    }
}

#[test]
fn restarts_change_nothing_under_a_bound() {
    for seed in 0..TRIALS / 2 {
        let trial = Trial::from_seed(seed);
        let text = yaml::print(&trial.rules);
        for bounds in ["keys: 2", "entries: 9"] {
            let bounded = text.replacen("ruleset:\n", &format!("ruleset:\n  bounds: {{ {bounds} }}\n"), 1);
            assert_ne!(bounded, text);
            let mut engine = Engine::new(rules_of(&bounded), Options::default());
            let expected = apply_in_batches(&mut engine, &trial.lines, 1000);
            let out = with_restarts(&bounded, &trial.lines, 5).1;
            assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected), "seed {seed}, {bounds}");
        }
    }
}

#[test]
fn other_options_change_nothing_that_is_known() {
    for seed in 0..TRIALS / 2 {
        let trial = Trial::from_seed(seed);
        let text = yaml::print(&trial.rules);
        let mut engine = Engine::new(rules_of(&text), Options::default());
        let (before, after) = trial.lines.split_at(trial.lines.len() / 2);
        apply(&mut engine, before, 0);
        let state = engine.encode().expect("a state");
        // One partition is never further behind than `lateness`, so a wide bound decides nothing.
        let wide = Options { max_skew: Some(i64::MAX), ..Options::default() };
        let mut engine = engine.with_options(wide).expect("its own state");
        assert_eq!(engine.encode().expect("a state"), state, "seed {seed}");
        let found = apply(&mut engine, after, before.len());
        let mut unchanged = Engine::decode(rules_of(&text), Options::default(), &state).expect("its own state");
        let expected = apply(&mut unchanged, after, before.len());
        assert_eq!(String::from_utf8_lossy(&found), String::from_utf8_lossy(&expected), "seed {seed}");
    }
}

#[test]
fn a_foreign_or_damaged_state_is_refused() {
    let trial = Trial::from_seed(1);
    let text = yaml::print(&trial.rules);
    let mut engine = Engine::new(rules_of(&text), Options::default());
    apply(&mut engine, &trial.lines, 0);
    let state = engine.encode().expect("a state");
    let other = text.replacen("name: \"demo\"", "name: \"other\"", 1);
    assert_ne!(other, text);
    let refusal = Engine::decode(rules_of(&other), Options::default(), &state).expect_err("another rule set");
    assert!(refusal.to_string().contains("other@"), "{refusal}");
    for cut in [0, 1, state.len() / 2, state.len() - 1] {
        assert!(Engine::decode(rules_of(&text), Options::default(), &state[..cut]).is_err(), "cut at {cut}");
    }
}

//! What the engine says it holds by dimension is what it holds: compared with what the allocator gets back.
//!
//! A program of its own with one test, as the allocator counts for all threads.

use std::alloc::System;

use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::Span;
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::wire::{RawBatch, RawRecord, decode};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const EVENTS: usize = 100_000;
const BATCH: usize = 100;

/// What a batch needs of features beyond what the same engine without features needs, bytes.
const SCRATCH: f64 = 100_000.0;

/// Payments of so many accounts and devices in turns, a second apart.
struct Traffic {
    accounts: usize,
    devices: usize,
}

impl Traffic {
    fn line(&self, number: usize) -> String {
        let (day, hour, minute, second) = (1 + number / 86_400, number / 3_600 % 24, number / 60 % 60, number % 60);
        format!(
            r#"{{"id":"e{number}","type":"payment","time":"2026-05-{day:02}T{hour:02}:{minute:02}:{second:02}Z","account":"a{}","device":"d{}","amount":"{}.50","currency":"CNY"}}"#,
            number % self.accounts,
            number % self.devices,
            number % 977,
        )
    }
}

fn engine(ruleset: &str, features: &str) -> Engine {
    let text = format!("ruleset: {{ name: sizes, currency: CNY, lateness: 1m, dedup: 1m{ruleset} }}\n{features}");
    let files = [SourceFile { path: "rules.yaml".into(), text }];
    let loaded = load(&files, &|_, name| Err(format!("no list file {name}"))).expect("a valid rule set");
    Engine::new(loaded.rules, Options::default())
}

fn feed(engine: &mut Engine, traffic: &Traffic) {
    let schema = engine.rules().schema.clone();
    for first in (0..EVENTS).step_by(BATCH) {
        let mut raw = RawBatch { sources: vec![Source::File("-".into())], headers: vec![None], ..RawBatch::default() };
        for number in first..first + BATCH {
            let line = traffic.line(number);
            let span = Span { start: raw.text.len() as u32, len: line.len() as u32 };
            raw.text.extend_from_slice(line.as_bytes());
            raw.records.push(RawRecord { span, origin: Origin { number: number as u64, ..Origin::default() } });
        }
        let mut batch = Batch::new(&[]);
        decode(&mut raw, &schema, &mut batch);
        let facts = engine.apply(&batch, &Serial, Emit::None, &mut Vec::new());
        assert_eq!(facts.events, BATCH as u64);
    }
}

/// What an engine says by dimension, and what dropping it gives back, bytes.
fn given_back(engine: Engine) -> (Vec<(String, u64, u64)>, f64) {
    let sizes = engine.state_sizes();
    let region = Region::new(ALLOCATOR);
    drop(engine);
    let change = region.change();
    (sizes, change.bytes_deallocated as f64 - change.bytes_allocated as f64)
}

fn fed(ruleset: &str, features: &str, traffic: &Traffic) -> Engine {
    let mut engine = engine(ruleset, features);
    feed(&mut engine, traffic);
    engine
}

/// The same state as it is after a restart.
fn restarted(mut engine: Engine) -> Engine {
    let state = engine.encode().expect("a state");
    Engine::decode(engine.rules().clone(), Options::default(), &state).expect("its own state")
}

/// Compares what is said with what is given back beyond what the same engine without features gives back.
fn check(what: &str, traffic: &Traffic, ruleset: &str, features: &str, keys: &[(&str, u64)]) {
    let features = format!("features: {features}");
    for restart in [false, true] {
        let as_it_is = |engine| if restart { restarted(engine) } else { engine };
        let (nothing, beside) = given_back(as_it_is(fed(ruleset, "", traffic)));
        assert_eq!(nothing, []);
        let (sizes, held) = given_back(as_it_is(fed(ruleset, &features, traffic)));
        let counted: Vec<(&str, u64)> = sizes.iter().map(|(name, _, keys)| (name.as_str(), *keys)).collect();
        assert_eq!(counted, keys, "{what}");
        let said = sizes.iter().map(|(_, bytes, _)| bytes).sum::<u64>() as f64;
        let held = held - beside;
        let fits = (said - held).abs() < held * 0.05 + SCRATCH;
        assert!(fits, "{what}, restarted {restart}: {said} bytes said, {held} held");
    }
}

#[test]
fn sizes_are_what_the_allocator_gets_back() {
    let sum = "{ a: { aggregate: sum, of: amount, by: account, window: 7d } }";
    let many = Traffic { accounts: 20_000, devices: 3_001 };
    let features = "{
        a: { aggregate: sum, of: amount, by: account, window: 7d },
        b: { aggregate: distinct, of: device, by: account, window: 7d },
        c: { aggregate: last, of: account, by: device, window: 7d },
        d: { aggregate: count, by: [account, device], window: 7d } }";
    let keys = [("account", 20_000), ("account+device", 100_000), ("device", 3_001)];
    check("many small keys", &many, "", features, &keys);
    check("keys under a bound", &many, ", bounds: { keys: 2000 }", sum, &[("account", 2_000)]);

    let features = "{
        a: { aggregate: sum, of: amount, by: account, window: 7d },
        b: { aggregate: count, by: account, window: 7d, where: a > amount },
        c: { aggregate: count, by: [], window: 7d } }";
    let keys = [("account", 2 * 50), ("none", 1)];
    check("large keys, in two levels", &Traffic { accounts: 50, devices: 7 }, "", features, &keys);

    let one = Traffic { accounts: 1, devices: 30_000 };
    let distinct = "{ a: { aggregate: distinct, of: device, by: account, window: 7d } }";
    check("values that come again", &one, "", distinct, &[("account", 1)]);
    let bucket = "{ a: { aggregate: leaky_bucket, capacity: 100000, leak: 1h, distinct: device, by: account } }";
    check("a bucket of many values", &one, "", bucket, &[("account", 1)]);

    let short = sum.replace("7d", "5h");
    check("a window that has passed", &Traffic { accounts: 10, devices: 7 }, "", &short, &[("account", 10)]);
}

//! Memory: bytes held per entry and per account, and allocations per event.
//!
//! A program of its own, as counting every allocation takes time, most of it from engines that allocate much: speed
//! measured beside it would flatter lockkeeper.
#![allow(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../support/mod.rs"]
mod support;

use std::alloc::System;
use std::path::PathBuf;

use clap::Parser;
use lockkeeper::engine::recent::{Recent, Seen};
use lockkeeper::engine::{Emit, Engine};
use lockkeeper::feature::store::Serial;
use lockkeeper::generate::Options;
use lockkeeper::model::batch::Batch;
use lockkeeper::ruleset::types::RuleSet;
use serde_json::{Map, Value, json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::features::{FeatureStage, Setup};
use support::lines::{Payment, START, batches, generate};
use support::{VELOCITY, rule_set};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Feature families by name, as a rule file writes them; the windows hold all payments made.
const FAMILIES: [(&str, &str); 9] = [
    ("count", "aggregate: count, by: account, window: 24h"),
    ("sum", "aggregate: sum, of: amount, by: account, window: 24h"),
    ("max", "aggregate: max, of: amount, by: account, window: 24h"),
    ("distinct", "aggregate: distinct, of: device, by: account, window: 24h"),
    ("last", "aggregate: last, of: device, by: account, window: 24h"),
    ("is_new", "aggregate: is_new, of: device, by: account, window: 24h"),
    ("sum_of_day", "aggregate: sum, of: amount, by: account, window: day"),
    ("bucket", "aggregate: leaky_bucket, capacity: 5, leak: 1m, by: account"),
    ("speed", "aggregate: speed, by: account, window: 24h"),
];
/// Entries per account where there are many accounts.
const ENTRIES: u64 = 50;
/// Payments made before they come round again, with later times.
const MADE: u64 = 1 << 20;
/// Accounts whose payments are in memory at once.
const PIECE: usize = 100_000;

/// Bytes held and allocations made.
#[derive(Debug, Parser)]
struct Args {
    /// Entries in the windows of each feature family over many keys; a tenth of it for one key, and as events of the
    /// steady state.
    #[arg(long, default_value_t = 10_000_000)]
    entries: u64,

    /// Idle accounts.
    #[arg(long, default_value_t = 2_000_000)]
    accounts: u64,

    /// Rule files for idle accounts and the steady state [default: the velocity workload].
    #[arg(long)]
    rules: Vec<PathBuf>,

    /// One JSON object instead of lines.
    #[arg(long)]
    json: bool,

    /// Tiny sizes: does everything run?
    #[arg(long)]
    smoke: bool,

    /// Passed by `cargo bench`; without it the sizes are those of `--smoke`.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<()> {
    let mut args = Args::parse();
    if args.smoke || !args.bench {
        (args.entries, args.accounts) = (200_000, 20_000);
    }
    let rules = match args.rules.as_slice() {
        [] => rule_set(VELOCITY),
        paths => lockkeeper::rulefiles::load_paths(paths).map_err(|faults| anyhow::anyhow!("{faults:#?}"))?.rules,
    };
    let mut found = Map::new();
    for (family, feature) in FAMILIES {
        let small = per_entry(feature, args.entries / ENTRIES, args.entries);
        found.insert(format!("bytes_per_event_{family}_small_keys"), small);
        found.insert(format!("bytes_per_event_{family}_one_key"), per_entry(feature, 1, args.entries / 10));
    }
    let (account, index) = per_idle_account(&rules, args.accounts);
    found.insert("bytes_per_idle_account".to_owned(), json!(account));
    found.insert("bytes_per_event_in_duplicate_index".to_owned(), json!(index));
    found.insert("allocations_per_event".to_owned(), json!(allocations_per_event(rules, args.entries / 10)));
    if args.json {
        println!("{}", Value::Object(found));
    } else {
        found.iter().for_each(|(name, value)| println!("{name:46} {:10.3}", value.as_f64().unwrap_or(f64::NAN)));
    }
    Ok(())
}

/// Bytes allocated and not yet freed within the region.
fn held(region: &Region<System>) -> f64 {
    let change = region.change();
    change.bytes_allocated as f64 - change.bytes_deallocated as f64
}

/// Bytes that dropping the window state frees, per payment made. What the store keeps in reserve is among them, up to
/// 1 MiB in each of its 16 shards, so there must be many payments.
fn per_entry(feature: &'static str, accounts: u64, entries: u64) -> Value {
    let step = (12 * 3_600_000 / entries as i64).max(1);
    let events = entries.min(MADE);
    let mut stage = FeatureStage::new(&Setup { feature, accounts, events, step, late_per_mille: 0 });
    let entered = stage.warm_up(entries);
    let store = stage.into_store();
    let region = Region::new(ALLOCATOR);
    drop(store);
    json!(-held(&region) / entered as f64)
}

/// Bytes per account that paid once, and those of them that the duplicate index has.
fn per_idle_account(rules: &RuleSet, accounts: u64) -> (f64, f64) {
    let mut engine = Engine::new(rules.clone(), Default::default());
    let region = Region::new(ALLOCATOR);
    for first in (0..accounts).step_by(PIECE) {
        let mut text = Vec::new();
        for number in first..accounts.min(first + PIECE as u64) {
            let time = START + (number * 1_800_000 / accounts) as i64;
            Payment { number, time, account: number, device: number }.write(&mut text);
        }
        apply(&mut engine, &batches(&text, &rules.schema));
    }
    let all = held(&region) / accounts as f64;
    let mut index = Recent::default();
    for identity in 1..=u128::from(accounts) {
        let spread = identity.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        index.insert(Seen { identity: spread, time: 0, fingerprint: 0 }, i64::MIN);
    }
    (all, index.bytes() as f64 / accounts as f64)
}

/// Allocations per event of the second half of a day's traffic, all decisions written.
fn allocations_per_event(rules: RuleSet, events: u64) -> f64 {
    let accounts = (events / 50).clamp(1, 20_000) as u32;
    let text = generate(&Options { accounts, events, ..Options::default() });
    let decoded = batches(&text, &rules.schema);
    let mut engine = Engine::new(rules, Default::default());
    let (first, second) = decoded.split_at(decoded.len() / 2);
    apply(&mut engine, first);
    let region = Region::new(ALLOCATOR);
    apply(&mut engine, second);
    let change = region.change();
    let measured: usize = second.iter().map(|batch| batch.events.len()).sum();
    (change.allocations + change.reallocations) as f64 / measured as f64
}

fn apply(engine: &mut Engine, decoded: &[Batch]) {
    let mut out = Vec::new();
    for batch in decoded {
        out.clear();
        engine.apply(batch, &Serial, Emit::All, &mut out);
    }
}

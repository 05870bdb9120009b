//! What `replay` needs for the same events: decoding, scoring and writing in memory on one thread.

use std::time::Duration;

use anyhow::{Context, Result};
use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::model::batch::Batch;
use lockkeeper::replay::run::BATCH_RECORDS;
use lockkeeper::rulefiles::load_paths;
use lockkeeper::ruleset::types::RuleSet;
use lockkeeper::wire::decode;

use super::clock::{Cost, measure};
use super::stage::Output;
use super::support::lines::{Lines, fill, raw_batch};

/// What a replay took and wrote.
#[derive(Debug, Clone, Copy)]
pub struct Replayed {
    /// What it took.
    pub cost: Cost,
    /// What it wrote, per event.
    pub output: Output,
    /// Decisions and all else it wrote.
    pub lines: u64,
}

/// The wallet pack.
pub fn wallet() -> Result<RuleSet> {
    let loaded = load_paths(&[concat!(env!("CARGO_MANIFEST_DIR"), "/rules/wallet").into()]);
    Ok(loaded.map_err(|faults| anyhow::anyhow!("{faults:?}"))?.rules)
}

/// An engine that judges lines.
pub struct Replay {
    engine: Engine,
    out: Vec<u8>,
}

impl Replay {
    /// Without history.
    pub fn new() -> Result<Replay> {
        Ok(Replay { engine: Engine::new(wallet()?, Options::default()), out: Vec::new() })
    }

    /// The engine, with what it was told.
    pub fn into_engine(self) -> Engine {
        self.engine
    }

    /// Judges all lines; returns how many lines it wrote and their bytes.
    pub fn run(&mut self, text: &[u8], emit: Emit) -> (u64, u64) {
        let (mut raw, mut batch, mut lines, mut number) = (raw_batch(), Batch::new(&[]), Lines(text), 0);
        let (mut written, mut bytes) = (0, 0);
        while fill(&mut raw, &mut lines, BATCH_RECORDS, &mut number) {
            decode(&mut raw, &self.engine.rules().schema, &mut batch);
            self.out.clear();
            self.engine.apply_each(&batch, &Serial, emit, &mut self.out, &mut |_, _| written += 1);
            bytes += self.out.len() as u64;
        }
        (written, bytes)
    }
}

/// Replays once.
pub fn replay(text: &[u8], emit: Emit) -> Result<Replayed> {
    let mut replay = Replay::new()?;
    let (cost, (lines, bytes)) = measure(|| replay.run(text, emit));
    let events = Lines(text).count() as f64;
    let bytes = bytes.checked_div(lines).context("nothing was written")? as usize;
    Ok(Replayed { cost, lines, output: Output { share: lines as f64 / events, bytes } })
}

/// The middle one of some numbers; of an even number the lower.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(f64::NAN)
}

/// Microseconds per event.
pub fn micros(time: Duration, events: u64) -> f64 {
    time.as_secs_f64() * 1e6 / events as f64
}

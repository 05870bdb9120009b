//! The two engines behind one seam: lines in memory in, decisions in memory out.

use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::model::batch::Batch;
use lockkeeper::replay::run::BATCH_RECORDS;
use lockkeeper::ruleset::types::RuleSet;
use lockkeeper::wire::{RawBatch, decode};

use super::reference::Reference;
use super::support::lines::{Lines, fill, raw_batch};

/// lockkeeper on one thread.
pub struct Lockkeeper {
    engine: Engine,
    raw: RawBatch,
    batch: Batch,
    lines: u64,
    /// Events accepted so far.
    pub accepted: u64,
}

impl Lockkeeper {
    /// Without history.
    pub fn new(rules: RuleSet) -> Self {
        let engine = Engine::new(rules, Options::default());
        Lockkeeper { engine, raw: raw_batch(), batch: Batch::new(&[]), lines: 0, accepted: 0 }
    }

    /// Decodes and judges all lines of `text`, and appends what is to be said.
    pub fn replay(&mut self, text: &[u8], emit: Emit, out: &mut Vec<u8>) {
        let mut lines = Lines(text);
        while fill(&mut self.raw, &mut lines, BATCH_RECORDS, &mut self.lines) {
            decode(&mut self.raw, &self.engine.rules().schema, &mut self.batch);
            self.accepted += self.engine.apply(&self.batch, &Serial, emit, out).events;
        }
    }

    /// Judges what is decoded already, and says nothing.
    pub fn score(&mut self, batches: &[Batch]) {
        for batch in batches {
            self.accepted += self.engine.apply(batch, &Serial, Emit::None, &mut Vec::new()).events;
        }
    }
}

/// Judges all lines of `text` with the reference engine, and appends its decisions.
pub fn replay_with_reference(reference: &mut Reference, text: &[u8], out: &mut Vec<u8>) {
    Lines(text).for_each(|line| reference.process(line, out));
}

//! The fold: `(state, batch of records) -> (state', output bytes)`.
//!
//! Intake, then features and expressions in turns by level of dependency, rules as columns, the decide step in input
//! order, and the output lines. Pure: no clock, no thread (the [`Executor`] is the shell's), no file, no randomness,
//! and no order that a hash map decides. Batches are only a way of working: any cut gives the same bytes.

pub mod backoff;
pub mod decide;
pub mod encode;
pub mod facts;
mod feature_values;
pub mod identity_hash;
pub mod intake;
pub mod lockbook;
pub mod meeting;
mod output_order;
pub mod phrases;
pub mod recent;
pub mod said;
mod schedule;
pub mod snapshot;
pub mod verdict;

use std::sync::Mutex;

use crate::expr::eval::{Evaluator, Inputs};
use crate::expr::graph::NodeId;
use crate::feature::eviction::Evicted;
use crate::feature::keys::Expressions;
use crate::feature::open::SCANNED;
use crate::feature::plan::Plan;
use crate::feature::rows::Rows;
use crate::feature::store::{Executor, Store, lock};
use crate::feature::upkeep::Floor;
use crate::model::batch::Batch;
use crate::model::calendar::CalendarCache;
use crate::model::outcome::{Item, Outcome};
use crate::ruleset::types::{Period, RuleSet};

use decide::Bench;
use encode::Encoder;
use facts::Facts;
use feature_values::FeatureValues;
use intake::{Accepted, Intake, Limits};
use lockbook::LockBook;
use meeting::Scratch;
use output_order::{OutputOrder, sort_evicted};
use phrases::Phrases;
use verdict::Verdicts;

/// Output items per encoding task.
const ENCODE_CHUNK: usize = 256;

/// Which decisions are written; transitions, rejections and evictions always are, unless nothing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Emit {
    /// All.
    All,
    /// Those that are not a bare allow.
    #[default]
    Flagged,
    /// Write nothing at all.
    None,
}

/// What the shell decides about a run; none of it changes decisions of a single partition without record timestamps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// How far ahead of its record timestamp an event may be, ms.
    pub max_future: Option<i64>,
    /// How far behind the newest event of all partitions an event may be, ms; needed with several partitions.
    pub max_skew: Option<i64>,
    /// Entries of a key up to which a stream is scanned rather than indexed; tests make it small. Changes no output.
    pub scanned: Option<usize>,
}

/// The engine: a rule set and the state it has come to.
#[derive(Debug)]
pub struct Engine {
    rules: RuleSet,
    limits: Limits,
    intake: Intake,
    store: Store,
    book: LockBook,
    /// Number of events accepted so far.
    sequence: u64,
    evaluator: Evaluator,
    /// Nodes to compute, by level.
    schedule: Vec<Vec<NodeId>>,
    feature_levels: Vec<usize>,
    calendars: Vec<(Period, CalendarCache)>,
    phrases: Phrases,
    batch: BatchState,
}

/// What is computed anew for each batch; kept for its memory.
#[derive(Debug, Default)]
struct BatchState {
    accepted: Accepted,
    rows: Rows,
    features: FeatureValues,
    verdicts: Verdicts,
    scratch: Scratch,
    outcome: Outcome,
    buffers: Vec<Mutex<Vec<u8>>>,
}

impl BatchState {
    /// What expressions are computed from.
    fn inputs<'a>(&'a self, batch: &'a Batch) -> Inputs<'a> {
        Inputs {
            events: &batch.events,
            behind: &self.accepted.behind,
            features: &self.features.columns,
            feature_text: &self.features.text,
        }
    }
}

impl Engine {
    /// An engine without history.
    pub fn new(rules: RuleSet, options: Options) -> Engine {
        let limits = Limits {
            lateness: rules.lateness,
            dedup: rules.dedup,
            max_future: options.max_future,
            max_skew: options.max_skew,
        };
        let plan = Plan::new(&rules, rules.lateness.saturating_add(options.max_skew.unwrap_or(0)));
        Engine {
            limits,
            intake: Intake::default(),
            store: Store::new(&plan, rules.bounds, options.scanned.unwrap_or(SCANNED)),
            book: LockBook::new(&rules.rules),
            sequence: 0,
            evaluator: Evaluator::new(&rules.graph),
            schedule: schedule::schedule(&rules, &plan),
            calendars: schedule::calendars(&rules),
            phrases: Phrases::new(&rules),
            batch: BatchState { features: FeatureValues::new(&rules.features), ..BatchState::default() },
            feature_levels: plan.levels,
            rules,
        }
    }

    /// The rule set.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Number of locks that are set and whose end was not written.
    pub fn active_locks(&self) -> u64 {
        self.book.active
    }

    /// Takes in a batch, appends its output lines to `out`, and says what happened.
    pub fn apply(&mut self, batch: &Batch, executor: &dyn Executor, emit: Emit, out: &mut Vec<u8>) -> Facts {
        self.apply_with(batch, executor, |engine, state| {
            let mut buffers = std::mem::take(&mut state.buffers);
            engine.write(batch, state, &mut buffers, executor, emit, out);
            state.buffers = buffers;
        })
    }

    /// Takes in a batch; `write` says what is to be said.
    fn apply_with(
        &mut self,
        batch: &Batch,
        executor: &dyn Executor,
        write: impl FnOnce(&Engine, &mut BatchState),
    ) -> Facts {
        let mut state = std::mem::take(&mut self.batch);
        self.intake.judge(batch, &self.limits, &mut state.accepted);
        self.fill_rows(batch, &mut state);
        let evicted = self.compute(batch, &mut state, executor);
        self.decide(batch, &mut state, evicted);
        write(self, &mut state);
        let facts = self.facts(batch, &state);
        self.forget(&state, executor);
        self.batch = state;
        facts
    }

    fn fill_rows(&mut self, batch: &Batch, state: &mut BatchState) {
        let rows = &mut state.rows;
        rows.time.clone_from(&batch.events.time);
        rows.floor.clone_from(&state.accepted.floor);
        for (period, calendar) in &mut self.calendars {
            let period = *period as usize;
            rows.starts[period].clear();
            rows.starts[period].extend(rows.time.iter().map(|&time| calendar.period_start(time)));
            rows.floor_starts[period].clear();
            rows.floor_starts[period].extend(rows.floor.iter().map(|&time| calendar.period_start(time)));
        }
    }

    /// Expressions and features, level by level.
    fn compute(&mut self, batch: &Batch, state: &mut BatchState, executor: &dyn Executor) -> Vec<Evicted> {
        let rows = batch.events.len();
        let mut evicted = Vec::new();
        self.evaluator.start(rows);
        state.features.start(rows);
        for level in 0..self.schedule.len() {
            let inputs = Inputs {
                events: &batch.events,
                behind: &state.accepted.behind,
                features: &state.features.columns,
                feature_text: &state.features.text,
            };
            self.evaluator.run(&self.rules.graph, &self.schedule[level], &inputs);
            let expressions = Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs };
            let accepted = &state.accepted.rows;
            evicted.extend(self.store.run(level, accepted, &state.rows, expressions, &state.features.raw, executor));
            state.features.publish(&self.rules, &self.feature_levels, level, &self.store);
        }
        evicted
    }

    /// Rules, locks and the order of the output.
    fn decide(&mut self, batch: &Batch, state: &mut BatchState, mut evicted: Vec<Evicted>) {
        sort_evicted(&mut evicted);
        let inputs = Inputs {
            events: &batch.events,
            behind: &state.accepted.behind,
            features: &state.features.columns,
            feature_text: &state.features.text,
        };
        let expressions = Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs };
        state.verdicts.fill(&self.rules, &self.evaluator, &state.accepted.behind.present);
        state.scratch.start();
        state.outcome.clear();
        let mut order = OutputOrder::new(batch, &state.accepted, &evicted);
        let mut bench = Bench {
            rules: &self.rules,
            events: &batch.events,
            expressions,
            verdicts: &state.verdicts,
            floor: &state.accepted.floor,
            scratch: &mut state.scratch,
        };
        for &row in &state.accepted.rows {
            let row = row as usize;
            order.before_row(row, &mut state.outcome);
            let partition = batch.origins[batch.events.record[row] as usize].partition;
            self.sequence += 1;
            bench.decide(&mut self.book, row, partition, self.sequence, &mut state.outcome);
        }
        order.rest(&mut state.outcome);
    }

    fn write(
        &self,
        batch: &Batch,
        state: &BatchState,
        buffers: &mut Vec<Mutex<Vec<u8>>>,
        executor: &dyn Executor,
        emit: Emit,
        out: &mut Vec<u8>,
    ) {
        if emit == Emit::None {
            return;
        }
        let inputs = state.inputs(batch);
        let encoder = self.encoder(batch, state, &inputs);
        let said = |item: &&Item| emit == Emit::All || !matches!(item, Item::Decision(d) if d.is_bare());
        let items = &state.outcome.items;
        if executor.threads() == 1 {
            return items.iter().filter(said).for_each(|item| encoder.write(out, item));
        }
        let chunks = items.len().div_ceil(ENCODE_CHUNK);
        buffers.resize_with(chunks.max(buffers.len()), Mutex::default);
        executor.for_each(chunks, &|chunk| {
            let mut buffer = lock(&buffers[chunk]);
            buffer.clear();
            let items = items.iter().skip(chunk * ENCODE_CHUNK).take(ENCODE_CHUNK);
            items.filter(said).for_each(|item| encoder.write(&mut buffer, item));
        });
        buffers[..chunks].iter().for_each(|buffer| out.extend_from_slice(&lock(buffer)));
    }

    fn encoder<'a>(&'a self, batch: &'a Batch, state: &'a BatchState, inputs: &'a Inputs<'a>) -> Encoder<'a> {
        Encoder {
            rules: &self.rules,
            phrases: &self.phrases,
            batch,
            rejections: &state.accepted.rejections,
            outcome: &state.outcome,
            expressions: Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs },
        }
    }

    fn facts(&mut self, batch: &Batch, state: &BatchState) -> Facts {
        let rows = &state.accepted.rows;
        let events = &batch.events;
        let without_rate = |&&row: &&u32| events.amount.present[row as usize] && !events.money.present[row as usize];
        let mut facts = Facts {
            records: batch.origins.len() as u64,
            events: rows.len() as u64,
            hits: state.verdicts.hits.clone(),
            undecided: state.verdicts.undecided.clone(),
            evicted: state.outcome.evictions.len() as u64,
            without_rate: rows.iter().filter(without_rate).count() as u64,
            greatest_step: self.intake.greatest_step.take(),
            ..Facts::default()
        };
        for rejection in batch.rejections.iter().chain(&state.accepted.rejections) {
            *facts.rejected.entry(rejection.code).or_default() += 1;
        }
        for transition in &state.outcome.transitions {
            *facts.transitions.entry(transition.kind).or_default() += 1;
        }
        for item in &state.outcome.items {
            if let Item::Decision(decision) = item {
                facts.actions[decision.action as usize] += 1;
            }
        }
        facts
    }

    /// Frees some of what can no longer be read.
    fn forget(&mut self, state: &BatchState, executor: &dyn Executor) {
        let Some(&last) = state.accepted.rows.last() else { return };
        let floor = Floor::of(&state.rows, last as usize);
        self.store.sweep(&floor, state.accepted.rows.len(), executor);
        self.book.purge(floor.time, &self.rules.rules);
    }
}

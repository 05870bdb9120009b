//! The fold: `(state, batch of records) -> (state', output bytes)`.
//!
//! Intake, then features and expressions in turns by level of dependency, rules as columns, the decide step in input
//! order, and the output lines. Pure: no clock, no thread (the [`Executor`] is the shell's), no file, no randomness,
//! and no order that a hash map decides. Batches are only a way of working: any cut gives the same bytes.

pub mod backoff;
pub mod decide;
pub mod encode;
pub mod facts;
pub mod identity_hash;
pub mod intake;
pub mod lockbook;
pub mod recent;
pub mod snapshot;
pub mod verdict;

use std::collections::BTreeSet;
use std::sync::Mutex;

use crate::expr::eval::{ColumnData, Evaluator, Inputs, Truth};
use crate::expr::graph::{Graph, NodeId};
use crate::feature::eviction::Evicted;
use crate::feature::keys::{self, Expressions, KeyColumn};
use crate::feature::plan::Plan;
use crate::feature::rows::{FeatureColumn, Rows};
use crate::feature::shard::unpack_text;
use crate::feature::store::{Executor, Store, lock};
use crate::feature::upkeep::Floor;
use crate::model::batch::Batch;
use crate::model::calendar::CalendarCache;
use crate::model::outcome::{Eviction, Item, Outcome};
use crate::model::value::Type;
use crate::ruleset::types::{Feature, Lock, LockDuration, Period, ReasonPart, RuleSet, Window};

use decide::Bench;
use encode::Encoder;
use facts::Facts;
use intake::{Accepted, Intake, Limits};
use lockbook::LockBook;
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
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// How far ahead of its record timestamp an event may be, ms.
    pub max_future: Option<i64>,
    /// How far behind the newest event of all partitions an event may be, ms; needed with several partitions.
    pub max_skew: Option<i64>,
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
    batch: BatchState,
}

/// What is computed anew for each batch; kept for its memory.
#[derive(Debug, Default)]
struct BatchState {
    accepted: Accepted,
    rows: Rows,
    raw_features: Vec<FeatureColumn>,
    features: Vec<ColumnData>,
    feature_text: Vec<u8>,
    verdicts: Verdicts,
    keys: Vec<KeyColumn>,
    outcome: Outcome,
    buffers: Vec<Mutex<Vec<u8>>>,
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
        let features = rules.features.iter().map(|feature| ColumnData::new(feature.kind)).collect();
        Engine {
            limits,
            intake: Intake::default(),
            store: Store::new(&plan, rules.bounds),
            book: LockBook::new(&rules.rules),
            sequence: 0,
            evaluator: Evaluator::new(&rules.graph),
            schedule: schedule(&rules, &plan),
            calendars: calendars(&rules),
            batch: BatchState {
                raw_features: rules.features.iter().map(|_| FeatureColumn::default()).collect(),
                features,
                ..BatchState::default()
            },
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
        let mut state = std::mem::take(&mut self.batch);
        self.intake.judge(batch, &self.limits, &mut state.accepted);
        self.fill_rows(batch, &mut state);
        let evicted = self.compute(batch, &mut state, executor);
        self.decide(batch, &mut state, evicted);
        self.write(batch, &mut state, executor, emit, out);
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
        state.feature_text.clear();
        for (feature, column) in self.rules.features.iter().zip(&mut state.raw_features) {
            column.start(rows, feature.kind == Type::Ip);
        }
        for level in 0..self.schedule.len() {
            let inputs = Inputs {
                events: &batch.events,
                behind: &state.accepted.behind,
                features: &state.features,
                feature_text: &state.feature_text,
            };
            self.evaluator.run(&self.rules.graph, &self.schedule[level], &inputs);
            let expressions = Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs };
            let accepted = &state.accepted.rows;
            evicted.extend(self.store.run(level, accepted, &state.rows, expressions, &state.raw_features, executor));
            self.publish(level, state);
        }
        evicted
    }

    /// Turns the features of a level into columns that expressions can read.
    fn publish(&self, level: usize, state: &mut BatchState) {
        let texts = self.gather_texts(level, &mut state.feature_text);
        for (index, feature) in self.rules.features.iter().enumerate() {
            if self.feature_levels[index] == level {
                publish(&state.raw_features[index], &mut state.features[index], &|shard| {
                    self.text_base(&texts, feature, level, shard)
                });
            }
        }
    }

    /// Appends the strings read by the shards of a level; returns where each dimension's shards begin.
    fn gather_texts(&self, level: usize, text: &mut Vec<u8>) -> Vec<Vec<u32>> {
        let dimensions = self.store.dimensions.iter();
        let base = |shard: &Mutex<crate::feature::shard::Shard>, text: &mut Vec<u8>| {
            let start = text.len() as u32;
            text.extend_from_slice(&lock(shard).text);
            start
        };
        dimensions
            .map(|d| match d.dimension.level == level {
                true => d.shards.iter().map(|shard| base(shard, text)).collect(),
                false => Vec::new(),
            })
            .collect()
    }

    fn text_base(&self, texts: &[Vec<u32>], feature: &Feature, level: usize, shard: u16) -> u32 {
        let is_its =
            |d: &crate::feature::store::DimensionState| d.dimension.level == level && d.dimension.by == feature.by;
        let dimension = self.store.dimensions.iter().position(is_its).unwrap_or_default();
        texts[dimension].get(usize::from(shard)).copied().unwrap_or_default()
    }

    /// Rules, locks and the order of the output.
    fn decide(&mut self, batch: &Batch, state: &mut BatchState, mut evicted: Vec<Evicted>) {
        evicted.sort_unstable_by(|a, b| (a.row, by_names(a), &a.key).cmp(&(b.row, by_names(b), &b.key)));
        let inputs = Inputs {
            events: &batch.events,
            behind: &state.accepted.behind,
            features: &state.features,
            feature_text: &state.feature_text,
        };
        let expressions = Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs };
        state.verdicts.fill(&self.rules, &self.evaluator, batch.events.len());
        state.keys.iter_mut().for_each(|column| column.hash.clear());
        state.outcome.clear();
        let mut order = OutputOrder::new(batch, &state.accepted, &evicted);
        let mut bench = Bench {
            rules: &self.rules,
            events: &batch.events,
            expressions,
            verdicts: &state.verdicts,
            floor: &state.accepted.floor,
            keys: &mut state.keys,
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

    fn write(&self, batch: &Batch, state: &mut BatchState, executor: &dyn Executor, emit: Emit, out: &mut Vec<u8>) {
        if emit == Emit::None {
            return;
        }
        let inputs = Inputs {
            events: &batch.events,
            behind: &state.accepted.behind,
            features: &state.features,
            feature_text: &state.feature_text,
        };
        let encoder = Encoder {
            rules: &self.rules,
            batch,
            rejections: &state.accepted.rejections,
            outcome: &state.outcome,
            expressions: Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs },
        };
        let silent = |item: &Item| emit == Emit::Flagged && matches!(item, Item::Decision(d) if d.is_bare());
        let chunks = state.outcome.items.len().div_ceil(ENCODE_CHUNK);
        state.buffers.resize_with(chunks.max(state.buffers.len()), Mutex::default);
        executor.for_each(chunks, &|chunk| {
            let mut buffer = lock(&state.buffers[chunk]);
            buffer.clear();
            let items = state.outcome.items.iter().skip(chunk * ENCODE_CHUNK).take(ENCODE_CHUNK);
            items.filter(|item| !silent(item)).for_each(|item| encoder.write(&mut buffer, item));
        });
        state.buffers[..chunks].iter().for_each(|buffer| out.extend_from_slice(&lock(buffer)));
    }

    fn facts(&mut self, batch: &Batch, state: &BatchState) -> Facts {
        let rows = &state.accepted.rows;
        let count = |flags: &Vec<bool>| rows.iter().filter(|&&row| flags[row as usize]).count() as u64;
        let events = &batch.events;
        let without_rate = |&&row: &&u32| events.amount.present[row as usize] && !events.money.present[row as usize];
        let mut facts = Facts {
            records: batch.origins.len() as u64,
            events: rows.len() as u64,
            hits: state.verdicts.fired.iter().map(count).collect(),
            undecided: state.verdicts.undecided.iter().map(count).collect(),
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

fn by_names(evicted: &Evicted) -> Vec<&str> {
    evicted.by.iter().map(|part| part.name.as_str()).collect()
}

/// Interleaves rejections and evictions with the accepted rows, in input order.
struct OutputOrder<'a> {
    batch: &'a Batch,
    /// Record and item index of all rejections, by record.
    rejections: Vec<(u32, u32)>,
    next_rejection: usize,
    evicted: &'a [Evicted],
}

impl<'a> OutputOrder<'a> {
    fn new(batch: &'a Batch, accepted: &Accepted, evicted: &'a [Evicted]) -> Self {
        let all = batch.rejections.iter().chain(&accepted.rejections).enumerate();
        let mut rejections: Vec<(u32, u32)> = all.map(|(index, r)| (r.record, index as u32)).collect();
        rejections.sort_unstable();
        OutputOrder { batch, rejections, next_rejection: 0, evicted }
    }

    /// Says what comes before an accepted row's lines.
    fn before_row(&mut self, row: usize, out: &mut Outcome) {
        self.reject_before(self.batch.events.record[row], out);
        while let Some((first, rest)) = self.evicted.split_first().filter(|(first, _)| first.row == row) {
            out.items.push(Item::Evicted(out.evictions.len() as u32));
            out.evictions.push(eviction(first));
            self.evicted = rest;
        }
    }

    fn reject_before(&mut self, record: u32, out: &mut Outcome) {
        while let Some(&(_, index)) = self.rejections.get(self.next_rejection).filter(|(at, _)| *at < record) {
            out.items.push(Item::Rejected(index));
            self.next_rejection += 1;
        }
    }

    fn rest(&mut self, out: &mut Outcome) {
        self.reject_before(u32::MAX, out);
    }
}

fn eviction(evicted: &Evicted) -> Eviction {
    let values = keys::decode(&evicted.by, &evicted.key);
    Eviction { key: evicted.by.iter().map(|part| part.name.clone()).zip(values).collect(), last: evicted.last }
}

fn publish(raw: &FeatureColumn, column: &mut ColumnData, text_base: &dyn Fn(u16) -> u32) {
    let rows = raw.bits.len();
    column.clear();
    match column {
        ColumnData::I64(out) => (0..rows).for_each(|row| out.push(raw.get(row).map(|bits| bits as i64))),
        ColumnData::F64(out) => {
            (0..rows).for_each(|row| out.push(raw.get(row).map(|bits| f64::from_bits(bits as u64))))
        }
        ColumnData::Ip(out) => (0..rows).for_each(|row| out.push(raw.get(row))),
        ColumnData::Bool(out) => out.extend((0..rows).map(|row| Truth::of(raw.get(row).map(|bits| bits != 0)))),
        ColumnData::Text(out) => (0..rows).for_each(|row| {
            out.push(raw.get(row).map(|bits| {
                let (shard, start, len) = unpack_text(bits as u64);
                crate::expr::eval::Text { pool: crate::expr::eval::Pool::Feature, start: text_base(shard) + start, len }
            }));
        }),
    }
}

/// Every node whose column the engine asks for.
fn column_roots(rules: &RuleSet) -> Vec<NodeId> {
    let features = rules.features.iter().flat_map(|feature| {
        let keys = feature.by.iter().chain(feature.read_by.iter().flatten()).map(|part| part.node);
        keys.chain(feature.filter).chain(feature.reset).chain(feature.of.map(|(node, _)| node))
    });
    let conditions = rules.rules.iter().flat_map(|rule| rule.on.into_iter().chain([rule.when]));
    let locks = rules.rules.iter().filter_map(|rule| rule.lock.as_ref()).flat_map(lock_roots);
    features.chain(conditions).chain(locks).collect()
}

fn lock_roots(lock: &Lock) -> Vec<NodeId> {
    let parts = lock.target.iter().chain(&lock.covers_by).map(|part| part.node);
    let reset = lock.backoff.as_ref().and_then(|backoff| backoff.reset);
    let duration = match lock.duration {
        LockDuration::Computed(node) => Some(node),
        LockDuration::Fixed(_) | LockDuration::UntilUnlocked => None,
    };
    parts.chain(lock.covers).chain(lock.release).chain(reset).chain(duration).collect()
}

/// Every node of which the output shows single values.
fn value_roots(rules: &RuleSet) -> impl Iterator<Item = NodeId> + '_ {
    rules.rules.iter().flat_map(|rule| {
        let reasons = rule.reason.iter().flat_map(|(_, parts)| parts).filter_map(|part| match part {
            ReasonPart::Text(_) => None,
            ReasonPart::Value(named) => Some(named.node),
        });
        reasons.chain(rule.values.iter().map(|named| named.node))
    })
}

/// The nodes to compute, by level: a level's nodes need only features of lower levels.
fn schedule(rules: &RuleSet, plan: &Plan) -> Vec<Vec<NodeId>> {
    let graph: &Graph = &rules.graph;
    let levels = graph.levels(|feature| plan.levels[feature]);
    let columns = column_roots(rules);
    let computed = graph.needed(columns.iter().copied().chain(value_roots(rules)));
    let nodes: BTreeSet<NodeId> = columns.into_iter().chain(computed).collect();
    let mut schedule = vec![Vec::new(); plan.depth() + 1];
    for node in nodes {
        schedule[levels[node as usize]].push(node);
    }
    schedule
}

fn calendars(rules: &RuleSet) -> Vec<(Period, CalendarCache)> {
    let mut calendars: Vec<(Period, CalendarCache)> = Vec::new();
    for feature in &rules.features {
        if let Window::Calendar(period) = feature.window
            && calendars.iter().all(|(known, _)| *known != period)
        {
            calendars.push((period, CalendarCache::new(rules.timezone, period)));
        }
    }
    calendars
}

//! The features of a rule set on their own: expressions are computed untimed, the window state is what is measured.

use std::time::{Duration, Instant};

use lockkeeper::expr::eval::{ColumnData, Evaluator, Inputs};
use lockkeeper::expr::graph::{Node, NodeId};
use lockkeeper::feature::keys::Expressions;
use lockkeeper::feature::open::SCANNED;
use lockkeeper::feature::plan::Plan;
use lockkeeper::feature::rows::{FeatureColumn, Rows};
use lockkeeper::feature::store::{Serial, Store};
use lockkeeper::feature::upkeep::Floor;
use lockkeeper::model::batch::Batch;
use lockkeeper::model::calendar::CalendarCache;
use lockkeeper::model::column::Column;
use lockkeeper::model::value::Type;
use lockkeeper::ruleset::types::{Period, RuleSet, Window};

use super::lines::{Payment, START, batches};

/// One feature over payments: its entry in a rule file, and which keys the payments have.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// The feature's keys and values, as in the rule file.
    pub feature: &'static str,
    /// Number of accounts, which come in turns.
    pub accounts: u64,
    /// Number of payments before they come round again.
    pub events: u64,
    /// ms from one payment to the next.
    pub step: i64,
    /// So many of a thousand come ten minutes late.
    pub late_per_mille: u64,
}

/// Payments without end over the window state of one feature.
#[derive(Debug)]
pub struct FeatureStage {
    rules: RuleSet,
    store: Store,
    evaluator: Evaluator,
    nodes: Vec<NodeId>,
    batches: Vec<Batch>,
    /// ms after which the payments come round again.
    period: i64,
    turn: usize,
    highest: i64,
    rows: Rows,
    columns: Vec<FeatureColumn>,
}

impl FeatureStage {
    /// The stage before its first payment.
    pub fn new(setup: &Setup) -> Self {
        let text = format!("ruleset: {{ name: stage, currency: CNY }}\nfeatures:\n  it: {{ {} }}\n", setup.feature);
        let rules = super::rule_set(&text);
        let batches = batches(&payments(setup), &rules.schema);
        let computed = |id: &NodeId| !matches!(rules.graph.node(*id), Node::Feature(_));
        FeatureStage {
            store: Store::new(&Plan::new(&rules, rules.lateness), rules.bounds, SCANNED),
            evaluator: Evaluator::new(&rules.graph),
            nodes: (0..rules.graph.len() as NodeId).filter(computed).collect(),
            batches,
            period: setup.events as i64 * setup.step,
            turn: 0,
            highest: i64::MIN,
            rows: Rows::default(),
            columns: rules.features.iter().map(|_| FeatureColumn::default()).collect(),
            rules,
        }
    }

    /// Lets payments enter until at least so many have; untimed. Returns how many have.
    pub fn warm_up(&mut self, events: u64) -> u64 {
        let mut entered = 0;
        while entered < events {
            entered += self.batches[self.turn % self.batches.len()].events.len() as u64;
            self.step();
        }
        entered
    }

    /// Lets the next batch of payments enter and read. Returns the time it took and the number of payments.
    #[allow(clippy::disallowed_methods, reason = "a benchmark measures")]
    pub fn step(&mut self) -> (Duration, u64) {
        let index = self.turn % self.batches.len();
        if self.turn >= self.batches.len() {
            self.batches[index].events.time.iter_mut().for_each(|time| *time += self.period);
        }
        self.turn += 1;
        let rows = self.batches[index].events.len();
        self.fill_rows(index);
        let behind = Column { values: vec![0; rows], present: vec![true; rows] };
        let features: Vec<ColumnData> = self.rules.features.iter().map(|f| ColumnData::new(f.kind)).collect();
        let events = &self.batches[index].events;
        let inputs = Inputs { events, behind: &behind, features: &features, feature_text: &[] };
        self.evaluator.start(rows);
        self.evaluator.run(&self.rules.graph, &self.nodes, &inputs);
        for (feature, column) in self.rules.features.iter().zip(&mut self.columns) {
            column.start(rows, feature.kind == Type::Ip);
        }
        let accepted: Vec<u32> = (0..rows as u32).collect();
        let expressions = Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs };
        let floor = Floor::of(&self.rows, rows - 1);
        let started = Instant::now();
        self.store.run(0, &accepted, &self.rows, expressions, &self.columns, &Serial);
        self.store.sweep(&floor, rows, &Serial);
        (started.elapsed(), rows as u64)
    }

    /// The window state alone.
    pub fn into_store(self) -> Store {
        self.store
    }

    fn fill_rows(&mut self, index: usize) {
        let (rows, events) = (&mut self.rows, &self.batches[index].events);
        rows.time.clone_from(&events.time);
        rows.floor.clear();
        for &time in &events.time {
            self.highest = self.highest.max(time);
            rows.floor.push(self.highest - self.rules.lateness);
        }
        if let Some(period) = self.rules.features.iter().find_map(|feature| calendar(feature.window)) {
            let mut cache = CalendarCache::new(self.rules.timezone, period);
            rows.starts[period as usize] = rows.time.iter().map(|&time| cache.period_start(time)).collect();
            rows.floor_starts[period as usize] = rows.floor.iter().map(|&time| cache.period_start(time)).collect();
        }
    }
}

fn calendar(window: Window) -> Option<Period> {
    match window {
        Window::Calendar(period) => Some(period),
        Window::Sliding(_) | Window::Lifetime => None,
    }
}

fn payments(setup: &Setup) -> Vec<u8> {
    let mut text = Vec::new();
    for number in 0..setup.events {
        let late = number % 1000 < setup.late_per_mille;
        let time = START + number as i64 * setup.step - if late { 599_999 } else { 0 };
        // A prime factor spreads neighbours over the keys.
        let account = number * 7919 % setup.accounts;
        Payment { number, time, account, device: number % 3 + account * 3 }.write(&mut text);
    }
    text
}

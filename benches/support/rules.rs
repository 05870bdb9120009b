//! Rules, decisions and output on their own: features get made-up values, everything behind them is the engine's.

use lockkeeper::engine::decide::Bench;
use lockkeeper::engine::encode::Encoder;
use lockkeeper::engine::lockbook::LockBook;
use lockkeeper::engine::meeting::Scratch;
use lockkeeper::engine::phrases::Phrases;
use lockkeeper::engine::verdict::Verdicts;
use lockkeeper::expr::eval::{ColumnData, Evaluator, Inputs, Truth};
use lockkeeper::expr::graph::NodeId;
use lockkeeper::feature::keys::Expressions;
use lockkeeper::model::batch::Batch;
use lockkeeper::model::column::Column;
use lockkeeper::model::outcome::Outcome;
use lockkeeper::ruleset::types::RuleSet;

/// One batch on its way from feature values to output lines.
#[derive(Debug)]
pub struct RuleStage {
    rules: RuleSet,
    evaluator: Evaluator,
    nodes: Vec<NodeId>,
    batch: Batch,
    behind: Column<i64>,
    floor: Vec<i64>,
    features: Vec<ColumnData>,
    phrases: Phrases,
    verdicts: Verdicts,
    book: LockBook,
    scratch: Scratch,
    sequence: u64,
    /// What was decided last.
    pub outcome: Outcome,
}

impl RuleStage {
    /// The stage for a rule set; there is no batch yet.
    pub fn new(rules: RuleSet) -> Self {
        RuleStage {
            evaluator: Evaluator::new(&rules.graph),
            nodes: rules.graph.needed(roots(&rules)),
            batch: Batch::new(&[]),
            behind: Column::default(),
            floor: Vec::new(),
            features: Vec::new(),
            phrases: Phrases::new(&rules),
            verdicts: Verdicts::default(),
            book: LockBook::new(&rules.rules),
            scratch: Scratch::default(),
            sequence: 0,
            outcome: Outcome::default(),
            rules,
        }
    }

    /// Number of events in the batch.
    pub fn rows(&self) -> usize {
        self.batch.events.len()
    }

    /// Locks that are set.
    pub fn active_locks(&self) -> u64 {
        self.book.active
    }

    /// Takes another batch and runs it through all steps.
    pub fn load(&mut self, batch: Batch) {
        let rows = batch.events.len();
        self.behind = Column { values: vec![0; rows], present: vec![true; rows] };
        self.floor = batch.events.time.iter().map(|time| time - self.rules.lateness).collect();
        self.features =
            self.rules.features.iter().map(|feature| made_up(ColumnData::new(feature.kind), rows)).collect();
        self.batch = batch;
        self.evaluate();
        self.judge();
        self.decide();
    }

    /// Computes the expressions of all rules.
    pub fn evaluate(&mut self) {
        let inputs = inputs(&self.batch, &self.behind, &self.features);
        self.evaluator.start(self.batch.events.len());
        self.evaluator.run(&self.rules.graph, &self.nodes, &inputs);
    }

    /// Makes verdicts of the expressions.
    pub fn judge(&mut self) {
        self.verdicts.fill(&self.rules, &self.evaluator, &self.behind.present);
    }

    /// Decides about every event.
    pub fn decide(&mut self) {
        self.outcome.clear();
        self.scratch.start();
        let inputs = inputs(&self.batch, &self.behind, &self.features);
        let mut bench = Bench {
            rules: &self.rules,
            events: &self.batch.events,
            expressions: Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs },
            verdicts: &self.verdicts,
            floor: &self.floor,
            scratch: &mut self.scratch,
        };
        for row in 0..self.batch.events.len() {
            self.sequence += 1;
            bench.decide(&mut self.book, row, 0, self.sequence, &mut self.outcome);
        }
    }

    /// Appends the lines of all that was decided.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let inputs = inputs(&self.batch, &self.behind, &self.features);
        let encoder = Encoder {
            rules: &self.rules,
            phrases: &self.phrases,
            batch: &self.batch,
            rejections: &[],
            outcome: &self.outcome,
            expressions: Expressions { evaluator: &self.evaluator, graph: &self.rules.graph, inputs: &inputs },
        };
        self.outcome.items.iter().for_each(|item| encoder.write(out, item));
    }
}

fn inputs<'a>(batch: &'a Batch, behind: &'a Column<i64>, features: &'a [ColumnData]) -> Inputs<'a> {
    Inputs { events: &batch.events, behind, features, feature_text: &[] }
}

/// Small values, so that most rules do not fire, as in life.
fn made_up(mut column: ColumnData, rows: usize) -> ColumnData {
    match &mut column {
        ColumnData::I64(column) => (0..rows).for_each(|row| column.push(Some(row as i64 % 3))),
        ColumnData::F64(column) => (0..rows).for_each(|row| column.push(Some(row as f64 % 3.0))),
        ColumnData::Bool(column) => column.extend((0..rows).map(|row| Truth::of(Some(row % 100 == 0)))),
        ColumnData::Ip(column) => (0..rows).for_each(|_| column.push(None)),
        ColumnData::Text(column) => (0..rows).for_each(|_| column.push(None)),
    }
    column
}

/// What rules and locks read.
fn roots(rules: &RuleSet) -> Vec<NodeId> {
    let conditions = rules.rules.iter().flat_map(|rule| rule.on.into_iter().chain([rule.when]));
    let values = rules.rules.iter().flat_map(|rule| rule.values.iter().map(|named| named.node));
    let locks = rules.rules.iter().filter_map(|rule| rule.lock.as_ref());
    let targets = locks.flat_map(|lock| lock.target.iter().chain(&lock.covers_by).map(|part| part.node));
    let covers = rules.rules.iter().filter_map(|rule| rule.lock.as_ref()?.covers);
    conditions.chain(values).chain(targets).chain(covers).collect()
}

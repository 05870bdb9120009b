//! All window state of a rule set, and the batch work on it.
//!
//! A dimension's keys are cut into shards by hash. Within a batch each shard visits its keys in the order of the
//! events, with slots and records fetched ahead; shards share nothing, so any number of threads gives the same answer.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::demand::Demand;
use super::eviction::{Evicted, Order};
use super::inputs;
use super::keys::{Expressions, KeyColumn};
use super::open::Shape;
use super::plan::{Dimension, Plan};
use super::rows::{FeatureColumn, Rows, Step, StreamColumn};
use super::shard::{Columns, Role, Shard, Visit};
use super::upkeep::Floor;
use crate::ruleset::types::Bounds;

/// Shards per dimension without bounds.
const SHARDS: usize = 16;
/// Events per slot that is looked at for what can be freed.
const SWEEP_EVENTS: usize = 4;
/// How far ahead of its visit a key's slot is fetched, and its record.
const SLOT_AHEAD: usize = 16;
const RECORD_AHEAD: usize = 8;

/// Runs independent tasks; the shell decides on how many threads.
pub trait Executor: Sync {
    /// Calls `task` once for each number below `count`, in any order, possibly at the same time.
    fn for_each(&self, count: usize, task: &(dyn Fn(usize) + Sync));

    /// How many tasks can run at the same time.
    fn threads(&self) -> usize;
}

/// Runs tasks one after the other.
pub struct Serial;

impl Executor for Serial {
    fn for_each(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        (0..count).for_each(task);
    }

    fn threads(&self) -> usize {
        1
    }
}

/// The state of one dimension.
#[derive(Debug)]
pub struct DimensionState {
    /// What it is.
    pub dimension: Dimension,
    /// Its streams.
    pub shapes: Vec<Shape>,
    /// Its keys.
    pub shards: Vec<Mutex<Shard>>,
    /// Where it is in eviction, if it is bounded.
    pub order: Option<Mutex<Order>>,
    batch: Mutex<BatchColumns>,
}

/// What a dimension computes anew for each batch.
#[derive(Debug, Default)]
struct BatchColumns {
    own: KeyColumn,
    others: Vec<KeyColumn>,
    streams: Vec<StreamColumn>,
    /// The conditions of the demand that hold for each row.
    wanted: Vec<u64>,
    /// The streams that each row touches.
    touched: Vec<u64>,
    /// Per shard, in the order of the rows.
    visits: Vec<Vec<Planned>>,
}

/// A visit to come.
#[derive(Debug, Clone, Copy)]
struct Planned {
    hash: u64,
    row: u32,
    role: Role,
}

/// All dimensions.
#[derive(Debug)]
pub struct Store {
    /// The dimensions, in the order of the plan.
    pub dimensions: Vec<DimensionState>,
    demand: Demand,
}

impl Store {
    /// An empty store; streams of more than `scanned` entries are indexed.
    pub fn new(plan: &Plan, bounds: Bounds, scanned: usize) -> Store {
        let dimensions =
            plan.dimensions.iter().map(|dimension| DimensionState::new(dimension, bounds, scanned)).collect();
        Store { dimensions, demand: plan.demand.clone() }
    }

    /// Lets the accepted rows of a batch enter and read the dimensions of a level. Returns what had to be evicted.
    pub fn run(
        &self,
        level: usize,
        accepted: &[u32],
        rows: &Rows,
        expressions: Expressions,
        features: &[FeatureColumn],
        executor: &dyn Executor,
    ) -> Vec<Evicted> {
        let active: Vec<&DimensionState> = self.dimensions.iter().filter(|d| d.dimension.level == level).collect();
        executor.for_each(active.len(), &|index| {
            active[index].prepare(accepted, rows.time.len(), expressions, &self.demand);
        });
        let batches: Vec<MutexGuard<BatchColumns>> = active.iter().map(|dimension| lock(&dimension.batch)).collect();
        let dimensions = active.iter().zip(&batches);
        let tasks: Vec<(&DimensionState, &BatchColumns, usize)> = dimensions
            .flat_map(|(dimension, batch)| (0..dimension.shards.len()).map(|shard| (*dimension, &**batch, shard)))
            .collect();
        let evicted = Mutex::new(Vec::new());
        executor.for_each(tasks.len(), &|index| {
            let (dimension, batch, shard) = tasks[index];
            let more = dimension.visit_all(shard, batch, rows, features);
            lock(&evicted).extend(more);
        });
        evicted.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Frees a part of what no event at or after the floor can read; `events` is how many arrived since the last call.
    pub fn sweep(&self, floor: &Floor, events: usize, executor: &dyn Executor) {
        executor.for_each(self.dimensions.len(), &|index| {
            let dimension = &self.dimensions[index];
            if dimension.order.is_none() {
                let slots = events.div_ceil(SWEEP_EVENTS * dimension.shards.len()) + 1;
                dimension.shards.iter().for_each(|shard| lock(shard).sweep(&dimension.shapes, floor, slots));
            }
        });
    }
}

/// Locks a mutex that no other task holds; a panic elsewhere does not matter, as it ends the process.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DimensionState {
    fn new(dimension: &Dimension, bounds: Bounds, scanned: usize) -> Self {
        let bounded = bounds != Bounds::default();
        let shards = if bounded || dimension.by.is_empty() { 1 } else { SHARDS };
        let shard = |index| Mutex::new(Shard { index: index as u16, bounded, ..Shard::default() });
        DimensionState {
            dimension: dimension.clone(),
            shapes: dimension
                .streams
                .iter()
                .map(|stream| Shape::new(stream, dimension.read_by.len(), scanned))
                .collect(),
            shards: (0..shards).map(shard).collect(),
            order: bounded.then(|| Mutex::new(Order::new(bounds))),
            batch: Mutex::default(),
        }
    }

    /// The names of its key's parts joined by `+`, or `none`.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.dimension.by.iter().map(|part| part.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join("+") }
    }

    /// About how many bytes are held, and how many keys. Asks no key.
    pub fn size(&self) -> (u64, u64) {
        let order = self.order.as_ref().map_or(0, |order| lock(order).bytes());
        let shards = self.shards.iter().map(|shard| lock(shard));
        let sizes = shards.map(|shard| (shard.bytes(), shard.table.len()));
        let (bytes, keys) = sizes.fold((order, 0), |sum, more| (sum.0 + more.0, sum.1 + more.1));
        (bytes as u64, keys as u64)
    }

    /// Which shard a key lies in.
    pub fn shard_of(&self, hash: u64) -> usize {
        (hash >> 48) as usize % self.shards.len()
    }

    /// Computes keys and stream columns, and sorts the rows to the shards.
    fn prepare(&self, accepted: &[u32], rows: usize, expressions: Expressions, demand: &Demand) {
        let mut batch = lock(&self.batch);
        let batch = &mut *batch;
        batch.own.fill(&self.dimension.by, expressions, rows);
        batch.others.resize_with(self.dimension.read_by.len(), KeyColumn::default);
        for (column, parts) in batch.others.iter_mut().zip(&self.dimension.read_by) {
            column.fill(parts, expressions, rows);
        }
        batch.streams.resize_with(self.shapes.len(), StreamColumn::default);
        for (column, shape) in batch.streams.iter_mut().zip(&self.shapes) {
            inputs::fill(column, &shape.stream, expressions, rows);
        }
        demand.fill(self.dimension.level, expressions.evaluator, rows, &mut batch.wanted);
        self.find_touched(batch, rows);
        batch.visits.resize_with(self.shards.len(), Vec::new);
        batch.visits.iter_mut().for_each(Vec::clear);
        for &row in accepted {
            self.assign(batch, row);
        }
    }

    /// Per row the streams that it enters, resets or has to read, as bits; of all if there are more streams than bits.
    fn find_touched(&self, batch: &mut BatchColumns, rows: usize) {
        batch.touched.clear();
        batch.touched.resize(rows, if self.shapes.len() > u64::BITS as usize { u64::MAX } else { 0 });
        for (stream, (shape, column)) in self.shapes.iter().zip(&batch.streams).take(u64::BITS as usize).enumerate() {
            let asked = shape.own.wanted;
            for ((bits, &step), &wanted) in batch.touched.iter_mut().zip(&column.step).zip(&batch.wanted) {
                *bits |= u64::from((step != Step::Pass) | (asked & wanted != 0)) << stream;
            }
        }
    }

    fn assign(&self, batch: &mut BatchColumns, row: u32) {
        let at = row as usize;
        let other = batch.others.len() == 1 && batch.others[0].present[at];
        if other {
            self.plan_visit(batch, row, Role::Before(0));
        }
        if batch.own.present[at] && (batch.touched[at] != 0 || self.order.is_some()) {
            self.plan_visit(batch, row, Role::Own);
        }
        if other {
            self.plan_visit(batch, row, Role::After(0));
        }
        if batch.others.len() > 1 {
            self.assign_more(batch, row);
        }
    }

    #[inline]
    fn plan_visit(&self, batch: &mut BatchColumns, row: u32, role: Role) {
        let hash = match role {
            Role::Own => batch.own.hash[row as usize],
            Role::Before(other) | Role::After(other) => batch.others[usize::from(other)].hash[row as usize],
        };
        batch.visits[self.shard_of(hash)].push(Planned { hash, row, role });
    }

    /// With several other keys, those that leave the event out come first again. Only keys equal to the entering one
    /// care for the order, and for these all visits are in one shard.
    fn assign_more(&self, batch: &mut BatchColumns, row: u32) {
        for other in 0..batch.others.len() {
            if !batch.others[other].present[row as usize] {
                continue;
            }
            let hash = batch.others[other].hash[row as usize];
            let visits = &mut batch.visits[self.shard_of(hash)];
            let is_own = |visit: &Planned| (visit.row, visit.role) == (row, Role::Own);
            let own = visits.iter().rposition(is_own).unwrap_or(visits.len());
            visits.insert(own, Planned { hash, row, role: Role::Before(other as u8) });
            visits.push(Planned { hash, row, role: Role::After(other as u8) });
        }
    }

    fn visit_all(&self, shard: usize, batch: &BatchColumns, rows: &Rows, features: &[FeatureColumn]) -> Vec<Evicted> {
        let mut state = lock(&self.shards[shard]);
        let columns =
            Columns { rows, streams: &batch.streams, features, wanted: &batch.wanted, touched: &batch.touched };
        let visits = &batch.visits[shard];
        let mut evicted = Vec::new();
        state.text.clear();
        let key_of = |planned: &Planned| {
            let column = match planned.role {
                Role::Own => &batch.own,
                Role::Before(other) | Role::After(other) => &batch.others[usize::from(other)],
            };
            let row = planned.row as usize;
            Visit { row, role: planned.role, hash: planned.hash, key: column.key(row) }
        };
        for (index, planned) in visits.iter().enumerate() {
            if let Some(ahead) = visits.get(index + SLOT_AHEAD) {
                state.prefetch_slot(ahead.hash);
            }
            if let Some(ahead) = visits.get(index + RECORD_AHEAD) {
                state.prefetch_record(ahead.hash);
            }
            let visit = key_of(planned);
            match &self.order {
                None => {
                    state.visit(&self.shapes, visit, columns);
                }
                Some(order) => lock(order).visit(&mut state, &self.shapes, visit, columns, &mut evicted),
            }
        }
        evicted.iter_mut().for_each(|one: &mut Evicted| one.by.clone_from(&self.dimension.by));
        evicted
    }
}

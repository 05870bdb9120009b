//! Window state as plain values, keys in order of their bytes: the same on every machine for the same events.
//!
//! What is written is what can still be read, not how it lies in memory: totals and entries, not records, trees or
//! flags that follow from them. Only under a bound, where what is held decides about evictions, is it written as held.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::bucket;
use super::exact::U256;
use super::hot::Hot;
use super::keys;
use super::open::{Open, Shape};
use super::plan::{Cell, Keep};
use super::record;
use super::shard::Shard;
use super::store::{DimensionState, Store, lock};
use super::text;
use super::totals::Totals;
use super::tree::{Entry, Summary};
use super::upkeep::{self, Floor};

/// The keys of a dimension.
pub type DimensionValue = Vec<KeyValue>;

/// One key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct KeyValue {
    /// Its bytes.
    pub key: Vec<u8>,
    /// Newest time held, ms; under a bound that of the last event.
    pub newest: i64,
    /// Its streams.
    pub streams: Vec<StreamValue>,
}

/// What a stream holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum StreamValue {
    /// Nothing.
    Empty,
    /// Entries, and totals of those before them.
    Series {
        /// Totals.
        totals: Option<TotalsValue>,
        /// Entries in order.
        entries: Vec<EntryValue>,
        /// Under a bound: whether the series is hot, and its length when it was last compacted.
        hot: Option<u64>,
    },
    /// A token bucket.
    Bucket {
        /// Greatest entry time, ms.
        newest: i64,
        /// Credit, ms.
        credit: i64,
        /// Hashes of the values seen.
        seen: BTreeSet<u128>,
    },
}

/// Totals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TotalsValue {
    start: i64,
    count: u64,
    sum: i128,
    squares: (u128, u128),
    min: i64,
    max: i64,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EntryValue {
    /// ms
    pub time: i64,
    /// What it carries.
    pub value: CellValue,
}

/// What an entry carries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CellValue {
    /// It is a barrier.
    Barrier,
    /// Nothing.
    Unit,
    /// A number.
    Number(i64),
    /// A hash, place or address.
    Extra(u128),
    /// A string.
    Text(Vec<u8>),
}

impl Store {
    /// The state as values. What no event at or after the floor can read is dropped first.
    pub fn values(&self, floor: &Floor) -> Vec<DimensionValue> {
        self.dimensions.iter().map(|dimension| dimension.values(floor)).collect()
    }

    /// Fills an empty store of the same plan; false if the values do not fit it.
    pub fn restore(&self, values: &[DimensionValue]) -> bool {
        let fits = values.len() == self.dimensions.len();
        fits && self.dimensions.iter().zip(values).all(|(dimension, keys)| dimension.restore(keys))
    }
}

impl DimensionState {
    fn values(&self, floor: &Floor) -> DimensionValue {
        let bounded = self.order.is_some();
        let mut keys: Vec<KeyValue> = Vec::new();
        for shard in &self.shards {
            let shard = &mut *lock(shard);
            for position in 0..shard.table.slots() {
                if !bounded {
                    shard.tidy_all_at(position, &self.shapes, floor);
                }
                if let Some(handle) = shard.table.at(position) {
                    let mut open = Open::new(&mut shard.memory, self.shapes.len(), handle);
                    keys.push(key_value(&mut open, &self.shapes, floor, bounded));
                }
            }
        }
        keys.sort_unstable_by(|a, b| a.key.cmp(&b.key));
        keys
    }

    fn restore(&self, keys: &[KeyValue]) -> bool {
        keys.iter().all(|key| {
            let hash = keys::hash(&key.key);
            let shard = &mut *lock(&self.shards[self.shard_of(hash)]);
            if let Some(order) = &self.order {
                lock(order).restore(key.newest, key.key.clone());
            }
            key.streams.len() == self.shapes.len() && restore_key(shard, &self.shapes, hash, key)
        })
    }
}

impl Shard {
    /// Tidies whatever lies in a slot, also what removals move there.
    fn tidy_all_at(&mut self, position: usize, shapes: &[Shape], floor: &Floor) {
        loop {
            let before = self.table.len();
            self.tidy(position, shapes, floor);
            if self.table.len() == before {
                return;
            }
        }
    }
}

fn key_value(open: &mut Open, shapes: &[Shape], floor: &Floor, bounded: bool) -> KeyValue {
    let streams = shapes.iter().enumerate().map(|(stream, shape)| stream_value(open, stream, shape, floor, bounded));
    let streams: Vec<StreamValue> = streams.collect();
    // When a key was first or last touched depends on when it was swept; what it holds does not.
    let newest = if bounded { open.newest } else { streams.iter().filter_map(newest_of).max().unwrap_or_default() };
    KeyValue { key: record::key(open.words(), shapes.len()), newest, streams }
}

/// The newest time that a stream holds, ms.
fn newest_of(stream: &StreamValue) -> Option<i64> {
    match stream {
        StreamValue::Empty => None,
        StreamValue::Bucket { newest, .. } => Some(*newest),
        StreamValue::Series { entries, .. } => entries.last().map(|entry| entry.time),
    }
}

fn stream_value(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor, bounded: bool) -> StreamValue {
    let region = open.region(stream);
    if region.words == 0 {
        return StreamValue::Empty;
    }
    if let Keep::Bucket { .. } = shape.stream.keep {
        let (newest, credit) = bucket::state(open, stream).unwrap_or_default();
        return StreamValue::Bucket { newest, credit, seen: bucket::seen_values(open, stream, shape) };
    }
    if !bounded {
        upkeep::drop_silent_front(open, stream, shape, floor);
    }
    let totals = open.totals(stream, shape).filter(|totals| totals.summary.count > 0).map(TotalsValue::from);
    let mut entries = open.entries(stream, shape);
    if !bounded {
        drop_repeated(&mut entries, shape, floor);
    }
    let hot = if bounded && region.hot { Some(open.hot(stream).compacted as u64) } else { None };
    let entries = entries.iter().map(|entry| entry_value(open, shape, entry)).collect();
    StreamValue::Series { totals, entries, hot }
}

/// Drops entries that a later one answers for, which upkeep does only now and then.
fn drop_repeated(entries: &mut Vec<Entry>, shape: &Shape, floor: &Floor) {
    if shape.stream.keep != Keep::NewestPerValue {
        return;
    }
    let settled = floor.time.saturating_sub(shape.stream.delay);
    let mut seen = BTreeSet::new();
    let needed = |entry: &Entry| entry.barrier || entry.time > settled || seen.insert(entry.extra);
    let keep: Vec<bool> = entries.iter().rev().map(needed).collect();
    let mut keep = keep.iter().rev();
    entries.retain(|_| keep.next().copied().unwrap_or(true));
}

fn entry_value(open: &Open, shape: &Shape, entry: &Entry) -> EntryValue {
    let value = match shape.stream.cell {
        _ if entry.barrier => CellValue::Barrier,
        Cell::Unit => CellValue::Unit,
        Cell::Number(_) => CellValue::Number(entry.value),
        Cell::Hash | Cell::Place | Cell::Address => CellValue::Extra(entry.extra),
        Cell::Text => {
            let mut bytes = Vec::new();
            text::append(&open.memory.pool, entry.extra, &mut bytes);
            CellValue::Text(bytes)
        }
    };
    EntryValue { time: entry.time, value }
}

fn restore_key(shard: &mut Shard, shapes: &[Shape], hash: u64, value: &KeyValue) -> bool {
    let handle = record::create(&mut shard.memory.pool, shapes.len(), &value.key, value.newest);
    let mut open = Open::new(&mut shard.memory, shapes.len(), handle);
    let mut streams = shapes.iter().zip(&value.streams).enumerate();
    let fits = streams.all(|(stream, (shape, value))| restore_stream(&mut open, stream, shape, value));
    let handle = open.handle;
    shard.table.insert(hash, handle);
    fits
}

fn restore_stream(open: &mut Open, stream: usize, shape: &Shape, value: &StreamValue) -> bool {
    let is_bucket = matches!(shape.stream.keep, Keep::Bucket { .. });
    match value {
        StreamValue::Empty => true,
        StreamValue::Bucket { newest, credit, seen } if is_bucket => {
            bucket::set_state(open, stream, shape, *newest, *credit);
            seen.iter().for_each(|&value| bucket::see(open, stream, shape, value));
            true
        }
        StreamValue::Series { totals, entries, hot } if !is_bucket => {
            open.ensure_prefix(stream, shape);
            if let (Some(totals), Keep::Totals(_)) = (totals, shape.stream.keep) {
                open.set_totals(stream, shape, &Totals::from(totals));
            }
            restore_entries(open, stream, shape, entries, *hot)
        }
        StreamValue::Bucket { .. } | StreamValue::Series { .. } => false,
    }
}

fn restore_entries(open: &mut Open, stream: usize, shape: &Shape, entries: &[EntryValue], hot: Option<u64>) -> bool {
    if hot.is_some() || entries.len() > shape.scanned || record::used(open.words()) >= record::LARGE_RECORD {
        open.heat(stream, shape);
    }
    for entry in entries {
        let Some(entry) = restore_entry(open, shape, entry) else { return false };
        open.insert(stream, shape, entry);
    }
    if open.region(stream).hot {
        let index = open.hot_index(stream);
        if let Hot::Series(series) = open.memory.hot.get_mut(index) {
            series.compacted = hot.map_or(entries.len(), |compacted| compacted as usize);
        }
        open.memory.recount(index);
    }
    true
}

fn restore_entry(open: &mut Open, shape: &Shape, value: &EntryValue) -> Option<Entry> {
    let mut entry = Entry { time: value.time, ..Entry::default() };
    match (&value.value, shape.stream.cell) {
        (CellValue::Barrier, _) => entry.barrier = true,
        (CellValue::Unit, Cell::Unit) => {}
        (CellValue::Number(number), Cell::Number(_)) => entry.value = *number,
        (CellValue::Extra(extra), Cell::Hash | Cell::Place | Cell::Address) => entry.extra = *extra,
        (CellValue::Text(bytes), Cell::Text) => entry.extra = text::store(&mut open.memory.pool, bytes),
        _ => return None,
    }
    Some(entry)
}

impl From<Totals> for TotalsValue {
    fn from(totals: Totals) -> Self {
        let s = totals.summary;
        let squares = (s.squares.high, s.squares.low);
        TotalsValue { start: totals.start, count: s.count, sum: s.sum, squares, min: s.min, max: s.max }
    }
}

impl From<&TotalsValue> for Totals {
    fn from(value: &TotalsValue) -> Self {
        let squares = U256 { high: value.squares.0, low: value.squares.1 };
        let (count, sum, min, max) = (value.count, value.sum, value.min, value.max);
        Totals { start: value.start, summary: Summary { count, sum, squares, min, max, live: 0 } }
    }
}

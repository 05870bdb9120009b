//! Window state as plain values, keys in order of their bytes: the same on every machine for the same events.
//!
//! What is written is what can still be read, not how it lies in memory: totals and entries, not records, trees or
//! flags that follow from them. Only under a bound, where what is held decides about evictions, is it written as held.

use std::collections::BTreeSet;
use std::ops::Range;

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
use super::words::Handle;

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
    /// Appends the state to `bytes`. What no event at or after the floor can read is dropped first.
    pub fn encode(&self, floor: &Floor, bytes: Vec<u8>) -> postcard::Result<Vec<u8>> {
        let bytes = postcard::to_extend(&self.dimensions.len(), bytes)?;
        self.dimensions.iter().try_fold(bytes, |bytes, dimension| dimension.encode(floor, bytes))
    }

    /// Fills an empty store of the same plan with the state at the front of `bytes`; what follows it, or nothing if it
    /// does not fit the plan.
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> postcard::Result<Option<&'a [u8]>> {
        let (dimensions, mut bytes) = postcard::take_from_bytes::<usize>(bytes)?;
        if dimensions != self.dimensions.len() {
            return Ok(None);
        }
        for dimension in &self.dimensions {
            let (keys, mut rest) = postcard::take_from_bytes::<usize>(bytes)?;
            for _ in 0..keys {
                let (key, after) = postcard::take_from_bytes::<KeyValue>(rest)?;
                if !dimension.restore(&key) {
                    return Ok(None);
                }
                rest = after;
            }
            bytes = rest;
        }
        Ok(Some(bytes))
    }
}

/// Where a key lies in its dimension, and in the bytes of all keys.
struct Place {
    shard: usize,
    handle: Handle,
    bytes: Range<usize>,
}

impl DimensionState {
    /// One key after the other: all of them as values would take several times the memory of the state.
    fn encode(&self, floor: &Floor, bytes: Vec<u8>) -> postcard::Result<Vec<u8>> {
        if self.order.is_none() {
            self.tidy_all(floor);
        }
        let places = self.places();
        let mut bytes = postcard::to_extend(&places.len(), bytes)?;
        for place in places {
            bytes = postcard::to_extend(&self.key_value(&place, floor), bytes)?;
        }
        Ok(bytes)
    }

    fn tidy_all(&self, floor: &Floor) {
        for shard in &self.shards {
            let shard = &mut *lock(shard);
            (0..shard.table.slots()).for_each(|position| shard.tidy_all_at(position, &self.shapes, floor));
        }
    }

    /// All keys in order of their bytes.
    fn places(&self) -> Vec<Place> {
        let (mut places, mut keys) = (Vec::new(), Vec::new());
        for (shard, state) in self.shards.iter().enumerate() {
            let state = &*lock(state);
            for position in 0..state.table.slots() {
                let Some(handle) = state.table.at(position) else { continue };
                let start = keys.len();
                record::append_key(state.memory.pool.from(handle), self.shapes.len(), &mut keys);
                places.push(Place { shard, handle, bytes: start..keys.len() });
            }
        }
        places.sort_unstable_by(|a, b| keys[a.bytes.clone()].cmp(&keys[b.bytes.clone()]));
        places
    }

    fn key_value(&self, place: &Place, floor: &Floor) -> KeyValue {
        let shard = &mut *lock(&self.shards[place.shard]);
        let mut open = Open::new(&mut shard.memory, self.shapes.len(), place.handle);
        key_value(&mut open, &self.shapes, floor, self.order.is_some())
    }

    fn restore(&self, key: &KeyValue) -> bool {
        let hash = keys::hash(&key.key);
        let shard = &mut *lock(&self.shards[self.shard_of(hash)]);
        if let Some(order) = &self.order {
            lock(order).restore(key.newest, key.key.clone());
        }
        key.streams.len() == self.shapes.len() && restore_key(shard, &self.shapes, hash, key)
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

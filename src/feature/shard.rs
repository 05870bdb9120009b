//! One part of a dimension's keys: finds the record of a key, lets the event enter, reads the features.

use super::bucket::{self, Bucket};
use super::open::{Memory, Open, Reads, Shape};
use super::plan::{Cell, Keep, Read, Stream};
use super::reading::{self, Known, Reader, Sight};
use super::record;
use super::rows::{FeatureColumn, Rows, Step, StreamColumn};
use super::series::Series;
use super::table::Table;
use super::text;
use super::tree::Entry;
use super::upkeep::{self, Floor};
use super::words::Handle;
use crate::feature::prefetch::prefetch;

/// What is done for one row at one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The event's own key: it enters here, and features without `read_by` are read.
    Own,
    /// Features read under another key, of aggregates that leave the event itself out.
    Before(u8),
    /// The same for aggregates that count the event itself.
    After(u8),
}

/// A row's visit to a key.
#[derive(Debug, Clone, Copy)]
pub struct Visit<'a> {
    /// The row.
    pub row: usize,
    /// What is done.
    pub role: Role,
    /// Hash of the key.
    pub hash: u64,
    /// The key's bytes.
    pub key: &'a [u8],
}

/// The columns a dimension works on.
#[derive(Clone, Copy)]
pub struct Columns<'a> {
    /// Columns of all dimensions.
    pub rows: &'a Rows,
    /// One per stream.
    pub streams: &'a [StreamColumn],
    /// One per feature of the rule set.
    pub features: &'a [FeatureColumn],
}

/// Some of the keys of one dimension.
#[derive(Debug, Default)]
pub struct Shard {
    /// Records, strings and hot series.
    pub memory: Memory,
    /// Key hash to record.
    pub table: Table,
    /// Strings read in this batch; features point into it.
    pub text: Vec<u8>,
    /// Which of the dimension's shards it is.
    pub index: u16,
    /// Where the next sweep goes on.
    pub sweep: usize,
}

impl Shard {
    /// Asks for the key's slot to be brought into cache.
    pub fn prefetch_slot(&self, hash: u64) {
        self.table.prefetch(hash);
    }

    /// Asks for the key's record to be brought into cache; wants its slot to be there.
    pub fn prefetch_record(&self, hash: u64) {
        if let Some(handle) = self.table.candidate(hash) {
            let words = self.memory.pool.from(handle);
            for line in 0..3 {
                prefetch(words, line * 16);
            }
        }
    }

    /// Finds the slot of a key.
    pub fn find(&self, streams: usize, hash: u64, key: &[u8]) -> Option<usize> {
        self.table.find(hash, |handle| record::has_key(self.memory.pool.from(handle), streams, key))
    }

    /// Lets a row's event visit a key. Returns the slot of the key's record, where there is one.
    pub fn visit(&mut self, shapes: &[Shape], visit: Visit, columns: Columns) -> Option<usize> {
        let found = self.find(shapes.len(), visit.hash, visit.key);
        let position = match (found, visit.role) {
            (None, Role::Own) if changes_anything(columns, visit.row) => {
                Some(self.create(shapes.len(), visit, columns))
            }
            (found, _) => found,
        };
        let Some(position) = position else {
            self.read_nothing(shapes, visit, columns);
            return None;
        };
        let handle = self.table.at(position)?;
        let mut open = Open::new(&mut self.memory, shapes.len(), handle);
        let floor = Floor::of(columns.rows, visit.row);
        let mut work =
            Work { open: &mut open, columns, row: visit.row, floor, text: &mut self.text, shard: self.index };
        match visit.role {
            Role::Own => work.enter_and_read(shapes),
            Role::Before(key) => work.read_as(shapes, usize::from(key), false),
            Role::After(key) => work.read_as(shapes, usize::from(key), true),
        }
        if open.handle != handle {
            self.table.replace(position, open.handle);
        }
        Some(position)
    }

    fn create(&mut self, streams: usize, visit: Visit, columns: Columns) -> usize {
        let time = columns.rows.time[visit.row];
        let handle = record::create(&mut self.memory.pool, streams, visit.key, time);
        self.table.insert(visit.hash, handle)
    }

    /// Reads the features of a key that holds nothing.
    fn read_nothing(&mut self, shapes: &[Shape], visit: Visit, columns: Columns) {
        for (shape, column) in shapes.iter().zip(columns.streams) {
            let reader = Reader { rows: columns.rows, column, row: visit.row };
            let (first, second) = match visit.role {
                Role::Own => (&shape.own.before, Some(&shape.own.after)),
                Role::Before(key) => (&shape.others[usize::from(key)].before, None),
                Role::After(key) => (&shape.others[usize::from(key)].after, None),
            };
            for read in first.iter().chain(second.into_iter().flatten()) {
                columns.features[read.feature].put(visit.row, reading::read_nothing(read, reader));
            }
        }
    }

    /// Removes the record in a slot.
    pub fn remove(&mut self, position: usize, shapes: &[Shape]) {
        let Some(handle) = self.table.at(position) else { return };
        let mut open = Open::new(&mut self.memory, shapes.len(), handle);
        for (stream, shape) in shapes.iter().enumerate() {
            open.clear(stream, shape);
        }
        let handle = open.handle;
        let class = record::class(self.memory.pool.from(handle));
        self.memory.pool.release(handle, class);
        self.table.remove(position);
    }

    /// Visits the next `slots` slots and frees what no event at or after the floor can read.
    pub fn sweep(&mut self, shapes: &[Shape], floor: &Floor, slots: usize) {
        for _ in 0..slots.min(self.table.slots()) {
            self.sweep = (self.sweep + 1) % self.table.slots();
            let ahead = (self.sweep + 8) % self.table.slots();
            if let Some(handle) = self.table.at(ahead) {
                prefetch(self.memory.pool.from(handle), 0);
            }
            self.tidy(self.sweep, shapes, floor);
        }
    }

    /// Trims the record in a slot; frees it when it holds nothing, and shrinks it when it holds little.
    pub fn tidy(&mut self, position: usize, shapes: &[Shape], floor: &Floor) {
        let Some(handle) = self.table.at(position) else { return };
        let mut open = Open::new(&mut self.memory, shapes.len(), handle);
        for (stream, shape) in shapes.iter().enumerate() {
            upkeep::trim(&mut open, stream, shape, floor);
        }
        let empty = (0..shapes.len()).all(|stream| open.region(stream).words == 0);
        let handle = open.handle;
        self.table.replace(position, handle);
        if empty {
            self.remove(position, shapes);
        } else {
            self.shrink(position, handle);
        }
    }

    fn shrink(&mut self, position: usize, handle: Handle) {
        let words = self.memory.pool.from(handle);
        let (class, used) = (record::class(words), record::used(words));
        if self.memory.pool.capacity(class) > used + used / 2 + 8 {
            let (handle, _) = record::resize(&mut self.memory.pool, handle, class, used, used);
            self.table.replace(position, handle);
        }
    }
}

/// Whether a row is an entry or reset of any stream.
fn changes_anything(columns: Columns, row: usize) -> bool {
    columns.streams.iter().any(|stream| stream.step[row] != Step::Pass)
}

/// One row at work on one open record.
struct Work<'a, 'b> {
    open: &'a mut Open<'b>,
    columns: Columns<'a>,
    row: usize,
    floor: Floor,
    text: &'a mut Vec<u8>,
    shard: u16,
}

impl Work<'_, '_> {
    fn time(&self) -> i64 {
        self.columns.rows.time[self.row]
    }

    /// Stream by stream: forgets what is out of reach, then lets the event pass. Narrow times are relative to the
    /// key's newest time: what the event finds to its old, what it leaves to its new.
    fn enter_and_read(&mut self, shapes: &[Shape]) {
        let old = self.open.newest;
        let new = old.max(self.time());
        for (stream, shape) in shapes.iter().enumerate() {
            let step = self.columns.streams[stream].step[self.row];
            if step == Step::Pass && self.open.region(stream).words == 0 {
                self.read_nothing(stream, &shape.own);
                continue;
            }
            self.open.newest = old;
            upkeep::trim(self.open, stream, shape, &self.floor);
            self.open.newest = new;
            if let Keep::Bucket { capacity, leak, distinct } = shape.stream.keep {
                self.bucket(stream, shape, Bucket { capacity, leak }, distinct);
            } else {
                self.pass(stream, shape, step);
            }
        }
        record::set_newest(self.open.words_mut(), new);
    }

    #[inline]
    fn read_nothing(&self, stream: usize, reads: &Reads) {
        let reader = self.reader(stream);
        for read in reads.before.iter().chain(&reads.after) {
            self.columns.features[read.feature].put(self.row, reading::read_nothing(read, reader));
        }
    }

    /// Features that leave the event out, the event, the others. A reset hides even from its own event.
    #[inline]
    fn pass(&mut self, stream: usize, shape: &Shape, step: Step) {
        let (before, after) = (&shape.own.before, &shape.own.after);
        if step != Step::Reset && !before.is_empty() {
            self.read(stream, shape, before);
        }
        if step != Step::Pass {
            self.step(stream, shape, step == Step::Reset);
        }
        if step == Step::Reset && !before.is_empty() {
            self.read(stream, shape, before);
        }
        if !after.is_empty() {
            self.read(stream, shape, after);
        }
        if let Some(limit) = shape.stream.reset_at {
            self.reset_at(stream, shape, limit);
        }
    }

    fn bucket(&mut self, stream: usize, shape: &Shape, bucket: Bucket, distinct: bool) {
        let column = &self.columns.streams[stream];
        let overflow = match column.step[self.row] {
            Step::Pass => false,
            Step::Reset => {
                self.open.clear(stream, shape);
                false
            }
            Step::Enter => {
                let value = distinct.then(|| column.extra[self.row]);
                bucket::enter(self.open, stream, shape, bucket, self.time(), value)
            }
        };
        for read in &shape.stream.reads {
            self.columns.features[read.feature].put(self.row, Some(u128::from(overflow)));
        }
    }

    fn step(&mut self, stream: usize, shape: &Shape, barrier: bool) {
        upkeep::make_room(self.open, stream, shape, &self.floor);
        let entry = self.entry(&shape.stream, &self.columns.streams[stream], barrier);
        self.open.insert(stream, shape, entry);
    }

    fn entry(&mut self, stream: &Stream, column: &StreamColumn, barrier: bool) -> Entry {
        let mut entry = Entry { time: self.columns.rows.time[self.row], barrier, ..Entry::default() };
        if barrier {
            return entry;
        }
        match stream.cell {
            Cell::Unit => {}
            Cell::Number(_) => entry.value = column.number[self.row],
            Cell::Hash | Cell::Place | Cell::Address => entry.extra = column.extra[self.row],
            Cell::Text => {
                let bytes = column.spans[self.row].of(&column.text);
                entry.extra = text::store(&mut self.open.memory.pool, bytes);
            }
        }
        entry
    }

    /// Reads the features of all streams under another key, `after` the event has entered or before. What a reset
    /// hides is hidden from its own event too, so with a reset everything is read after.
    fn read_as(&mut self, shapes: &[Shape], key: usize, after: bool) {
        for (stream, shape) in shapes.iter().enumerate() {
            let reset = self.columns.streams[stream].step[self.row] == Step::Reset;
            let reads = &shape.others[key];
            if after {
                self.read(stream, shape, if reset { &reads.before } else { &[] });
                self.read(stream, shape, &reads.after);
            } else if !reset {
                self.read(stream, shape, &reads.before);
            }
        }
    }

    /// Reads features of one stream.
    #[inline]
    fn read(&mut self, stream: usize, shape: &Shape, reads: &[Read]) {
        let region = self.open.region(stream);
        if region.words == 0 {
            let reader = self.reader(stream);
            for read in reads {
                self.columns.features[read.feature].put(self.row, reading::read_nothing(read, reader));
            }
        } else if shape.stream.cell == Cell::Text {
            self.read_texts(stream, shape, reads);
        } else if region.hot {
            self.read_from(stream, shape, reads, self.open.hot_ref(stream));
        } else {
            self.read_from(stream, shape, reads, &self.open.flat_in(region, shape));
        }
    }

    #[inline]
    fn reader(&self, stream: usize) -> Reader<'_> {
        Reader { rows: self.columns.rows, column: &self.columns.streams[stream], row: self.row }
    }

    #[inline]
    fn read_from(&self, stream: usize, shape: &Shape, reads: &[Read], series: &impl Series) {
        let reader = self.reader(stream);
        let totals = if shape.prefix > 0 { self.open.totals(stream, shape) } else { None };
        let sight = Sight::new(&shape.stream, series, reader);
        let mut known = Known::default();
        for read in reads {
            let value = reading::read(shape.stream.cell, read, series, &sight, totals.as_ref(), reader, &mut known);
            self.columns.features[read.feature].put(self.row, value);
        }
    }

    fn read_texts(&mut self, stream: usize, shape: &Shape, reads: &[Read]) {
        for read in reads {
            let reader = self.reader(stream);
            let handle = if self.open.region(stream).hot {
                read_one(shape, read, self.open.hot_ref(stream), reader)
            } else {
                read_one(shape, read, &self.open.flat(stream, shape), reader)
            };
            let value = handle.map(|handle| self.copy_text(handle));
            self.columns.features[read.feature].put(self.row, value);
        }
    }

    /// Copies a stored string to the shard's text; returns where it lies, as length and start.
    fn copy_text(&mut self, handle: u128) -> u128 {
        let start = self.text.len();
        text::append(&self.open.memory.pool, handle, self.text);
        pack_text(self.shard, start, self.text.len() - start)
    }

    /// Hides what has arrived when the row is an entry whose own value has reached the limit. Barriers stay: they hide
    /// entries that may still come.
    fn reset_at(&mut self, stream: usize, shape: &Shape, limit: i64) {
        let entered = self.columns.streams[stream].step[self.row] == Step::Enter;
        let reached = |read: &Read| {
            let value = self.columns.features[read.feature].get(self.row);
            value.is_some_and(|value| value >= u128::from(limit.unsigned_abs()))
        };
        if !entered || !shape.stream.reads.iter().any(reached) {
            return;
        }
        upkeep::clear_totals(self.open, stream, shape);
        if self.open.region(stream).hot {
            let time = self.time();
            let end = self.open.hot(stream).upper_bound(time);
            let barriers: Vec<bool> = self.open.hot(stream).tree.iter(0..end).map(|entry| entry.barrier).collect();
            let ranks = (0..end).rev().filter(|&rank| !barriers[rank]);
            ranks.for_each(|rank| self.open.remove_hot(stream, shape, rank..rank + 1));
        } else {
            let flat = self.open.flat(stream, shape);
            let end = flat.upper_bound(self.time());
            let ranks: Vec<usize> = (0..end).rev().filter(|&rank| !flat.is_barrier(rank)).collect();
            ranks.into_iter().for_each(|rank| self.open.remove_flat(stream, shape, rank..rank + 1));
        }
    }
}

fn read_one(shape: &Shape, read: &Read, series: &impl Series, reader: Reader) -> Option<u128> {
    let sight = Sight::new(&shape.stream, series, reader);
    reading::read(shape.stream.cell, read, series, &sight, None, reader, &mut Known::default())
}

/// A piece of a shard's text as value bits.
pub fn pack_text(shard: u16, start: usize, length: usize) -> u128 {
    u128::from(start as u32) | u128::from(length as u16) << 32 | u128::from(shard) << 48
}

/// Shard, start and length of packed text.
pub fn unpack_text(bits: u64) -> (u16, u32, u32) {
    ((bits >> 48) as u16, bits as u32, u32::from((bits >> 32) as u16))
}

//! One part of a dimension's keys: finds the record of a key, lets the event enter, reads the features.

use super::append::{self, Event};
use super::draft::Draft;
use super::memory::Memory;
use super::open::{Open, Shape};
use super::reading::{self, Reader};
use super::record;
use super::rows::{FeatureColumn, Rows, Step, StreamColumn};
use super::table::Table;
use super::upkeep::{self, Floor};
use super::visit::Work;
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
    /// Per row: the conditions of [`super::demand::Demand`] that hold.
    pub wanted: &'a [u64],
    /// Per row: the streams that it enters, resets or has to read, as bits.
    pub touched: &'a [u64],
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
    /// Whether what is held decides about evictions; then every visit trims all streams of its key.
    pub bounded: bool,
    /// A record as it will be.
    pub draft: Draft,
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

    /// Bytes held, used or not.
    pub fn bytes(&self) -> usize {
        self.memory.bytes() + self.table.bytes()
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
        let moved = match visit.role {
            Role::Own => self.enter(shapes, handle, visit.row, columns),
            Role::Before(key) => self.read_as(shapes, handle, visit.row, columns, (usize::from(key), false)),
            Role::After(key) => self.read_as(shapes, handle, visit.row, columns, (usize::from(key), true)),
        };
        if moved != handle {
            self.table.replace(position, moved);
        }
        Some(position)
    }

    /// Lets the event enter its own key and reads what is needed there; returns the record's handle.
    fn enter(&mut self, shapes: &[Shape], handle: Handle, row: usize, columns: Columns) -> Handle {
        let (words, time) = (self.memory.pool.from(handle), columns.rows.time[row]);
        let (newest, touched) = (record::newest(words), columns.touched[row]);
        let whole = self.bounded || record::era(newest) != record::era(time.max(newest)) || shapes.len() > 64;
        if whole {
            let mut work = self.work(shapes, handle, row, columns);
            work.enter_all(shapes);
            return work.open.handle;
        }
        let plain = if time >= newest { append::taken(&self.memory, handle, shapes, touched) } else { 0 };
        let mut handle = handle;
        if touched != plain {
            let mut work = self.work(shapes, handle, row, columns);
            work.enter_some(shapes, touched & !plain);
            handle = work.open.handle;
        }
        if plain != 0 {
            let event = Event { columns, row, time, floor: columns.rows.floor[row], wanted: columns.wanted[row] };
            handle = append::append(&mut self.memory, &mut self.draft, handle, shapes, plain, event);
        }
        handle
    }

    fn read_as(
        &mut self,
        shapes: &[Shape],
        handle: Handle,
        row: usize,
        columns: Columns,
        (key, after): (usize, bool),
    ) -> Handle {
        let mut work = self.work(shapes, handle, row, columns);
        work.read_as(shapes, key, after);
        work.open.handle
    }

    fn work<'a>(&'a mut self, shapes: &[Shape], handle: Handle, row: usize, columns: Columns<'a>) -> Work<'a> {
        Work {
            open: Open::new(&mut self.memory, shapes.len(), handle),
            columns,
            row,
            floor: Floor::of(columns.rows, row),
            wanted: columns.wanted[row],
            text: &mut self.text,
            shard: self.index,
        }
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
            let wanted = columns.wanted[visit.row];
            let reads = first.iter().chain(second.into_iter().flatten());
            for read in reads.filter(|read| read.wanted & wanted != 0) {
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

/// A piece of a shard's text as value bits.
pub fn pack_text(shard: u16, start: usize, length: usize) -> u128 {
    u128::from(start as u32) | u128::from(length as u16) << 32 | u128::from(shard) << 48
}

/// Shard, start and length of packed text.
pub fn unpack_text(bits: u64) -> (u16, u32, u32) {
    ((bits >> 48) as u16, bits as u32, u32::from((bits >> 32) as u16))
}

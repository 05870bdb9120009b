//! One event at one key, entry by entry: all that is not as usual as [`super::append`] wants it.

use super::bucket::{self, Bucket};
use super::open::{Open, Reads, Shape};
use super::plan::{Cell, Keep, Read, Stream};
use super::reading::{self, Known, Reader, Sight};
use super::record;
use super::rows::{Step, StreamColumn};
use super::series::Series;
use super::shard::{Columns, pack_text};
use super::text;
use super::tree::Entry;
use super::upkeep::{self, Floor};

/// One row at work on one open record.
pub struct Work<'a> {
    /// The record.
    pub open: Open<'a>,
    /// The batch.
    pub columns: Columns<'a>,
    /// The row.
    pub row: usize,
    /// The lowest time an event can still have.
    pub floor: Floor,
    /// The conditions that hold for the row.
    pub wanted: u64,
    /// Where strings that are read are copied to.
    pub text: &'a mut Vec<u8>,
    /// The shard's number.
    pub shard: u16,
}

impl Work<'_> {
    fn time(&self) -> i64 {
        self.columns.rows.time[self.row]
    }

    /// Lets the event enter its own key and reads what is needed there; trims all streams.
    pub fn enter_all(&mut self, shapes: &[Shape]) {
        let (old, new) = (self.open.newest, self.open.newest.max(self.time()));
        (0..shapes.len()).for_each(|stream| self.go_through(shapes, stream, old, new));
        record::set_newest(self.open.words_mut(), new);
    }

    /// The same for those streams that have a bit in `streams`. What is not touched is not trimmed either: its turn
    /// comes with the next era, or when it is swept.
    pub fn enter_some(&mut self, shapes: &[Shape], mut streams: u64) {
        let (old, new) = (self.open.newest, self.open.newest.max(self.time()));
        while streams != 0 {
            self.go_through(shapes, streams.trailing_zeros() as usize, old, new);
            streams &= streams - 1;
        }
        record::set_newest(self.open.words_mut(), new);
    }

    /// Forgets what of a stream is out of reach, then lets the event pass. Narrow times are relative to the key's
    /// newest time: what the event finds to its `old`, what it leaves to its `new`.
    fn go_through(&mut self, shapes: &[Shape], stream: usize, old: i64, new: i64) {
        let shape = &shapes[stream];
        let step = self.columns.streams[stream].step[self.row];
        if step == Step::Pass && self.open.region(stream).words == 0 {
            self.read_nothing(stream, &shape.own);
            return;
        }
        self.open.newest = old;
        upkeep::trim(&mut self.open, stream, shape, &self.floor);
        self.open.newest = new;
        if let Keep::Bucket { capacity, leak, distinct } = shape.stream.keep {
            self.bucket(stream, shape, Bucket { capacity, leak }, distinct);
        } else {
            self.pass(stream, shape, step);
        }
    }

    #[inline]
    fn read_nothing(&self, stream: usize, reads: &Reads) {
        let reader = self.reader(stream);
        for read in reads.before.iter().chain(&reads.after).filter(|read| read.wanted & self.wanted != 0) {
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
                let time = self.time();
                bucket::enter(&mut self.open, stream, shape, bucket, time, value)
            }
        };
        for read in &shape.stream.reads {
            self.columns.features[read.feature].put(self.row, Some(u128::from(overflow)));
        }
    }

    fn step(&mut self, stream: usize, shape: &Shape, barrier: bool) {
        upkeep::make_room(&mut self.open, stream, shape, &self.floor);
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
    pub fn read_as(&mut self, shapes: &[Shape], key: usize, after: bool) {
        for (stream, shape) in shapes.iter().enumerate() {
            let reads = &shape.others[key];
            if reads.wanted & self.wanted == 0 {
                continue;
            }
            let reset = self.columns.streams[stream].step[self.row] == Step::Reset;
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
        for read in reads.iter().filter(|read| read.wanted & self.wanted != 0) {
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
        upkeep::clear_totals(&mut self.open, stream, shape);
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

//! A key's record opened for work: its streams as series, whether small or hot.

use super::append::Plain;
use super::hot::{Hot, HotSeries};
use super::memory::Memory;
use super::plan::{Cell, Keep, Read, Stream};
use super::reading;
use super::record::{self, Region};
use super::series::{Flat, Layout, Needs, SUPERSEDED, SUPERSEDED_WORD, Series};
use super::totals::Totals;
use super::tree::Entry;
use super::words::Handle;

/// Entries up to which a stream is scanned rather than indexed, unless told otherwise.
pub const SCANNED: usize = 192;

/// A stream of a dimension with what follows from it for its layout.
#[derive(Debug, Clone)]
pub struct Shape {
    /// The stream.
    pub stream: Stream,
    /// How its entries lie in words.
    pub layout: Layout,
    /// What has to be totalled.
    pub needs: Needs,
    /// Words before the entries.
    pub prefix: usize,
    /// Entries up to which it is scanned rather than indexed.
    pub scanned: usize,
    /// What is read under the entering key before the event enters, and after.
    pub own: Reads,
    /// The same under each other key.
    pub others: Vec<Reads>,
    /// What is read under the entering key, where all of it is plain.
    pub plain: Option<Plain>,
}

/// Features read at one visit.
#[derive(Debug, Clone, Default)]
pub struct Reads {
    /// Those that leave the event itself out.
    pub before: Vec<Read>,
    /// Those that count it.
    pub after: Vec<Read>,
    /// Conditions under which any of them is needed.
    pub wanted: u64,
}

impl Reads {
    fn under(stream: &Stream, key: Option<usize>) -> Reads {
        let reads = stream.reads.iter().filter(|read| read.key == key);
        let (after, before) = reads.cloned().partition(Read::counts_itself);
        let wanted = stream.reads.iter().filter(|read| read.key == key).fold(0, |bits, read| bits | read.wanted);
        Reads { before, after, wanted }
    }
}

impl Shape {
    /// The shape of a stream.
    pub fn new(stream: &Stream, other_keys: usize, scanned: usize) -> Shape {
        let needs = reading::needs(stream);
        let prefix = match stream.keep {
            Keep::Totals(_) => Totals::words(needs),
            Keep::Bucket { .. } => super::bucket::PREFIX,
            Keep::All | Keep::Newest | Keep::Oldest | Keep::NewestPerValue => 0,
        };
        let layout = match stream.keep {
            // A bucket's entries are the values it has seen, without times.
            Keep::Bucket { .. } => Layout::new(0, 4),
            _ => Layout::of(stream),
        };
        let own = Reads::under(stream, None);
        let others = (0..other_keys).map(|key| Reads::under(stream, Some(key))).collect();
        Shape { stream: stream.clone(), layout, needs, prefix, scanned, own, others, plain: Plain::of(stream) }
    }
}

/// One key's record.
pub struct Open<'a> {
    /// Where it lives.
    pub memory: &'a mut Memory,
    /// Number of streams of the dimension.
    pub streams: usize,
    /// Its handle; changes as it grows.
    pub handle: Handle,
    /// The newest time, relative to which narrow times are read and written; ms.
    pub newest: i64,
}

impl<'a> Open<'a> {
    /// Opens a record.
    #[inline]
    pub fn new(memory: &'a mut Memory, streams: usize, handle: Handle) -> Self {
        let newest = record::newest(memory.pool.from(handle));
        Open { memory, streams, handle, newest }
    }

    /// The record's words and what follows them in their page.
    #[inline(always)]
    pub fn words(&self) -> &[u32] {
        self.memory.pool.from(self.handle)
    }

    /// The record's words, to be changed.
    #[inline(always)]
    pub fn words_mut(&mut self) -> &mut [u32] {
        let class = record::class(self.words());
        self.memory.pool.block_mut(self.handle, class)
    }

    /// Where a stream's region lies.
    #[inline(always)]
    pub fn region(&self, stream: usize) -> Region {
        record::region(self.words(), stream)
    }

    /// A stream's words.
    #[inline(always)]
    pub fn region_words(&self, stream: usize) -> &[u32] {
        let region = self.region(stream);
        &self.words()[region.start..region.start + region.words]
    }

    /// Replaces words of a region; the new ones have arbitrary content. Returns where in the record they lie.
    pub fn splice(&mut self, stream: usize, at: usize, remove: usize, insert: usize) -> usize {
        let place;
        (self.handle, place) =
            record::splice(&mut self.memory.pool, self.streams, self.handle, stream, at, remove, insert);
        place
    }

    /// The entries of a stream that is not hot.
    #[inline(always)]
    pub fn flat(&self, stream: usize, shape: &Shape) -> Flat<'_> {
        self.flat_in(self.region(stream), shape)
    }

    /// The entries in a region that is not hot.
    #[inline(always)]
    pub fn flat_in(&self, region: Region, shape: &Shape) -> Flat<'_> {
        // An empty region has no words before its entries either.
        let prefix = shape.prefix.min(region.words);
        let words = &self.words()[region.start + prefix..region.start + region.words];
        Flat::new(words, shape.layout, self.newest)
    }

    /// The slab index of a hot stream.
    #[inline]
    pub fn hot_index(&self, stream: usize) -> usize {
        self.region_words(stream).last().map_or(0, |&word| word as usize)
    }

    /// The hot series of a stream that is hot.
    pub fn hot_ref(&self, stream: usize) -> &HotSeries {
        match self.memory.hot.get(self.hot_index(stream)) {
            Hot::Series(series) => series,
            Hot::Seen(_) => unreachable!("only buckets see values, and buckets have no series"),
        }
    }

    /// The same, to be changed.
    pub fn hot(&mut self, stream: usize) -> &mut HotSeries {
        let index = self.hot_index(stream);
        match self.memory.hot.get_mut(index) {
            Hot::Series(series) => series,
            Hot::Seen(_) => unreachable!("only buckets see values, and buckets have no series"),
        }
    }

    /// The totals before the entries, where the stream keeps any.
    #[inline(always)]
    pub fn totals(&self, stream: usize, shape: &Shape) -> Option<Totals> {
        let words = self.region_words(stream);
        let keeps = matches!(shape.stream.keep, Keep::Totals(_)) && !words.is_empty();
        keeps.then(|| Totals::read(words, shape.needs))
    }

    /// Overwrites the totals.
    pub fn set_totals(&mut self, stream: usize, shape: &Shape, totals: &Totals) {
        let start = self.region(stream).start;
        totals.write(&mut self.words_mut()[start..start + shape.prefix], shape.needs);
    }

    /// Makes sure that the words before the entries exist.
    pub fn ensure_prefix(&mut self, stream: usize, shape: &Shape) {
        if shape.prefix > 0 && self.region(stream).words == 0 {
            self.splice(stream, 0, 0, shape.prefix);
            let start = self.region(stream).start;
            self.words_mut()[start..start + shape.prefix].fill(0);
        }
    }

    /// Adds an entry or barrier behind all of its time.
    #[inline]
    pub fn insert(&mut self, stream: usize, shape: &Shape, entry: Entry) {
        self.ensure_prefix(stream, shape);
        self.memory.entries += u64::from(!entry.barrier);
        let region = self.region(stream);
        if region.hot {
            self.hot(stream).insert(entry);
        } else {
            self.insert_flat(stream, shape, region, entry);
        }
    }

    #[inline]
    fn insert_flat(&mut self, stream: usize, shape: &Shape, region: Region, mut entry: Entry) {
        let flat = self.flat_in(region, shape);
        let rank = flat.upper_bound(entry.time);
        if shape.stream.cell == Cell::Hash && !entry.barrier {
            entry.superseded = rank < flat.len() && flat.find(rank..flat.len(), entry.extra).is_some();
            let previous = if entry.superseded { None } else { flat.find(0..rank, entry.extra) };
            if let Some(previous) = previous {
                self.supersede(region, shape, previous);
            }
        }
        let place = self.splice(stream, shape.prefix + rank * shape.layout.stride, 0, shape.layout.stride);
        let flag = if entry.superseded { SUPERSEDED } else { 0 };
        let words = &mut self.words_mut()[place..place + shape.layout.stride];
        shape.layout.write(words, entry.time, entry.barrier, entry.value, entry.extra | flag);
    }

    /// Flags an entry as followed by one with the same value.
    fn supersede(&mut self, region: Region, shape: &Shape, rank: usize) {
        let last_word = region.start + shape.prefix + (rank + 1) * shape.layout.stride - 1;
        self.words_mut()[last_word] |= SUPERSEDED_WORD;
    }

    /// Drops a range of ranks of a flat stream.
    pub fn remove_flat(&mut self, stream: usize, shape: &Shape, ranks: std::ops::Range<usize>) {
        if ranks.is_empty() {
            return;
        }
        let flat = self.flat(stream, shape);
        let entries = ranks.clone().filter(|&rank| !flat.is_barrier(rank)).count();
        if shape.stream.cell == Cell::Text {
            let handles: Vec<u128> = ranks.clone().filter(|&r| !flat.is_barrier(r)).map(|r| flat.extra(r)).collect();
            handles.into_iter().for_each(|handle| super::text::release(&mut self.memory.pool, handle));
        }
        self.memory.entries -= entries as u64;
        let stride = shape.layout.stride;
        self.splice(stream, shape.prefix + ranks.start * stride, ranks.len() * stride, 0);
    }

    /// Drops a range of ranks of a hot stream.
    pub fn remove_hot(&mut self, stream: usize, shape: &Shape, ranks: std::ops::Range<usize>) {
        let entries: Vec<Entry> = match shape.stream.cell {
            Cell::Text => self.hot(stream).tree.iter(ranks.clone()).collect(),
            _ => Vec::new(),
        };
        for entry in entries.iter().filter(|entry| !entry.barrier) {
            super::text::release(&mut self.memory.pool, entry.extra);
        }
        let series = self.hot(stream);
        let before = series.tree.len() - series.barriers;
        if ranks.start == 0 {
            series.remove_front(ranks.end);
        } else {
            ranks.rev().for_each(|rank| series.remove(rank));
        }
        let after = series.tree.len() - series.barriers;
        self.memory.entries -= (before - after) as u64;
    }

    /// All entries of a stream, barriers included.
    pub fn entries(&mut self, stream: usize, shape: &Shape) -> Vec<Entry> {
        if self.region(stream).hot {
            let tree = &self.hot(stream).tree;
            return tree.iter(0..tree.len()).collect();
        }
        let flat = self.flat(stream, shape);
        (0..flat.len()).map(|rank| flat_entry(&flat, shape, rank)).collect()
    }

    /// Moves a stream's entries out of the record.
    pub fn heat(&mut self, stream: usize, shape: &Shape) {
        let mut series = HotSeries::new(&shape.stream);
        let entries = self.entries(stream, shape);
        series.compacted = entries.len();
        entries.into_iter().for_each(|entry| series.insert(entry));
        let index = self.memory.put_hot(Hot::Series(series));
        self.become_hot(stream, shape, index);
    }

    /// Replaces the words of the entries by the index of what now holds them.
    pub fn become_hot(&mut self, stream: usize, shape: &Shape, index: usize) {
        let words = self.region(stream).words;
        self.splice(stream, shape.prefix, words - shape.prefix, 1);
        let at = self.region(stream).start + shape.prefix;
        let block = self.words_mut();
        block[at] = index as u32;
        record::set_hot(block, stream, true);
    }

    /// Moves a hot stream that has become small back into the record.
    pub fn cool(&mut self, stream: usize, shape: &Shape) {
        let entries = self.entries(stream, shape);
        let index = self.hot_index(stream);
        self.memory.drop_hot(index);
        self.splice(stream, shape.prefix, 1, 0);
        record::set_hot(self.words_mut(), stream, false);
        for entry in entries {
            let region = self.region(stream);
            self.insert_flat(stream, shape, region, Entry { superseded: false, ..entry });
        }
    }

    /// Empties a stream altogether.
    pub fn clear(&mut self, stream: usize, shape: &Shape) {
        let region = self.region(stream);
        if region.words == 0 {
            return;
        }
        if region.hot {
            let index = self.hot_index(stream);
            if let Hot::Series(series) = self.memory.hot.get_mut(index) {
                let count = series.tree.len();
                self.remove_hot(stream, shape, 0..count);
            }
            self.memory.drop_hot(index);
            record::set_hot(self.words_mut(), stream, false);
        } else if !matches!(shape.stream.keep, Keep::Bucket { .. }) {
            let count = self.flat(stream, shape).len();
            self.remove_flat(stream, shape, 0..count);
        }
        let words = self.region(stream).words;
        self.splice(stream, 0, words, 0);
    }
}

fn flat_entry(flat: &Flat, shape: &Shape, rank: usize) -> Entry {
    let barrier = flat.is_barrier(rank);
    let number = if matches!(shape.stream.cell, Cell::Number(_)) { flat.number(rank) } else { 0 };
    let raw = flat.extra(rank);
    let (extra, superseded) = match shape.stream.cell {
        Cell::Hash => (raw & !SUPERSEDED, raw & SUPERSEDED != 0),
        Cell::Place | Cell::Text | Cell::Address => (raw, false),
        Cell::Unit | Cell::Number(_) => (0, false),
    };
    Entry { time: flat.time(rank), barrier, value: number, extra, superseded }
}

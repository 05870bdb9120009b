//! The usual visit in one pass: an event no older than anything its key has seen, at streams of plain sliding windows.
//!
//! Such an event sees all that its key holds and enters at the end, so nothing has to be searched for a place, and
//! totals grow from the shortest window to the longest. What the streams read is computed first, as if the event had
//! entered; then the record is written anew into a draft, without what has left every window and with the new entries,
//! and copied back: one copy, however many streams change. [`super::visit`] does all that is not usual, entry by entry.

use super::draft::{Draft, Edit, Place};
use super::hot::{Hot, HotSeries};
use super::memory::Memory;
use super::open::Shape;
use super::plan::{Cell, Keep, Read, Stream, Unit};
use super::reading;
use super::record::{self, LARGE_RECORD, Region, join, split};
use super::rows::{Step, StreamColumn};
use super::series::{NARROW, SUPERSEDED_WORD};
use super::shard::Columns;
use super::tree::Entry;
use super::words::Handle;
use crate::ruleset::types::{Aggregate, Window};

/// Entries of a hot series per upkeep.
const UPKEEP: usize = 64;

/// The reads of a stream all of whose windows are plain.
#[derive(Debug, Clone)]
pub struct Plain {
    /// From the shortest window to the longest.
    reads: Vec<PlainRead>,
    /// The longest window, ms.
    reach: i64,
}

#[derive(Debug, Clone)]
struct PlainRead {
    feature: usize,
    measure: Measure,
    /// ms
    length: u32,
    least: u64,
    unit: Unit,
    wanted: u64,
}

#[derive(Debug, Clone, Copy)]
enum Measure {
    Count,
    Sum,
    Mean,
    Distinct,
    IsNew,
}

impl Plain {
    /// The reads of a stream under its entering key, if the stream is plain.
    pub fn of(stream: &Stream) -> Option<Plain> {
        let simple = matches!(stream.cell, Cell::Unit | Cell::Number(_) | Cell::Hash)
            && matches!(stream.keep, Keep::All | Keep::NewestPerValue)
            && stream.reset.is_none()
            && stream.reset_at.is_none()
            && !stream.wide
            && stream.reads.iter().all(|read| read.gap.is_none() && read.delay.is_none());
        if !simple {
            return None;
        }
        let own = stream.reads.iter().filter(|read| read.key.is_none());
        let mut reads: Vec<PlainRead> = own.map(PlainRead::of).collect::<Option<_>>()?;
        reads.sort_by_key(|read| read.length);
        Some(Plain { reads, reach: stream.reach.sliding })
    }
}

impl PlainRead {
    fn of(read: &Read) -> Option<PlainRead> {
        let measure = match read.aggregate {
            Aggregate::Count => Measure::Count,
            Aggregate::Sum => Measure::Sum,
            Aggregate::Mean => Measure::Mean,
            Aggregate::Distinct => Measure::Distinct,
            Aggregate::IsNew => Measure::IsNew,
            _ => return None,
        };
        let Window::Sliding(length) = read.window else { return None };
        let length = u32::try_from(length).ok().filter(|&length| length < NARROW)?;
        Some(PlainRead {
            feature: read.feature,
            measure,
            length,
            least: read.least,
            unit: read.unit,
            wanted: read.wanted,
        })
    }
}

/// Which of the streams that have a bit in `streams` are left to this pass; all others are for [`super::visit`].
#[inline]
pub fn taken(memory: &Memory, handle: Handle, shapes: &[Shape], mut streams: u64) -> u64 {
    let record = memory.pool.from(handle);
    if record::used(record) >= LARGE_RECORD {
        return 0;
    }
    let mut taken = 0;
    while streams != 0 {
        let stream = streams.trailing_zeros() as usize;
        let (shape, region) = (&shapes[stream], record::region(record, stream));
        let ready = if region.hot { is_ready(memory, shape, record, region) } else { has_room(shape, region) };
        taken |= u64::from(shape.plain.is_some() && ready) << stream;
        streams &= streams - 1;
    }
    taken
}

#[inline(always)]
fn has_room(shape: &Shape, region: Region) -> bool {
    region.words < shape.scanned * shape.layout.stride
}

/// Whether a hot stream is not due for upkeep.
fn is_ready(memory: &Memory, shape: &Shape, record: &[u32], region: Region) -> bool {
    match memory.hot.get(hot_index(record, region)) {
        Hot::Series(series) => {
            let len = series.tree.len();
            !len.is_multiple_of(UPKEEP) && len < 2 * series.compacted + shape.scanned
        }
        Hot::Seen(_) => false,
    }
}

fn hot_index(record: &[u32], region: Region) -> usize {
    record[region.start + region.words - 1] as usize
}

/// The event at work.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// Its batch.
    pub columns: Columns<'a>,
    /// Its row.
    pub row: usize,
    /// Its time, ms.
    pub time: i64,
    /// The lowest time an event can still have, ms.
    pub floor: i64,
    /// The conditions that hold for it.
    pub wanted: u64,
}

/// Reads those plain streams of a record that have a bit in `streams`, and lets the event enter them. Returns the
/// record's handle, which changes when it had to move.
pub fn append(
    memory: &mut Memory,
    draft: &mut Draft,
    handle: Handle,
    shapes: &[Shape],
    mut streams: u64,
    event: Event,
) -> Handle {
    let Memory { pool, hot, entries, .. } = memory;
    let record = pool.from(handle);
    let mut grown = 0;
    draft.start();
    while streams != 0 {
        let stream = streams.trailing_zeros() as usize;
        streams &= streams - 1;
        let (shape, column) = (&shapes[stream], &event.columns.streams[stream]);
        let Some(plain) = &shape.plain else { continue };
        let own = Own { event: &event, plain, column, enters: column.step[event.row] == Step::Enter };
        let place = Place { record, stream, region: record::region(record, stream) };
        if place.region.hot {
            if let Hot::Series(series) = hot.get_mut(hot_index(record, place.region)) {
                grown += own.slide(shape.stream.cell, series);
            }
            continue;
        }
        grown += match shape.stream.cell {
            Cell::Unit => own.units(&Entries::new(place, plain, &event), draft, place),
            Cell::Number(_) => own.numbers(&Entries::new(place, plain, &event), draft, place),
            _ => own.hashes(&Entries::new(place, plain, &event), draft, place),
        };
    }
    *entries = entries.wrapping_add_signed(grown);
    if draft.is_empty() {
        if grown > 0 {
            record::set_newest(pool.block_mut(handle, record::class(pool.from(handle))), event.time);
        }
        return handle;
    }
    draft.finish(record, shapes.len(), event.time);
    record::overwrite(pool, handle, draft.words())
}

/// The entries of a stream, oldest first.
struct Entries<'a, const STRIDE: usize> {
    all: &'a [[u32; STRIDE]],
    /// How many of the oldest have left every window of every event to come.
    gone: usize,
    /// Lowest bits of the event's time.
    now: u32,
}

impl<'a, const STRIDE: usize> Entries<'a, STRIDE> {
    #[inline(always)]
    fn new(place: Place<'a>, plain: &Plain, event: &Event) -> Self {
        let words = &place.record[place.region.start..place.region.start + place.region.words];
        let (all, _) = words.as_chunks::<STRIDE>();
        let mut entries = Entries { all, gone: 0, now: event.time as u32 };
        // Ages are below 2^31, so a longer reach holds all.
        let reach = event.time.saturating_sub(event.floor).saturating_add(plain.reach);
        let reach = u32::try_from(reach).unwrap_or(NARROW);
        entries.gone = entries.first_within(all.len(), reach);
        entries
    }

    /// How long before the event an entry is, ms.
    #[inline(always)]
    fn age(&self, entry: &[u32; STRIDE]) -> u32 {
        self.now.wrapping_sub(entry[0] >> 1) & NARROW
    }

    /// The rank of the oldest entry at most `length` ms old, if it is below `end`; else `end`.
    #[inline(always)]
    fn first_within(&self, end: usize, length: u32) -> usize {
        // Windows often hold all that is kept, or nothing.
        match &self.all[self.gone..end] {
            [] => end,
            [oldest, ..] if self.age(oldest) <= length => self.gone,
            entries => self.gone + entries.partition_point(|entry| self.age(entry) > length),
        }
    }
}

impl Entries<'_, 5> {
    /// The newest entry with this value, below `end`.
    #[inline(always)]
    fn find(&self, end: usize, [first, words @ ..]: [u32; 4]) -> Option<usize> {
        // The first word tells nearly all apart.
        let same = |entry: &[u32; 5]| {
            entry[1] == first && entry[2..4] == words[..2] && (entry[4] ^ words[2]) & !SUPERSEDED_WORD == 0
        };
        Some(self.gone + self.all[self.gone..end].iter().rposition(same)?)
    }
}

/// The event at one stream.
struct Own<'a> {
    event: &'a Event<'a>,
    plain: &'a Plain,
    column: &'a StreamColumn,
    enters: bool,
}

impl Own<'_> {
    /// Runs over the needed reads, from the shortest window to the longest, with the entries each window holds beyond
    /// the one before.
    #[inline(always)]
    fn read<const STRIDE: usize>(
        &self,
        entries: &Entries<STRIDE>,
        mut value: impl FnMut(&PlainRead, usize, &[[u32; STRIDE]]) -> Option<u64>,
    ) {
        let mut from = entries.all.len();
        for read in self.plain.reads.iter().filter(|read| read.wanted & self.event.wanted != 0) {
            let end = from;
            from = entries.first_within(end, read.length);
            let value = value(read, from, &entries.all[from..end]);
            self.event.columns.features[read.feature].put_word(self.event.row, value);
        }
    }

    #[inline(always)]
    fn stamp(&self) -> u32 {
        (self.event.time as u32) << 1
    }

    /// The same at a hot stream.
    #[inline(never)]
    fn slide(&self, cell: Cell, series: &mut HotSeries) -> i64 {
        let (row, hashed) = (self.event.row, cell == Cell::Hash);
        let own = (hashed && self.column.present[row]).then(|| self.column.extra[row]);
        let twin = own.and_then(|own| series.latest(own));
        if self.enters {
            let value = if matches!(cell, Cell::Number(_)) { self.column.number[row] } else { 0 };
            let extra = own.unwrap_or_default();
            series.insert(Entry { time: self.event.time, value, extra, ..Entry::default() });
        }
        for (index, read) in self.plain.reads.iter().enumerate() {
            if read.wanted & self.event.wanted == 0 {
                continue;
            }
            let start = self.event.time.saturating_sub(i64::from(read.length));
            let window = series.slide(index, self.plain.reads.len(), start);
            let value = match read.measure {
                Measure::Count => Some(window.count),
                Measure::Distinct => Some(window.live),
                Measure::IsNew => own.map(|_| u64::from(twin.is_none_or(|twin| twin < start))),
                _ if window.count < read.least => None,
                Measure::Mean => reading::mean(read.unit, window.sum, window.count),
                Measure::Sum => reading::sum(read.unit, window.sum),
            };
            self.event.columns.features[read.feature].put_word(row, value);
        }
        i64::from(self.enters)
    }

    fn units(&self, entries: &Entries<1>, draft: &mut Draft, place: Place) -> i64 {
        let own = u64::from(self.enters);
        let len = entries.all.len();
        self.read(entries, |_, from, _| Some((len - from) as u64 + own));
        if !self.enters {
            return 0;
        }
        draft.replace(place, Edit { entries: entries.all, from: entries.gone, ..Edit::default() }, [self.stamp()])
    }

    fn numbers(&self, entries: &Entries<3>, draft: &mut Draft, place: Place) -> i64 {
        let own = self.enters.then(|| self.column.number[self.event.row]);
        let len = entries.all.len();
        let mut sum = own.map_or(0, i128::from);
        self.read(entries, |read, from, more| {
            sum += more.iter().map(|entry| i128::from(join(entry[1], entry[2]) as i64)).sum::<i128>();
            let count = (len - from) as u64 + u64::from(self.enters);
            match read.measure {
                Measure::Count => Some(count),
                _ if count < read.least => None,
                Measure::Mean => reading::mean(read.unit, sum, count),
                _ => reading::sum(read.unit, sum),
            }
        });
        let Some(own) = own else { return 0 };
        let [low, high] = split(own as u64);
        draft.replace(
            place,
            Edit { entries: entries.all, from: entries.gone, ..Edit::default() },
            [self.stamp(), low, high],
        )
    }

    fn hashes(&self, entries: &Entries<5>, draft: &mut Draft, place: Place) -> i64 {
        let own = self.column.present[self.event.row].then(|| words_of(self.column.extra[self.event.row]));
        let twin = own.and_then(|own| entries.find(entries.all.len(), own));
        let mut live = u64::from(self.enters);
        self.read(entries, |read, from, more| {
            live += more.iter().filter(|entry| entry[4] & SUPERSEDED_WORD == 0).count() as u64;
            let twin = twin.is_some_and(|twin| twin >= from);
            match read.measure {
                Measure::IsNew => own.map(|_| u64::from(!twin)),
                _ => Some(live - u64::from(twin && self.enters)),
            }
        });
        let Some([a, b, c, d]) = own.filter(|_| self.enters) else { return 0 };
        let settled = |&twin: &usize| {
            let age = entries.age(&entries.all[twin]);
            i64::from(age) >= self.event.time.saturating_sub(self.event.floor)
        };
        // Nobody to come can see the one before the twin but not the twin.
        let dropped = twin.filter(settled).and_then(|twin| entries.find(twin, [a, b, c, d]));
        let edit = Edit { entries: entries.all, from: entries.gone, dropped, superseded: twin };
        draft.replace(place, edit, [self.stamp(), a, b, c, d])
    }
}

fn words_of(value: u128) -> [u32; 4] {
    let ([a, b], [c, d]) = (split(value as u64), split((value >> 64) as u64));
    [a, b, c, d]
}

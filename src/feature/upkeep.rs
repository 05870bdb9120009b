//! Forgetting: what no acceptable event can read any more is dropped when its key is touched, or swept.
//!
//! The *floor* is the lowest time an accepted event can still have. Everything here follows from one argument: a read
//! at time t >= floor cannot see the entry, or sees it together with another that answers for it.

use super::open::{Open, Shape};
use super::plan::{Keep, Stream};
use super::record;
use super::rows::Rows;
use super::series::{Flat, Series};
use super::totals::Totals;
use super::tree::Entry;
use super::{bucket, bucket::Bucket};
use crate::ruleset::types::Window;

/// The floor of a moment: the lowest time an event can still have, and the periods it lies in.
#[derive(Debug, Clone, Copy)]
pub struct Floor {
    /// ms
    pub time: i64,
    /// First instant of the floor's day, week, month and year, where used.
    pub starts: [i64; 4],
}

impl Floor {
    /// The floor after a row.
    pub fn of(rows: &Rows, row: usize) -> Floor {
        let start = |period: usize| rows.floor_starts[period].get(row).copied().unwrap_or(i64::MIN);
        Floor { time: rows.floor[row], starts: [start(0), start(1), start(2), start(3)] }
    }

    /// Entries before this time are in no window of the stream any more.
    #[inline]
    pub fn cutoff(&self, stream: &Stream) -> i64 {
        if stream.reach.forever {
            return i64::MIN;
        }
        let sliding = self.time.saturating_sub(stream.reach.sliding);
        stream.reach.periods.iter().map(|&period| self.starts[period as usize]).fold(sliding, i64::min)
    }

    fn settled(&self, stream: &Stream) -> i64 {
        self.time.saturating_sub(stream.delay)
    }

    fn period_start(&self, window: Window) -> i64 {
        match window {
            Window::Calendar(period) => self.starts[period as usize],
            Window::Sliding(_) | Window::Lifetime => i64::MIN,
        }
    }
}

/// Drops what can no longer be read of one stream.
#[inline]
pub fn trim(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    let region = open.region(stream);
    if region.words == 0 {
        return;
    }
    if let Keep::Bucket { capacity, leak, .. } = shape.stream.keep {
        return bucket::trim(open, stream, shape, Bucket { capacity, leak }, floor.time);
    }
    if !region.hot && is_tidy(&open.flat_in(region, shape), &shape.stream, floor) {
        return;
    }
    trim_thoroughly(open, stream, shape, floor);
}

#[inline(never)]
fn trim_thoroughly(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    drop_front(open, stream, shape, floor);
    match shape.stream.keep {
        Keep::Newest => drop_all_but_newest(open, stream, shape, floor),
        Keep::Oldest => drop_all_but_oldest(open, stream, shape, floor),
        Keep::Totals(window) => fold(open, stream, shape, floor, window),
        Keep::All | Keep::NewestPerValue | Keep::Bucket { .. } => {}
    }
    if open.region(stream).hot {
        if open.hot(stream).len() <= shape.scanned / 4 {
            open.cool(stream, shape);
        } else {
            open.memory.recount(open.hot_index(stream));
        }
    }
}

/// Whether a flat stream holds nothing to drop: a look at its first two entries tells.
#[inline]
fn is_tidy(flat: &Flat, kept: &Stream, floor: &Floor) -> bool {
    if flat.len() == 0 {
        return kept.reach.forever;
    }
    let first = flat.time(0);
    if first < floor.cutoff(kept) || (kept.reset.is_some() && first <= floor.time) {
        return false;
    }
    match kept.keep {
        Keep::All | Keep::NewestPerValue | Keep::Bucket { .. } => true,
        Keep::Newest | Keep::Oldest => flat.len() < 2 || flat.time(1) > floor.settled(kept),
        Keep::Totals(_) => first > floor.settled(kept),
    }
}

/// How many entries satisfy a condition on a series, whichever representation it has.
fn ask(open: &mut Open, stream: usize, shape: &Shape, question: impl Fn(&dyn Questions) -> usize) -> usize {
    if open.region(stream).hot { question(open.hot(stream)) } else { question(&open.flat(stream, shape)) }
}

/// The part of [`Series`] that upkeep asks about.
trait Questions {
    fn before(&self, time: i64) -> usize;
    fn up_to(&self, time: i64) -> usize;
    fn through_barrier(&self, time: i64) -> usize;
}

impl<S: Series> Questions for S {
    fn before(&self, time: i64) -> usize {
        if self.len() == 0 || self.time(0) >= time { 0 } else { self.lower_bound(time) }
    }

    fn up_to(&self, time: i64) -> usize {
        if self.len() == 0 || self.time(0) > time { 0 } else { self.upper_bound(time) }
    }

    fn through_barrier(&self, time: i64) -> usize {
        self.last_barrier(self.up_to(time)).map_or(0, |barrier| barrier + 1)
    }
}

fn remove(open: &mut Open, stream: usize, shape: &Shape, ranks: std::ops::Range<usize>) {
    if ranks.is_empty() {
    } else if open.region(stream).hot {
        open.remove_hot(stream, shape, ranks);
    } else {
        open.remove_flat(stream, shape, ranks);
    }
}

/// Drops entries before every window, and those hidden from every event to come.
fn drop_front(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    let cutoff = floor.cutoff(&shape.stream);
    let has_reset = shape.stream.reset.is_some();
    let old = ask(open, stream, shape, |series| series.before(cutoff));
    let hidden = if has_reset { ask(open, stream, shape, |series| series.through_barrier(floor.time)) } else { 0 };
    remove(open, stream, shape, 0..old.max(hidden));
    if hidden > 0 {
        clear_totals(open, stream, shape);
    }
}

/// Sets the totals of a stream to nothing.
pub fn clear_totals(open: &mut Open, stream: usize, shape: &Shape) {
    if open.totals(stream, shape).is_some() {
        open.set_totals(stream, shape, &Totals::default());
    }
}

fn drop_all_but_newest(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    let settled = ask(open, stream, shape, |series| series.up_to(floor.settled(&shape.stream)));
    remove(open, stream, shape, 0..settled.saturating_sub(1));
}

fn drop_all_but_oldest(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    let settled = ask(open, stream, shape, |series| series.up_to(floor.settled(&shape.stream)));
    remove(open, stream, shape, 1..settled.max(1));
}

/// Adds the entries that every later read of the period will hold to the totals.
fn fold(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor, window: Window) {
    let start = floor.period_start(window);
    let mut totals = open.totals(stream, shape).unwrap_or_default();
    if totals.start != start {
        totals = Totals { start, ..Totals::default() };
    }
    let settled = ask(open, stream, shape, |series| series.up_to(floor.settled(&shape.stream)));
    if settled > 0 {
        let summary = if open.region(stream).hot {
            open.hot(stream).summary(0..settled, shape.needs)
        } else {
            open.flat(stream, shape).summary(0..settled, shape.needs)
        };
        totals.add(&summary);
        remove(open, stream, shape, 0..settled);
    }
    if totals.summary.count == 0 && open.region(stream).words == shape.prefix {
        open.clear(stream, shape);
    } else {
        open.set_totals(stream, shape, &totals);
    }
}

/// Makes room in a stream that is about to outgrow its representation.
#[inline]
pub fn make_room(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    let region = open.region(stream);
    if region.hot {
        let series = open.hot(stream);
        if series.len() >= 2 * series.compacted + shape.scanned {
            compact_hot(open, stream, shape, floor);
        }
        return;
    }
    let large = record::used(open.words()) >= record::LARGE_RECORD;
    let len = open.flat_in(region, shape).len();
    if len > 0 && (len.is_multiple_of(shape.scanned / 4) || large) {
        outgrow(open, stream, shape, floor, large);
    }
}

#[inline(never)]
fn outgrow(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor, large: bool) {
    compact_flat(open, stream, shape, floor);
    if large || open.flat(stream, shape).len() >= shape.scanned {
        open.heat(stream, shape);
    }
}

/// Drops entries that another entry answers for.
fn compact_flat(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    match shape.stream.keep {
        Keep::NewestPerValue => {
            let settled = floor.settled(&shape.stream);
            let flat = open.flat(stream, shape);
            let end = flat.up_to(settled);
            let useless = |&rank: &usize| {
                !flat.is_barrier(rank) && flat.contains(rank + 1..end, flat.extra(rank) & !super::series::SUPERSEDED)
            };
            let ranks: Vec<usize> = (0..end).filter(useless).collect();
            ranks.into_iter().rev().for_each(|rank| open.remove_flat(stream, shape, rank..rank + 1));
        }
        _ => {
            let dead = silent_front(open, stream, shape, floor);
            open.remove_flat(stream, shape, 0..dead);
        }
    }
}

fn compact_hot(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    match shape.stream.keep {
        Keep::NewestPerValue => {
            let settled = floor.settled(&shape.stream);
            let series = open.hot(stream);
            let before = series.len() - series.barriers;
            series.compact(&shape.stream, |_: &Entry, next| next.is_none_or(|next| next > settled));
            let after = series.len() - series.barriers;
            open.memory.entries -= (before - after) as u64;
        }
        _ => {
            let dead = silent_front(open, stream, shape, floor);
            open.remove_hot(stream, shape, 0..dead);
            let series = open.hot(stream);
            series.compacted = series.len();
        }
    }
}

/// Drops the entries before a silence that hides them from every later read, which upkeep does only now and then.
pub fn drop_silent_front(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) {
    let dead = silent_front(open, stream, shape, floor);
    remove(open, stream, shape, 0..dead);
}

/// How many of the oldest entries lie before a silence that hides them from every later read.
fn silent_front(open: &mut Open, stream: usize, shape: &Shape, floor: &Floor) -> usize {
    let Some(gap) = shape.stream.gap else { return 0 };
    let end = ask(open, stream, shape, |series| series.up_to(floor.time));
    let hot = open.region(stream).hot;
    let start = if hot { open.hot(stream).last_barrier(end) } else { open.flat(stream, shape).last_barrier(end) };
    let start = start.map_or(0, |barrier| barrier + 1);
    if start >= end {
        return 0;
    }
    let gap_at = if hot {
        open.hot(stream).last_gap(start..end, gap)
    } else {
        open.flat(stream, shape).last_gap(start..end, gap)
    };
    gap_at.unwrap_or(0)
}

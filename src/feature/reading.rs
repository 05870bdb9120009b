//! The definition of every windowed feature: which entries an event sees, and what is computed of them.
//!
//! Written once over [`Series`], so small and hot keys, early and late events, take the same path.

use std::ops::Range;

use super::exact;
use super::plan::{Cell, Coding, Read, Stream, Unit};
use super::rows::{Rows, StreamColumn};
use super::series::{Needs, Series};
use super::totals::Totals;
use super::tree::Summary;
use crate::ruleset::types::{Aggregate, Window};

const EARTH_RADIUS_KM: f64 = 6371.0088;
const MS_PER_HOUR: f64 = 3_600_000.0;

/// The event that reads.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    /// The batch.
    pub rows: &'a Rows,
    /// Its own values for the stream.
    pub column: &'a StreamColumn,
    /// Its row.
    pub row: usize,
}

impl Reader<'_> {
    fn time(&self) -> i64 {
        self.rows.time[self.row]
    }

    fn window_start(&self, window: Window) -> i64 {
        match window {
            Window::Sliding(length) => self.time().saturating_sub(length),
            Window::Calendar(period) => self.rows.starts[period as usize][self.row],
            Window::Lifetime => i64::MIN,
        }
    }

    fn own_extra(&self) -> Option<u128> {
        self.column.present[self.row].then(|| self.column.extra[self.row])
    }
}

/// What of a stream's entries has to be totalled for its reads.
pub fn needs(stream: &Stream) -> Needs {
    stream.reads.iter().fold(Needs::default(), |all, read| {
        let one = needs_of(read.aggregate);
        Needs { sum: all.sum || one.sum, squares: all.squares || one.squares, extremes: all.extremes || one.extremes }
    })
}

fn needs_of(aggregate: Aggregate) -> Needs {
    Needs {
        sum: matches!(aggregate, Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev),
        squares: aggregate == Aggregate::Stddev,
        extremes: matches!(aggregate, Aggregate::Min | Aggregate::Max),
    }
}

/// What all reads of one stream by one event have in common.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// First rank after the event's time.
    arrived: usize,
    /// First rank that no barrier hides.
    unhidden: usize,
    /// Whether a barrier hides something.
    reset: bool,
}

impl Sight {
    /// What an event sees of a series.
    #[inline]
    pub fn new(stream: &Stream, series: &impl Series, reader: Reader) -> Sight {
        let arrived = series.upper_bound(reader.time());
        let barrier = if stream.reset.is_some() { series.last_barrier(arrived) } else { None };
        Sight { arrived, unhidden: barrier.map_or(0, |barrier| barrier + 1), reset: barrier.is_some() }
    }
}

/// The totals looked up last: sum and mean of one window want the same.
#[derive(Debug, Default)]
pub struct Known {
    range: Range<usize>,
    needs: Needs,
    summary: Summary,
}

impl Known {
    #[inline]
    fn summary(&mut self, series: &impl Series, range: Range<usize>, needs: Needs) -> Summary {
        if range != self.range || needs != self.needs || range.is_empty() {
            *self = Known { summary: series.summary(range.clone(), needs), range, needs };
        }
        self.summary
    }
}

/// The value of a feature for an event, as bits of its type; `None` where it has none.
#[inline]
pub fn read(
    cell: Cell,
    read: &Read,
    series: &impl Series,
    sight: &Sight,
    totals: Option<&Totals>,
    reader: Reader,
    known: &mut Known,
) -> Option<u128> {
    let start = reader.window_start(read.window);
    let range = visible(read, series, sight, start, reader);
    let totals = totals.filter(|totals| !sight.reset && totals.start == start);
    match read.aggregate {
        Aggregate::Count => {
            let before = totals.map_or(0, |totals| totals.summary.count);
            Some(u128::from((range.end - range.start) as u64 + before))
        }
        Aggregate::Sum | Aggregate::Mean | Aggregate::Stddev | Aggregate::Min | Aggregate::Max => {
            let mut summary = known.summary(series, range, needs_of(read.aggregate));
            if let Some(totals) = totals {
                summary.merge(&totals.summary);
            }
            if summary.count < read.least { None } else { total(read, &summary) }
        }
        Aggregate::Distinct => Some(u128::from(series.distinct(range))),
        Aggregate::Last => newest(&range).map(|rank| value(cell, series, rank)),
        Aggregate::First => oldest(&range).map(|rank| value(cell, series, rank)),
        Aggregate::SinceLast => newest(&range).map(|rank| long(reader.time() - series.time(rank))),
        Aggregate::SinceFirst => oldest(&range).map(|rank| long(reader.time() - series.time(rank))),
        Aggregate::IsNew => reader.own_extra().map(|own| u128::from(!series.contains(range, own))),
        Aggregate::Speed => speed(series, range, reader),
        Aggregate::LeakyBucket { .. } => None,
    }
}

/// The value of a feature for an event whose key holds nothing.
#[inline]
pub fn read_nothing(read: &Read, reader: Reader) -> Option<u128> {
    match read.aggregate {
        // 0 and 0.0 have the same bits.
        Aggregate::Count | Aggregate::Sum | Aggregate::Distinct | Aggregate::LeakyBucket { .. } => Some(0),
        Aggregate::IsNew => reader.own_extra().map(|_| 1),
        Aggregate::Mean | Aggregate::Stddev | Aggregate::Min | Aggregate::Max | Aggregate::Last => None,
        Aggregate::First | Aggregate::SinceLast | Aggregate::SinceFirst | Aggregate::Speed => None,
    }
}

/// The entries a feature sees.
#[inline]
fn visible(read: &Read, series: &impl Series, sight: &Sight, start: i64, reader: Reader) -> Range<usize> {
    let arrived = sight.arrived;
    let mut from = series.lower_bound(start).max(sight.unhidden).min(arrived);
    if let Some(gap) = read.gap
        && from < arrived
    {
        let silent = reader.time() - series.time(arrived - 1) > gap;
        from = if silent { arrived } else { series.last_gap(from..arrived, gap).unwrap_or(from) };
    }
    let to = match read.delay {
        None => arrived,
        Some(delay) => series.upper_bound(reader.time().saturating_sub(delay)).min(arrived),
    };
    from..to.max(from)
}

fn newest(range: &Range<usize>) -> Option<usize> {
    range.clone().next_back()
}

fn oldest(range: &Range<usize>) -> Option<usize> {
    range.clone().next()
}

fn long(value: i64) -> u128 {
    u128::from(value as u64)
}

fn value(cell: Cell, series: &impl Series, rank: usize) -> u128 {
    match cell {
        Cell::Number(_) => long(series.number(rank)),
        Cell::Unit | Cell::Hash | Cell::Place | Cell::Text | Cell::Address => series.extra(rank),
    }
}

fn total(read: &Read, summary: &Summary) -> Option<u128> {
    match read.aggregate {
        Aggregate::Count => Some(u128::from(summary.count)),
        Aggregate::Sum => sum(read.unit, summary.sum).map(u128::from),
        _ if summary.count == 0 => None,
        Aggregate::Mean => mean(read.unit, summary.sum, summary.count).map(u128::from),
        Aggregate::Stddev => exact::sample_stddev(summary.sum, summary.squares, summary.count, scale(read.unit))
            .map(|value| u128::from(value.to_bits())),
        Aggregate::Min => Some(extreme(read.unit, summary.min)),
        Aggregate::Max => Some(extreme(read.unit, summary.max)),
        _ => None,
    }
}

/// How many units of a stream's numbers are one of its feature.
fn scale(unit: Unit) -> u64 {
    match unit {
        Unit::Whole => 1,
        Unit::Minor(exponent) => 10_u64.pow(exponent),
        Unit::Double => 1_000_000,
    }
}

/// A sum as bits of its type; `None` where it does not fit.
#[inline]
pub fn sum(unit: Unit, sum: i128) -> Option<u64> {
    let sum = i64::try_from(sum).ok()?;
    Some(match unit {
        Unit::Double => exact::double_from_fixed(sum).to_bits(),
        Unit::Whole | Unit::Minor(_) => sum as u64,
    })
}

/// A mean as bits of a double; `None` of nothing.
#[inline]
pub fn mean(unit: Unit, sum: i128, count: u64) -> Option<u64> {
    (count > 0).then(|| exact::mean(sum, count, scale(unit)).to_bits())
}

fn extreme(unit: Unit, value: i64) -> u128 {
    match unit {
        Unit::Double => u128::from(exact::from_order_key(value).to_bits()),
        Unit::Whole | Unit::Minor(_) => long(value),
    }
}

/// Packs a place into the extra value of an entry.
pub fn pack_place(latitude: f64, longitude: f64) -> u128 {
    u128::from(latitude.to_bits()) << 64 | u128::from(longitude.to_bits())
}

/// The extra value of an entry without a place; no packed place equals it, as latitudes are never NaN.
pub const NO_PLACE: u128 = u128::MAX;

fn unpack_place(packed: u128) -> (f64, f64) {
    (f64::from_bits((packed >> 64) as u64), f64::from_bits(packed as u64))
}

/// Speed in km/h since the newest entry of the range that has a place.
fn speed(series: &impl Series, range: Range<usize>, reader: Reader) -> Option<u128> {
    let here = reader.own_extra()?;
    let rank = range.rev().find(|&rank| series.extra(rank) != NO_PLACE)?;
    let distance = haversine_km(unpack_place(series.extra(rank)), unpack_place(here));
    let elapsed = reader.time() - series.time(rank);
    let speed = if elapsed > 0 {
        distance / (elapsed as f64 / MS_PER_HOUR)
    } else if distance == 0.0 {
        0.0
    } else {
        return None;
    };
    speed.is_finite().then(|| u128::from(speed.to_bits()))
}

/// Great-circle distance by the haversine formula. The functions come from `libm`, so that every machine computes the
/// same bits.
fn haversine_km((lat1, lon1): (f64, f64), (lat2, lon2): (f64, f64)) -> f64 {
    let half = |degrees: f64| libm::sin(degrees.to_radians() / 2.0);
    let (by_lat, by_lon) = (half(lat2 - lat1), half(lon2 - lon1));
    let cosines = libm::cos(lat1.to_radians()) * libm::cos(lat2.to_radians());
    let chord = by_lat * by_lat + cosines * by_lon * by_lon;
    2.0 * EARTH_RADIUS_KM * libm::asin(libm::sqrt(chord.min(1.0)))
}

/// How a stream codes a double.
pub fn code_double(coding: Coding, value: f64) -> Option<i64> {
    match coding {
        Coding::Plain | Coding::Bits => Some(value.to_bits() as i64),
        Coding::Fixed => exact::fixed_from_double(value),
        Coding::Ordered => Some(exact::order_key(value)),
    }
}

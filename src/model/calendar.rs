//! Calendar periods: from which instant the local day, ISO week, month or year that holds an instant counts.
//!
//! Local clocks jump. Midnight may not exist (then the period starts with the first instant behind the gap), may
//! come twice (then the earlier one counts), whole days may be skipped, and a clock that is put back across
//! midnight returns to a day that had ended. So a period is taken as the span from its first to its last instant;
//! two neighbours overlap in the last case only, and [`CalendarCache`] remembers nothing of the overlap.

use std::ops::Range;

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;

/// The edition of the IANA time zone database that is built in, such as `2025b`. Another one may begin a day elsewhere.
pub const TIME_ZONES: &str = chrono_tz::IANA_TZDB_VERSION;

/// A calendar period in the rule set's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Period {
    /// Local day.
    Day,
    /// ISO week, from Monday.
    Week,
    /// Month.
    Month,
    /// Year.
    Year,
}

/// Instants beyond 20 000 years from 1970, ms, are not told apart: all periods before or after are one.
const HORIZON: i64 = 20_000 * 365 * 86_400_000;

/// No clock differs from UTC by more than this, ms.
const WIDEST_OFFSET: i64 = 26 * 3_600_000;

/// First instant (ms UTC) of the local period that holds an instant (ms UTC).
pub fn period_start(zone: Tz, period: Period, time_ms: i64) -> i64 {
    if time_ms < -HORIZON {
        return i64::MIN;
    }
    first_instant(zone, first_date(period, local(zone, time_ms.min(HORIZON)).date()))
}

/// First instant of the local period that holds an instant, and the one after its last, ms UTC.
pub fn period_bounds(zone: Tz, period: Period, time_ms: i64) -> Range<i64> {
    let start = period_start(zone, period, time_ms);
    if time_ms.abs_diff(0) > HORIZON.unsigned_abs() {
        return if time_ms < 0 { i64::MIN..-HORIZON } else { start..i64::MAX };
    }
    let next = next_date(period, first_date(period, local(zone, time_ms).date()));
    start..end_instant(zone, next)
}

/// Bounds looked up lately, so that a run of events near each other computes them once.
#[derive(Debug, Clone)]
pub struct CalendarCache {
    zone: Tz,
    period: Period,
    recent: [Known; 4],
    oldest: usize,
}

/// Instants that are known to have the same period start.
#[derive(Debug, Clone, Copy)]
struct Known {
    from: i64,
    to: i64,
    start: i64,
}

impl CalendarCache {
    /// A cache for one zone and period.
    pub fn new(zone: Tz, period: Period) -> CalendarCache {
        CalendarCache { zone, period, recent: [Known { from: 0, to: 0, start: 0 }; 4], oldest: 0 }
    }

    /// The same as [`period_start`].
    #[inline]
    pub fn period_start(&mut self, time_ms: i64) -> i64 {
        let known = self.recent.iter().find(|known| known.from <= time_ms && time_ms < known.to);
        known.map(|known| known.start).unwrap_or_else(|| self.look_up(time_ms))
    }

    fn look_up(&mut self, time_ms: i64) -> i64 {
        let bounds = period_bounds(self.zone, self.period, time_ms);
        let start = bounds.start;
        let (from, to) = self.unshared(bounds);
        if from <= time_ms && time_ms < to {
            self.recent[self.oldest] = Known { from, to, start };
            self.oldest = (self.oldest + 1) % self.recent.len();
        }
        start
    }

    /// The part of a period that its neighbours do not overlap.
    fn unshared(&self, bounds: Range<i64>) -> (i64, i64) {
        if bounds.start < -HORIZON || bounds.end > HORIZON {
            return (0, 0);
        }
        let date = |time: i64| first_date(self.period, local(self.zone, time).date());
        let (first, last) = (date(bounds.start), date(bounds.end - 1));
        let from = bounds.start.max(end_instant(self.zone, first));
        (from, bounds.end.min(first_instant(self.zone, next_date(self.period, last))))
    }
}

/// Clock and calendar of a zone at an instant within the horizon.
fn local(zone: Tz, time_ms: i64) -> NaiveDateTime {
    let instant = DateTime::from_timestamp_millis(time_ms).unwrap_or_default().naive_utc();
    let offset = zone.offset_from_utc_datetime(&instant).fix();
    instant.checked_add_offset(offset).unwrap_or(instant)
}

/// First date of the period that holds a date.
fn first_date(period: Period, date: NaiveDate) -> NaiveDate {
    let first = match period {
        Period::Day => Some(date),
        Period::Week => date.checked_sub_days(Days::new(date.weekday().num_days_from_monday().into())),
        Period::Month => date.with_day(1),
        Period::Year => NaiveDate::from_ymd_opt(date.year(), 1, 1),
    };
    first.unwrap_or(date)
}

/// First date of the period after the one that starts with a date.
fn next_date(period: Period, first: NaiveDate) -> NaiveDate {
    let next = match period {
        Period::Day => first.checked_add_days(Days::new(1)),
        Period::Week => first.checked_add_days(Days::new(7)),
        Period::Month => first.checked_add_months(Months::new(1)),
        Period::Year => first.checked_add_months(Months::new(12)),
    };
    next.unwrap_or(first)
}

/// First instant at which the local clock shows a date or a later one.
fn first_instant(zone: Tz, date: NaiveDate) -> i64 {
    let midnight = date.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight).earliest() {
        Some(instant) => instant.timestamp_millis(),
        None => crossing(zone, midnight),
    }
}

/// First instant from which on the local clock shows a date or a later one for good.
fn end_instant(zone: Tz, date: NaiveDate) -> i64 {
    let midnight = date.and_time(NaiveTime::MIN);
    match zone.from_local_datetime(&midnight).latest() {
        // A clock put back from behind midnight to midnight or later did not go back to the day before.
        Some(_) => settled(zone, midnight),
        None => crossing(zone, midnight),
    }
}

/// The later of the instants that show a midnight, if the day before is shown between them; else the earlier.
fn settled(zone: Tz, midnight: NaiveDateTime) -> i64 {
    let shown = zone.from_local_datetime(&midnight);
    let instant = |found: Option<DateTime<Tz>>| found.map(|found| found.timestamp_millis());
    let (earliest, latest) = (instant(shown.earliest()), instant(shown.latest()));
    let (Some(earliest), Some(latest)) = (earliest, latest) else { return crossing(zone, midnight) };
    if latest > earliest && local(zone, latest - 1) < midnight { latest } else { earliest }
}

/// First instant behind the gap that swallows a local time. Around a gap the clock only moves on, so that the
/// instant is found by halving.
fn crossing(zone: Tz, skipped: NaiveDateTime) -> i64 {
    let middle = skipped.and_utc().timestamp_millis();
    let (mut before, mut after) = (middle - WIDEST_OFFSET, middle + WIDEST_OFFSET);
    while after - before > 1 {
        let half = before + (after - before) / 2;
        if local(zone, half) < skipped { before = half } else { after = half }
    }
    after
}

#[cfg(test)]
mod tests;

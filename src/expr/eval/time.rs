//! Timestamp and duration accessors.

use chrono::{DateTime, Datelike, NaiveDateTime};

use crate::model::column::Column;

use super::super::graph::NodeId;
use super::super::node::Part;
use super::super::zone::{OffsetCache, Zone};
use super::operand::{Operands, map1};

/// Local time in ms, as if it were UTC.
pub(super) fn local(out: &mut Column<i64>, a: NodeId, zone: Zone, operands: &Operands, offsets: &mut OffsetCache) {
    match zone {
        Zone::Fixed(offset) => map1(out, operands.whole(a), operands.rows, |time| time.checked_add(offset)),
        zone => map1(out, operands.whole(a), operands.rows, |time| time.checked_add(offsets.offset(zone, time))),
    }
}

/// A part of a local timestamp or of a duration. One loop per part.
pub(super) fn part(out: &mut Column<i64>, part: Part, a: NodeId, operands: &Operands) {
    let (side, rows) = (operands.whole(a), operands.rows);
    match part {
        Part::Year => map1(out, side, rows, |time| civil(time).map(|date| i64::from(date.year()))),
        Part::Month => map1(out, side, rows, |time| civil(time).map(|date| i64::from(date.month0()))),
        Part::Date => map1(out, side, rows, |time| civil(time).map(|date| i64::from(date.day()))),
        Part::DayOfMonth => map1(out, side, rows, |time| civil(time).map(|date| i64::from(date.day0()))),
        Part::DayOfYear => map1(out, side, rows, |time| civil(time).map(|date| i64::from(date.ordinal0()))),
        // 1970-01-01 was a Thursday.
        Part::DayOfWeek => map1(out, side, rows, |time| Some((time.div_euclid(86_400_000) + 4).rem_euclid(7))),
        Part::Hour => map1(out, side, rows, |time| Some(time.div_euclid(3_600_000).rem_euclid(24))),
        Part::Minute => map1(out, side, rows, |time| Some(time.div_euclid(60_000).rem_euclid(60))),
        Part::Second => map1(out, side, rows, |time| Some(time.div_euclid(1000).rem_euclid(60))),
        Part::Millisecond => map1(out, side, rows, |time| Some(time.rem_euclid(1000))),
        Part::TotalHours => map1(out, side, rows, |span| Some(span / 3_600_000)),
        Part::TotalMinutes => map1(out, side, rows, |span| Some(span / 60_000)),
        Part::TotalSeconds => map1(out, side, rows, |span| Some(span / 1000)),
        Part::RestMilliseconds => map1(out, side, rows, |span| Some(span % 1000)),
    }
}

fn civil(time: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_millis(time).map(|time| time.naive_utc())
}

#[cfg(test)]
mod tests {
    use chrono::Timelike;

    use super::*;

    #[test]
    fn arithmetic_parts_agree_with_the_calendar() {
        for time in [-62_135_596_800_000, -1, 0, 1, 951_782_400_000, 1_793_512_799_999, 253_402_300_799_999_i64] {
            let date = civil(time).expect("in range");
            assert_eq!(
                (time.div_euclid(86_400_000) + 4).rem_euclid(7),
                i64::from(date.weekday().num_days_from_sunday())
            );
            assert_eq!(time.div_euclid(3_600_000).rem_euclid(24), i64::from(date.hour()));
            assert_eq!(time.div_euclid(60_000).rem_euclid(60), i64::from(date.minute()));
            assert_eq!(time.div_euclid(1000).rem_euclid(60), i64::from(date.second()));
        }
    }
}

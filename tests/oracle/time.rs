//! Instants (epoch milliseconds, UTC) and durations (milliseconds) as texts, and the start of local periods.

use chrono::{DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;

/// 9999-12-31T23:59:59.999Z, the last instant there is.
pub const LAST: i64 = 253_402_300_799_999;
/// 0001-01-01T00:00:00.000Z, the first one.
pub const FIRST: i64 = -62_135_596_800_000;

/// Reads RFC 3339 with an offset; digits finer than a millisecond are dropped.
pub fn parse_instant(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let shape_holds = text.is_ascii()
        && bytes.len() >= 20
        && [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')].iter().all(|&(at, sign)| bytes[at] == sign);
    if !shape_holds {
        return None;
    }
    let date =
        NaiveDate::from_ymd_opt(digits(&text[..4])?.try_into().ok()?, digits(&text[5..7])?, digits(&text[8..10])?)?;
    let time = date.and_hms_opt(digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..19])?)?;
    let (fraction, zone) = split_fraction(&text[19..])?;
    let instant = time.and_utc().timestamp_millis() + fraction - offset(zone)?;
    (date.year() >= 1 && (FIRST..=LAST).contains(&instant)).then_some(instant)
}

/// Milliseconds of a fraction such as `.1239`, and what follows it.
fn split_fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(fraction) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
    let padded = format!("{}000", &fraction[..length]);
    (length > 0).then_some((i64::from(digits(&padded[..3])?), &fraction[length..]))
}

/// `Z` or `+08:00` in milliseconds.
fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = if zone.starts_with('+') { 1 } else { -1 };
    let (hours, minutes) = zone.strip_prefix(['+', '-'])?.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * i64::from(hours * 60 + minutes) * 60_000)
}

fn two_digits(text: &str) -> Option<u32> {
    if text.len() == 2 { digits(text) } else { None }
}

/// Only ASCII digits, unlike `str::parse`, which takes a sign.
fn digits(text: &str) -> Option<u32> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// `2026-11-22T08:00:00.000Z`.
pub fn instant_text(instant: i64) -> String {
    let time = DateTime::from_timestamp_millis(instant).expect("within years 1 to 9999");
    time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Units of a duration text, longest first, in milliseconds.
const UNITS: [(&str, i64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Reads `15m`, `1h30m`; `None` for anything else or more than 36500 days.
pub fn parse_duration(text: &str) -> Option<i64> {
    let mut total = 0i64;
    let mut rest = text;
    while !rest.is_empty() {
        let count = rest.bytes().take_while(u8::is_ascii_digit).count();
        let after = &rest[count..];
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let unit = UNITS.iter().find(|(name, _)| *name == &after[..letters])?.1;
        total = total.checked_add(rest[..count].parse::<i64>().ok()?.checked_mul(unit)?)?;
        rest = &after[letters..];
    }
    (!text.is_empty() && total <= 36500 * 86_400_000).then_some(total)
}

/// The shortest text that [`parse_duration`] reads back.
pub fn duration_text(duration: i64) -> String {
    let mut rest = duration;
    let mut text = String::new();
    for (name, unit) in UNITS {
        if rest >= unit {
            text += &format!("{}{name}", rest / unit);
            rest %= unit;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// `PT90.5S`, as the output writes durations.
pub fn iso_duration(duration: i64) -> String {
    let sign = if duration < 0 { "-" } else { "" };
    let size = duration.unsigned_abs();
    let fraction = format!(".{:03}", size % 1000);
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!("{sign}PT{}{fraction}S", size / 1000)
}

/// A calendar period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Day,
    Week,
    Month,
    Year,
}

/// First instant of the local period that holds `instant`.
pub fn period_start(instant: i64, period: Period, zone: Tz) -> i64 {
    let local = zone.timestamp_millis_opt(instant).unwrap().date_naive();
    let day = match period {
        Period::Day => local,
        Period::Week => local - Duration::days(i64::from(local.weekday().num_days_from_monday())),
        Period::Month => local.with_day(1).expect("every month has a first day"),
        Period::Year => NaiveDate::from_ymd_opt(local.year(), 1, 1).expect("every year has a first day"),
    };
    first_instant(day, zone)
}

/// The first instant that a clock in `zone` shows this date: after a skipped midnight, minutes later.
fn first_instant(day: NaiveDate, zone: Tz) -> i64 {
    let midnight: NaiveDateTime = day.and_hms_opt(0, 0, 0).expect("midnight");
    for minute in 0..1440 {
        match zone.from_local_datetime(&(midnight + Duration::minutes(minute))) {
            LocalResult::Single(time) => return time.timestamp_millis(),
            LocalResult::Ambiguous(first, _) => return first.timestamp_millis(),
            LocalResult::None => {}
        }
    }
    panic!("{zone} skips the whole of {day}");
}

#[test]
fn instants_and_durations() {
    let instant = |text: &str| parse_instant(text).map(instant_text);
    assert_eq!(instant("2026-11-22T08:00:00Z").as_deref(), Some("2026-11-22T08:00:00.000Z"));
    assert_eq!(instant("2026-11-22T08:00:00.1239+08:00").as_deref(), Some("2026-11-22T00:00:00.123Z"));
    assert_eq!(instant("1969-12-31T23:59:59.9999Z").as_deref(), Some("1969-12-31T23:59:59.999Z"));
    for bad in ["2026-11-22 08:00:00Z", "2026-11-22T08:00:60Z", "2026-11-22T08:00:00", "2026-02-30T08:00:00Z"] {
        assert_eq!(parse_instant(bad), None, "{bad}");
    }
    assert_eq!(parse_instant("2026-11-22T08:00:00+24:00"), None);
    assert_eq!(parse_duration("1h30m"), Some(5_400_000));
    assert_eq!(parse_duration("1.5h"), None);
    assert_eq!(duration_text(5_400_500), "1h30m500ms");
    assert_eq!(iso_duration(90_500), "PT90.5S");
    assert_eq!(iso_duration(0), "PT0S");
}

#[test]
fn periods_start_at_their_first_instant() {
    let check = |text: &str, period, zone: Tz, expected: &str| {
        let start = period_start(parse_instant(text).unwrap(), period, zone);
        assert_eq!(instant_text(start), expected, "{text} {period:?} {zone}");
    };
    check("2026-11-22T08:00:00Z", Period::Day, Tz::Asia__Shanghai, "2026-11-21T16:00:00.000Z");
    check("2026-11-22T08:00:00Z", Period::Week, Tz::UTC, "2026-11-16T00:00:00.000Z");
    check("2026-11-22T08:00:00Z", Period::Month, Tz::UTC, "2026-11-01T00:00:00.000Z");
    check("2026-11-22T08:00:00Z", Period::Year, Tz::UTC, "2026-01-01T00:00:00.000Z");
    // The clocks of Sao Paulo went from 00:00 to 01:00 on this day.
    check("2018-11-04T12:00:00Z", Period::Day, Tz::America__Sao_Paulo, "2018-11-04T03:00:00.000Z");
    // Berlin goes back at 03:00: the day has 25 hours and starts in summer time.
    check("2026-10-25T20:00:00Z", Period::Day, Tz::Europe__Berlin, "2026-10-24T22:00:00.000Z");
}

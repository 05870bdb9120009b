//! Time as milliseconds since the epoch, UTC, and its texts: RFC 3339 timestamps and durations.
//!
//! Written by hand because the contract is narrower than any library (no space for `T`, no leap second, years
//! 1 to 9999), and because one timestamp is read and one written per event.

use thiserror::Error;

/// 0001-01-01T00:00:00.000Z
pub const MIN_TIME: i64 = -62_135_596_800_000;
/// 9999-12-31T23:59:59.999Z
pub const MAX_TIME: i64 = 253_402_300_799_999;
/// The longest duration that may be written in a rule set: 36500 days, in ms.
pub const MAX_DURATION: i64 = 36_500 * DAY;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;

/// Whether a time lies in the years 1 to 9999, UTC.
pub fn is_in_range(ms: i64) -> bool {
    (MIN_TIME..=MAX_TIME).contains(&ms)
}

/// Reads an RFC 3339 timestamp with offset as ms; finer digits are cut off towards the past.
///
/// `None` for anything else: a space for `T`, a leap second, a year outside 1 to 9999 as written or in UTC.
pub fn parse_rfc3339(text: &[u8]) -> Option<i64> {
    let (head, rest) = text.split_first_chunk::<19>()?;
    let separators = head[4] == b'-' && head[7] == b'-' && head[13] == b':' && head[16] == b':';
    if !separators || !matches!(head[10], b'T' | b't') {
        return None;
    }
    let (year, month, day) = (two(head, 0)? * 100 + two(head, 2)?, two(head, 5)?, two(head, 8)?);
    let (hour, minute, second) = (two(head, 11)?, two(head, 14)?, two(head, 17)?);
    let valid_day = (1..=28).contains(&day) || (day > 28 && day <= days_in_month(year, month));
    if year == 0 || !(1..=12).contains(&month) || !valid_day {
        return None;
    }
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let (millis, offset) = fraction(rest)?;
    let clock = hour * HOUR + minute * MINUTE + second * SECOND + millis;
    let ms = days_from_civil(year, month, day) * DAY + clock - offset_ms(offset)?;
    is_in_range(ms).then_some(ms)
}

/// The two digits at `at`.
#[inline(always)]
fn two(text: &[u8], at: usize) -> Option<i64> {
    let (tens, ones) = (text[at].wrapping_sub(b'0'), text[at + 1].wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| i64::from(tens * 10 + ones))
}

/// Milliseconds of an optional fraction, and what follows it.
#[inline(always)]
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    // Most times have milliseconds.
    if let [b'.', digits @ .., b'Z'] = text
        && let [tenths, hundredths, thousandths] = digits
        && digits.iter().all(u8::is_ascii_digit)
    {
        let digit = |byte: u8| i64::from(byte - b'0');
        return Some((digit(*tenths) * 100 + digit(*hundredths) * 10 + digit(*thousandths), &text[4..]));
    }
    any_fraction(text)
}

fn any_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let [b'.', digits @ ..] = text else {
        return Some((0, text));
    };
    let len = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 {
        return None;
    }
    let digit = |at: usize| if at < len { i64::from(digits[at] - b'0') } else { 0 };
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), &digits[len..]))
}

/// `Z` or `+HH:MM`, in ms to subtract.
fn offset_ms(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (hours, minutes) = (two(text, 1)?, two(text, 4)?);
            let ms = hours * HOUR + minutes * MINUTE;
            let valid = hours <= 23 && minutes <= 59;
            valid.then_some(if *sign == b'-' { -ms } else { ms })
        }
        _ => None,
    }
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since the epoch of a date of the proleptic Gregorian calendar, year 1 or later.
///
/// Years start in March here, so that the leap day is the last of its year and months follow one linear formula.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// Year, month and day of a count of days since 0001-01-01; the inverse of [`days_from_civil`].
///
/// As there, years start in March. Divisions are by constants and of 32 bits: products with a fixed-point inverse.
fn civil_from_days(days: u32) -> (u32, u32, u32) {
    let quarters = 4 * (days + 306) + 3;
    let century = quarters / 146_097;
    let quarters_of_century = (quarters % 146_097) | 3;
    let product = 2_939_745 * u64::from(quarters_of_century);
    let year = 100 * century + (product >> 32) as u32;
    let day_of_year = product as u32 / 2_939_745 / 4;
    let months = 2_141 * day_of_year + 197_913;
    let (month, day) = (months >> 16, (months & 0xffff) / 2_141 + 1);
    let after_december = day_of_year >= 306;
    (year + u32::from(after_december), if after_december { month - 12 } else { month }, day)
}

/// Writes a time as `2026-11-22T08:00:00.000Z`; a time outside the years 1 to 9999 is drawn to the nearest bound.
pub fn write_timestamp(out: &mut Vec<u8>, ms: i64) {
    // MIN_TIME is the start of a day.
    let since = (ms.clamp(MIN_TIME, MAX_TIME) - MIN_TIME) as u64;
    let (days, clock) = ((since / DAY as u64) as u32, (since % DAY as u64) as u32);
    let (year, month, day) = civil_from_days(days);
    let (seconds, millis) = (clock / 1_000, clock % 1_000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put_two(&mut text, 0, year / 100);
    put_two(&mut text, 2, year % 100);
    put_two(&mut text, 5, month);
    put_two(&mut text, 8, day);
    put_two(&mut text, 11, minutes / 60);
    put_two(&mut text, 14, minutes % 60);
    put_two(&mut text, 17, second);
    put_two(&mut text, 20, millis / 10);
    text[22] = b'0' + (millis % 10) as u8;
    out.extend_from_slice(&text);
}

/// The numbers below 100 as two digits each.
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + (value / 10) as u8, b'0' + (value % 10) as u8];
        value += 1;
    }
    pairs
};

/// Writes a number below 100 as two digits.
#[inline(always)]
fn put_two(text: &mut [u8; 24], at: usize, value: u32) {
    text[at..at + 2].copy_from_slice(&PAIRS[value as usize]);
}

/// Why a duration could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DurationFault {
    /// Not numbers followed by units.
    #[error("expected whole numbers with units ms, s, m, h, d or w, such as 90s or 1h30m")]
    Syntax,
    /// A unit that does not exist.
    #[error("unknown unit `{0}`, expected ms, s, m, h, d or w")]
    Unit(String),
    /// A unit that occurs twice.
    #[error("unit `{0}` occurs twice, expected each unit once")]
    Repeated(&'static str),
    /// More than [`MAX_DURATION`].
    #[error("expected at most 36500d")]
    TooLong,
}

/// The units of durations with their length in ms.
const UNITS: [(&str, i64); 6] = [("ms", 1), ("s", SECOND), ("m", MINUTE), ("h", HOUR), ("d", DAY), ("w", WEEK)];

/// Reads a duration such as `500ms`, `15m` or `1h30m` as ms; units in any order, each at most once, no sign.
pub fn parse_duration(text: &str) -> Result<i64, DurationFault> {
    let mut rest = text;
    let mut seen = [false; UNITS.len()];
    let mut total: i64 = 0;
    while !rest.is_empty() || text.is_empty() {
        let (digits, after) = split_while(rest, |byte| byte.is_ascii_digit());
        let (unit, after) = split_while(after, |byte| byte.is_ascii_alphabetic());
        if digits.is_empty() || unit.is_empty() {
            return Err(DurationFault::Syntax);
        }
        let index = UNITS.iter().position(|(name, _)| *name == unit);
        let index = index.ok_or_else(|| DurationFault::Unit(unit.to_string()))?;
        if std::mem::replace(&mut seen[index], true) {
            return Err(DurationFault::Repeated(UNITS[index].0));
        }
        let part = digits.parse::<i64>().ok().and_then(|count| count.checked_mul(UNITS[index].1));
        total = part.and_then(|part| total.checked_add(part)).ok_or(DurationFault::TooLong)?;
        rest = after;
    }
    if total > MAX_DURATION { Err(DurationFault::TooLong) } else { Ok(total) }
}

/// A duration as [`parse_duration`] reads it, in the greatest unit that divides it.
pub fn duration_text(ms: i64) -> String {
    let fits = |(_, length): &&(&str, i64)| ms != 0 && ms % length == 0;
    // Weeks are read, but days say it better.
    let (unit, length) = UNITS[..5].iter().rev().find(fits).unwrap_or(&UNITS[0]);
    format!("{}{unit}", ms / length)
}

/// Splits after the leading ASCII bytes that satisfy `keep`.
fn split_while(text: &str, keep: impl Fn(u8) -> bool) -> (&str, &str) {
    let end = text.bytes().position(|byte| !keep(byte)).unwrap_or(text.len());
    text.split_at(end)
}

/// Writes a duration as ISO 8601 seconds, `PT90.5S`; a negative one as `PT-0.5S`.
pub fn write_duration(out: &mut Vec<u8>, ms: i64) {
    out.extend_from_slice(if ms < 0 { b"PT-" } else { b"PT" });
    let magnitude = ms.unsigned_abs();
    out.extend_from_slice(itoa::Buffer::new().format(magnitude / 1_000).as_bytes());
    let millis = magnitude % 1_000;
    if millis != 0 {
        let digits = [b'.', b'0' + (millis / 100) as u8, b'0' + (millis / 10 % 10) as u8, b'0' + (millis % 10) as u8];
        let zeros = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
        out.extend_from_slice(&digits[..digits.len() - zeros]);
    }
    out.push(b'S');
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};

    fn timestamp(ms: i64) -> String {
        let mut out = Vec::new();
        write_timestamp(&mut out, ms);
        String::from_utf8(out).expect("ascii")
    }

    #[test]
    fn timestamps_are_read_strictly() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01t00:00:00z", Some(0)),
            ("2026-11-22T08:00:00.000Z", Some(1_795_334_400_000)),
            ("2026-11-22T16:00:00+08:00", Some(1_795_334_400_000)),
            ("2026-11-22T08:00:00-00:00", Some(1_795_334_400_000)),
            ("1970-01-01T00:00:00.1Z", Some(100)),
            ("1970-01-01T00:00:00.0019999999999999999999Z", Some(1)),
            ("1969-12-31T23:59:59.9999Z", Some(-1)),
            ("1969-12-31T23:59:59.0001Z", Some(-1000)),
            ("1970-01-01T23:59:00+23:59", Some(0)),
            ("0001-01-01T00:00:00Z", Some(MIN_TIME)),
            ("9999-12-31T23:59:59.9999Z", Some(MAX_TIME)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2000-02-29T00:00:00Z", Some(951_782_400_000)),
            ("1900-02-29T00:00:00Z", None),
            ("2023-02-29T00:00:00Z", None),
            ("0000-12-31T23:59:59-00:01", None),
            ("0001-01-01T00:00:00+00:01", None),
            ("9999-12-31T23:59:59-00:01", None),
            ("1970-01-01 00:00:00Z", None),
            ("1970-01-01T00:00:00", None),
            ("1970-01-01T00:00:60Z", None),
            ("2016-12-31T23:59:60Z", None),
            ("1970-01-01T24:00:00Z", None),
            ("1970-01-01T00:60:00Z", None),
            ("1970-00-01T00:00:00Z", None),
            ("1970-13-01T00:00:00Z", None),
            ("1970-01-00T00:00:00Z", None),
            ("1970-04-31T00:00:00Z", None),
            ("1970-01-01T00:00:00.Z", None),
            ("1970-01-01T00:00:00,5Z", None),
            ("1970-01-01T00:00:00+24:00", None),
            ("1970-01-01T00:00:00+00:60", None),
            ("1970-01-01T00:00:00+0800", None),
            ("1970-01-01T00:00:00+08", None),
            ("1970-01-01T00:00:00Z ", None),
            (" 1970-01-01T00:00:00Z", None),
            ("1970-1-1T00:00:00Z", None),
            ("+1970-01-01T00:00:00Z", None),
            ("19700101T000000Z", None),
            ("١٩٧٠-01-01T00:00:00Z", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_rfc3339(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_read_and_written() {
        use DurationFault::*;
        let cases = [
            ("500ms", Ok(500)),
            ("90s", Ok(90_000)),
            ("15m", Ok(900_000)),
            ("12h", Ok(43_200_000)),
            ("30d", Ok(2_592_000_000)),
            ("2w", Ok(1_209_600_000)),
            ("1h30m", Ok(5_400_000)),
            ("30m1h", Ok(5_400_000)),
            ("1m1ms", Ok(60_001)),
            ("0s", Ok(0)),
            ("36500d", Ok(MAX_DURATION)),
            ("36500d1ms", Err(TooLong)),
            ("99999999999999999999s", Err(TooLong)),
            ("9223372036854775807w", Err(TooLong)),
            ("1h1h", Err(Repeated("h"))),
            ("1y", Err(Unit("y".to_string()))),
            ("1H", Err(Unit("H".to_string()))),
            ("", Err(Syntax)),
            ("5", Err(Syntax)),
            ("h", Err(Syntax)),
            ("-5m", Err(Syntax)),
            ("1.5h", Err(Syntax)),
            ("1 h", Err(Syntax)),
            ("1h ", Err(Syntax)),
            ("٣s", Err(Syntax)),
        ];
        for (text, expected) in cases {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
        for text in ["0ms", "1ms", "1500ms", "90s", "15m", "36h", "7d", "36500d"] {
            assert_eq!(parse_duration(text).map(duration_text), Ok(text.to_owned()));
        }
        assert_eq!(parse_duration("2w1h60m").map(duration_text), Ok("338h".to_owned()));
        let texts = [
            (0, "PT0S"),
            (90_500, "PT90.5S"),
            (1, "PT0.001S"),
            (10, "PT0.01S"),
            (-500, "PT-0.5S"),
            (3_600_000, "PT3600S"),
            (i64::MIN, "PT-9223372036854775.808S"),
        ];
        for (ms, expected) in texts {
            let mut out = Vec::new();
            write_duration(&mut out, ms);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }

    #[test]
    fn timestamps_are_written_in_full_and_kept_in_range() {
        assert_eq!(timestamp(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp(-1), "1969-12-31T23:59:59.999Z");
        assert_eq!(timestamp(i64::MIN), "0001-01-01T00:00:00.000Z");
        assert_eq!(timestamp(i64::MAX), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_day_agrees_with_the_calendar_of_chrono() {
        let first = NaiveDate::from_ymd_opt(1, 1, 1).expect("a date");
        for (index, date) in first.iter_days().take_while(|date| *date <= NaiveDate::MAX).take(3_652_059).enumerate() {
            let ms = MIN_TIME + index as i64 * DAY;
            let expected = (date.year() as u32, date.month(), date.day());
            let (year, month, day) = civil_from_days(index as u32);
            assert_eq!((year, month, day), expected, "{date}");
            assert_eq!(days_from_civil(year.into(), month.into(), day.into()) * DAY, ms, "{date}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_time_reads_back_as_chrono_writes_it(ms in MIN_TIME..=MAX_TIME) {
            let text = timestamp(ms);
            let theirs = DateTime::from_timestamp_millis(ms).expect("in range");
            proptest::prop_assert_eq!(&text, &theirs.to_rfc3339_opts(SecondsFormat::Millis, true));
            proptest::prop_assert_eq!(parse_rfc3339(text.as_bytes()), Some(ms));
        }
    }
}

//! The functions of expressions, and the texts their literals may have.

use chrono::DateTime;

use super::format::{MAX_TIME, MIN_TIME};
use super::node::{Curve, Part, Search};

/// What a function does; the table below says how it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// `has(name)`
    Has,
    /// `text.startsWith(text)` and the like
    Search(Search),
    /// `text.matches('pattern')`
    Matches,
    /// `size(text)`
    Size,
    /// `int(..)`
    Int,
    /// `double(..)`
    Double,
    /// `string(..)`
    Text,
    /// `abs(..)`
    Absolute,
    /// `min(..)`
    Smallest,
    /// `max(..)`
    Greatest,
    /// `prefix(ip, v4bits, v6bits)`
    Prefix,
    /// `timestamp('..')`
    Timestamp,
    /// `duration('..')`
    Duration,
    /// `list('..')`
    List,
    /// `sqrt(double)` and the like
    Curve(Curve),
    /// `pow(double, double)`
    Power,
    /// `time.getHours('zone')` and the like; the second part is for durations
    Part(Part, Option<Part>),
}

/// All functions: name, what it does, how it is written.
pub const FUNCTIONS: &[(&str, Function, &str)] = &[
    ("has", Function::Has, "has(name)"),
    ("startsWith", Function::Search(Search::Start), "text.startsWith(text)"),
    ("endsWith", Function::Search(Search::End), "text.endsWith(text)"),
    ("contains", Function::Search(Search::Anywhere), "text.contains(text)"),
    ("matches", Function::Matches, "text.matches('pattern')"),
    ("size", Function::Size, "size(text)"),
    ("int", Function::Int, "int(value)"),
    ("double", Function::Double, "double(value)"),
    ("string", Function::Text, "string(value)"),
    ("abs", Function::Absolute, "abs(value)"),
    ("min", Function::Smallest, "min(value, value)"),
    ("max", Function::Greatest, "max(value, value)"),
    ("prefix", Function::Prefix, "prefix(ip, 24, 48)"),
    ("timestamp", Function::Timestamp, "timestamp('2026-01-31T08:00:00Z')"),
    ("duration", Function::Duration, "duration('15m')"),
    ("list", Function::List, "value in list('name')"),
    ("sqrt", Function::Curve(Curve::Sqrt), "sqrt(double)"),
    ("ln", Function::Curve(Curve::Ln), "ln(double)"),
    ("log10", Function::Curve(Curve::Log10), "log10(double)"),
    ("exp", Function::Curve(Curve::Exp), "exp(double)"),
    ("pow", Function::Power, "pow(double, double)"),
    ("getFullYear", Function::Part(Part::Year, None), "time.getFullYear('zone')"),
    ("getMonth", Function::Part(Part::Month, None), "time.getMonth('zone')"),
    ("getDate", Function::Part(Part::Date, None), "time.getDate('zone')"),
    ("getDayOfMonth", Function::Part(Part::DayOfMonth, None), "time.getDayOfMonth('zone')"),
    ("getDayOfWeek", Function::Part(Part::DayOfWeek, None), "time.getDayOfWeek('zone')"),
    ("getDayOfYear", Function::Part(Part::DayOfYear, None), "time.getDayOfYear('zone')"),
    ("getHours", Function::Part(Part::Hour, Some(Part::TotalHours)), "time.getHours('zone')"),
    ("getMinutes", Function::Part(Part::Minute, Some(Part::TotalMinutes)), "time.getMinutes('zone')"),
    ("getSeconds", Function::Part(Part::Second, Some(Part::TotalSeconds)), "time.getSeconds('zone')"),
    (
        "getMilliseconds",
        Function::Part(Part::Millisecond, Some(Part::RestMilliseconds)),
        "time.getMilliseconds('zone')",
    ),
];

/// Units of durations, greatest first, in ms.
const UNITS: [(&str, i64); 6] =
    [("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
/// Longest duration, ms: 36500 days.
const LONGEST: i64 = 36_500 * 86_400_000;

/// Reads `500ms`, `15m`, `1h30m`: units each at most once, greater ones first. In ms; `None` for anything else and
/// for more than 36500 days.
pub fn parse_duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, after) = rest.split_at(digits);
        let letters = after.bytes().take_while(u8::is_ascii_lowercase).count();
        let (unit, next) = after.split_at(letters);
        let (_, length) = units.find(|(known, _)| *known == unit)?;
        let value: i64 = number.parse().ok()?;
        total = total.checked_add(value.checked_mul(*length)?)?;
        rest = next;
    }
    (!text.is_empty() && total <= LONGEST).then_some(total)
}

/// Reads an RFC 3339 time with offset; `T` between date and time, no leap second. In ms, finer digits cut.
pub fn parse_timestamp(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.get(10) != Some(&b'T') || bytes.get(17) == Some(&b'6') {
        return None;
    }
    let time = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
    (MIN_TIME..=MAX_TIME).contains(&time).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let check = |text, expected| assert_eq!(parse_duration(text), expected, "{text}");
        check("500ms", Some(500));
        check("15m", Some(900_000));
        check("1h30m", Some(5_400_000));
        check("2w1d", Some(15 * 86_400_000));
        check("0s", Some(0));
        check("36500d", Some(LONGEST));
        for bad in
            ["", "15", "m", "1.5h", "-1h", "+1h", "1h 30m", "30m1h", "1h1h", "36501d", "1y", "99999999999999999999s"]
        {
            check(bad, None);
        }
    }

    #[test]
    fn timestamps() {
        let check = |text, expected| assert_eq!(parse_timestamp(text), expected, "{text}");
        check("1970-01-01T00:00:00Z", Some(0));
        check("1970-01-01T08:00:00.0019+08:00", Some(1));
        check("1969-12-31T23:59:59.9999Z", Some(-1));
        check("0001-01-01T00:00:00Z", Some(MIN_TIME));
        for bad in [
            "1970-01-01 00:00:00Z",
            "1970-01-01T00:00:60Z",
            "1970-01-01T00:00:00",
            "0000-12-31T00:00:00Z",
            "",
            "1970-02-30T00:00:00Z",
        ] {
            check(bad, None);
        }
    }
}

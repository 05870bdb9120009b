//! When a line of a log was written. Logs write time in many ways; what is needed here is the instant, to the
//! millisecond, in UTC or with the offset the log gives.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, TimeZone, Utc};
use regex::{Captures, Regex};

/// The year of logs without one, as in the dates expected of them.
const YEAR: i32 = 2026;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Ways to write time, tried in this order.
static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    let clock = r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,](?P<fraction>\d+))?";
    let forms = [
        r#"(?:^|"ts":)(?P<unix>1\d{9})\."#.to_owned(),
        format!(
            r"\b(?P<month>\d\d)/(?P<day>\d\d)/(?P<year>\d{{4}}|\d\d),? {clock}(?: (?P<half>[AP]M)(?: [A-Z]{{3}})?)?"
        ),
        format!(
            r"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)(?:T| +| - | time=){clock}(?P<offset>Z|[+-]\d\d:?\d\d)?"
        ),
        format!(
            r"(?P<day>\d{{1,2}})/(?P<month>[A-Z][a-z]{{2}})/(?P<year>\d{{4}})[: ]{clock}(?: (?P<offset>[+-]\d{{4}}))?"
        ),
        format!(r"(?P<month>[A-Z][a-z]{{2}}) +(?P<day>\d{{1,2}}) {clock}(?: (?P<year>\d{{4}})\b)?"),
    ];
    forms.iter().map(|form| Regex::new(form).expect("a pattern")).collect()
});

/// The instant in milliseconds: `None` for what is not a time (a second 83), a fixed one where a line has none at all.
pub fn of_line(line: &str) -> Option<i64> {
    let Some(captures) = FORMS.iter().find_map(|form| form.captures(line)) else {
        return Some(Utc.with_ymd_and_hms(YEAR, 1, 1, 0, 0, 0).single()?.timestamp_millis());
    };
    match captures.name("unix") {
        Some(unix) => Some(unix.as_str().parse::<i64>().ok()? * 1000),
        None => of_parts(&captures),
    }
}

/// As the output writes it, cut to the second.
pub fn second(millis: i64) -> String {
    let time = DateTime::from_timestamp_millis(millis).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%S").to_string()
}

fn of_parts(captures: &Captures<'_>) -> Option<i64> {
    let number = |name| captures.name(name).and_then(|part| part.as_str().parse::<u32>().ok());
    let year = number("year").map_or(YEAR, |year| if year < 100 { 2000 + year } else { year } as i32);
    let month = captures.name("month")?.as_str();
    let month =
        MONTHS.iter().zip(1..).find_map(|(name, number)| (*name == month).then_some(number)).or(number("month"));
    let date = NaiveDate::from_ymd_opt(year, month?, number("day")?)?;
    let hour = match captures.name("half").map(|half| half.as_str()) {
        Some("PM") => number("hour")? % 12 + 12,
        Some(_) => number("hour")? % 12,
        None => number("hour")?,
    };
    let fraction = captures.name("fraction").map_or("", |fraction| fraction.as_str());
    let millis = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    let local = date.and_hms_milli_opt(hour, number("minute")?, number("second")?, millis)?;
    Some(local.and_utc().timestamp_millis() - offset_millis(captures))
}

fn offset_millis(captures: &Captures<'_>) -> i64 {
    let Some(offset) = captures.name("offset").map(|offset| offset.as_str().replace(':', "")) else { return 0 };
    let Ok(number) = offset.parse::<i64>() else { return 0 };
    (number / 100 * 60 + number % 100) * 60_000
}

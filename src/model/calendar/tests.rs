//! Calendar periods at the known oddities of clocks, and against a walk through whole years minute by minute.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::Period::{Day, Month, Week, Year};
use super::*;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;

fn instant(text: &str) -> i64 {
    DateTime::parse_from_rfc3339(text).expect("an instant").timestamp_millis()
}

fn zone(name: &str) -> Tz {
    name.parse().expect("a zone")
}

fn check(name: &str, period: Period, time: &str, start: &str, end: &str) {
    let (zone, time) = (zone(name), instant(time));
    let expected = instant(start)..instant(end);
    assert_eq!(period_bounds(zone, period, time), expected, "{name} {period:?} {time}");
    assert_eq!(period_start(zone, period, time), expected.start);
    let mut cache = CalendarCache::new(zone, period);
    assert_eq!([cache.period_start(time), cache.period_start(time)], [expected.start; 2]);
}

#[test]
fn ordinary_periods() {
    let (shanghai, noon) = ("Asia/Shanghai", "2026-11-22T12:00:00+08:00");
    check(shanghai, Day, noon, "2026-11-22T00:00:00+08:00", "2026-11-23T00:00:00+08:00");
    check(shanghai, Week, noon, "2026-11-16T00:00:00+08:00", "2026-11-23T00:00:00+08:00");
    check(shanghai, Month, noon, "2026-11-01T00:00:00+08:00", "2026-12-01T00:00:00+08:00");
    check(shanghai, Year, noon, "2026-01-01T00:00:00+08:00", "2027-01-01T00:00:00+08:00");
    check("UTC", Day, "2024-02-29T23:59:59.999Z", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z");
    check("UTC", Week, "2021-01-01T00:00:00Z", "2020-12-28T00:00:00Z", "2021-01-04T00:00:00Z");
    check("UTC", Month, "1969-12-31T23:59:59.999Z", "1969-12-01T00:00:00Z", "1970-01-01T00:00:00Z");
}

#[test]
fn a_midnight_that_does_not_exist() {
    let cases = [
        ("America/Sao_Paulo", "2018-11-04T12:00:00-02:00", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"),
        ("Asia/Beirut", "2022-03-27T12:00:00+03:00", "2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z"),
        ("Africa/Cairo", "2023-04-28T12:00:00+03:00", "2023-04-27T22:00:00Z", "2023-04-28T21:00:00Z"),
        ("America/Toronto", "1919-03-31T12:00:00Z", "1919-03-31T04:30:00Z", "1919-04-01T04:00:00Z"),
    ];
    for (zone, time, start, end) in cases {
        check(zone, Day, time, start, end);
    }
}

#[test]
fn a_midnight_that_comes_twice() {
    let cases = [
        ("America/Havana", "2023-11-05T12:00:00-05:00", "2023-11-05T04:00:00Z", "2023-11-06T05:00:00Z"),
        ("Atlantic/Azores", "2023-10-29T12:00:00-01:00", "2023-10-29T00:00:00Z", "2023-10-30T01:00:00Z"),
        // From midnight back to 23:00: the day before has 25 hours, midnight comes once.
        ("America/Sao_Paulo", "2019-02-17T12:00:00-03:00", "2019-02-17T03:00:00Z", "2019-02-18T03:00:00Z"),
        ("America/Sao_Paulo", "2019-02-16T23:30:00-03:00", "2019-02-16T02:00:00Z", "2019-02-17T03:00:00Z"),
        // From 00:01 back to 23:01: a minute of the new day, then the end of the old one again.
        ("America/Moncton", "2006-10-29T00:00:30-03:00", "2006-10-29T03:00:00Z", "2006-10-30T04:00:00Z"),
        ("America/Moncton", "2006-10-28T23:30:00-04:00", "2006-10-28T03:00:00Z", "2006-10-29T04:00:00Z"),
        ("America/Moncton", "2006-10-29T12:00:00-04:00", "2006-10-29T03:00:00Z", "2006-10-30T04:00:00Z"),
    ];
    for (zone, time, start, end) in cases {
        check(zone, Day, time, start, end);
    }
}

#[test]
fn days_left_out_and_old_offsets() {
    let apia = "Pacific/Apia";
    check(apia, Day, "2011-12-30T09:59:59Z", "2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z");
    check(apia, Day, "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z");
    check(apia, Week, "2011-12-31T12:00:00Z", "2011-12-26T10:00:00Z", "2012-01-01T10:00:00Z");
    // Local mean time: Shanghai is 8:05:43 ahead.
    check("Asia/Shanghai", Day, "1890-05-05T12:00:00Z", "1890-05-04T15:54:17Z", "1890-05-05T15:54:17Z");
    check("Asia/Shanghai", Year, "0001-06-01T00:00:00Z", "0000-12-31T15:54:17Z", "0001-12-31T15:54:17Z");
}

#[test]
fn the_ends_of_time_do_not_panic() {
    let shanghai = zone("Asia/Shanghai");
    let last = instant("9999-12-31T23:59:59.999Z");
    assert_eq!(period_start(shanghai, Year, last), instant("9999-12-31T16:00:00Z"));
    for period in [Day, Week, Month, Year] {
        for time in
            [i64::MIN, -HORIZON - 1, -HORIZON, HORIZON, HORIZON + 1, i64::MAX, last, instant("0001-01-01T00:00:00Z")]
        {
            let bounds = period_bounds(shanghai, period, time);
            assert!(bounds.start <= time && (time < bounds.end || time == i64::MAX), "{period:?} {time} {bounds:?}");
            assert_eq!(CalendarCache::new(shanghai, period).period_start(time), bounds.start);
        }
    }
}

/// Walks from December to January two years on, and compares every minute in between.
fn walk(name: &str, year: i32) {
    let zone = zone(name);
    let (from, to) =
        (instant(&format!("{:04}-12-01T00:00:00Z", year - 1)), instant(&format!("{:04}-02-01T00:00:00Z", year + 1)));
    for period in [Day, Week, Month] {
        let date = |time: i64| first_date(period, local(zone, time).date());
        let mut spans: BTreeMap<NaiveDate, Range<i64>> = BTreeMap::new();
        for time in (from..to).step_by(MINUTE as usize) {
            spans.entry(date(time)).or_insert(time..time).end = time + MINUTE;
        }
        let mut cache = CalendarCache::new(zone, period);
        let inner = from + 32 * 24 * HOUR..to - 32 * 24 * HOUR;
        for time in inner.step_by(MINUTE as usize) {
            let span = &spans[&date(time)];
            assert_eq!(cache.period_start(time), span.start, "{name} {period:?} {time}");
            if time % (37 * MINUTE) == 0 || cache.recent.iter().all(|known| !(known.from..known.to).contains(&time)) {
                assert_eq!(period_bounds(zone, period, time), *span, "{name} {period:?} {time}");
            }
        }
    }
}

#[test]
fn whole_years_minute_by_minute() {
    let cases = [
        ("America/Sao_Paulo", 2018),
        ("America/Havana", 2023),
        ("Asia/Beirut", 2022),
        ("America/Moncton", 2006),
        ("Pacific/Apia", 2011),
        ("Pacific/Kwajalein", 1969),
        ("America/Sitka", 1983),
        ("Africa/Cairo", 2010),
        ("Australia/Lord_Howe", 2020),
    ];
    for (name, year) in cases {
        walk(name, year);
    }
}

proptest! {
    #[test]
    fn a_period_holds_its_instants(
        index in 0..chrono_tz::TZ_VARIANTS.len(),
        time in -62_135_596_800_000i64..253_402_300_800_000,
        steps in prop::collection::vec(-40 * HOUR..40 * HOUR, 1..20),
    ) {
        let zone = chrono_tz::TZ_VARIANTS[index];
        for period in [Day, Week, Month, Year] {
            let mut cache = CalendarCache::new(zone, period);
            for time in steps.iter().map(|step| time + step) {
                let bounds = period_bounds(zone, period, time);
                prop_assert!(bounds.contains(&time));
                prop_assert_eq!(cache.period_start(time), bounds.start);
                let date = |time: i64| first_date(period, local(zone, time).date());
                prop_assert_eq!(date(bounds.start), date(time));
                prop_assert_eq!(date(bounds.end - 1), date(time));
                prop_assert!(date(bounds.start - 1) < date(time));
                prop_assert!(date(bounds.end) > date(time));
            }
        }
    }
}

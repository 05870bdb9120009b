//! Time zones of timestamp accessors: UTC offsets of instants, looked up cheaply for neighbouring instants.

use chrono::{DateTime, FixedOffset, Offset, TimeZone, Utc};
use chrono_tz::Tz;

use super::fault::nearest;

const HOUR: i64 = 3_600_000;

/// A time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Zone {
    /// A fixed distance from UTC, ms.
    Fixed(i64),
    /// A zone of the time zone database.
    Named(Tz),
}

impl Zone {
    /// Reads an IANA name or an offset such as `+08:00`; else what to write instead, where something is near.
    pub fn parse(text: &str) -> Result<Zone, Option<String>> {
        if let Some(offset) = fixed_offset(text) {
            return Ok(Zone::Fixed(offset));
        }
        text.parse().map(Zone::Named).map_err(|_| nearest(text, chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name())))
    }

    /// Distance from UTC at an instant, ms.
    pub fn offset(self, time: i64) -> i64 {
        match self {
            Zone::Fixed(offset) => offset,
            Zone::Named(zone) => named_offset(zone, time),
        }
    }
}

/// `+08:00`, `-05:30`, also without sign as in CEL.
fn fixed_offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let bytes = digits.as_bytes();
    let shape = bytes.len() == 5 && bytes[2] == b':';
    if !shape || !bytes.iter().enumerate().all(|(index, byte)| index == 2 || byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits[..2].parse().ok()?;
    let minutes: i64 = digits[3..].parse().ok()?;
    (hours < 24 && minutes < 60).then(|| sign * (hours * 60 + minutes) * 60_000)
}

fn named_offset(zone: Tz, time: i64) -> i64 {
    let utc = DateTime::<Utc>::from_timestamp_millis(time).unwrap_or_default().naive_utc();
    let offset: FixedOffset = zone.offset_from_utc_datetime(&utc).fix();
    i64::from(offset.local_minus_utc()) * 1000
}

/// Remembers the offset of the hour last asked for: a zone changes its offset at most once within an hour, so equal
/// offsets at both ends hold in between.
#[derive(Debug, Clone, Copy, Default)]
pub struct OffsetCache {
    /// The hour (since the epoch) and the offset all through it.
    known: Option<(i64, i64)>,
}

impl OffsetCache {
    /// Distance from UTC at an instant, ms.
    pub fn offset(&mut self, zone: Zone, time: i64) -> i64 {
        let hour = time.div_euclid(HOUR);
        match self.known {
            Some((known, offset)) if known == hour => offset,
            _ => self.look_up(zone, time, hour),
        }
    }

    fn look_up(&mut self, zone: Zone, time: i64, hour: i64) -> i64 {
        let first = zone.offset(hour * HOUR);
        if first != zone.offset(hour * HOUR + HOUR - 1) {
            return zone.offset(time);
        }
        self.known = Some((hour, first));
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_offsets() {
        assert_eq!(Zone::parse("+08:00"), Ok(Zone::Fixed(8 * HOUR)));
        assert_eq!(Zone::parse("-05:30"), Ok(Zone::Fixed(-5 * HOUR - HOUR / 2)));
        assert_eq!(Zone::parse("Asia/Shanghai"), Ok(Zone::Named(Tz::Asia__Shanghai)));
        assert_eq!(Zone::parse("Asia/Shangai"), Err(Some("Asia/Shanghai".to_owned())));
        for bad in ["", "+8:00", "+24:00", "+08:60", "+0800", "Ü8:00"] {
            assert!(Zone::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_cache_agrees_with_the_database_across_changes() {
        let zone = Zone::Named(Tz::America__New_York);
        let mut cache = OffsetCache::default();
        // 2026-03-08T07:00:00Z and 2026-11-01T06:00:00Z: clocks change; an odd step visits all minutes.
        for change in [1_772_953_200_000_i64, 1_793_512_800_000] {
            for step in -40..40 {
                let time = change + step * 7 * 60_000 - 1;
                assert_eq!(cache.offset(zone, time), zone.offset(time), "{time}");
            }
        }
        assert_eq!(zone.offset(1_772_953_200_000 - 1), -5 * HOUR);
        assert_eq!(zone.offset(1_772_953_200_000), -4 * HOUR);
    }
}

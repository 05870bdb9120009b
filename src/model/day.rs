//! Times of one day after another: the date of the time before is remembered, so only the clock is read.
//!
//! Events come nearly in order, and nearly all times are written like `2026-11-22T08:00:00.000Z`.

use super::time::parse_rfc3339;

/// Reads timestamps as [`parse_rfc3339`] does, faster where the date is that of the time before.
#[derive(Debug, Clone, Copy, Default)]
pub struct Day {
    /// The date and the `T` as two words, the second of three bytes.
    date: [u64; 2],
    /// Where the day starts, in ms since the epoch.
    start: i64,
}

/// The bytes of the date and its `T` in the second word.
const DATE_END: u64 = 0xff_ffff;
/// The bytes of a clock as written at midnight, behind the date; the digits are those that may differ.
const MIDNIGHT: [u64; 2] = [u64::from_le_bytes(*b"00:00\0\0\0"), u64::from_le_bytes(*b":00.000Z")];
/// Added to the bytes that differ from midnight, these carry into the high bit what is no digit or no separator.
const CARRY: [u64; 2] = [
    u64::from_le_bytes([0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x7f, 0x7f]),
    u64::from_le_bytes([0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76, 0x76, 0x7f]),
];
const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);

impl Day {
    /// The time in ms since the epoch; `None` where [`parse_rfc3339`] gives none.
    #[inline]
    pub fn time(&mut self, text: &[u8]) -> Option<i64> {
        self.same_day(text).or_else(|| self.other_day(text))
    }

    /// A time with milliseconds in UTC on the remembered day.
    #[inline(always)]
    fn same_day(&self, text: &[u8]) -> Option<i64> {
        let [first, second, third] = words(text)?;
        if first != self.date[0] || second & DATE_END != self.date[1] {
            return None;
        }
        let (minutes, seconds) = ((second >> 24) ^ MIDNIGHT[0], third ^ MIDNIGHT[1]);
        let digit = |word: u64, at: u32| (word >> (8 * at) & 0xff) as i64;
        let two = |word: u64, at: u32| digit(word, at) * 10 + digit(word, at + 1);
        let carries = minutes.wrapping_add(CARRY[0]) | seconds.wrapping_add(CARRY[1]) | minutes | seconds;
        let (hour, minute, second) = (two(minutes, 0), two(minutes, 3), two(seconds, 1));
        if carries & HIGHS != 0 || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let millis = two(seconds, 4) * 10 + digit(seconds, 6);
        Some(self.start + (hour * 3_600 + minute * 60 + second) * 1_000 + millis)
    }

    #[inline(never)]
    fn other_day(&mut self, text: &[u8]) -> Option<i64> {
        let time = parse_rfc3339(text)?;
        let midnight = text.get(..11).map(|date| [date, b"00:00:00Z"].concat());
        if let (Some([first, second, _]), Some(midnight)) = (words(text), midnight) {
            self.start = parse_rfc3339(&midnight)?;
            self.date = [first, second & DATE_END];
        }
        Some(time)
    }
}

/// A text of 24 bytes as words.
#[inline(always)]
fn words(text: &[u8]) -> Option<[u64; 3]> {
    let (words, []) = text.as_chunks::<8>() else { return None };
    let words: &[[u8; 8]; 3] = words.try_into().ok()?;
    Some(words.map(u64::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_of_a_known_day_is_read_as_strictly_as_any_time() {
        let mut day = Day::default();
        let good = *b"2026-11-22T08:59:07.123Z";
        assert_eq!(day.time(&good), parse_rfc3339(&good));
        for at in 0..good.len() {
            for byte in 0..=u8::MAX {
                let mut text = good;
                text[at] = byte;
                assert_eq!(day.time(&text), parse_rfc3339(&text), "{}", String::from_utf8_lossy(&text));
            }
        }
        for text in ["", "2026-11-22T08:59:07.123", "2026-11-22T08:59:07.123+", "2026-11-22T08:59:07.123Z00000000"] {
            assert_eq!(day.time(text.as_bytes()), parse_rfc3339(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn days_follow_one_another_in_any_order() {
        let mut day = Day::default();
        let times = [
            "0000-00-00T00:00:00.000Z",
            "0001-01-01T00:00:00.000Z",
            "0001-01-01T23:59:59.999Z",
            "9999-12-31T23:59:59.999Z",
            "2026-11-22T24:00:00.000Z",
            "2026-11-22T23:59:59.999Z",
            "2026-11-22t23:59:60.999Z",
            "2026-11-22t23:59:59.999z",
            "2026-11-22T00:00:00.000000000000Z",
            "2026-11-22T00:30:00+01:00",
            "2026-11-21T12:00:00.00+01:00",
            "2026-11-21T12:00:00.001Z",
            "0001-01-01T00:00:00.0+00:01",
        ];
        for text in times.iter().chain(times.iter().rev()).chain(&times) {
            assert_eq!(day.time(text.as_bytes()), parse_rfc3339(text.as_bytes()), "{text}");
        }
    }
}

//! Sizes as people write them: `65536`, `64KiB`, `4MiB`, `1GiB`.

/// The units with their bytes.
const UNITS: [(&str, i64); 5] = [("", 1), ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
/// What sizes look like, for people.
pub const SIZE_FORM: &str = "a size such as `64KiB`, `4MiB` or `1GiB`";

/// Reads a size in bytes; `None` where it is none or beyond i64.
pub fn parse_size(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<i64>().ok()?.checked_mul(*factor)
}

/// Writes a size in the greatest unit that divides it.
pub fn write_size(bytes: i64) -> String {
    let fits = |(_, factor): &&(&str, i64)| bytes != 0 && bytes % factor == 0;
    let (unit, factor) = UNITS.iter().rev().find(fits).unwrap_or(&UNITS[0]);
    let unit = if *factor == 1 { "B" } else { unit };
    format!("{}{unit}", bytes / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written() {
        for (text, expected) in [
            ("0", Some(0)),
            ("65536", Some(65_536)),
            ("64KiB", Some(65_536)),
            ("3MiB", Some(3 << 20)),
            ("1GiB", Some(1 << 30)),
            ("12B", Some(12)),
            ("", None),
            ("KiB", None),
            ("64 KiB", None),
            ("64KB", None),
            ("64kib", None),
            ("1.5MiB", None),
            ("-1", None),
            ("9999999999GiB", None),
            ("٣KiB", None),
        ] {
            assert_eq!(parse_size(text), expected, "{text}");
        }
        for (bytes, expected) in [(0, "0B"), (1000, "1000B"), (65_536, "64KiB"), (3 << 20, "3MiB"), (1536, "1536B")] {
            assert_eq!(write_size(bytes), expected);
            assert_eq!(parse_size(expected), Some(bytes));
        }
    }
}

//! Numbers by the JSON grammar: where one ends, and what it says.
//!
//! Both JSON paths and CSV cells use these, so a number is read alike wherever it stands.

/// The position after the JSON number that starts at `at`; the position of the fault if there is none.
#[inline]
pub(super) fn number_end(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start + usize::from(bytes.get(start) == Some(&b'-'));
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits_end(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        at = digits_end(bytes, at)?;
    }
    Ok(at)
}

/// The position after one or more digits.
#[inline]
fn digits_end(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    if at == start { Err(at) } else { Ok(at) }
}

/// Whether the whole text is one JSON number.
pub(super) fn is_number(text: &[u8]) -> bool {
    number_end(text, 0) == Ok(text.len())
}

/// The value of a JSON number without fraction and exponent, if it fits i64.
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    if !is_number(text) {
        return None;
    }
    // What is left of the grammar without fraction and exponent is what `i64` reads; it refuses those two.
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The value of a JSON number as the nearest double; `None` beyond the finite doubles.
pub(super) fn double(text: &[u8]) -> Option<f64> {
    if !is_number(text) {
        return None;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    value.is_finite().then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grammar_is_json() {
        for good in ["0", "-0", "10", "1.5", "0.0", "-1.25e+10", "1E9", "1e-400", "123456789012345678901234567890"] {
            assert!(is_number(good.as_bytes()), "{good}");
        }
        for bad in
            ["", "-", "01", "-01", "+1", ".5", "1.", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "Infinity", "٣", "1.e5"]
        {
            assert!(!is_number(bad.as_bytes()), "{bad}");
        }
    }

    #[test]
    fn values_stay_in_range() {
        let integers = [
            ("0", Some(0)),
            ("-0", Some(0)),
            ("9223372036854775807", Some(i64::MAX)),
            ("9223372036854775808", None),
            ("-9223372036854775808", Some(i64::MIN)),
            ("1.0", None),
            ("1e2", None),
            ("+1", None),
        ];
        for (text, expected) in integers {
            assert_eq!(integer(text.as_bytes()), expected, "{text}");
        }
        for (text, expected) in [("1e308", Some(1e308)), ("1e309", None), ("-1e999", None), ("5e-999", Some(0.0))] {
            assert_eq!(double(text.as_bytes()), expected, "{text}");
        }
    }
}

//! Numbers by the JSON grammar: where one ends, and what it says.
//!
//! Both JSON paths and CSV cells use these, so a number is read alike wherever it stands.

use crate::model::decimal::{Decimal, leading_decimal, short_decimal};

/// The position after the JSON number that starts at `at`; the position of the fault if there is none.
#[inline(never)]
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
#[inline(always)]
pub(super) fn integer(text: &[u8]) -> Option<i64> {
    // Classes and counts have one digit.
    if let [digit @ b'0'..=b'9'] = text {
        return Some(i64::from(digit - b'0'));
    }
    long_integer(text)
}

fn long_integer(text: &[u8]) -> Option<i64> {
    if !is_number(text) {
        return None;
    }
    // What is left of the grammar without fraction and exponent is what `i64` reads; it refuses those two.
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The powers of ten up to the longest fraction of a short decimal; each is an exact double.
const POWERS: [f64; 8] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7];

/// The value of a JSON number as the nearest double; `None` beyond the finite doubles.
#[inline]
pub(super) fn double(text: &[u8]) -> Option<f64> {
    short_double(text).or_else(|| any_double(text))
}

/// The double at `at` and the position after it, if some bytes follow; `None` beyond the finite doubles.
#[inline(always)]
pub(super) fn double_at(text: &[u8], at: usize) -> Option<(f64, usize)> {
    short_double_at(text, at).or_else(|| any_double_at(text, at))
}

/// The nearest double of a number of few digits before a comma or the end of an object.
#[inline(always)]
fn short_double_at(text: &[u8], at: usize) -> Option<(f64, usize)> {
    let negative = text.get(at) == Some(&b'-');
    let start = at + usize::from(negative);
    let word = text.get(start..start + 8)?.first_chunk::<8>()?;
    let decimal = leading_decimal(u64::from_le_bytes(*word))?;
    let end = start + decimal.length();
    if !matches!(text.get(end), Some(b',' | b'}')) {
        return None;
    }
    Some((nearest(decimal, word[0], negative)?, end))
}

#[inline(never)]
fn any_double_at(text: &[u8], at: usize) -> Option<(f64, usize)> {
    let end = number_end(text, at).ok()?;
    Some((double(&text[at..end])?, end))
}

/// The nearest double of a JSON number of few digits and no exponent; `None` for others and for what is no number.
#[inline]
fn short_double(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    nearest(short_decimal(digits)?, digits[0], negative)
}

/// The double nearest to a decimal, given its first digit; `None` if that is a zero too many.
///
/// Digits and power of ten are exact, so the one division rounds just as reading the text does.
#[inline(always)]
fn nearest(decimal: Decimal, first: u8, negative: bool) -> Option<f64> {
    if decimal.whole > 1 && first == b'0' {
        return None;
    }
    let value = decimal.mantissa as f64 / POWERS.get(decimal.fraction as usize)?;
    Some(if negative { -value } else { value })
}

#[cold]
fn any_double(text: &[u8]) -> Option<f64> {
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

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

        #[test]
        fn doubles_end_where_the_grammar_ends_them(text in "-?[0-9]{0,9}[.]?[0-9]{0,9}[-+e.,} ]?[0-9]{0,3}") {
            let behind = format!("{text},1234567");
            let expected = number_end(behind.as_bytes(), 0).ok().and_then(|end| {
                let value: f64 = behind[..end].parse().ok()?;
                value.is_finite().then_some((value.to_bits(), end))
            });
            let found = double_at(behind.as_bytes(), 0).map(|(value, end)| (value.to_bits(), end));
            if let Some(b',' | b'}') = expected.and_then(|(_, end)| behind.as_bytes().get(end)) {
                proptest::prop_assert_eq!(found, expected, "{}", text);
            }
        }

        #[test]
        fn short_decimals_read_as_the_standard_library_reads_them(text in "-?[0-9]{0,9}[.]?[0-9]{0,9}[e.]?") {
            let expected = is_number(text.as_bytes()).then(|| text.parse::<f64>().ok()).flatten();
            let (found, expected) = (double(text.as_bytes()).map(f64::to_bits), expected.map(f64::to_bits));
            proptest::prop_assert_eq!(found, expected, "{}", text);
        }
    }
}

//! Numbers as written: exact decimals of literals, and the number texts that `int()` and `double()` accept.
//!
//! A literal is kept as written until its partner in a comparison is known: against money it is an exact decimal
//! in major units, against everything else an i64 or the nearest f64.

use std::cmp::Ordering;

/// The greatest whole number not above an exact number, and whether it equals it; beyond i64 the nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// The number is whole.
    Exact(i64),
    /// The number lies between this and the next.
    Below(i64),
    /// Less than every i64.
    TooSmall,
    /// Greater than every i64.
    TooLarge,
}

/// `-?[0-9]+` within i64, ASCII only.
pub fn parse_int(text: &[u8]) -> Option<i64> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A finite number `-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?`, ASCII only; the nearest f64.
pub fn parse_double(text: &[u8]) -> Option<f64> {
    let unsigned = text.strip_prefix(b"-").unwrap_or(text);
    let mut rest = skip_digits(unsigned)?;
    if let Some(fraction) = rest.strip_prefix(b".") {
        rest = skip_digits(fraction)?;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let digits = exponent.strip_prefix(b"+").or(exponent.strip_prefix(b"-")).unwrap_or(exponent);
        rest = skip_digits(digits)?;
    }
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (rest.is_empty() && value.is_finite()).then_some(value)
}

/// What follows one or more digits.
fn skip_digits(text: &[u8]) -> Option<&[u8]> {
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then(|| &text[count..])
}

/// Places a decimal text such as `-12.50e3`, times `10^shift`, among the whole numbers; exactly.
pub fn floor(text: &str, shift: u32) -> Option<Floor> {
    let (negative, unsigned) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).skip_while(|digit| *digit == b'0').collect();
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    // A text of a few KiB; an exponent beyond that decides alone.
    let exponent: i64 = exponent.strip_prefix('+').unwrap_or(exponent).parse().ok()?;
    let point = (digits.len() as i64).saturating_add(exponent.saturating_add(i64::from(shift))) - fraction.len() as i64;
    Some(place(negative, &digits, point))
}

/// Places `0.DIGITS * 10^point`.
fn place(negative: bool, digits: &[u8], point: i64) -> Floor {
    if digits.is_empty() {
        return Floor::Exact(0);
    }
    if point > 19 {
        return if negative { Floor::TooSmall } else { Floor::TooLarge };
    }
    let kept = usize::try_from(point).unwrap_or(0);
    let whole =
        (0..kept).fold(0_i128, |sum, index| sum * 10 + digits.get(index).map_or(0, |digit| i128::from(digit - b'0')));
    let exact = digits.iter().skip(kept).all(|digit| *digit == b'0');
    let floor = match (negative, exact) {
        (false, _) => whole,
        (true, true) => -whole,
        (true, false) => -whole - 1,
    };
    fit(floor, exact)
}

/// Places a finite double among the whole numbers.
pub fn floor_double(value: f64) -> Floor {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if value >= LIMIT {
        Floor::TooLarge
    } else if value < -LIMIT {
        Floor::TooSmall
    } else {
        let floor = value.floor();
        fit(floor as i128, floor == value)
    }
}

fn fit(floor: i128, exact: bool) -> Floor {
    match i64::try_from(floor) {
        Ok(floor) if exact => Floor::Exact(floor),
        Ok(floor) => Floor::Below(floor),
        Err(_) if floor.cmp(&0) == Ordering::Less => Floor::TooSmall,
        Err(_) => Floor::TooLarge,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floors() {
        let check = |text, shift, expected| assert_eq!(floor(text, shift), Some(expected), "{text} * 10^{shift}");
        check("12.50", 2, Floor::Exact(1250));
        check("0.001", 2, Floor::Below(0));
        check("-0.001", 2, Floor::Below(-1));
        check("-0.01", 2, Floor::Exact(-1));
        check(".5", 0, Floor::Below(0));
        check("1e3", 2, Floor::Exact(100_000));
        check("1.5E-1", 1, Floor::Below(1));
        check("15e-1", 1, Floor::Exact(15));
        check("0e999999999999", 0, Floor::Exact(0));
        check("1e300", 0, Floor::TooLarge);
        check("-1e300", 0, Floor::TooSmall);
        check("1e-300", 2, Floor::Below(0));
        check("9223372036854775807", 0, Floor::Exact(i64::MAX));
        check("9223372036854775807.5", 0, Floor::Below(i64::MAX));
        check("9223372036854775808", 0, Floor::TooLarge);
        check("-9223372036854775808", 0, Floor::Exact(i64::MIN));
        check("-9223372036854775808.5", 0, Floor::TooSmall);
        check("99999999999999999999", 0, Floor::TooLarge);
    }

    #[test]
    fn floors_of_doubles() {
        assert_eq!(floor_double(2.5), Floor::Below(2));
        assert_eq!(floor_double(-2.5), Floor::Below(-3));
        assert_eq!(floor_double(-0.0), Floor::Exact(0));
        assert_eq!(floor_double(9.3e18), Floor::TooLarge);
        assert_eq!(floor_double(-9_223_372_036_854_775_808.0), Floor::Exact(i64::MIN));
        assert_eq!(floor_double(-9.3e18), Floor::TooSmall);
    }

    #[test]
    fn int_texts() {
        let check = |text: &str, expected| assert_eq!(parse_int(text.as_bytes()), expected, "{text}");
        check("-42", Some(-42));
        check("007", Some(7));
        check("-9223372036854775808", Some(i64::MIN));
        for bad in ["", "-", "+1", " 1", "1.0", "9223372036854775808", "\u{663}", "1_000", "--1"] {
            check(bad, None);
        }
    }

    #[test]
    fn double_texts() {
        let check = |text: &str, expected| assert_eq!(parse_double(text.as_bytes()), expected, "{text}");
        check("-1.5", Some(-1.5));
        check("1e3", Some(1000.0));
        check("1.25E-2", Some(0.0125));
        for bad in ["", ".", ".5", "5.", "+1", "inf", "NaN", "1e", "1e+", "1e400", "0x10", " 1", "1 ", "\u{663}"] {
            check(bad, None);
        }
    }
}

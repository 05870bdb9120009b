//! Money: currencies, amounts in minor units, and exact conversion.
//!
//! An amount is an `i64` number of minor units and is read digit by digit, never through a float: `0.29` must be
//! 29 cents on every machine. Conversion is integer arithmetic with one half-even rounding at the end.

use std::fmt;
use std::sync::LazyLock;

use thiserror::Error;

use super::decimal::short_decimal;

/// An ISO 4217 currency that has a minor unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    /// Three upper-case ASCII letters.
    pub code: [u8; 3],
    /// How many decimal digits its minor unit has: 2 for CNY, 0 for JPY, 3 for KWD.
    pub exponent: u32,
}

/// Marks a code without a minor unit, or no code at all, in [`EXPONENTS`].
const NO_MINOR_UNIT: u8 = u8::MAX;

/// Exponent per code, indexed by the three letters in base 26: looked up once per event with an amount.
static EXPONENTS: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let letters = b'A'..=b'Z';
    let codes = letters.clone().flat_map(|a| {
        let thirds = letters.clone();
        letters.clone().flat_map(move |b| thirds.clone().map(move |c| [a, b, c]))
    });
    codes.map(known_exponent).collect()
});

/// The exponent of one code as ISO 4217 lists it.
fn known_exponent(code: [u8; 3]) -> u8 {
    let known = std::str::from_utf8(&code).ok().and_then(iso_currency::Currency::from_code);
    let exponent = known.and_then(|currency| currency.exponent());
    exponent.and_then(|digits| u8::try_from(digits).ok()).unwrap_or(NO_MINOR_UNIT)
}

impl Currency {
    /// The currency of an upper-case ISO 4217 code; `None` for an unknown code or one without a minor unit (`XAU`).
    pub fn parse(code: &str) -> Option<Currency> {
        let code = <[u8; 3]>::try_from(code.as_bytes()).ok().filter(|code| code.iter().all(u8::is_ascii_uppercase))?;
        // Rule sets name few currencies: the table of all can wait for an event that needs it.
        let exponent = Some(known_exponent(code)).filter(|&exponent| exponent != NO_MINOR_UNIT)?;
        Some(Currency { code, exponent: u32::from(exponent) })
    }

    /// As [`Currency::parse`], for the bytes of a code and many times over.
    #[inline]
    pub fn of_code(code: [u8; 3]) -> Option<Currency> {
        if !code.iter().all(u8::is_ascii_uppercase) {
            return None;
        }
        let index = code.iter().fold(0, |index, letter| index * 26 + usize::from(letter - b'A'));
        let exponent = EXPONENTS[index];
        (exponent != NO_MINOR_UNIT).then_some(Currency { code, exponent: u32::from(exponent) })
    }

    /// The code as text.
    pub fn name(&self) -> &str {
        // The code is ASCII by construction, so the fallback is never taken.
        std::str::from_utf8(&self.code).unwrap_or("")
    }
}

/// Why an amount could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountFault {
    /// Not `[0-9]+(\.[0-9]+)?` in ASCII.
    #[error("expected digits with an optional fraction, such as 12.50, without sign or exponent")]
    NotDecimal,
    /// More fraction digits than the currency has.
    #[error("expected at most {0} fraction digits, as the currency has")]
    TooPrecise(u32),
    /// More than `i64::MAX` minor units.
    #[error("expected at most 9223372036854775807 minor units of the currency")]
    OutOfRange,
}

/// Reads an amount in major units, `[0-9]+(\.[0-9]+)?` in ASCII, as minor units of a currency with `exponent` digits.
pub fn parse_amount(digits: &[u8], exponent: u32) -> Result<i64, AmountFault> {
    match parse_short_amount(digits, exponent) {
        Some(minor) => Ok(minor),
        None => parse_any_amount(digits, exponent),
    }
}

/// The most digits of a minor unit by which a short decimal surely stays within `i64`.
const SHORT_EXPONENT: u32 = 4;

/// Reads the amounts that nearly all events have; `None` for longer ones and for every fault.
#[inline]
fn parse_short_amount(digits: &[u8], exponent: u32) -> Option<i64> {
    let decimal = short_decimal(digits)?;
    let missing = exponent.checked_sub(decimal.fraction)?;
    Some(decimal.mantissa as i64 * POWERS_OF_TEN.get(missing as usize)?)
}

const POWERS_OF_TEN: [i64; SHORT_EXPONENT as usize + 1] = [1, 10, 100, 1_000, 10_000];

#[cold]
fn parse_any_amount(digits: &[u8], exponent: u32) -> Result<i64, AmountFault> {
    let (whole, fraction) = split_decimal(digits).ok_or(AmountFault::NotDecimal)?;
    if fraction.len() > exponent as usize {
        return Err(AmountFault::TooPrecise(exponent));
    }
    let missing = exponent as usize - fraction.len();
    let zeros = std::iter::repeat_n(&b'0', missing);
    let mut minor: i64 = 0;
    for digit in whole.iter().chain(fraction).chain(zeros) {
        let shifted = minor.checked_mul(10).and_then(|value| value.checked_add(i64::from(digit - b'0')));
        minor = shifted.ok_or(AmountFault::OutOfRange)?;
    }
    Ok(minor)
}

/// Whether a text is `[0-9]+(\.[0-9]+)?`, the form of an amount in any currency.
pub fn is_amount(digits: &[u8]) -> bool {
    split_decimal(digits).is_some()
}

/// The digits before and after the point of `[0-9]+(\.[0-9]+)?`.
fn split_decimal(digits: &[u8]) -> Option<(&[u8], &[u8])> {
    match digits.iter().position(|&byte| byte == b'.') {
        Some(at) => {
            let (whole, fraction) = (&digits[..at], &digits[at + 1..]);
            (is_digits(whole) && is_digits(fraction)).then_some((whole, fraction))
        }
        None => is_digits(digits).then_some((digits, &[])),
    }
}

fn is_digits(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(u8::is_ascii_digit)
}

/// How many significant digits, and how many fraction digits, a rate may have.
///
/// 18 digits times any `i64` stays within `i128`, so conversion is exact without big integers.
pub const RATE_DIGITS: usize = 18;

/// An exact positive decimal: what one unit of a currency is worth in another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    /// The digits without the point, no trailing zero in the fraction; 1 to 10^18 - 1.
    mantissa: u64,
    /// How many of them are fraction digits; at most [`RATE_DIGITS`].
    scale: u32,
}

/// Why a rate could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RateFault {
    /// Not `[0-9]+(\.[0-9]+)?` in ASCII.
    #[error("expected a decimal number such as \"7.10\", without sign or exponent")]
    NotDecimal,
    /// Zero.
    #[error("expected a rate above zero")]
    Zero,
    /// More digits than can be converted exactly.
    #[error("expected at most {RATE_DIGITS} digits")]
    TooLong,
}

impl Rate {
    /// Reads a rate such as `7.10`; `7.1` is the same rate.
    pub fn parse(text: &str) -> Result<Rate, RateFault> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if !is_digits(whole.as_bytes()) || !is_digits(fraction.as_bytes()) {
            return Err(RateFault::NotDecimal);
        }
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        if whole.len() + fraction.len() > RATE_DIGITS {
            return Err(RateFault::TooLong);
        }
        let digits = whole.bytes().chain(fraction.bytes());
        let mantissa = digits.fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
        if mantissa == 0 { Err(RateFault::Zero) } else { Ok(Rate { mantissa, scale: fraction.len() as u32 }) }
    }

    /// Minor units of one currency in minor units of the other, rounded half to even; `None` beyond `i64`.
    pub fn convert(&self, minor: i64, from_exponent: u32, to_exponent: u32) -> Option<i64> {
        let product = u128::from(minor.unsigned_abs()) * u128::from(self.mantissa);
        let divisor_digits = self.scale + from_exponent;
        let magnitude = if to_exponent >= divisor_digits {
            product.checked_mul(10_u128.checked_pow(to_exponent - divisor_digits)?)?
        } else {
            divide_half_even(product, 10_u128.checked_pow(divisor_digits - to_exponent)?)
        };
        let magnitude = i128::try_from(magnitude).ok()?;
        i64::try_from(if minor < 0 { -magnitude } else { magnitude }).ok()
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let power = 10_u64.pow(self.scale);
        write!(f, "{}", self.mantissa / power)?;
        match self.scale {
            0 => Ok(()),
            scale => write!(f, ".{:0width$}", self.mantissa % power, width = scale as usize),
        }
    }
}

/// `value / divisor`, a tie going to the even quotient.
fn divide_half_even(value: u128, divisor: u128) -> u128 {
    // Most amounts fit 64 bits, where division is several times as fast.
    let (quotient, remainder) = match (u64::try_from(value), u64::try_from(divisor)) {
        (Ok(value), Ok(divisor)) => (u128::from(value / divisor), u128::from(value % divisor)),
        _ => (value / divisor, value % divisor),
    };
    let rest = divisor - remainder;
    let up = remainder > rest || (remainder == rest && quotient % 2 == 1);
    quotient + u128::from(up)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn currencies_have_their_iso_exponents() {
        for (code, exponent) in [("CNY", 2), ("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4), ("AED", 2), ("ZMW", 2)] {
            let currency = Currency::parse(code).expect(code);
            assert_eq!((currency.name(), currency.exponent), (code, exponent));
        }
        for code in ["", "cny", "CN", "CNYY", "ZZZ", "XAU", "XXX", "XTS", "¥", "人", "C1Y"] {
            assert_eq!(Currency::parse(code), None, "{code}");
        }
    }

    #[test]
    fn amounts_are_read_digit_by_digit() {
        use AmountFault::*;
        let cases: [(&str, u32, Result<i64, AmountFault>); 26] = [
            ("0", 2, Ok(0)),
            ("0.00", 2, Ok(0)),
            ("0.29", 2, Ok(29)),
            ("1.1", 2, Ok(110)),
            ("007.5", 2, Ok(750)),
            ("12", 0, Ok(12)),
            ("1.234", 3, Ok(1234)),
            ("92233720368547758.07", 2, Ok(i64::MAX)),
            ("92233720368547758.08", 2, Err(OutOfRange)),
            ("9223372036854775807", 0, Ok(i64::MAX)),
            ("9223372036854775808", 0, Err(OutOfRange)),
            ("00000000000000000000000000000001", 2, Ok(100)),
            ("99999999999999999999999999", 2, Err(OutOfRange)),
            ("1.000", 2, Err(TooPrecise(2))),
            ("1.0", 0, Err(TooPrecise(0))),
            ("", 2, Err(NotDecimal)),
            (".5", 2, Err(NotDecimal)),
            ("5.", 2, Err(NotDecimal)),
            ("5.", 0, Err(NotDecimal)),
            ("-1", 2, Err(NotDecimal)),
            ("+1", 2, Err(NotDecimal)),
            ("1e2", 2, Err(NotDecimal)),
            ("1.2.3", 4, Err(NotDecimal)),
            ("1,5", 2, Err(NotDecimal)),
            (" 1", 2, Err(NotDecimal)),
            ("٣", 2, Err(NotDecimal)),
        ];
        for (text, exponent, expected) in cases {
            assert_eq!(parse_amount(text.as_bytes(), exponent), expected, "{text}");
        }
    }

    #[test]
    fn rates_are_exact_positive_decimals() {
        for (text, shown) in [("7.10", "7.1"), ("1", "1"), ("0.000001", "0.000001"), ("007", "7"), ("20.050", "20.05")]
        {
            assert_eq!(Rate::parse(text).expect(text).to_string(), shown);
        }
        assert_eq!(Rate::parse("7.10"), Rate::parse("7.1"));
        let faults = [
            ("", RateFault::NotDecimal),
            ("-1", RateFault::NotDecimal),
            ("1.", RateFault::NotDecimal),
            ("1e3", RateFault::NotDecimal),
            ("0.00", RateFault::Zero),
            ("1234567890123456789", RateFault::TooLong),
            ("0.1234567890123456789", RateFault::TooLong),
        ];
        for (text, fault) in faults {
            assert_eq!(Rate::parse(text), Err(fault), "{text}");
        }
    }

    #[test]
    fn conversion_rounds_half_to_even() {
        let cases = [
            ("7.10", 100, 2, 2, Some(710)),
            ("0.5", 1, 2, 2, Some(0)),
            ("0.5", 3, 2, 2, Some(2)),
            ("0.5", 5, 2, 2, Some(2)),
            ("0.5", -3, 2, 2, Some(-2)),
            ("0.049", 1000, 0, 2, Some(4900)),
            ("0.049", 1, 0, 2, Some(5)),
            ("23.1", 1234, 3, 2, Some(2851)),
            ("1", i64::MAX, 2, 2, Some(i64::MAX)),
            ("1", i64::MIN, 2, 2, Some(i64::MIN)),
            ("1.1", i64::MAX, 2, 2, None),
            ("999999999999999999", i64::MAX, 0, 4, None),
            ("0.000000000000000001", i64::MAX, 4, 0, Some(0)),
        ];
        for (rate, minor, from, to, expected) in cases {
            let rate = Rate::parse(rate).expect(rate);
            assert_eq!(rate.convert(minor, from, to), expected, "{minor} at {rate}");
        }
    }

    proptest::proptest! {
        #[test]
        fn printed_amounts_read_back(minor in 0..=i64::MAX, exponent in 0..=4_u32) {
            let power = 10_i64.pow(exponent);
            let text = match exponent {
                0 => minor.to_string(),
                width => format!("{}.{:0width$}", minor / power, minor % power, width = width as usize),
            };
            proptest::prop_assert_eq!(parse_amount(text.as_bytes(), exponent), Ok(minor));
        }

        #[test]
        fn conversion_is_within_half_a_unit(minor in 0..1_i64 << 43, mantissa in 1..1_000_000_u64, scale in 0..7_u32) {
            let rate = Rate { mantissa, scale };
            let got = i128::from(rate.convert(minor, 2, 2).expect("in range"));
            let power = 10_i128.pow(scale);
            let exact = i128::from(minor) * i128::from(mantissa);
            proptest::prop_assert!((got * power - exact).abs() * 2 <= power);
        }
    }
}

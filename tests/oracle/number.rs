//! Exact arithmetic for the oracle: decimals, rationals rounded once to a double, six-decimal fixed point.
//!
//! Big integers keep it naive: nothing here has to argue about overflow or intermediate rounding.

use std::cmp::Ordering;

use num_bigint::{BigInt, BigUint, Sign};

/// `mantissa / 10^scale`.
#[derive(Debug, Clone, Copy)]
pub struct Decimal {
    pub mantissa: i128,
    pub scale: u32,
}

impl Decimal {
    /// Reads `[0-9]+(\.[0-9]+)?`; nothing else.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || (text.contains('.') && !digits(fraction)) {
            return None;
        }
        let mantissa = format!("{whole}{fraction}").parse().ok()?;
        Some(Decimal { mantissa, scale: u32::try_from(fraction.len()).ok()? })
    }

    /// Compares `minor / 10^digits` with this number.
    pub fn compare_minor(self, minor: i64, digits: u32) -> Ordering {
        let left = BigInt::from(minor) * power(self.scale);
        let right = BigInt::from(self.mantissa) * power(digits);
        left.cmp(&right)
    }
}

/// `10^exponent`.
pub fn power(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

/// `numerator / denominator` (denominator positive), ties to the even integer.
pub fn divide_half_even(numerator: &BigInt, denominator: &BigInt) -> BigInt {
    let negative = numerator.sign() == Sign::Minus;
    let size = BigInt::from(numerator.magnitude().clone());
    let mut quotient = &size / denominator;
    let twice: BigInt = (&size % denominator) * 2;
    if twice > *denominator || (twice == *denominator && quotient.bit(0)) {
        quotient += 1;
    }
    if negative { -quotient } else { quotient }
}

/// The double nearest to `numerator / denominator` (denominator positive), ties to even.
pub fn ratio(numerator: &BigInt, denominator: &BigInt) -> f64 {
    if numerator.sign() == Sign::NoSign {
        return 0.0;
    }
    let den = denominator.magnitude();
    let shift = den.bits() + 66;
    let scaled = numerator.magnitude() << shift;
    let quotient = &scaled / den;
    let exact = &quotient * den == scaled;
    let size = round(&quotient, shift, exact);
    if numerator.sign() == Sign::Minus { -size } else { size }
}

/// The double nearest to the square root of `numerator / denominator` (both positive, or the first zero).
pub fn square_root(numerator: &BigUint, denominator: &BigUint) -> f64 {
    if numerator.bits() == 0 {
        return 0.0;
    }
    let shift = denominator.bits() + 66;
    let scaled = numerator << (2 * shift);
    let root = (&scaled / denominator).sqrt();
    let exact = &root * &root * denominator == scaled;
    round(&root, shift, exact)
}

/// `quotient / 2^shift` (a little more when not exact) to 53 bits, ties to even. Needs more than 54 bits.
fn round(quotient: &BigUint, shift: u64, exact: bool) -> f64 {
    let drop = quotient.bits() - 53;
    let mut kept = u64::try_from(quotient >> drop).expect("53 bits");
    let rest = quotient - (BigUint::from(kept) << drop);
    let half = BigUint::from(1u8) << (drop - 1);
    let above = rest > half || (rest == half && !exact);
    if above || (rest == half && kept % 2 == 1) {
        kept += 1;
    }
    let exponent = i32::try_from(drop).expect("small") - i32::try_from(shift).expect("small");
    kept as f64 * 2f64.powi(exponent)
}

/// The double as an integer number of millionths, half-even from its exact binary value; `None` beyond i64.
pub fn millionths(value: f64) -> Option<i64> {
    let bits = value.to_bits();
    let field = ((bits >> 52) & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1);
    let mantissa = if field == 0 { fraction } else { fraction | (1 << 52) };
    let exponent = field.max(1) - 1075;
    let scaled = BigInt::from(mantissa) * 1_000_000;
    let size =
        if exponent >= 0 { scaled << exponent } else { divide_half_even(&scaled, &(BigInt::from(1) << -exponent)) };
    i64::try_from(if value < 0.0 { -size } else { size }).ok()
}

/// Compares an integer with a finite double exactly.
pub fn compare_mixed(int: i64, double: f64) -> Ordering {
    let whole = double.trunc();
    if whole >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if whole < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    int.cmp(&(whole as i64)).then_with(|| 0.0.partial_cmp(&(double - whole)).expect("finite"))
}

/// The double as the output writes it.
pub fn double_text(value: f64) -> String {
    ryu::Buffer::new().format_finite(value).to_owned()
}

/// `minor / 10^digits` with all fraction digits.
pub fn money_text(minor: i64, digits: u32) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    let width = digits as usize + 1;
    let text = format!("{:0width$}", minor.unsigned_abs());
    let (whole, fraction) = text.split_at(text.len() - digits as usize);
    if digits == 0 { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

/// Fraction digits of the currencies the oracle knows; `None` for anything else.
pub fn minor_digits(currency: &str) -> Option<u32> {
    match currency {
        "CNY" | "USD" | "EUR" | "HKD" | "GBP" => Some(2),
        "JPY" | "KRW" => Some(0),
        "KWD" | "TND" => Some(3),
        _ => None,
    }
}

#[test]
fn rounding_is_exact() {
    let big = |n: i64| BigInt::from(n);
    assert_eq!(ratio(&big(1), &big(3)), 1.0 / 3.0);
    assert_eq!(ratio(&big(-10), &big(4)), -2.5);
    assert_eq!(ratio(&big((1 << 53) + 1), &big(1)), 9_007_199_254_740_992.0);
    assert_eq!(square_root(&BigUint::from(2u8), &BigUint::from(1u8)), 2f64.sqrt());
    assert_eq!(square_root(&BigUint::from(9u8), &BigUint::from(4u8)), 1.5);
    // 2^-7 is 7812.5 millionths exactly, a true tie; 0.0000005 is a little below one in binary, 0.0000015 above.
    let table =
        [(0.1, 100_000), (-0.1234565, -123_456), (0.0000005, 0), (0.0000015, 2), (0.0078125, 7812), (0.0234375, 23438)];
    for (value, expected) in table {
        assert_eq!(millionths(value), Some(expected), "{value}");
    }
    assert_eq!(millionths(1e13), None);
    assert_eq!(divide_half_even(&big(25), &big(10)), big(2));
    assert_eq!(divide_half_even(&big(-35), &big(10)), big(-4));
}

#[test]
fn texts_are_as_in_the_output() {
    for (value, text) in [(300.0, "300.0"), (0.001, "0.001"), (1e21, "1e21"), (-2.5, "-2.5")] {
        assert_eq!(double_text(value), text);
    }
    for (minor, digits, text) in [(5, 2, "0.05"), (-150, 2, "-1.50"), (7, 0, "7"), (1234, 3, "1.234")] {
        assert_eq!(money_text(minor, digits), text);
    }
    assert_eq!(compare_mixed(i64::MAX, i64::MAX as f64), Ordering::Less);
    assert_eq!(compare_mixed(2, 1.5), Ordering::Greater);
    assert_eq!(compare_mixed(-2, -1.5), Ordering::Less);
}

//! Exact statistics with one rounding at the end, half to even.
//!
//! Sums are kept as integers, so a statistic is a quotient, or the square root of one, of integers. Its double is
//! found by estimate and proof: plain arithmetic comes within a few steps of the answer, and an exact integer
//! comparison with the points midway between neighbouring doubles says which double it is. The result depends
//! on nothing but the inputs: not on the order of additions, nor on the machine.

use std::cmp::Ordering;

mod wide;

pub use wide::U256;
use wide::Wide;

/// What a fixed-point unit divides a whole into.
const FIXED: i64 = 1_000_000;

/// Integers up to this are doubles.
const EXACT: u128 = 1 << 53;

/// `sum / (count * scale)`, correctly rounded; a `count` or `scale` of 0 is taken as 1.
pub fn mean(sum: i128, count: u64, scale: u64) -> f64 {
    let divisor = u128::from(count.max(1)) * u128::from(scale.max(1));
    if let (Ok(sum), Ok(divisor)) = (i64::try_from(sum), i64::try_from(divisor))
        && sum.unsigned_abs() <= EXACT as u64
        && divisor as u64 <= EXACT as u64
    {
        // One division of two exact doubles is rounded once.
        return if sum == 0 { 0.0 } else { sum as f64 / divisor as f64 };
    }
    let size = sum.unsigned_abs();
    let estimate = size as f64 / divisor as f64;
    if size == 0 {
        return 0.0;
    }
    let size = U256::from(size);
    let found = nearest(estimate, |mantissa, exponent| {
        let product = U256::from(divisor).times(u128::from(mantissa));
        compare(size, product, exponent)
    });
    if sum < 0 { -found } else { found }
}

/// The sample standard deviation of `count` values over `scale`, correctly rounded; `None` for fewer than two.
/// The values are 64-bit integers whose sum and sum of squares are given (`None` also where
/// no such values exist); a `scale` of 0 is taken as 1.
pub fn sample_stddev(sum: i128, squares: U256, count: u64, scale: u64) -> Option<f64> {
    if count < 2 {
        return None;
    }
    let size = sum.unsigned_abs();
    let numerator = squares.checked_mul(count.into())?.checked_sub(U256::product(size, size))?;
    if numerator == U256::default() {
        return Some(0.0);
    }
    let scale = u128::from(scale.max(1));
    let divisor = U256::product(u128::from(count) * u128::from(count - 1), scale * scale);
    let estimate = (numerator.to_f64() / divisor.to_f64()).sqrt();
    Some(nearest(estimate, |mantissa, exponent| {
        let mantissa = u128::from(mantissa);
        compare(numerator, divisor.times(mantissa * mantissa), 2 * exponent)
    }))
}

/// `x` in millionths, half to even from its exact binary value; `None` beyond 64 bits and for no number.
pub fn fixed_from_double(x: f64) -> Option<i64> {
    if !x.is_finite() {
        return None;
    }
    let (mantissa, exponent) = parts(x.abs());
    let product = u128::from(mantissa) * FIXED as u128;
    let size = match exponent {
        // 2^53 * 10^6 * 2^11 is beyond 64 bits, unless the mantissa is small, which it is not above 2^52.
        11.. => return None,
        0..11 => product << exponent,
        _ => shifted_half_even(product, exponent.unsigned_abs()),
    };
    let size = i128::try_from(size).ok()?;
    i64::try_from(if x < 0.0 { -size } else { size }).ok()
}

/// `sum` millionths as a double, correctly rounded.
pub fn double_from_fixed(sum: i64) -> f64 {
    mean(sum.into(), 1, FIXED as u64)
}

/// An integer that is ordered as the double is; both zeros have the same.
pub fn order_key(x: f64) -> i64 {
    // Adding zero turns the negative zero into the positive one and leaves the rest alone.
    flip_negative((x + 0.0).to_bits() as i64)
}

/// The double of an [`order_key`].
pub fn from_order_key(key: i64) -> f64 {
    f64::from_bits(flip_negative(key) as u64)
}

/// Doubles order like their bits, negative ones the other way round.
fn flip_negative(bits: i64) -> i64 {
    if bits < 0 { bits ^ i64::MAX } else { bits }
}

/// `value / 2^shift`, half to even.
fn shifted_half_even(value: u128, shift: u32) -> u128 {
    if shift > 127 {
        return 0;
    }
    let (whole, rest, half) = (value >> shift, value & ((1 << shift) - 1), 1 << (shift - 1));
    match rest.cmp(&half) {
        Ordering::Less => whole,
        Ordering::Equal => whole + (whole & 1),
        Ordering::Greater => whole + 1,
    }
}

/// `x = mantissa * 2^exponent` for a finite `x` that is not negative.
fn parts(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let (biased, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
    if biased == 0 { (fraction, -1074) } else { (fraction | 1 << 52, biased - 1075) }
}

/// The double nearest to a positive number near `estimate`. The number is known by its order relative to
/// `mantissa * 2^exponent`; it is far from the limits of doubles.
fn nearest(estimate: f64, compare: impl Fn(u64, i32) -> Ordering) -> f64 {
    let mut found = estimate;
    // An estimate is off by a few steps at most, so this is short.
    while is_beyond(found, &compare) {
        found = found.next_up();
    }
    while !is_beyond(found.next_down(), &compare) {
        found = found.next_down();
    }
    found
}

/// Whether the number rounds to a double above `x`: it lies above the middle between `x` and the next one, or in
/// the middle while `x` is odd.
fn is_beyond(x: f64, compare: &impl Fn(u64, i32) -> Ordering) -> bool {
    let (mantissa, exponent) = parts(x);
    match compare(2 * mantissa + 1, exponent - 1) {
        Ordering::Less => false,
        Ordering::Equal => mantissa % 2 == 1,
        Ordering::Greater => true,
    }
}

/// The order of `left` relative to `right * 2^exponent`. The two are of like size, so that neither outgrows
/// 512 bits when shifted.
fn compare(left: U256, right: Wide, exponent: i32) -> Ordering {
    let shift = exponent.unsigned_abs();
    if exponent < 0 { Wide::from(left).shifted(shift).cmp(&right) } else { Wide::from(left).cmp(&right.shifted(shift)) }
}

#[cfg(test)]
mod tests;

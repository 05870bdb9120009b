//! Statistics against schoolbook arithmetic on lists of bits: slow, and of no common kin with the tested code.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// A natural number as 32-bit digits, lowest first.
type Natural = Vec<u32>;

fn natural(number: u128) -> Natural {
    (0..4).map(|index| (number >> (32 * index)) as u32).collect()
}

fn add(left: &Natural, right: &Natural) -> Natural {
    let (mut carry, mut sum) = (0u64, Vec::new());
    for index in 0..left.len().max(right.len()) + 1 {
        carry += [left, right].iter().map(|side| u64::from(side.get(index).copied().unwrap_or(0))).sum::<u64>();
        sum.push(carry as u32);
        carry >>= 32;
    }
    sum
}

fn multiply(left: &Natural, right: &Natural) -> Natural {
    let mut product = vec![0u32; left.len() + right.len() + 1];
    for (low, one) in left.iter().enumerate() {
        let mut carry = 0u64;
        for high in 0..right.len() + 1 {
            carry += u64::from(*one) * u64::from(right.get(high).copied().unwrap_or(0));
            carry += u64::from(product[low + high]);
            product[low + high] = carry as u32;
            carry >>= 32;
        }
    }
    product
}

fn order(left: &Natural, right: &Natural) -> Ordering {
    let digit = |side: &Natural, index: usize| side.get(index).copied().unwrap_or(0);
    let length = left.len().max(right.len());
    (0..length)
        .rev()
        .map(|index| digit(left, index).cmp(&digit(right, index)))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn power_of_two(exponent: u32) -> Natural {
    let mut digits = vec![0u32; exponent as usize / 32 + 1];
    digits[exponent as usize / 32] = 1 << (exponent % 32);
    digits
}

/// Order of `top / bottom` relative to the middle of two neighbouring doubles, to the given power.
fn order_to_middle(top: &Natural, bottom: &Natural, lower: f64, upper: f64, power: u32) -> Ordering {
    // Twice the middle as m * 2^(e - 1), with the smaller exponent of the two.
    let ((low, low_exponent), (high, high_exponent)) = (parts(lower), parts(upper));
    let exponent = low_exponent.min(high_exponent);
    let digits = (u128::from(low) << (low_exponent - exponent)) + (u128::from(high) << (high_exponent - exponent));
    let exponent = (exponent - 1) * power as i32;
    let mut middle = natural(1);
    (0..power).for_each(|_| middle = multiply(&middle, &natural(digits)));
    let (mut left, mut right) = (top.clone(), multiply(bottom, &middle));
    let scale = power_of_two(exponent.unsigned_abs());
    if exponent < 0 {
        left = multiply(&left, &scale)
    } else {
        right = multiply(&right, &scale)
    }
    order(&left, &right)
}

/// Asserts that `found ^ power` is what `top / bottom` rounds to.
fn check_nearest(top: &Natural, bottom: &Natural, found: f64, power: u32) {
    if order(top, &natural(0)).is_eq() {
        return assert_eq!(found, 0.0);
    }
    assert!(found > 0.0);
    let even = found.to_bits().is_multiple_of(2);
    let below = order_to_middle(top, bottom, found.next_down(), found, power);
    let above = order_to_middle(top, bottom, found, found.next_up(), power);
    assert!(below.is_gt() || (below.is_eq() && even), "{found:e} is too great");
    assert!(above.is_lt() || (above.is_eq() && even), "{found:e} is too small");
}

fn check_mean(sum: i128, count: u64, scale: u64) {
    let found = mean(sum, count, scale);
    assert!(sum == 0 || (found < 0.0) == (sum < 0));
    let divisor = multiply(&natural(count.into()), &natural(scale.into()));
    check_nearest(&natural(sum.unsigned_abs()), &divisor, found.abs(), 1);
}

/// `repeats`: how often the whole list of values occurs.
fn check_stddev(values: &[i64], repeats: u64, scale: u64) {
    let (mut sum, mut squares) = (0i128, U256::default());
    for value in values {
        let wide = i128::from(*value);
        sum += wide * i128::from(repeats);
        let square = U256::from((wide * wide).unsigned_abs()).checked_mul(repeats.into()).unwrap();
        squares = squares.checked_add(square).unwrap();
    }
    let count = values.len() as u64 * repeats;
    let Some(found) = sample_stddev(sum, squares, count, scale) else { return assert!(count < 2) };
    // count * squares - sum^2 is half the sum of (x - y)^2 over all ordered pairs.
    let mut top = natural(0);
    for (index, one) in values.iter().enumerate() {
        for other in &values[..index] {
            let distance = natural(u128::from(one.abs_diff(*other)) * u128::from(repeats));
            top = add(&top, &multiply(&distance, &distance));
        }
    }
    let pairs = natural(u128::from(count) * u128::from(count - 1));
    let scale = natural(scale.into());
    check_nearest(&top, &multiply(&pairs, &multiply(&scale, &scale)), found, 2);
}

fn any_size() -> impl Strategy<Value = i128> {
    (any::<i128>(), 0u32..127).prop_map(|(number, shift)| number >> shift)
}

fn scale() -> impl Strategy<Value = u64> {
    prop_oneof![Just(1), Just(100), Just(1_000_000), 1..=u64::MAX]
}

fn value() -> impl Strategy<Value = i64> {
    let sized = (any::<i64>(), 0u32..63).prop_map(|(number, shift)| number >> shift);
    prop_oneof![4 => sized, 1 => prop::sample::select(vec![i64::MIN, i64::MAX, 0, 1, -1])]
}

proptest! {
    #[test]
    fn mean_is_rounded_once(sum in any_size(), count in 1..=u64::MAX, shift in 0u32..64, scale in scale()) {
        check_mean(sum, (count >> shift).max(1), scale);
    }

    #[test]
    fn stddev_is_rounded_once(values in vec(value(), 0..12), shift in 0u32..37, scale in scale()) {
        check_stddev(&values, 1 << shift, scale);
    }

    #[test]
    fn stddev_of_near_values_is_rounded_once(base in any::<i32>(), steps in vec(0i64..4, 2..40), scale in scale()) {
        let values: Vec<i64> = steps.iter().map(|step| i64::from(base) * (1 << 30) + step).collect();
        check_stddev(&values, 1, scale);
    }

    #[test]
    fn fixed_is_the_nearest_millionth(x in prop_oneof![any::<f64>(), -1e13..1e13, -1.0..1.0]) {
        let Some(found) = fixed_from_double(x) else {
            prop_assert!(!x.is_finite() || x.abs() >= 9.2e12);
            return Ok(());
        };
        // |x * 10^6 - found| <= 1/2, compared as integers: 2 * mantissa * 10^6 and (2 * found +- 1) * 2^-exponent.
        let (mantissa, exponent) = parts(x.abs());
        let left = multiply(&natural(u128::from(mantissa) * 2_000_000), &power_of_two(exponent.max(0) as u32));
        let unit = power_of_two(exponent.min(0).unsigned_abs());
        let twice = u128::from(found.unsigned_abs()) * 2;
        let above = order(&left, &multiply(&natural(twice + 1), &unit));
        prop_assert!(above.is_lt() || (above.is_eq() && found % 2 == 0));
        if twice > 0 {
            let below = order(&left, &multiply(&natural(twice - 1), &unit));
            prop_assert!(below.is_gt() || (below.is_eq() && found % 2 == 0));
            prop_assert_eq!(found < 0, x < 0.0);
        }
    }

    #[test]
    fn order_keys_are_ordered_as_doubles(one in any::<f64>(), other in any::<f64>()) {
        prop_assume!(!one.is_nan() && !other.is_nan());
        prop_assert_eq!(Some(order_key(one).cmp(&order_key(other))), one.partial_cmp(&other));
        prop_assert_eq!(from_order_key(order_key(one)), one);
    }
}

#[test]
fn known_fixed_points() {
    let cases = [
        (0.0, Some(0)),
        (-0.0, Some(0)),
        (1.0, Some(1_000_000)),
        (0.0000005, Some(0)),       // its binary value is a little below the half
        (0.5 / 1024.0, Some(488)),  // 488.28125
        (1.0 / 128.0, Some(7812)),  // 7812.5, to even
        (3.0 / 128.0, Some(23438)), // 23437.5, to even
        (-3.0 / 128.0, Some(-23438)),
        (9.3e12, None),
        (9223372036854.775, Some(9223372036854775391)),
        (f64::NAN, None),
        (f64::INFINITY, None),
        (f64::MIN_POSITIVE, Some(0)),
        (f64::MAX, None),
    ];
    for (x, expected) in cases {
        assert_eq!(fixed_from_double(x), expected, "{x:e}");
    }
}

#[test]
fn known_statistics() {
    assert_eq!(mean(10, 4, 1), 2.5);
    assert_eq!(mean(-1, 3, 1), -1.0 / 3.0);
    assert_eq!(mean(i128::from(i64::MAX), 1, 1), 9223372036854775807.0);
    assert_eq!(sample_stddev(10, U256::from(30), 4, 1), Some((5.0f64 / 3.0).sqrt()));
    assert_eq!(sample_stddev(3, U256::from(9), 1, 1), None);
    assert_eq!(sample_stddev(6, U256::from(18), 2, 1), Some(0.0));
    assert_eq!(double_from_fixed(1_500_000), 1.5);
    assert_eq!(double_from_fixed(i64::MIN), -9223372036854.775);
    assert_eq!(order_key(-0.0), order_key(0.0));
}

#[test]
fn the_greatest_sums_do_not_overflow() {
    let edge = [i64::MIN, i64::MAX];
    (1..=39).for_each(|shift| check_stddev(&edge, 1 << shift, 1_000_000));
    check_mean(i128::from(i64::MIN) << 40, 1 << 40, 1_000_000);
    check_mean(i128::MIN, 1, 1);
    check_mean(1, u64::MAX, u64::MAX);
    assert_eq!([mean(i128::MAX, 0, 0), mean(0, 0, 0)], [2f64.powi(127), 0.0]);
}

//! Arithmetic: checked on whole numbers, finite on doubles; what goes wrong is an error of that row.

use crate::model::column::Column;
use crate::model::value::Type;

use super::super::format::{MAX_TIME, MIN_TIME};
use super::super::graph::{Node, NodeId};
use super::super::node::{Curve, Operator};
use super::operand::{Operands, Side, map1, map2};

/// Nodes whose result is an int, money, a duration or a timestamp.
pub(super) fn whole(node: &Node, kind: Type, operands: &Operands, out: &mut Column<i64>) {
    let rows = operands.rows;
    match node {
        Node::Whole2(operator, a, b) => {
            let (a, b) = (operands.whole(*a), operands.whole(*b));
            if kind == Type::Timestamp {
                let valid = |time: &i64| (MIN_TIME..=MAX_TIME).contains(time);
                map2(out, a, b, rows, |x, y| apply(*operator, x, y).filter(valid));
            } else {
                whole2(out, *operator, a, b, rows);
            }
        }
        Node::Negate(a) => map1(out, operands.whole(*a), rows, i64::checked_neg),
        Node::Absolute(a) => map1(out, operands.whole(*a), rows, i64::checked_abs),
        Node::Smallest(all) => extreme(out, all, |id| operands.whole(id), rows, i64::min),
        Node::Greatest(all) => extreme(out, all, |id| operands.whole(id), rows, i64::max),
        _ => unreachable!("no other node has whole numbers"),
    }
}

/// One loop per operator, so that the operator is not looked at per row.
fn whole2(out: &mut Column<i64>, operator: Operator, a: Side<i64>, b: Side<i64>, rows: usize) {
    match operator {
        Operator::Add => map2(out, a, b, rows, i64::checked_add),
        Operator::Subtract => map2(out, a, b, rows, i64::checked_sub),
        Operator::Multiply => map2(out, a, b, rows, i64::checked_mul),
        Operator::Divide => map2(out, a, b, rows, i64::checked_div),
        Operator::Remainder => map2(out, a, b, rows, i64::checked_rem),
    }
}

/// Applies an operator to two whole numbers; `None` on overflow and division by zero.
fn apply(operator: Operator, x: i64, y: i64) -> Option<i64> {
    match operator {
        Operator::Add => x.checked_add(y),
        Operator::Subtract => x.checked_sub(y),
        Operator::Multiply => x.checked_mul(y),
        Operator::Divide => x.checked_div(y),
        Operator::Remainder => x.checked_rem(y),
    }
}

/// Nodes whose result is a double.
pub(super) fn real(node: &Node, operands: &Operands, out: &mut Column<f64>) {
    let rows = operands.rows;
    match node {
        Node::Real2(operator, a, b) => real2(out, *operator, operands.real(*a), operands.real(*b), rows),
        Node::Ratio(a, b) => map2(out, operands.whole(*a), operands.whole(*b), rows, ratio),
        Node::Negate(a) => map1(out, operands.real(*a), rows, |x| Some(-x)),
        Node::Absolute(a) => map1(out, operands.real(*a), rows, |x| Some(x.abs())),
        Node::Smallest(all) => extreme(out, all, |id| operands.real(id), rows, |x, y| if y < x { y } else { x }),
        Node::Greatest(all) => extreme(out, all, |id| operands.real(id), rows, |x, y| if y > x { y } else { x }),
        Node::Curve(curve, a) => map1(out, operands.real(*a), rows, |x| finite(curve_at(*curve, x))),
        Node::Power(a, b) => map2(out, operands.real(*a), operands.real(*b), rows, |x, y| finite(libm::pow(x, y))),
        _ => unreachable!("no other node has doubles"),
    }
}

fn real2(out: &mut Column<f64>, operator: Operator, a: Side<f64>, b: Side<f64>, rows: usize) {
    match operator {
        Operator::Add => map2(out, a, b, rows, |x, y| finite(x + y)),
        Operator::Subtract => map2(out, a, b, rows, |x, y| finite(x - y)),
        Operator::Multiply => map2(out, a, b, rows, |x, y| finite(x * y)),
        Operator::Divide => map2(out, a, b, rows, |x, y| finite(x / y)),
        Operator::Remainder => unreachable!("the checker allows no remainder of doubles"),
    }
}

/// From one pure-Rust source, so that the bits are the same on every machine.
fn curve_at(curve: Curve, x: f64) -> f64 {
    match curve {
        Curve::Sqrt => x.sqrt(),
        Curve::Ln => libm::log(x),
        Curve::Log10 => libm::log10(x),
        Curve::Exp => libm::exp(x),
    }
}

fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}

/// `min` and `max`: an error where any operand is missing.
fn extreme<'a, T: Copy + Default + 'a>(
    out: &mut Column<T>,
    arguments: &[NodeId],
    side: impl Fn(NodeId) -> Side<'a, T>,
    rows: usize,
    better: impl Fn(T, T) -> T,
) {
    let Some((first, rest)) = arguments.split_first() else { return };
    map1(out, side(*first), rows, Some);
    for &next in rest {
        let side = side(next);
        for row in 0..rows {
            let value = side.get(row);
            out.present[row] &= value.is_some();
            out.values[row] = better(out.values[row], value.unwrap_or_default());
        }
    }
}

/// The double nearest to the quotient of two whole numbers, ties to even; `None` for a zero divisor.
pub(in crate::expr) fn ratio(dividend: i64, divisor: i64) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    let (top, bottom) = (dividend.unsigned_abs(), divisor.unsigned_abs());
    if divisor == 0 {
        return None;
    }
    if top <= EXACT && bottom <= EXACT {
        return Some(dividend as f64 / divisor as f64);
    }
    if top == 0 {
        return Some(0.0);
    }
    // At least 63 bits of quotient, the last one also standing for the rest: one rounding, in the conversion.
    let top = u128::from(top);
    let shift = top.leading_zeros() - 1;
    let (quotient, rest) = ((top << shift) / u128::from(bottom), (top << shift) % u128::from(bottom));
    let size = (quotient | u128::from(rest != 0)) as f64 * f64::from_bits(u64::from(1023 - shift) << 52);
    Some(if (dividend < 0) == (divisor < 0) { size } else { -size })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ratios() {
        let check = |a, b, expected| assert_eq!(ratio(a, b), expected, "{a} / {b}");
        check(1, 3, Some(1.0 / 3.0));
        check(-3, 2, Some(-1.5));
        check(0, -5, Some(-0.0));
        check(5, 0, None);
        check(i64::MAX, i64::MAX, Some(1.0));
        check(i64::MIN, 1, Some(-9_223_372_036_854_775_808.0));
        check(i64::MIN, -1, Some(9_223_372_036_854_775_808.0));
        check((1 << 60) + 1, 1 << 7, Some(9_007_199_254_740_992.0));
    }

    proptest! {
        /// Dividing by a power of ten is what parsing the shifted decimal gives, and that rounds correctly.
        #[test]
        fn ratio_rounds_like_a_decimal(dividend: i64, digits in 0_u32..18) {
            let expected: f64 = format!("{dividend}e-{digits}").parse().expect("a number");
            prop_assert_eq!(ratio(dividend, 10_i64.pow(digits)), Some(expected));
        }
    }
}

//! Three-valued logic: `&&` and `||` absorb errors whatever their order, `!` and `?:` pass them on.

use crate::model::column::Column;

use super::super::graph::NodeId;
use super::operand::{BoolSide, Operands, Side, TextSide};
use super::{ColumnData, Pool, Text, Truth, leaf};

/// False wins, then error.
#[inline]
pub(super) fn and(a: Truth, b: Truth) -> Truth {
    if a == Truth::False || b == Truth::False { Truth::False } else { a.max(b) }
}

/// True wins, then error.
#[inline]
pub(super) fn or(a: Truth, b: Truth) -> Truth {
    if a == Truth::True || b == Truth::True { Truth::True } else { a.max(b) }
}

/// Error wins, then true.
#[inline]
pub(super) fn or_strict(a: Truth, b: Truth) -> Truth {
    a.max(b)
}

/// Folds bool operands into `out`.
pub(super) fn fold(
    out: &mut Vec<Truth>,
    start: Truth,
    arguments: &[NodeId],
    operands: &Operands,
    step: impl Fn(Truth, Truth) -> Truth,
) {
    out.extend(std::iter::repeat_n(start, operands.rows));
    for &argument in arguments {
        match operands.truth(argument) {
            BoolSide::Rows(rows) => out.iter_mut().zip(rows).for_each(|(a, b)| *a = step(*a, *b)),
            BoolSide::Column(column) => {
                out.iter_mut().enumerate().for_each(|(row, a)| *a = step(*a, Truth::of(column.get(row))));
            }
            BoolSide::Constant(b) => out.iter_mut().for_each(|a| *a = step(*a, b)),
        }
    }
}

/// `!`
pub(super) fn not(out: &mut Vec<Truth>, argument: NodeId, operands: &Operands) {
    fold(out, Truth::True, &[argument], operands, |_, truth| match truth {
        Truth::False => Truth::True,
        Truth::True => Truth::False,
        Truth::Error => Truth::Error,
    });
}

/// `has`
pub(super) fn present(out: &mut Vec<Truth>, argument: NodeId, operands: &Operands) {
    let rows = operands.rows;
    match ColumnData::new(operands.graph.kind(argument)) {
        ColumnData::Bool(_) => fold(out, Truth::True, &[argument], operands, |_, truth| {
            if truth == Truth::Error { Truth::False } else { Truth::True }
        }),
        ColumnData::I64(_) => present_side(out, operands.whole(argument), rows),
        ColumnData::F64(_) => present_side(out, operands.real(argument), rows),
        ColumnData::Ip(_) => present_side(out, operands.address(argument), rows),
        ColumnData::Text(_) => match operands.text(argument) {
            TextSide::Spans { spans, .. } => {
                out.extend(spans[..rows].iter().map(|span| Truth::of(Some(span.len != 0))));
            }
            TextSide::Column(column) => {
                present_side(out, Side::Column { values: &column.values, present: &column.present }, rows)
            }
            TextSide::Constant(_) => out.extend(std::iter::repeat_n(Truth::True, rows)),
        },
    }
}

fn present_side<T>(out: &mut Vec<Truth>, side: Side<T>, rows: usize) {
    match side {
        Side::Column { present, .. } => out.extend(present[..rows].iter().map(|p| Truth::of(Some(*p)))),
        Side::Constant(_) => out.extend(std::iter::repeat_n(Truth::True, rows)),
    }
}

/// `condition ? first : second`
pub(super) fn choose([condition, first, second]: [NodeId; 3], operands: &Operands, out: &mut ColumnData) {
    let condition = operands.truth(condition);
    match out {
        ColumnData::Bool(out) => {
            let (first, second) = (operands.truth(first), operands.truth(second));
            out.extend(
                (0..operands.rows)
                    .map(|row| Truth::of(pick(condition.get(row), || first.get(row), || second.get(row)))),
            );
        }
        ColumnData::I64(out) => {
            choose_side(out, condition, operands.whole(first), operands.whole(second), operands.rows)
        }
        ColumnData::F64(out) => choose_side(out, condition, operands.real(first), operands.real(second), operands.rows),
        ColumnData::Ip(out) => {
            choose_side(out, condition, operands.address(first), operands.address(second), operands.rows);
        }
        ColumnData::Text(out) => {
            for row in 0..operands.rows {
                out.push(pick(condition.get(row), || text(first, row, operands), || text(second, row, operands)));
            }
        }
    }
}

fn choose_side<T: Copy + Default>(
    out: &mut Column<T>,
    condition: BoolSide,
    first: Side<T>,
    second: Side<T>,
    rows: usize,
) {
    (0..rows).for_each(|row| out.push(pick(condition.get(row), || first.get(row), || second.get(row))));
}

fn pick<T>(condition: Option<bool>, first: impl Fn() -> Option<T>, second: impl Fn() -> Option<T>) -> Option<T> {
    if condition? { first() } else { second() }
}

fn text(id: NodeId, row: usize, operands: &Operands) -> Option<Text> {
    match operands.text(id) {
        TextSide::Spans { spans, .. } => {
            let span = spans[row];
            (span.len != 0).then_some(Text { pool: Pool::Event, start: span.start, len: span.len })
        }
        TextSide::Column(column) => column.get(row),
        TextSide::Constant(_) => Some(leaf::literal(id, operands)),
    }
}

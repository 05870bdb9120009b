//! Comparisons and membership.

use std::cmp::Ordering;

use super::super::graph::NodeId;
use super::super::lists::List;
use super::super::node::Relation;
use super::operand::{BoolSide, Operands, Side, TextSide, test1, test2};
use super::{ColumnData, Truth};

/// Compares two operands of one representation.
pub(super) fn compare(out: &mut Vec<Truth>, relation: Relation, a: NodeId, b: NodeId, operands: &Operands) {
    let rows = operands.rows;
    match ColumnData::new(operands.graph.kind(a)) {
        ColumnData::Bool(_) => compare_bools(out, relation, operands.truth(a), operands.truth(b), rows),
        ColumnData::I64(_) => compare_sides(out, relation, operands.whole(a), operands.whole(b), rows),
        ColumnData::F64(_) => compare_sides(out, relation, operands.real(a), operands.real(b), rows),
        ColumnData::Ip(_) => compare_sides(out, relation, operands.address(a), operands.address(b), rows),
        ColumnData::Text(_) => compare_texts(out, relation, operands.text(a), operands.text(b), operands),
    }
}

/// One loop per relation, so that the relation is not looked at per row.
fn compare_sides<T: Copy + PartialOrd>(out: &mut Vec<Truth>, relation: Relation, a: Side<T>, b: Side<T>, rows: usize) {
    match relation {
        Relation::Equal => test2(out, a, b, rows, |x, y| x == y),
        Relation::Unequal => test2(out, a, b, rows, |x, y| x != y),
        Relation::Less => test2(out, a, b, rows, |x, y| x < y),
        Relation::AtMost => test2(out, a, b, rows, |x, y| x <= y),
        Relation::Greater => test2(out, a, b, rows, |x, y| x > y),
        Relation::AtLeast => test2(out, a, b, rows, |x, y| x >= y),
    }
}

/// Whether an ordering satisfies a relation.
#[inline]
pub(in crate::expr) fn holds(relation: Relation, ordering: Ordering) -> bool {
    match relation {
        Relation::Equal => ordering.is_eq(),
        Relation::Unequal => ordering.is_ne(),
        Relation::Less => ordering.is_lt(),
        Relation::AtMost => ordering.is_le(),
        Relation::Greater => ordering.is_gt(),
        Relation::AtLeast => ordering.is_ge(),
    }
}

fn compare_bools(out: &mut Vec<Truth>, relation: Relation, a: BoolSide, b: BoolSide, rows: usize) {
    let one = |row| Some(holds(relation, a.get(row)?.cmp(&b.get(row)?)));
    out.extend((0..rows).map(|row| Truth::of(one(row))));
}

/// Compares ints with doubles as the numbers they are.
pub(super) fn compare_mixed(out: &mut Vec<Truth>, relation: Relation, a: NodeId, b: NodeId, operands: &Operands) {
    const EXACT: u64 = 1 << 53;
    match (operands.whole(a), operands.real(b)) {
        // Up to there every int is a double.
        (Side::Constant(x), b) if x.unsigned_abs() <= EXACT => {
            compare_sides(out, relation, Side::Constant(x as f64), b, operands.rows);
        }
        (a, b) => test2(out, a, b, operands.rows, |x, y| holds(relation, order(x, y))),
    }
}

/// The order of an int and a finite double, without rounding either.
pub(in crate::expr) fn order(int: i64, double: f64) -> Ordering {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if double >= LIMIT {
        return Ordering::Less;
    }
    if double < -LIMIT {
        return Ordering::Greater;
    }
    let whole = double.trunc();
    let rest = double - whole;
    // In range, so the conversion is exact.
    int.cmp(&(whole as i64)).then_with(|| 0.0_f64.partial_cmp(&rest).unwrap_or(Ordering::Equal))
}

fn compare_texts(out: &mut Vec<Truth>, relation: Relation, a: TextSide, b: TextSide, operands: &Operands) {
    match (relation, a, b) {
        (Relation::Equal, _, TextSide::Constant(literal)) => test_text(out, a, operands, |text| text == literal),
        (Relation::Unequal, _, TextSide::Constant(literal)) => test_text(out, a, operands, |text| text != literal),
        _ => {
            let one = |row| Some(holds(relation, operands.bytes_at(a, row)?.cmp(operands.bytes_at(b, row)?)));
            out.extend((0..operands.rows).map(|row| Truth::of(one(row))));
        }
    }
}

/// Appends `test` of each row's text.
pub(super) fn test_text(out: &mut Vec<Truth>, side: TextSide, operands: &Operands, test: impl Fn(&[u8]) -> bool) {
    let rows = operands.rows;
    match side {
        TextSide::Spans { spans, text } => out.extend(spans[..rows].iter().map(|span| match span.len {
            0 => Truth::Error,
            _ if test(span.of(text)) => Truth::True,
            _ => Truth::False,
        })),
        TextSide::Column(column) => {
            let one = |row| column.get(row).map(|text| test(operands.bytes(text)));
            out.extend((0..rows).map(|row| Truth::of(one(row))));
        }
        TextSide::Constant(bytes) => out.extend(std::iter::repeat_n(Truth::of(Some(test(bytes))), rows)),
    }
}

/// Below this many elements a scan is faster than a binary search.
const SCAN: usize = 8;

/// `x in ['a', 'b']`
pub(super) fn in_texts(out: &mut Vec<Truth>, argument: NodeId, texts: &[String], operands: &Operands) {
    let side = operands.text(argument);
    if texts.len() <= SCAN {
        test_text(out, side, operands, |text| texts.iter().any(|known| known.as_bytes() == text));
    } else {
        test_text(out, side, operands, |text| found(texts, text));
    }
}

fn found(texts: &[String], text: &[u8]) -> bool {
    texts.binary_search_by(|known| known.as_bytes().cmp(text)).is_ok()
}

/// `x in [1, 2]`, `ip in ['10.0.0.1']`
pub(super) fn in_sorted<T: Copy + Ord>(out: &mut Vec<Truth>, side: Side<T>, values: &[T], rows: usize) {
    if values.len() <= SCAN {
        test1(out, side, rows, |value| values.contains(&value));
    } else {
        test1(out, side, rows, |value| values.binary_search(&value).is_ok());
    }
}

/// `x in list('name')`
pub(super) fn in_list(out: &mut Vec<Truth>, argument: NodeId, list: &List, operands: &Operands) {
    match list {
        List::Text(texts) => test_text(out, operands.text(argument), operands, |text| found(texts, text)),
        List::Cidr(set) => test1(out, operands.address(argument), operands.rows, |address| set.contains(address)),
    }
}

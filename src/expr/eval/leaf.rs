//! Leaves as columns of their own, for those who read a field, a feature or a constant by its node.

use crate::model::column::Column;

use super::super::graph::{Node, NodeId};
use super::operand::{BoolSide, Operands, Side, TextSide};
use super::{ColumnData, Pool, Text, Truth};

/// Copies a leaf into its column.
pub(super) fn copy(id: NodeId, operands: &Operands, out: &mut ColumnData) {
    let rows = operands.rows;
    match out {
        ColumnData::Bool(out) => copy_truth(out, operands.truth(id), rows),
        ColumnData::I64(out) => copy_side(out, operands.whole(id), rows),
        ColumnData::F64(out) => copy_side(out, operands.real(id), rows),
        ColumnData::Ip(out) => copy_side(out, operands.address(id), rows),
        ColumnData::Text(out) => copy_text(id, operands, out),
    }
}

fn copy_side<T: Copy>(out: &mut Column<T>, side: Side<T>, rows: usize) {
    match side {
        Side::Column { values, present } => {
            out.values.extend_from_slice(&values[..rows]);
            out.present.extend_from_slice(&present[..rows]);
        }
        Side::Constant(value) => {
            out.values.extend(std::iter::repeat_n(value, rows));
            out.present.extend(std::iter::repeat_n(true, rows));
        }
    }
}

fn copy_truth(out: &mut Vec<Truth>, side: BoolSide, rows: usize) {
    match side {
        BoolSide::Rows(all) => out.extend_from_slice(&all[..rows]),
        BoolSide::Column(column) => out.extend((0..rows).map(|row| Truth::of(column.get(row)))),
        BoolSide::Constant(truth) => out.extend(std::iter::repeat_n(truth, rows)),
    }
}

fn copy_text(id: NodeId, operands: &Operands, out: &mut Column<Text>) {
    let rows = operands.rows;
    match operands.text(id) {
        TextSide::Spans { spans, .. } => {
            let text = |span: &crate::model::events::Span| Text { pool: Pool::Event, start: span.start, len: span.len };
            out.values.extend(spans[..rows].iter().map(text));
            out.present.extend(spans[..rows].iter().map(|span| span.len != 0));
        }
        TextSide::Column(column) => {
            copy_side(out, Side::Column { values: &column.values, present: &column.present }, rows)
        }
        TextSide::Constant(_) => copy_side(out, Side::Constant(literal(id, operands)), rows),
    }
}

/// The place of a constant text.
pub(super) fn literal(id: NodeId, operands: &Operands) -> Text {
    let len = match operands.graph.node(id) {
        Node::Literal(text) => text.len() as u32,
        _ => 0,
    };
    Text { pool: Pool::Constant, start: operands.graph.literal_start(id), len }
}

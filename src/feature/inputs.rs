//! From expression columns to what each stream is given: who enters, who resets, and with which value.

use xxhash_rust::xxh3::xxh3_128;

use super::keys::Expressions;
use super::plan::{Cell, Coding, Keep, Stream};
use super::reading::{NO_PLACE, code_double, pack_place};
use super::rows::{Step, StreamColumn};
use super::series::SUPERSEDED;
use crate::expr::eval::{ColumnData, Side, Truth, View};
use crate::expr::graph::NodeId;
use crate::model::events::Span;

/// Fills the column of a stream for the first `rows` rows.
pub fn fill(column: &mut StreamColumn, stream: &Stream, expressions: Expressions, rows: usize) {
    column.clear();
    fill_values(column, stream, expressions, rows);
    // With a gap, an entry without a place still is activity.
    let optional = stream.cell == Cell::Place && stream.keep == Keep::All;
    column.step.extend(column.present.iter().map(|&present| enter_if(present || optional)));
    if let Some(filter) = stream.filter {
        let truth = truth(expressions, filter);
        column.step.iter_mut().zip(truth).for_each(|(step, &truth)| {
            *step = if truth == Truth::True { *step } else { Step::Pass };
        });
    }
    if let Some(reset) = stream.reset {
        let truth = truth(expressions, reset);
        column.step.iter_mut().zip(truth).for_each(|(step, &truth)| {
            *step = if truth == Truth::True { Step::Reset } else { *step };
        });
    }
}

fn enter_if(enters: bool) -> Step {
    if enters { Step::Enter } else { Step::Pass }
}

fn truth<'a>(expressions: Expressions<'a>, node: NodeId) -> &'a [Truth] {
    match expressions.evaluator.column(node) {
        ColumnData::Bool(column) => column,
        // Conditions are checked to be bool when the rule set is loaded.
        ColumnData::I64(_) | ColumnData::F64(_) | ColumnData::Ip(_) | ColumnData::Text(_) => &[],
    }
}

fn fill_values(column: &mut StreamColumn, stream: &Stream, expressions: Expressions, rows: usize) {
    match (stream.cell, stream.of) {
        (Cell::Place, _) => fill_places(column, expressions, rows),
        (Cell::Unit, _) | (_, None) => column.present.resize(rows, true),
        (Cell::Number(coding), Some((node, _))) => fill_numbers(column, coding, expressions.view(node), rows),
        (Cell::Hash, Some((node, _))) => fill_hashes(column, expressions.view(node), rows),
        (Cell::Address, Some((node, _))) => {
            if let View::Ip(ips) = expressions.view(node) {
                copy(&mut column.extra, &mut column.present, ips, rows);
            }
        }
        (Cell::Text, Some((node, _))) => {
            if let View::Text(texts) = expressions.view(node) {
                texts.for_each(|text| add_text(column, text));
            }
        }
    }
}

fn fill_places(column: &mut StreamColumn, expressions: Expressions, rows: usize) {
    let events = expressions.inputs.events;
    for row in 0..rows {
        let place = events.lat.get(row).zip(events.lon.get(row));
        column.present.push(place.is_some());
        column.extra.push(place.map_or(NO_PLACE, |(latitude, longitude)| pack_place(latitude, longitude)));
    }
}

fn copy<T: Copy>(values: &mut Vec<T>, present: &mut Vec<bool>, side: Side<T>, rows: usize) {
    match side {
        Side::Column { values: from, present: has } => {
            values.extend_from_slice(&from[..rows]);
            present.extend_from_slice(&has[..rows]);
        }
        Side::Constant(value) => {
            values.resize(rows, value);
            present.resize(rows, true);
        }
    }
}

fn fill_numbers(column: &mut StreamColumn, coding: Coding, view: View, rows: usize) {
    let mut push = |number: Option<i64>| {
        column.present.push(number.is_some());
        column.number.push(number.unwrap_or_default());
    };
    match view {
        View::I64(numbers) => copy(&mut column.number, &mut column.present, numbers, rows),
        View::F64(numbers) => {
            (0..rows).for_each(|row| push(numbers.get(row).and_then(|value| code_double(coding, value))));
        }
        View::Bool(truths) => (0..rows).for_each(|row| push(truths.get(row).map(i64::from))),
        View::Ip(_) | View::Text(_) => {}
    }
}

fn fill_hashes(column: &mut StreamColumn, view: View, rows: usize) {
    let hash = |bytes: &[u8]| xxh3_128(bytes) & !SUPERSEDED;
    let mut push = |value: Option<u128>| {
        column.present.push(value.is_some());
        column.extra.push(value.unwrap_or_default());
    };
    match view {
        View::Text(texts) => texts.for_each(|text| push(text.map(hash))),
        View::I64(numbers) => (0..rows).for_each(|row| push(numbers.get(row).map(|number| u128::from(number as u64)))),
        View::F64(numbers) => {
            (0..rows).for_each(|row| push(numbers.get(row).map(|number| u128::from(number.to_bits()))))
        }
        View::Ip(ips) => (0..rows).for_each(|row| push(ips.get(row).map(|ip| hash(&ip.to_be_bytes())))),
        View::Bool(truths) => (0..rows).for_each(|row| push(truths.get(row).map(u128::from))),
    }
}

fn add_text(column: &mut StreamColumn, text: Option<&[u8]>) {
    let bytes = text.unwrap_or_default();
    column.present.push(text.is_some());
    column.spans.push(Span { start: column.text.len() as u32, len: bytes.len() as u32 });
    column.text.extend_from_slice(bytes);
}

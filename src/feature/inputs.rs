//! From expression columns to what each stream is given: who enters, who resets, and with which value.

use xxhash_rust::xxh3::xxh3_128;

use super::keys::Expressions;
use super::plan::{Cell, Coding, Keep, Stream};
use super::reading::{NO_PLACE, code_double, pack_place};
use super::rows::{Step, StreamColumn};
use super::series::SUPERSEDED;
use crate::expr::eval::{ColumnData, Truth};
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
            if truth != Truth::True {
                *step = Step::Pass;
            }
        });
    }
    if let Some(reset) = stream.reset {
        let truth = truth(expressions, reset);
        column.step.iter_mut().zip(truth).for_each(|(step, &truth)| {
            if truth == Truth::True {
                *step = Step::Reset;
            }
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
        (Cell::Number(coding), Some((node, _))) => fill_numbers(column, coding, expressions, node),
        (Cell::Hash, Some((node, _))) => fill_hashes(column, expressions, node, rows),
        (Cell::Address, Some((node, _))) => {
            if let ColumnData::Ip(ips) = expressions.evaluator.column(node) {
                column.present.extend_from_slice(&ips.present);
                column.extra.extend_from_slice(&ips.values);
            }
        }
        (Cell::Text, Some((node, _))) => fill_texts(column, expressions, node, rows),
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

fn fill_numbers(column: &mut StreamColumn, coding: Coding, expressions: Expressions, node: NodeId) {
    match expressions.evaluator.column(node) {
        ColumnData::I64(numbers) => {
            column.present.extend_from_slice(&numbers.present);
            column.number.extend_from_slice(&numbers.values);
        }
        ColumnData::F64(numbers) => {
            for (&present, &value) in numbers.present.iter().zip(&numbers.values) {
                let coded = if present { code_double(coding, value) } else { None };
                column.present.push(coded.is_some());
                column.number.push(coded.unwrap_or_default());
            }
        }
        ColumnData::Bool(truths) => {
            column.present.extend(truths.iter().map(|&truth| truth != Truth::Error));
            column.number.extend(truths.iter().map(|&truth| i64::from(truth == Truth::True)));
        }
        ColumnData::Ip(_) | ColumnData::Text(_) => {}
    }
}

fn fill_hashes(column: &mut StreamColumn, expressions: Expressions, node: NodeId, rows: usize) {
    let hash = |bytes: &[u8]| xxh3_128(bytes) & !SUPERSEDED;
    let mut push = |value: Option<u128>| {
        column.present.push(value.is_some());
        column.extra.push(value.unwrap_or_default());
    };
    match expressions.evaluator.column(node) {
        ColumnData::Text(texts) => {
            (0..rows).for_each(|row| push(texts.get(row).map(|text| hash(expressions.text(text)))));
        }
        ColumnData::I64(numbers) => {
            (0..rows).for_each(|row| push(numbers.get(row).map(|number| u128::from(number as u64))));
        }
        ColumnData::F64(numbers) => {
            (0..rows).for_each(|row| push(numbers.get(row).map(|number| u128::from(number.to_bits()))));
        }
        ColumnData::Ip(ips) => (0..rows).for_each(|row| push(ips.get(row).map(|ip| hash(&ip.to_be_bytes())))),
        ColumnData::Bool(truths) => truths.iter().for_each(|truth| push(truth.get().map(u128::from))),
    }
}

fn fill_texts(column: &mut StreamColumn, expressions: Expressions, node: NodeId, rows: usize) {
    let ColumnData::Text(texts) = expressions.evaluator.column(node) else { return };
    for row in 0..rows {
        let start = column.text.len();
        if let Some(text) = texts.get(row) {
            column.text.extend_from_slice(expressions.text(text));
        }
        column.present.push(texts.present[row]);
        column.spans.push(Span { start: start as u32, len: (column.text.len() - start) as u32 });
    }
}

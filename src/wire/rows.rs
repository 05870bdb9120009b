//! Decoded events on their way into the columns: some dozens of rows are gathered and then added column by column.
//!
//! One column at a time is a tight copying loop; one event at a time it would be forty vectors to look after.

use crate::model::events::{DeclaredColumn, Events};

use super::judge::{Declared, Row};

/// How many rows are gathered: few enough to stay in the nearest cache.
const BLOCK: usize = 64;

/// Rows that wait for their columns.
#[derive(Debug)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// How many of them hold an event.
    len: usize,
    /// The declared fields of the row under way.
    declared: Vec<Declared>,
}

impl Default for Rows {
    fn default() -> Self {
        Rows { rows: vec![Row::default(); BLOCK], len: 0, declared: Vec::new() }
    }
}

impl Rows {
    /// The next row, empty, and the place of its declared fields.
    #[inline]
    pub(super) fn next(&mut self) -> (&mut Row, &mut Vec<Declared>) {
        let row = &mut self.rows[self.len % BLOCK];
        *row = Row::default();
        (row, &mut self.declared)
    }

    /// Keeps what was written to the next row, its fingerprint included, and its declared fields.
    #[inline]
    pub(super) fn keep(&mut self, events: &mut Events) {
        push_declared(&mut events.declared, &self.declared);
        self.len += 1;
        if self.len == BLOCK {
            self.spread(events);
        }
    }

    /// Adds the rows kept to the columns.
    pub(super) fn spread(&mut self, events: &mut Events) {
        let rows = &self.rows[..self.len];
        for (field, column) in events.texts.iter_mut().enumerate() {
            column.extend(rows.iter().map(|row| row.texts[field]));
        }
        events.time.extend(rows.iter().map(|row| row.time));
        events.amount.extend(rows.iter().map(|row| row.amount));
        events.money.extend(rows.iter().map(|row| row.money));
        events.kyc.extend(rows.iter().map(|row| row.kyc));
        events.factors.extend(rows.iter().map(|row| row.factors));
        events.ip.extend(rows.iter().map(|row| row.ip));
        events.lat.extend(rows.iter().map(|row| row.place.map(|(lat, _)| lat)));
        events.lon.extend(rows.iter().map(|row| row.place.map(|(_, lon)| lon)));
        events.record.extend(rows.iter().map(|row| row.record));
        events.fingerprint.extend(rows.iter().map(|row| row.fingerprint));
        self.len = 0;
    }
}

/// Adds the declared fields of one row, which differ from rule set to rule set.
#[inline]
fn push_declared(columns: &mut [DeclaredColumn], declared: &[Declared]) {
    for (column, value) in columns.iter_mut().zip(declared) {
        match (column, *value) {
            (DeclaredColumn::Text(column), Declared::Text(span)) => column.push(span),
            (DeclaredColumn::Int(column), Declared::Int(value)) => column.push(value),
            (DeclaredColumn::Double(column), Declared::Double(value)) => column.push(value),
            (DeclaredColumn::Bool(column), Declared::Bool(value)) => column.push(value),
            // Batch and schema come from the same rule set, so their types agree.
            (column, _) => debug_assert!(false, "a value of another type than its column {column:?}"),
        }
    }
}

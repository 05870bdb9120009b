//! What the window state is given per batch, and where its answers go: columns over the rows of the batch.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::model::events::Span;

/// Columns that all dimensions share.
#[derive(Debug, Default)]
pub struct Rows {
    /// Event time, ms.
    pub time: Vec<i64>,
    /// Lowest time that an event after this row can have, ms.
    pub floor: Vec<i64>,
    /// Per calendar period (indexed by `Period as usize`), where it is used: first instant of the row's period.
    pub starts: [Vec<i64>; 4],
    /// The same for the row's floor.
    pub floor_starts: [Vec<i64>; 4],
}

/// What a row does to a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Step {
    /// Nothing.
    #[default]
    Pass,
    /// It is an entry.
    Enter,
    /// It hides what was before.
    Reset,
}

/// Per row: what it does to one stream, and its value.
#[derive(Debug, Default)]
pub struct StreamColumn {
    /// Entry, reset or neither.
    pub step: Vec<Step>,
    /// Whether the row has a value of its own (also where it is no entry).
    pub present: Vec<bool>,
    /// Numbers, for [`super::plan::Cell::Number`].
    pub number: Vec<i64>,
    /// Hashes, places and addresses.
    pub extra: Vec<u128>,
    /// Strings, as pieces of `text`.
    pub spans: Vec<Span>,
    /// The bytes of the strings.
    pub text: Vec<u8>,
}

impl StreamColumn {
    /// Removes all rows and keeps the memory.
    pub fn clear(&mut self) {
        self.step.clear();
        self.present.clear();
        self.number.clear();
        self.extra.clear();
        self.spans.clear();
        self.text.clear();
    }
}

/// A feature's values over the batch. Worker threads fill disjoint rows, hence atomics; each row is written once.
#[derive(Debug, Default)]
pub struct FeatureColumn {
    /// Value bits.
    pub bits: Vec<AtomicU64>,
    /// Upper halves of addresses.
    pub high: Vec<AtomicU64>,
    /// Whether there is a value.
    pub present: Vec<AtomicBool>,
}

impl FeatureColumn {
    /// Makes room for `rows` rows without value.
    pub fn start(&mut self, rows: usize, wide: bool) {
        self.bits.resize_with(rows, AtomicU64::default);
        self.high.resize_with(if wide { rows } else { 0 }, AtomicU64::default);
        self.present.clear();
        self.present.resize_with(rows, AtomicBool::default);
    }

    /// Sets a row.
    #[inline]
    pub fn put(&self, row: usize, value: Option<u128>) {
        if let Some(value) = value {
            self.bits[row].store(value as u64, Relaxed);
            if let Some(high) = self.high.get(row) {
                high.store((value >> 64) as u64, Relaxed);
            }
            self.present[row].store(true, Relaxed);
        }
    }

    /// Sets a row of a feature that is no address.
    #[inline(always)]
    pub fn put_word(&self, row: usize, value: Option<u64>) {
        if let Some(value) = value {
            self.bits[row].store(value, Relaxed);
            self.present[row].store(true, Relaxed);
        }
    }

    /// The value of a row.
    #[inline]
    pub fn get(&self, row: usize) -> Option<u128> {
        let high = self.high.get(row).map_or(0, |high| high.load(Relaxed));
        let value = u128::from(self.bits[row].load(Relaxed)) | u128::from(high) << 64;
        self.present[row].load(Relaxed).then_some(value)
    }
}

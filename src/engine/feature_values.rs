//! Feature values on their way from the window state to the expressions.
//!
//! Worker threads write them row by row in any order; afterwards they are copied into plain columns.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use crate::expr::eval::{ColumnData, Pool, Text, Truth};
use crate::feature::rows::FeatureColumn;
use crate::feature::shard::{Shard, unpack_text};
use crate::feature::store::{DimensionState, Store, lock};
use crate::model::column::Column;
use crate::ruleset::types::{Feature, RuleSet};

/// The values of all features in a batch.
#[derive(Debug, Default)]
pub(super) struct FeatureValues {
    /// As the window state writes them.
    pub raw: Vec<FeatureColumn>,
    /// As expressions read them.
    pub columns: Vec<ColumnData>,
    /// The bytes of those that are texts.
    pub text: Vec<u8>,
}

impl FeatureValues {
    /// Columns without rows.
    pub fn new(features: &[Feature]) -> Self {
        FeatureValues {
            raw: features.iter().map(|_| FeatureColumn::default()).collect(),
            columns: features.iter().map(|feature| ColumnData::new(feature.kind)).collect(),
            text: Vec::new(),
        }
    }

    /// Begins a batch of so many rows.
    pub fn start(&mut self, rows: usize) {
        self.text.clear();
        for (raw, column) in self.raw.iter_mut().zip(&self.columns) {
            raw.start(rows, matches!(column, ColumnData::Ip(_)));
        }
    }

    /// Makes the features of one level readable; `levels` is the level of each.
    pub fn publish(&mut self, rules: &RuleSet, levels: &[usize], level: usize, store: &Store) {
        for (index, feature) in rules.features.iter().enumerate().filter(|(index, _)| levels[*index] == level) {
            let column = &mut self.columns[index];
            column.clear();
            if let ColumnData::Text(texts) = column {
                let is_its = |d: &&DimensionState| d.dimension.level == level && d.dimension.by == feature.by;
                let shards = store.dimensions.iter().find(is_its).map_or(&[][..], |dimension| &dimension.shards);
                publish_texts(&self.raw[index], shards, texts, &mut self.text);
            } else {
                publish(&self.raw[index], column);
            }
        }
    }
}

fn publish(raw: &FeatureColumn, column: &mut ColumnData) {
    match column {
        ColumnData::I64(out) => fill(out, raw, |bits| bits as i64),
        ColumnData::F64(out) => fill(out, raw, f64::from_bits),
        ColumnData::Ip(out) => {
            let halves = raw.bits.iter().zip(&raw.high);
            out.values
                .extend(halves.map(|(low, high)| u128::from(low.load(Relaxed)) | u128::from(high.load(Relaxed)) << 64));
            out.present.extend(raw.present.iter().map(load_flag));
        }
        ColumnData::Bool(out) => {
            let rows = raw.bits.iter().zip(&raw.present);
            out.extend(rows.map(|(bits, present)| Truth::of(load_flag(present).then(|| load(bits) != 0))));
        }
        ColumnData::Text(_) => unreachable!("texts have bytes to be gathered first"),
    }
}

fn fill<T>(out: &mut Column<T>, raw: &FeatureColumn, value: impl Fn(u64) -> T) {
    out.values.extend(raw.bits.iter().map(|bits| value(load(bits))));
    out.present.extend(raw.present.iter().map(load_flag));
}

fn load(bits: &AtomicU64) -> u64 {
    bits.load(Relaxed)
}

fn load_flag(flag: &AtomicBool) -> bool {
    flag.load(Relaxed)
}

/// Gathers the strings that the shards read behind `text`, and says where each row's is.
fn publish_texts(raw: &FeatureColumn, shards: &[Mutex<Shard>], out: &mut Column<Text>, text: &mut Vec<u8>) {
    let mut gather = |shard: &Mutex<Shard>| {
        let start = text.len() as u32;
        text.extend_from_slice(&lock(shard).text);
        start
    };
    let bases: Vec<u32> = shards.iter().map(&mut gather).collect();
    let place = |bits: u64| {
        let (shard, start, len) = unpack_text(bits);
        let base = bases.get(usize::from(shard)).copied().unwrap_or_default();
        Text { pool: Pool::Feature, start: base + start, len }
    };
    (0..raw.bits.len()).for_each(|row| out.push(raw.get(row).map(|bits| place(bits as u64))));
}

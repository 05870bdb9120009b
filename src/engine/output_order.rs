//! The order of output lines: rejections and evictions in between the accepted rows, as in the input.

use super::intake::Accepted;
use crate::feature::eviction::Evicted;
use crate::feature::keys;
use crate::model::batch::Batch;
use crate::model::outcome::{Eviction, Item, Outcome};

/// Sorts what was evicted as it is to be written: by row, then by the names and bytes of the key.
pub(super) fn sort_evicted(evicted: &mut [Evicted]) {
    evicted.sort_unstable_by(|a, b| (a.row, by_names(a), &a.key).cmp(&(b.row, by_names(b), &b.key)));
}

fn by_names(evicted: &Evicted) -> Vec<&str> {
    evicted.by.iter().map(|part| part.name.as_str()).collect()
}

/// Interleaves rejections and evictions with the accepted rows, in input order.
pub(super) struct OutputOrder<'a> {
    batch: &'a Batch,
    /// Record and item index of all rejections, by record.
    rejections: Vec<(u32, u32)>,
    next_rejection: usize,
    evicted: &'a [Evicted],
}

impl<'a> OutputOrder<'a> {
    /// Nothing was said yet; `evicted` is sorted.
    pub fn new(batch: &'a Batch, accepted: &Accepted, evicted: &'a [Evicted]) -> Self {
        let all = batch.rejections.iter().chain(&accepted.rejections).enumerate();
        let mut rejections: Vec<(u32, u32)> = all.map(|(index, r)| (r.record, index as u32)).collect();
        rejections.sort_unstable();
        OutputOrder { batch, rejections, next_rejection: 0, evicted }
    }

    /// Says what comes before an accepted row's lines.
    pub fn before_row(&mut self, row: usize, out: &mut Outcome) {
        self.reject_before(self.batch.events.record[row], out);
        while let Some((first, rest)) = self.evicted.split_first().filter(|(first, _)| first.row == row) {
            out.items.push(Item::Evicted(out.evictions.len() as u32));
            out.evictions.push(eviction(first));
            self.evicted = rest;
        }
    }

    fn reject_before(&mut self, record: u32, out: &mut Outcome) {
        while let Some(&(_, index)) = self.rejections.get(self.next_rejection).filter(|(at, _)| *at < record) {
            out.items.push(Item::Rejected(index));
            self.next_rejection += 1;
        }
    }

    /// Says what comes after the last accepted row.
    pub fn rest(&mut self, out: &mut Outcome) {
        self.reject_before(u32::MAX, out);
    }
}

fn eviction(evicted: &Evicted) -> Eviction {
    let values = keys::decode(&evicted.by, &evicted.key);
    Eviction { key: evicted.by.iter().map(|part| part.name.clone()).zip(values).collect(), last: evicted.last }
}

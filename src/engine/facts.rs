//! What happened, in numbers: for summaries and metrics. The core counts; the shell shows.

use std::collections::BTreeMap;

use crate::model::batch::RejectCode;
use crate::model::outcome::TransitionKind;

/// Counts over one or more batches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Records read.
    pub records: u64,
    /// Events accepted, each with one decision.
    pub events: u64,
    /// Decisions per action, in rising severity.
    pub actions: [u64; 5],
    /// Per rule (index): events it fired for.
    pub hits: Vec<u64>,
    /// Per rule (index): events for which `on` held and `when` was in error.
    pub undecided: Vec<u64>,
    /// Rejected records per code.
    pub rejected: BTreeMap<RejectCode, u64>,
    /// Lock transitions per kind.
    pub transitions: BTreeMap<TransitionKind, u64>,
    /// Evicted keys.
    pub evicted: u64,
    /// Accepted events whose amount had no rate.
    pub without_rate: u64,
    /// The greatest step over a day by which one event moved a watermark, ms, and the event's id.
    pub greatest_step: Option<(i64, String)>,
}

impl Facts {
    /// Adds what happened in a later batch.
    pub fn add(&mut self, more: &Facts) {
        self.records += more.records;
        self.events += more.events;
        self.evicted += more.evicted;
        self.without_rate += more.without_rate;
        self.actions.iter_mut().zip(&more.actions).for_each(|(sum, n)| *sum += n);
        add_all(&mut self.hits, &more.hits);
        add_all(&mut self.undecided, &more.undecided);
        more.rejected.iter().for_each(|(&code, n)| *self.rejected.entry(code).or_default() += n);
        more.transitions.iter().for_each(|(&kind, n)| *self.transitions.entry(kind).or_default() += n);
        self.greatest_step = self.greatest_step.clone().max(more.greatest_step.clone());
    }

    /// Rejected records, all codes.
    pub fn rejected_total(&self) -> u64 {
        self.rejected.values().sum()
    }
}

fn add_all(sums: &mut Vec<u64>, more: &[u64]) {
    sums.resize(sums.len().max(more.len()), 0);
    sums.iter_mut().zip(more).for_each(|(sum, n)| *sum += n);
}

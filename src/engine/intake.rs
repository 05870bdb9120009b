//! Intake: which decoded events are accepted, in the order of the contract: late, future, duplicate, conflict.
//!
//! Rejected events change nothing. Each source partition has its own watermark; the floor is the lowest time that an
//! event of any partition can still have.

use super::recent::{Familiarity, Recent, Seen};
use crate::model::batch::{Batch, RejectCode, Rejection};
use crate::model::column::Column;
use crate::model::events::TextField;
use crate::model::time::write_timestamp;

/// How far ahead a slot of the duplicate index is fetched.
const AHEAD: usize = 12;

/// Limits of intake, all ms.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// How far behind the newest event of its partition an event may be.
    pub lateness: i64,
    /// How far apart two events of one id are different events.
    pub dedup: i64,
    /// How far ahead of its record timestamp an event may be.
    pub max_future: Option<i64>,
    /// How far behind the newest event of all partitions an event may be.
    pub max_skew: Option<i64>,
}

/// What intake remembers.
#[derive(Debug, Default)]
pub struct Intake {
    /// Highest accepted event time per partition.
    pub highest: Vec<Option<i64>>,
    /// Accepted events by identity.
    pub recent: Recent,
    /// The greatest step that one event moved the watermark, ms, and its id.
    pub greatest_step: Option<(i64, String)>,
}

/// What intake says about a batch.
#[derive(Debug, Default)]
pub struct Accepted {
    /// Accepted rows, in order.
    pub rows: Vec<u32>,
    /// Per row: highest time accepted before in its partition minus its own, at least 0.
    pub behind: Column<i64>,
    /// Per row: the floor after it.
    pub floor: Vec<i64>,
    /// Rejected rows, in order.
    pub rejections: Vec<Rejection>,
}

impl Accepted {
    fn clear(&mut self) {
        self.rows.clear();
        self.behind.clear();
        self.floor.clear();
        self.rejections.clear();
    }
}

impl Intake {
    /// Judges the rows of a batch.
    pub fn judge(&mut self, batch: &Batch, limits: &Limits, accepted: &mut Accepted) {
        accepted.clear();
        let events = &batch.events;
        for row in 0..events.len() {
            if let Some(&ahead) = events.identity.get(row + AHEAD) {
                self.recent.prefetch(ahead);
            }
            match self.judge_row(batch, row, limits) {
                Ok(behind) => {
                    accepted.rows.push(row as u32);
                    accepted.behind.push(Some(behind));
                }
                Err((code, detail)) => {
                    accepted.behind.push(None);
                    accepted.rejections.push(rejection(batch, row, code, detail));
                }
            }
            accepted.floor.push(self.floor(limits));
        }
    }

    fn judge_row(&mut self, batch: &Batch, row: usize, limits: &Limits) -> Result<i64, (RejectCode, String)> {
        let events = &batch.events;
        let origin = batch.origins[events.record[row] as usize];
        let partition = origin.partition as usize;
        if partition >= self.highest.len() {
            self.highest.resize(partition + 1, None);
        }
        let time = events.time[row];
        let highest = self.highest[partition];
        if let Some(bound) = self.oldest_allowed(highest, limits).filter(|&bound| time < bound) {
            return Err((RejectCode::Late, late_detail(time, bound)));
        }
        if let Some(bound) = origin.timestamp.zip(limits.max_future).map(|(stamp, future)| stamp.saturating_add(future))
            && time > bound
        {
            return Err((RejectCode::Future, future_detail(time, bound)));
        }
        let seen = Seen { identity: events.identity[row], time, fingerprint: events.fingerprint[row] };
        match self.recent.look_up(&seen, limits.dedup) {
            Familiarity::Unknown => {}
            Familiarity::Same => return Err((RejectCode::Duplicate, duplicate_detail())),
            Familiarity::Different => return Err((RejectCode::Conflict, conflict_detail())),
        }
        self.advance(batch, row, partition);
        self.recent.insert(seen, self.floor(limits).saturating_sub(limits.dedup));
        Ok(highest.map_or(0, |highest| highest.saturating_sub(time).max(0)))
    }

    fn advance(&mut self, batch: &Batch, row: usize, partition: usize) {
        let time = batch.events.time[row];
        let highest = self.highest[partition];
        if let Some(before) = highest
            && time.saturating_sub(before) > self.greatest_step.as_ref().map_or(0, |(step, _)| *step)
            && time.saturating_sub(before) > MS_PER_DAY
        {
            let id = batch.events.text_of(TextField::Id, row).unwrap_or_default();
            self.greatest_step = Some((time.saturating_sub(before), id.to_owned()));
        }
        self.highest[partition] = highest.max(Some(time));
    }

    fn oldest_allowed(&self, highest: Option<i64>, limits: &Limits) -> Option<i64> {
        let own = highest.map(|highest| highest.saturating_sub(limits.lateness));
        let newest = self.highest.iter().flatten().max();
        let skewed = newest.zip(limits.max_skew).map(|(newest, skew)| newest.saturating_sub(skew));
        own.max(skewed)
    }

    /// The lowest time that an event can still have.
    pub fn floor(&self, limits: &Limits) -> i64 {
        let own = |highest: &Option<i64>| self.oldest_allowed(*highest, limits).unwrap_or(i64::MIN);
        self.highest.iter().map(own).min().unwrap_or(i64::MIN)
    }
}

const MS_PER_DAY: i64 = 86_400_000;

fn rejection(batch: &Batch, row: usize, code: RejectCode, detail: String) -> Rejection {
    let event = batch.events.text_of(TextField::Id, row).map(str::to_owned);
    Rejection { record: batch.events.record[row], code, field: None, event, detail }
}

fn timestamp(time: i64) -> String {
    let mut text = Vec::new();
    write_timestamp(&mut text, time);
    String::from_utf8_lossy(&text).into_owned()
}

fn late_detail(time: i64, bound: i64) -> String {
    format!("event time {} is before {}, the newest time accepted minus `lateness`", timestamp(time), timestamp(bound))
}

fn future_detail(time: i64, bound: i64) -> String {
    format!("event time {} is after {}, its record timestamp plus `max_future`", timestamp(time), timestamp(bound))
}

fn duplicate_detail() -> String {
    "an event with this account, id and content was accepted before".to_owned()
}

fn conflict_detail() -> String {
    "an event with this account and id but other content was accepted before".to_owned()
}

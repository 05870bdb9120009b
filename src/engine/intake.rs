//! Intake: which decoded events are accepted, in the order of the contract: not allowed, late, future, duplicate,
//! conflict.
//!
//! Rejected events change nothing. Each source partition has its own watermark; the floor is the lowest time that an
//! event of any partition can still have.

use super::recent::{Familiarity, Recent, Seen};
use crate::model::batch::{Batch, Origin, RejectCode, Rejection, Source};
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
    fn start(&mut self, rows: usize) {
        self.rows.clear();
        self.behind.clear();
        self.behind.reserve(rows);
        self.floor.clear();
        self.rejections.clear();
    }
}

impl Intake {
    /// Judges the rows of a batch.
    pub fn judge(&mut self, batch: &Batch, limits: &Limits, accepted: &mut Accepted) {
        accepted.start(batch.events.len());
        let mut bounds = self.bounds(limits);
        for row in 0..batch.events.len() {
            if let Some(&ahead) = batch.events.identity.get(row + AHEAD) {
                self.recent.prefetch(ahead);
            }
            match self.judge_row(batch, row, limits, &mut bounds) {
                Ok(behind) => {
                    accepted.rows.push(row as u32);
                    accepted.behind.push(Some(behind));
                }
                Err(code) => {
                    accepted.behind.push(None);
                    accepted.rejections.push(self.rejection(batch, row, code, limits, &bounds));
                }
            }
            accepted.floor.push(bounds.floor);
        }
    }

    fn judge_row(
        &mut self,
        batch: &Batch,
        row: usize,
        limits: &Limits,
        bounds: &mut Bounds,
    ) -> Result<i64, RejectCode> {
        let events = &batch.events;
        let origin = &batch.origins[events.record[row] as usize];
        let partition = origin.partition as usize;
        if partition >= self.highest.len() {
            self.highest.resize(partition + 1, None);
            *bounds = self.bounds(limits);
        }
        if !batch.sources.get(origin.source as usize).is_none_or(Source::may_control) && is_control(batch, row) {
            return Err(RejectCode::NotAllowed);
        }
        let time = events.time[row];
        let highest = self.highest[partition];
        if time < bounds.oldest(highest, limits) {
            return Err(RejectCode::Late);
        }
        if latest(origin, limits).is_some_and(|latest| time > latest) {
            return Err(RejectCode::Future);
        }
        let seen = Seen { identity: events.identity[row], time, fingerprint: events.fingerprint[row] };
        match self.recent.look_up(&seen, limits.dedup) {
            Familiarity::Unknown => {}
            Familiarity::Same => return Err(RejectCode::Duplicate),
            Familiarity::Different => return Err(RejectCode::Conflict),
        }
        if highest.is_none_or(|highest| time > highest) {
            self.advance(batch, row, partition);
            *bounds = self.bounds(limits);
        }
        self.recent.insert(seen, bounds.floor.saturating_sub(limits.dedup));
        Ok(highest.map_or(0, |highest| highest.saturating_sub(time).max(0)))
    }

    /// Moves a partition's watermark to a later event.
    fn advance(&mut self, batch: &Batch, row: usize, partition: usize) {
        let time = batch.events.time[row];
        let step = self.highest[partition].map_or(0, |before| time.saturating_sub(before));
        if step > MS_PER_DAY && step > self.greatest_step.as_ref().map_or(0, |(greatest, _)| *greatest) {
            let id = batch.events.text_of(TextField::Id, row).unwrap_or_default();
            self.greatest_step = Some((step, id.to_owned()));
        }
        self.highest[partition] = Some(time);
    }

    fn bounds(&self, limits: &Limits) -> Bounds {
        let highest = self.highest.iter().map(|highest| highest.unwrap_or(i64::MIN));
        let newest = highest.clone().max().unwrap_or(i64::MIN);
        let skewed = limits.max_skew.map_or(i64::MIN, |skew| newest.saturating_sub(skew));
        let lowest = highest.min().unwrap_or(i64::MIN);
        Bounds { skewed, floor: skewed.max(lowest.saturating_sub(limits.lateness)) }
    }

    /// The lowest time that an event can still have.
    pub fn floor(&self, limits: &Limits) -> i64 {
        self.bounds(limits).floor
    }

    fn rejection(&self, batch: &Batch, row: usize, code: RejectCode, limits: &Limits, bounds: &Bounds) -> Rejection {
        let record = batch.events.record[row];
        let (time, origin) = (batch.events.time[row], &batch.origins[record as usize]);
        let detail = match code {
            RejectCode::NotAllowed => not_allowed_detail(),
            RejectCode::Late => late_detail(time, bounds.oldest(self.highest[origin.partition as usize], limits)),
            RejectCode::Future => future_detail(time, latest(origin, limits).unwrap_or(time)),
            RejectCode::Duplicate => duplicate_detail(),
            _ => conflict_detail(),
        };
        let event = batch.events.text_of(TextField::Id, row).map(str::to_owned);
        Rejection { record, code, field: None, event, detail }
    }
}

/// What the watermarks allow; changes only when one of them moves.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    /// Newest event of all partitions minus `max_skew`.
    skewed: i64,
    /// The lowest time that an event of any partition can still have.
    floor: i64,
}

impl Bounds {
    /// The lowest time in a partition with that watermark.
    fn oldest(&self, highest: Option<i64>, limits: &Limits) -> i64 {
        self.skewed.max(highest.unwrap_or(i64::MIN).saturating_sub(limits.lateness))
    }
}

/// The highest time that an event of a record can have, if there is one.
fn latest(origin: &Origin, limits: &Limits) -> Option<i64> {
    origin.timestamp.zip(limits.max_future).map(|(stamp, future)| stamp.saturating_add(future))
}

const MS_PER_DAY: i64 = 86_400_000;

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

/// Whether an event is one that only the wallet itself may send.
fn is_control(batch: &Batch, row: usize) -> bool {
    matches!(batch.events.text_of(TextField::Type, row), Some("unlock" | "freeze" | "label"))
}

fn not_allowed_detail() -> String {
    "`unlock`, `freeze` and `label` are accepted from the topics under `topics.control` only".to_owned()
}

fn duplicate_detail() -> String {
    "an event with this account, id and content was accepted before".to_owned()
}

fn conflict_detail() -> String {
    "an event with this account and id but other content was accepted before".to_owned()
}

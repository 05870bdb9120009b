//! The live stream: what has arrived is scored in batches of what there is, and handed to whoever commits.
//!
//! At low load a batch is one record; under load, or while a commit takes its time, batches grow by themselves.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::Duration;

use super::clock::{instant, wall_ms};
use super::feed::Feed;
use super::fold::Fold;
use super::lanes::Lanes;
use super::observer::Observer;
use super::packer::{Packer, finish};
use super::parcel::Parcel;
use super::sources::Sources;
use super::stop::Stop;
use crate::config::Limits;
use crate::journal::Tick;

/// The longest sleep, so that a stop is noticed.
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// Between two looks at what the engine holds, ms.
const STATE_LOOK: i64 = 5000;

/// The thread that scores.
pub struct Live {
    /// The engine and where it stands.
    pub fold: Fold,
    /// What arrives.
    pub feed: Feed,
    /// What has arrived.
    pub lanes: Lanes,
    /// What is read.
    pub sources: Arc<Sources>,
    /// Sizes of batches.
    pub limits: Limits,
    /// Metrics and status.
    pub observer: Observer,
    /// When to end.
    pub stop: Arc<Stop>,
    /// When the engine's holdings were looked at last, ms.
    pub looked_at: i64,
}

impl Live {
    /// Scores what comes until told to stop, or until nothing will come any more, or nobody takes it.
    pub fn run(&mut self, parcels: &SyncSender<Parcel>, empties: &Receiver<Parcel>) {
        while !self.stop.is_requested() {
            let wait = self.wait();
            if !self.feed.receive(&mut self.lanes, wait) {
                return;
            }
            self.fill();
            if !self.fold.is_empty() {
                let parcel = self.score(empties.try_recv().unwrap_or_default());
                if parcels.send(parcel).is_err() {
                    return;
                }
            }
            if !self.tick_all(parcels, empties) {
                return;
            }
            self.look_at_state();
        }
    }

    /// Until when there is nothing to do unless a record arrives.
    fn wait(&self) -> Duration {
        let (now, count) = (wall_ms(), self.sources.count());
        if self.lanes.turn(count, now).is_some() {
            return Duration::ZERO;
        }
        let silent = (0..self.sources.partitions()).filter(|partition| self.is_silent(*partition));
        let tick = silent.filter_map(|partition| self.tick_due(partition)).min();
        let next = [self.lanes.waits_until(count, now), tick].into_iter().flatten().min();
        let until = next.map_or(LONGEST_WAIT, |time| Duration::from_millis((time - now).max(1).cast_unsigned()));
        until.min(LONGEST_WAIT)
    }

    /// Takes records whose turn it is into the batch.
    fn fill(&mut self) {
        let (now, count) = (wall_ms(), self.sources.count());
        while self.fold.len() < self.limits.batch_records && self.fold.bytes() < self.limits.batch_bytes {
            let Some(lane) = self.lanes.turn(count, now) else { break };
            let Some(taken) = self.lanes.front(lane) else { break };
            self.fold.push(&taken);
            self.lanes.advance(lane, now);
        }
        self.feed.release(&mut self.lanes);
    }

    fn score(&mut self, mut parcel: Parcel) -> Parcel {
        let start = instant();
        parcel.clear(self.sources.count(), self.fold.mark());
        let currency = self.fold.rules().currency;
        let facts = {
            let mut packer = Packer::new(&mut parcel, currency);
            self.fold.apply(&mut self.observer.listen(&mut packer))
        };
        finish(&mut parcel, &mut self.fold);
        self.observer.batch_done(&self.fold, &facts, &self.sources, start.elapsed());
        parcel
    }

    /// Ends locks of partitions that are silent; false where nobody takes what came of it.
    fn tick_all(&mut self, parcels: &SyncSender<Parcel>, empties: &Receiver<Parcel>) -> bool {
        let now = wall_ms();
        for partition in 0..self.sources.partitions() {
            if !self.is_silent(partition) || self.tick_due(partition).is_none_or(|due| due > now) {
                continue;
            }
            let time = now.saturating_sub(self.fold.rules().lateness);
            let parcel = self.tick(Tick { partition: partition as u32, time }, empties.try_recv().unwrap_or_default());
            if parcels.send(parcel).is_err() {
                return false;
            }
        }
        true
    }

    /// Whether all topics' partitions of a number have nothing more.
    fn is_silent(&self, partition: usize) -> bool {
        let lanes = (0..self.sources.topics().len()).map(|topic| topic * self.sources.partitions() + partition);
        lanes.into_iter().all(|lane| self.lanes.is_idle(lane))
    }

    /// When (ms) a partition's next end would have to be written although nothing comes.
    fn tick_due(&self, partition: usize) -> Option<i64> {
        let end = self.fold.engine().next_end(partition as u32)?;
        Some(end.saturating_add(self.fold.rules().lateness).saturating_add(1))
    }

    fn tick(&mut self, tick: Tick, mut parcel: Parcel) -> Parcel {
        parcel.clear(self.sources.count(), self.fold.mark());
        let currency = self.fold.rules().currency;
        {
            let mut packer = Packer::new(&mut parcel, currency);
            self.fold.tick(tick, &mut self.observer.listen(&mut packer));
        }
        finish(&mut parcel, &mut self.fold);
        parcel
    }

    fn look_at_state(&mut self) {
        let now = wall_ms();
        if now.saturating_sub(self.looked_at) >= STATE_LOOK {
            self.looked_at = now;
            self.observer.state_held(&self.fold);
        }
    }
}

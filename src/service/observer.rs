//! What metrics and the status page are told of the live stream, beside the packing of its output.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;

use super::familiar::{Familiar, Known};
use super::fold::{Fold, Heard, Sink};
use super::http::Shared;
use super::report::LockNotice;
use super::sources::Sources;
use crate::engine::facts::Facts;
use crate::engine::said::About;
use crate::expr::format;
use crate::model::action::Action;
use crate::model::batch::{Batch, RejectCode, Rejection};
use crate::model::events::TextField;
use crate::model::money::Currency;
use crate::model::outcome::{Transition, TransitionKind};

/// Tells metrics and status.
pub struct Observer {
    shared: Shared,
    familiar: Familiar,
    currency: Currency,
    /// Rejections of the batch by code, with the event type where it is known.
    rejected: Vec<(Option<String>, RejectCode)>,
    /// Records of the batch that were not simply let through.
    stopped: Vec<usize>,
    /// By row of the batch: what its account goes by.
    accounts: Vec<Known>,
    /// The last decision's line: transitions follow the decision that caused them.
    decision: Range<usize>,
}

/// Listens to one batch.
pub struct Listening<'a> {
    observer: &'a mut Observer,
    inner: &'a mut dyn Sink,
}

impl Observer {
    /// For amounts of this currency.
    pub fn new(shared: Shared, currency: Currency) -> Observer {
        Observer {
            shared,
            familiar: Familiar::default(),
            currency,
            rejected: Vec::new(),
            stopped: Vec::new(),
            accounts: Vec::new(),
            decision: 0..0,
        }
    }

    /// A sink that listens and passes everything on.
    pub fn listen<'a>(&'a mut self, inner: &'a mut dyn Sink) -> Listening<'a> {
        self.rejected.clear();
        self.stopped.clear();
        self.decision = 0..0;
        Listening { observer: self, inner }
    }

    /// After a batch: what the engine counted, and what it holds.
    pub fn batch_done(&mut self, fold: &Fold, facts: &Facts, sources: &Sources, took: Duration) {
        self.shared.metrics.observe_batch(fold.batch().origins.len(), took);
        self.shared.metrics.record(facts);
        self.shared.status.record(facts);
        self.shared.status.set_active_locks(fold.engine().active_locks());
        self.count_types(fold.batch());
        self.find_accounts_elsewhere(fold.batch());
        self.learn_devices(fold.batch());
        for partition in 0..sources.partitions() {
            let Some(highest) = fold.engine().watermark(partition as u32) else { continue };
            // Input and control topics share the watermark of a partition's number; it is shown once.
            let lane = sources.lane(partition);
            self.shared.metrics.set_watermark(lane.topic, lane.partition, highest);
        }
    }

    /// What the engine holds, by dimension.
    pub fn state_held(&self, fold: &Fold) {
        for (dimension, bytes, keys) in fold.engine().state_sizes() {
            self.shared.metrics.set_state(&dimension, bytes, keys);
        }
    }

    /// Events by type and outcome of intake.
    fn count_types(&mut self, batch: &Batch) {
        let metrics = &self.shared.metrics;
        let mut counts: Vec<(&[u8], u64)> = Vec::new();
        for row in 0..batch.events.len() {
            let kind = batch.events.bytes_of(TextField::Type, row).unwrap_or_default();
            match counts.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, count)) => *count += 1,
                None => counts.push((kind, 1)),
            }
        }
        for (kind, code) in &self.rejected {
            metrics.count_events(kind.as_deref(), Some(*code), 1);
            if let Some((_, count)) =
                counts.iter_mut().find(|(known, _)| Some(*known) == kind.as_deref().map(str::as_bytes))
            {
                *count -= 1;
            }
        }
        for (kind, count) in counts {
            metrics.count_events(std::str::from_utf8(kind).ok(), None, count);
        }
    }

    /// Accounts that come from two partitions. What is looked up lies anywhere in memory; with nothing else between,
    /// the processor waits for several of them at a time.
    fn find_accounts_elsewhere(&mut self, batch: &Batch) {
        self.accounts.clear();
        let account = |row| batch.events.bytes_of(TextField::Account, row).unwrap_or_default();
        self.accounts.extend((0..batch.events.len()).map(|row| Known::of(account(row))));
        let mut elsewhere = 0;
        for (account, record) in self.accounts.iter().zip(&batch.events.record) {
            elsewhere += u64::from(self.familiar.is_elsewhere(*account, batch.origins[*record as usize].partition));
        }
        if elsewhere > 0 {
            self.shared.metrics.accounts_in_two_partitions(elsewhere);
        }
    }

    fn transition(&mut self, transition: &Transition, heard: &Heard) {
        let row = transition.row.map(|row| row as usize);
        let text = |field| row.and_then(|row| heard.batch.events.text_of(field, row));
        let bytes = |field| row.and_then(|row| heard.batch.events.bytes_of(field, row));
        let known = match (bytes(TextField::Account), bytes(TextField::Device)) {
            (Some(account), Some(device)) => self.familiar.knows_device(Known::of(account), device),
            _ => false,
        };
        let rule = &transition.target.rule;
        self.shared.metrics.transition(transition.kind, rule, known && transition.kind == TransitionKind::Locked);
        let parts = transition.target.parts.iter().map(|(name, value)| {
            let mut text = Vec::new();
            format::write_value(&mut text, value, self.currency);
            (name.clone(), String::from_utf8_lossy(&text).into_owned())
        });
        let mut notice = LockNotice::new(transition.kind, rule, parts.collect(), transition.start, transition.end);
        notice.event = text(TextField::Id).map(str::to_owned);
        if transition.kind == TransitionKind::Locked {
            notice.reason = reason(&heard.lines[self.decision.clone()], rule);
        }
        self.shared.status.push_lock(notice);
    }

    /// Learns which devices accounts have used with success and without being stopped.
    fn learn_devices(&mut self, batch: &Batch) {
        self.stopped.sort_unstable();
        for (row, account) in self.accounts.iter().enumerate() {
            if batch.events.bytes_of(TextField::Outcome, row) != Some(b"success") {
                continue;
            }
            let is_known = batch.events.bytes_of(TextField::Account, row).is_some();
            let device = batch.events.bytes_of(TextField::Device, row).filter(|_| is_known);
            let is_stopped = self.stopped.binary_search(&(batch.events.record[row] as usize)).is_ok();
            if let Some(device) = device.filter(|_| !is_stopped) {
                self.familiar.saw_device(*account, device);
            }
        }
    }

    fn rejection(&mut self, rejection: &Rejection, heard: &Heard) {
        let row = row_of(heard.batch, rejection.record as usize);
        let kind = row.and_then(|row| heard.batch.events.text_of(TextField::Type, row));
        self.rejected.push((kind.map(str::to_owned), rejection.code));
        self.stopped.push(rejection.record as usize);
    }
}

/// A rule's reason in its first language, as a decision's line gives it.
fn reason(line: &[u8], rule: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Decision {
        hits: Vec<Hit>,
    }
    #[derive(Deserialize)]
    struct Hit {
        rule: String,
        reason: Option<serde_json::Map<String, serde_json::Value>>,
    }
    let decision: Decision = serde_json::from_slice(line).ok()?;
    let hit = decision.hits.into_iter().find(|hit| hit.rule == rule)?;
    hit.reason?.values().next()?.as_str().map(str::to_owned)
}

/// The row of a record; those that could not be decoded have none.
fn row_of(batch: &Batch, record: usize) -> Option<usize> {
    batch.events.record.binary_search(&(record as u32)).ok()
}

impl Sink for Listening<'_> {
    fn line(&mut self, heard: &Heard) {
        match heard.about {
            About::Decision { action: Action::Allow, .. } | About::Evicted => {}
            About::Decision { .. } => {
                self.observer.stopped.extend(heard.record);
                self.observer.decision = heard.line.clone();
            }
            About::Transition(transition) => self.observer.transition(transition, heard),
            About::Rejected(rejection) => self.observer.rejection(rejection, heard),
        }
        self.inner.line(heard);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_has_the_reason_of_its_rule() {
        let line = br#"{"kind":"decision","hits":[{"rule":"a","score":1},{"rule":"b","reason":{"en":"too many"}}]}"#;
        for (rule, expected) in [("a", None), ("b", Some("too many")), ("c", None)] {
            assert_eq!(reason(line, rule).as_deref(), expected, "{rule}");
        }
        assert_eq!(reason(b"", "b"), None);
    }
}

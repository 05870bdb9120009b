//! What the status page shows: kept by the service loop at the cost of one short lock per batch, read by whoever asks.
//!
//! Everything is bounded: a ring of seconds for rates, a ring of recent lock transitions, one entry per partition.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::health::State;
use super::report::{LockNotice, PartitionReport, Report, RuleReport, SnapshotReport};
use crate::engine::facts::Facts;
use crate::model::action::{Action, Mode};
use crate::ruleset::types::RuleSet;

/// Lock transitions remembered.
const RECENT: usize = 50;
/// Rules shown.
const TOP_RULES: usize = 20;
/// Seconds over which rates are taken.
const RATE_SECONDS: i64 = 10;
/// Seconds remembered; a power of two beyond [`RATE_SECONDS`].
const SLOTS: usize = 16;

/// What happened within one second.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    second: i64,
    records: u64,
    flagged: u64,
}

#[derive(Debug, Default)]
struct Inner {
    rule_set: String,
    rules: Vec<(String, Mode)>,
    totals: Facts,
    slots: [Slot; SLOTS],
    lag: BTreeMap<(String, i32), u64>,
    recent: VecDeque<LockNotice>,
    active_locks: u64,
    snapshot: Option<(i64, u64)>,
}

/// The status, shared.
#[derive(Debug)]
pub struct Status {
    inner: Mutex<Inner>,
    /// When the process began, ms.
    started: i64,
}

impl Default for Status {
    fn default() -> Status {
        Status { inner: Mutex::default(), started: now_ms() }
    }
}

impl Status {
    /// Takes over a rule set: at start, and after a reload. What is counted by rule begins anew.
    pub fn set_rules(&self, rules: &RuleSet) {
        let mut inner = self.lock();
        inner.rule_set = rules.id.clone();
        inner.rules = rules.rules.iter().map(|rule| (rule.id.clone(), rule.mode)).collect();
        inner.totals.hits.clear();
        inner.totals.undecided.clear();
    }

    /// Adds what happened in a batch.
    pub fn record(&self, facts: &Facts) {
        self.record_at(facts, now_ms() / 1000);
    }

    fn record_at(&self, facts: &Facts, second: i64) {
        let mut inner = self.lock();
        inner.totals.add(facts);
        let slot = &mut inner.slots[index_of(second)];
        if slot.second != second {
            *slot = Slot { second, ..Slot::default() };
        }
        slot.records += facts.records;
        slot.flagged += facts.actions.iter().skip(1).sum::<u64>();
    }

    /// Sets how many records of a partition are not committed yet.
    pub fn set_lag(&self, topic: &str, partition: i32, records: u64) {
        let mut inner = self.lock();
        match inner.lag.iter_mut().find(|((name, number), _)| name == topic && *number == partition) {
            Some((_, held)) => *held = records,
            None => {
                inner.lag.insert((topic.to_string(), partition), records);
            }
        }
    }

    /// Forgets a partition that this process no longer owns.
    pub fn forget_partition(&self, topic: &str, partition: i32) {
        self.lock().lag.remove(&(topic.to_string(), partition));
    }

    /// Adds a lock transition to the recent ones.
    pub fn push_lock(&self, notice: LockNotice) {
        let mut inner = self.lock();
        inner.recent.truncate(RECENT - 1);
        inner.recent.push_front(notice);
    }

    /// Sets the number of active locks.
    pub fn set_active_locks(&self, count: u64) {
        self.lock().active_locks = count;
    }

    /// Sets when (ms since 1970) the newest snapshot was taken, and its size in bytes.
    pub fn set_snapshot(&self, taken_at: i64, bytes: u64) {
        self.lock().snapshot = Some((taken_at, bytes));
    }

    /// Everything as of now.
    pub fn report(&self, state: &State) -> Report {
        self.report_at(state, now_ms())
    }

    fn report_at(&self, state: &State, now: i64) -> Report {
        let uptime = (now - self.started).max(0) / 1000;
        let inner = self.lock();
        let (records_per_second, flagged_per_second) = inner.rates(now / 1000, uptime);
        Report {
            state: state.name(),
            reason: state.reason(),
            version: env!("CARGO_PKG_VERSION"),
            rule_set: inner.rule_set.clone(),
            uptime_seconds: uptime,
            records: inner.totals.records,
            records_per_second,
            flagged_per_second,
            decisions: Action::ALL.iter().map(|(_, name)| *name).zip(inner.totals.actions).collect(),
            rejected: inner.totals.rejected.iter().map(|(code, count)| (code.name(), *count)).collect(),
            active_locks: inner.active_locks,
            partitions: inner.partitions(),
            top_rules: inner.top_rules(),
            recent_locks: inner.recent.iter().cloned().collect(),
            snapshot: inner.snapshot.map(|(taken_at, bytes)| SnapshotReport {
                taken_at,
                age_seconds: (now - taken_at).max(0) / 1000,
                bytes,
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Records and flagged decisions per second, over the last full seconds.
    fn rates(&self, now: i64, uptime: i64) -> (f64, f64) {
        let window = RATE_SECONDS.min(uptime).max(1);
        let recent = self.slots.iter().filter(|slot| (now - window..now).contains(&slot.second));
        let (records, flagged) = recent.fold((0, 0), |sum, slot| (sum.0 + slot.records, sum.1 + slot.flagged));
        (records as f64 / window as f64, flagged as f64 / window as f64)
    }

    fn partitions(&self) -> Vec<PartitionReport> {
        let report = |((topic, partition), lag): (&(String, i32), &u64)| PartitionReport {
            topic: topic.clone(),
            partition: *partition,
            lag: *lag,
        };
        self.lag.iter().map(report).collect()
    }

    /// The rules that fired most, then by id.
    fn top_rules(&self) -> Vec<RuleReport> {
        let count = |counts: &[u64], index: usize| counts.get(index).copied().unwrap_or(0);
        let report = |(index, (rule, mode)): (usize, &(String, Mode))| RuleReport {
            rule: rule.clone(),
            mode: match mode {
                Mode::Enforce => "enforce",
                Mode::Shadow => "shadow",
            },
            hits: count(&self.totals.hits, index),
            undecided: count(&self.totals.undecided, index),
        };
        let mut rules: Vec<RuleReport> = self.rules.iter().enumerate().map(report).collect();
        rules.sort_by(|a, b| (b.hits, b.undecided).cmp(&(a.hits, a.undecided)).then_with(|| a.rule.cmp(&b.rule)));
        rules.truncate(TOP_RULES);
        rules
    }
}

fn index_of(second: i64) -> usize {
    // Non-negative and below `SLOTS`.
    second.rem_euclid(SLOTS as i64) as usize
}

#[expect(clippy::disallowed_methods, reason = "uptime and rates are measured by the shell's clock")]
fn now_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::outcome::TransitionKind;

    fn batch(records: u64, locks: u64) -> Facts {
        Facts { records, actions: [records - locks, 0, 0, 0, locks], hits: vec![locks], ..Facts::default() }
    }

    #[test]
    fn rates_are_over_the_last_full_seconds() {
        let status = Status { started: 0, ..Status::default() };
        for second in 100..130 {
            status.record_at(&batch(40, 1), second);
            status.record_at(&batch(60, 1), second);
        }
        let rates = |second: i64| {
            let report = status.report_at(&State::Live, second * 1000 + 500);
            (report.records_per_second, report.flagged_per_second)
        };
        assert_eq!(rates(130), (100.0, 2.0));
        assert_eq!(rates(135), (50.0, 1.0));
        assert_eq!(rates(200), (0.0, 0.0));
        assert_eq!(rates(129), (100.0, 2.0));
        assert_eq!(status.report_at(&State::Live, 0).records, 3000);
    }

    #[test]
    fn young_processes_have_rates_as_well() {
        let status = Status { started: 100_000, ..Status::default() };
        status.record_at(&batch(10, 0), 101);
        assert_eq!(status.report_at(&State::Live, 102_000).records_per_second, 5.0);
        assert_eq!(status.report_at(&State::Live, 100_000).records_per_second, 0.0);
    }

    #[test]
    fn recent_locks_are_bounded_and_newest_first() {
        let status = Status::default();
        for start in 0..200 {
            status.push_lock(LockNotice::new(TransitionKind::Locked, "r", Vec::new(), start, None));
        }
        let recent = status.report(&State::Live).recent_locks;
        assert_eq!((recent.len(), recent[0].start, recent[RECENT - 1].start), (RECENT, 199, 150));
    }

    #[test]
    fn partitions_come_and_go() {
        let status = Status::default();
        status.set_lag("b", 1, 5);
        status.set_lag("a", 10, 7);
        status.set_lag("b", 1, 6);
        let shown = |status: &Status| -> Vec<(String, i32, u64)> {
            let partitions = status.report(&State::Live).partitions;
            partitions.into_iter().map(|partition| (partition.topic, partition.partition, partition.lag)).collect()
        };
        assert_eq!(shown(&status), [("a".to_string(), 10, 7), ("b".to_string(), 1, 6)]);
        status.forget_partition("a", 10);
        assert_eq!(shown(&status).len(), 1);
    }

    #[test]
    fn the_report_is_json() {
        let status = Status::default();
        let mut notice = LockNotice::new(TransitionKind::Locked, "r", vec![("account".into(), "a".into())], 0, Some(1));
        notice.reason = Some("too many".to_string());
        status.push_lock(notice);
        status.set_snapshot(1000, 7);
        let json = serde_json::to_value(status.report(&State::Recovering { done: 1, total: 2 })).expect("JSON");
        assert_eq!(json["state"], "recovering");
        assert_eq!(json["reason"], "1 of 2 records replayed (50 %)");
        assert_eq!(json["recent_locks"][0]["end"], "1970-01-01T00:00:00.001Z");
        assert_eq!(json["recent_locks"][0]["target"]["account"], "a");
        assert_eq!(json["snapshot"]["bytes"], 7);
        assert_eq!(json["decisions"]["lock"], 0);
    }
}

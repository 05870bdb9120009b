//! What Prometheus is told. The list is closed ([`list`]); this is how the service fills it in.
//!
//! Every method is cheap enough to be called once per batch, takes `&self`, and may be called from any thread. What
//! depends on the clock (ages, delays) is worked out when somebody asks.

pub mod list;
mod rules;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use prometheus::{IntCounter, Registry, TextEncoder};

use crate::engine::facts::Facts;
use crate::model::action::Action;
use crate::model::batch::RejectCode;
use list::Families;
use rules::RuleCounters;

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Stands for the type of a record that could not be read.
const UNKNOWN_TYPE: &str = "unknown";
/// Stands for all types that the rule set does not know.
const OTHER_TYPE: &str = "other";
/// No labels.
const NONE: &[&str] = &[];

/// What is running, for `lockkeeper_build_info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build<'a> {
    /// Version of lockkeeper.
    pub version: &'a str,
    /// Version of the Kafka client library.
    pub kafka: &'a str,
}

/// Why a transaction was not committed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionFailure {
    /// The same call can be made again.
    Retriable,
    /// It was aborted; the same output is sent again.
    Abortable,
    /// Another producer has taken over.
    Fenced,
    /// The producer cannot go on.
    Fatal,
    /// Nobody knows whether it was committed.
    Unknown,
}

impl TransactionFailure {
    /// All kinds with their names.
    pub const ALL: [(TransactionFailure, &'static str); 5] = [
        (TransactionFailure::Retriable, "retriable"),
        (TransactionFailure::Abortable, "abortable"),
        (TransactionFailure::Fenced, "fenced"),
        (TransactionFailure::Fatal, "fatal"),
        (TransactionFailure::Unknown, "unknown"),
    ];

    /// The name in the label.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// All metrics of the service.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
    rules: Mutex<RuleCounters>,
    /// Highest event time accepted, ms, by topic and partition.
    watermarks: Mutex<BTreeMap<(String, i32), i64>>,
    /// When the newest snapshot was taken, ms since 1970; 0 for none.
    snapshot_at: AtomicU64,
    started: Instant,
    /// When the consumer was last polled, ms after `started`.
    polled: AtomicU64,
}

impl Metrics {
    /// All metrics, at zero where a number is known before anything happened.
    ///
    /// # Errors
    /// When the list contradicts itself; tests hold that it does not.
    pub fn new(build: Build) -> prometheus::Result<Metrics> {
        let registry = Registry::new();
        let families = Families::new(&registry)?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        families.build.with_label_values(&[build.version, env!("CARGO_PKG_RUST_VERSION"), build.kafka]).set(1.0);
        let metrics = Metrics {
            registry,
            families,
            rules: Mutex::default(),
            watermarks: Mutex::default(),
            snapshot_at: AtomicU64::new(0),
            started: monotonic(),
            polled: AtomicU64::new(0),
        };
        metrics.begin_at_zero();
        Ok(metrics)
    }

    /// A counter that is absent until the first event looks like a missing target to whoever alerts on it.
    fn begin_at_zero(&self) {
        let families = &self.families;
        Action::ALL.iter().for_each(|(_, name)| families.decisions.with_label_values(&[name]).inc_by(0));
        RejectCode::ALL.iter().for_each(|code| families.rejected.with_label_values(&[code.name()]).inc_by(0));
        for (_, kind) in TransactionFailure::ALL {
            families.transaction_failures.with_label_values(&[kind]).inc_by(0);
        }
        ["applied", "refused"].iter().for_each(|result| families.reloads.with_label_values(&[result]).inc_by(0));
        for family in [&families.without_rate, &families.partition_clashes, &families.evictions] {
            family.with_label_values(NONE).inc_by(0);
        }
        for family in [&families.latency, &families.processing, &families.batch, &families.transaction] {
            family.with_label_values(NONE);
        }
        families.snapshot_duration.with_label_values(NONE);
        families.recovery.with_label_values(NONE).set(0.0);
        families.ready.with_label_values(NONE).set(0.0);
    }

    /// Counts what the engine counted over a batch; transitions come one by one, by [`Metrics::transition`].
    pub fn record(&self, facts: &Facts) {
        let families = &self.families;
        for ((_, action), count) in Action::ALL.iter().zip(facts.actions).filter(|(_, count)| *count > 0) {
            families.decisions.with_label_values(&[action]).inc_by(count);
        }
        for (code, count) in &facts.rejected {
            families.rejected.with_label_values(&[code.name()]).inc_by(*count);
        }
        families.evictions.with_label_values(NONE).inc_by(facts.evicted);
        families.without_rate.with_label_values(NONE).inc_by(facts.without_rate);
        let rules = lock(&self.rules);
        let add = |counters: &[IntCounter], counts: &[u64]| {
            let changed = counters.iter().zip(counts).filter(|(_, count)| **count > 0);
            changed.for_each(|(counter, count)| counter.inc_by(*count));
        };
        add(&rules.hits, &facts.hits);
        add(&rules.undecided, &facts.undecided);
    }

    /// Counts records of a type (`None` where it could not be read) that intake accepted (`None`) or rejected.
    pub fn count_events(&self, event_type: Option<&str>, rejected: Option<RejectCode>, count: u64) {
        let intake = rejected.map_or("accepted", RejectCode::name);
        let is_known = |name: &&str| lock(&self.rules).types.contains(*name);
        let event_type = event_type.map_or(UNKNOWN_TYPE, |name| Some(name).filter(is_known).unwrap_or(OTHER_TYPE));
        self.families.events.with_label_values(&[event_type, intake]).inc_by(count);
    }

    /// Sets how many records of a partition are not committed yet.
    pub fn set_lag(&self, topic: &str, partition: i32, records: u64) {
        self.families.lag.with_label_values(&[topic, &partition.to_string()]).set(records as f64);
    }

    /// Sets the highest event time (ms) accepted from a partition; its delay is worked out when asked for.
    pub fn set_watermark(&self, topic: &str, partition: i32, watermark: i64) {
        let mut watermarks = lock(&self.watermarks);
        match watermarks.iter_mut().find(|((name, number), _)| name == topic && *number == partition) {
            Some((_, held)) => *held = watermark,
            None => {
                watermarks.insert((topic.to_string(), partition), watermark);
            }
        }
    }

    /// Ends the series of a partition that this process no longer owns.
    pub fn forget_partition(&self, topic: &str, partition: i32) {
        lock(&self.watermarks).remove(&(topic.to_string(), partition));
        let labels = [topic, &partition.to_string()];
        // What is not there need not be removed.
        let _ = self.families.lag.remove_label_values(&labels);
        let _ = self.families.watermark_delay.remove_label_values(&labels);
    }

    /// The consumer was polled just now.
    pub fn polled(&self) {
        self.polled.store(self.uptime_ms().max(1), Ordering::Relaxed);
    }

    /// Counts accounts seen in a second partition.
    pub fn accounts_in_two_partitions(&self, count: u64) {
        self.families.partition_clashes.with_label_values(NONE).inc_by(count);
    }

    /// Says whether a topic's record timestamps are its producers' own.
    pub fn set_producer_clock(&self, topic: &str, is_producers: bool) {
        self.families.producer_clock.with_label_values(&[topic]).set(f64::from(u8::from(is_producers)));
    }

    /// Counts the end-to-end latencies (seconds) of records that were just committed.
    pub fn observe_latencies(&self, seconds: impl IntoIterator<Item = f64>) {
        let local = self.families.latency.with_label_values(NONE).local();
        // A record stamped by a clock that is ahead was not decided before it was written.
        seconds.into_iter().for_each(|seconds| local.observe(seconds.max(0.0)));
        local.flush();
    }

    /// Counts a batch and the time it took to process.
    pub fn observe_batch(&self, records: usize, took: Duration) {
        self.families.batch.with_label_values(NONE).observe(records as f64);
        self.families.processing.with_label_values(NONE).observe(took.as_secs_f64());
    }

    /// Counts a committed transaction.
    pub fn transaction_committed(&self, took: Duration) {
        self.families.transaction.with_label_values(NONE).observe(took.as_secs_f64());
    }

    /// Counts a transaction that was not committed at once.
    pub fn transaction_failed(&self, failure: TransactionFailure) {
        self.families.transaction_failures.with_label_values(&[failure.name()]).inc();
    }

    /// Sets what a dimension holds.
    pub fn set_state(&self, dimension: &str, bytes: u64, keys: u64) {
        self.families.state_bytes.with_label_values(&[dimension]).set(bytes as f64);
        self.families.state_keys.with_label_values(&[dimension]).set(keys as f64);
    }

    /// Counts a snapshot that was just written.
    pub fn snapshot_written(&self, bytes: u64, took: Duration) {
        self.families.snapshot_duration.with_label_values(NONE).observe(took.as_secs_f64());
        self.set_snapshot(wall_clock_ms(), bytes);
    }

    /// Sets when (ms since 1970) the newest snapshot was taken, and its size: after recovery from it.
    pub fn set_snapshot(&self, taken_at: i64, bytes: u64) {
        self.snapshot_at.store(taken_at.max(1).cast_unsigned(), Ordering::Relaxed);
        self.families.snapshot_bytes.with_label_values(NONE).set(bytes as f64);
    }

    /// Sets how many of the records to replay have been; `(0, 0)` is recovered.
    pub fn set_recovery(&self, done: u64, total: u64) {
        let ratio = if total == 0 { 1.0 } else { (done as f64 / total as f64).min(1.0) };
        self.families.recovery.with_label_values(NONE).set(ratio);
    }

    /// Counts an attempt to load a rule set.
    pub fn reloaded(&self, successful: bool) {
        let result = if successful { "applied" } else { "refused" };
        self.families.reloads.with_label_values(&[result]).inc();
        self.families.reload_success.with_label_values(NONE).set(f64::from(u8::from(successful)));
    }

    /// Whether decisions are being made.
    pub fn set_ready(&self, is_ready: bool) {
        self.families.ready.with_label_values(NONE).set(f64::from(u8::from(is_ready)));
    }

    /// All metrics in Prometheus' text format, version 0.0.4.
    pub fn render(&self) -> String {
        self.set_ages();
        // Writing text into a string fails only for families of no known type, and ours are of three.
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }

    /// Works out what depends on the clock.
    fn set_ages(&self) {
        let now = wall_clock_ms();
        let seconds = |ms: i64| ms as f64 / 1000.0;
        for ((topic, partition), watermark) in lock(&self.watermarks).iter() {
            let delay = self.families.watermark_delay.with_label_values(&[topic.as_str(), &partition.to_string()]);
            delay.set(seconds(now.saturating_sub(*watermark)));
        }
        let polled = self.polled.load(Ordering::Relaxed);
        if polled > 0 {
            let age = self.uptime_ms().saturating_sub(polled);
            self.families.poll_age.with_label_values(NONE).set(age as f64 / 1000.0);
        }
        let taken = self.snapshot_at.load(Ordering::Relaxed);
        if taken > 0 {
            let age = now.saturating_sub(taken.cast_signed()).max(0);
            self.families.snapshot_age.with_label_values(NONE).set(seconds(age));
        }
    }

    fn uptime_ms(&self) -> u64 {
        u64::try_from(monotonic().duration_since(self.started).as_millis()).unwrap_or(u64::MAX)
    }
}

/// Locks a mutex; what it guards is whole after every statement, so a panic elsewhere does not matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "ages are measured by the shell's clock")]
fn monotonic() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "delays are measured by the shell's clock")]
fn wall_clock_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

//! The closed list of all metrics: one entry each, from which registration, documentation and tests work.
//!
//! Labels have bounded sets of values: words of ours, names from rule sets and configurations, partitions. Never what
//! stands in events, and never an account.

use prometheus::{GaugeVec, HistogramOpts, HistogramVec, IntCounterVec, Opts, Registry};

/// A metric's type with, for a histogram, the upper bounds of its buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only ever rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Counts observations by size.
    Histogram(&'static [f64]),
}

impl Kind {
    /// The type's name in the exposition.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram(_) => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What its numbers count; empty for a metric that only states something.
    pub unit: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
}

/// What each label may hold.
pub const LABELS: [(&str, &str); 17] = [
    ("action", "`allow`, `alert`, `challenge`, `deny`, `lock`"),
    ("cause", "`expired`, `unlocked`, `released`"),
    ("code", "`malformed`, `too_large`, `invalid_field`, `not_allowed`, `late`, `future`, `duplicate`, `conflict`"),
    ("dimension", "the `by` of features, names joined by `+`; `none` for `by: []`"),
    ("hash", "the first 12 hex digits of the rule set's hash"),
    ("intake", "`accepted`, or a rejection's `code`"),
    ("kafka", "version of the Kafka client library"),
    ("kind", "`retriable`, `abortable`, `fenced`, `fatal`, `unknown`"),
    ("mode", "`enforce`, `shadow`"),
    ("name", "name of the rule set"),
    ("partition", "number of a partition"),
    ("result", "`applied`, `refused`"),
    ("rule", "id of a rule"),
    ("rust", "minimum version of Rust"),
    ("topic", "an input or control topic"),
    ("type", "a type of event that the rule set knows; `other` for the rest, `unknown` where it could not be read"),
    ("version", "version of lockkeeper"),
];

/// Time the machine's work takes: 10 us to 10 s.
const WORK: &[f64] = &[
    0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25,
    0.5, 1.0, 2.5, 10.0,
];
/// From a record's timestamp to its visible decision: 1 ms to 1 h, fine around the goals of 10 ms and 100 ms.
const LATENCY: &[f64] = &[
    0.001, 0.002_5, 0.005, 0.007_5, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
    30.0, 60.0, 300.0, 900.0, 3600.0,
];
/// Transactions: 1 ms to 1 min.
const TRANSACTION: &[f64] =
    &[0.001, 0.002, 0.003, 0.005, 0.007_5, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// Records of a batch, by fours.
const RECORDS: &[f64] = &[1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0, 65_536.0];
/// Snapshots: 10 ms to 10 min.
const SNAPSHOT: &[f64] = &[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// Makes and registers one kind of metric.
trait Family: Sized {
    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<Self>;
}

macro_rules! family {
    ($type:ty) => {
        impl Family for $type {
            fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<Self> {
                let family = <$type>::new(Opts::new(spec.name, spec.help), spec.labels)?;
                registry.register(Box::new(family.clone()))?;
                Ok(family)
            }
        }
    };
}

family!(IntCounterVec);
family!(GaugeVec);

impl Family for HistogramVec {
    fn register(spec: &Spec, registry: &Registry) -> prometheus::Result<Self> {
        let Kind::Histogram(buckets) = spec.kind else {
            return Err(prometheus::Error::Msg(format!("{} has no buckets", spec.name)));
        };
        let options = HistogramOpts::new(spec.name, spec.help).buckets(buckets.to_vec());
        let family = HistogramVec::new(options, spec.labels)?;
        registry.register(Box::new(family.clone()))?;
        Ok(family)
    }
}

macro_rules! metrics {
    ($($field:ident: $family:ident = $kind:expr, $name:literal, $unit:literal, [$($label:literal),*], $help:literal;)*) => {
        /// All metrics of ours, in the order of the documentation.
        pub const LIST: &[Spec] = &[$(
            Spec { name: $name, kind: $kind, unit: $unit, labels: &[$($label),*], help: $help },
        )*];

        /// All metrics of ours, registered.
        #[derive(Debug)]
        pub struct Families {
            $(#[doc = $help] pub $field: $family,)*
        }

        impl Families {
            /// Registers all.
            pub fn new(registry: &Registry) -> prometheus::Result<Families> {
                let mut specs = LIST.iter();
                let mut next = || specs.next().ok_or(prometheus::Error::Msg("the list is too short".to_string()));
                Ok(Families { $($field: $family::register(next()?, registry)?,)* })
            }
        }
    };
}

metrics! {
    events: IntCounterVec = Kind::Counter, "lockkeeper_events_total", "records", ["type", "intake"],
        "Records consumed, by type of event and by what intake made of them.";
    rejected: IntCounterVec = Kind::Counter, "lockkeeper_rejected_total", "records", ["code"],
        "Records rejected, by code.";
    without_rate: IntCounterVec = Kind::Counter, "lockkeeper_amounts_without_rate_total", "events", [],
        "Accepted events whose amount counts as missing because its currency has no rate.";
    decisions: IntCounterVec = Kind::Counter, "lockkeeper_decisions_total", "decisions", ["action"],
        "Decisions, by action.";
    hits: IntCounterVec = Kind::Counter, "lockkeeper_rule_hits_total", "events", ["rule", "mode"],
        "Events a rule fired for.";
    undecided: IntCounterVec = Kind::Counter, "lockkeeper_rule_undecided_total", "events", ["rule"],
        "Events for which a rule could not be decided because its condition was in error.";
    locks_active: GaugeVec = Kind::Gauge, "lockkeeper_locks_active", "locks", ["rule"],
        "Locks that are set and whose end was not written.";
    locks_set: IntCounterVec = Kind::Counter, "lockkeeper_locks_set_total", "locks", ["rule"],
        "Locks that a rule has set.";
    locks_extended: IntCounterVec = Kind::Counter, "lockkeeper_locks_extended_total", "extensions", ["rule"],
        "Times the end of a lock was moved.";
    locks_ended: IntCounterVec = Kind::Counter, "lockkeeper_locks_ended_total", "locks", ["rule", "cause"],
        "Locks of a rule that have ended, by cause.";
    unlocks_refused: IntCounterVec = Kind::Counter, "lockkeeper_unlocks_refused_total", "attempts", ["rule"],
        "Attempts to unlock whose proof was not accepted.";
    locks_known_device: IntCounterVec = Kind::Counter, "lockkeeper_locks_known_device_total", "locks", ["rule"],
        "Locks set by an event from a device known to the account: a measure of friction for honest users.";
    lag: GaugeVec = Kind::Gauge, "lockkeeper_consumer_lag_records", "records", ["topic", "partition"],
        "Records of a partition that are not committed yet.";
    watermark_delay: GaugeVec = Kind::Gauge, "lockkeeper_watermark_delay_seconds", "seconds", ["topic", "partition"],
        "How far the highest event time accepted from a partition is behind the clock.";
    poll_age: GaugeVec = Kind::Gauge, "lockkeeper_consumer_poll_age_seconds", "seconds", [],
        "Time since the consumer was last polled.";
    partition_clashes: IntCounterVec = Kind::Counter, "lockkeeper_accounts_in_two_partitions_total", "accounts", [],
        "Accounts seen in a second partition: producers do not place keys alike.";
    producer_clock: GaugeVec = Kind::Gauge, "lockkeeper_topic_producer_clock", "", ["topic"],
        "1 where record timestamps are the producers' own, so that max_future rests on their clocks; else 0.";
    latency: HistogramVec = Kind::Histogram(LATENCY), "lockkeeper_end_to_end_latency_seconds", "seconds", [],
        "Time from a record's timestamp to its decision being committed.";
    processing: HistogramVec = Kind::Histogram(WORK), "lockkeeper_processing_duration_seconds", "seconds", [],
        "Time to decode, score and encode a batch.";
    batch: HistogramVec = Kind::Histogram(RECORDS), "lockkeeper_batch_records", "records", [],
        "Records of a batch.";
    transaction: HistogramVec = Kind::Histogram(TRANSACTION), "lockkeeper_transaction_duration_seconds", "seconds", [],
        "Time to produce and commit a transaction.";
    transaction_failures: IntCounterVec = Kind::Counter, "lockkeeper_transaction_failures_total", "transactions",
        ["kind"], "Transactions that were not committed at the first attempt, by kind of failure.";
    state_bytes: GaugeVec = Kind::Gauge, "lockkeeper_state_bytes", "bytes", ["dimension"],
        "Memory held by features, by dimension.";
    state_keys: GaugeVec = Kind::Gauge, "lockkeeper_state_keys", "keys", ["dimension"],
        "Keys held by features, by dimension.";
    evictions: IntCounterVec = Kind::Counter, "lockkeeper_evictions_total", "keys", [],
        "Keys evicted to stay within the rule set's bounds.";
    snapshot_age: GaugeVec = Kind::Gauge, "lockkeeper_snapshot_age_seconds", "seconds", [],
        "Age of the newest snapshot; absent while there is none.";
    snapshot_bytes: GaugeVec = Kind::Gauge, "lockkeeper_snapshot_bytes", "bytes", [],
        "Size of the newest snapshot.";
    snapshot_duration: HistogramVec = Kind::Histogram(SNAPSHOT), "lockkeeper_snapshot_duration_seconds", "seconds", [],
        "Time to take and write a snapshot.";
    ready: GaugeVec = Kind::Gauge, "lockkeeper_ready", "", [],
        "1 while decisions are made, as /readyz says; else 0.";
    recovery: GaugeVec = Kind::Gauge, "lockkeeper_recovery_progress_ratio", "ratio", [],
        "Share of the records to replay that have been replayed; 1 once recovered.";
    rule_set: GaugeVec = Kind::Gauge, "lockkeeper_rule_set_info", "", ["name", "hash"],
        "The rule set in use; always 1.";
    reloads: IntCounterVec = Kind::Counter, "lockkeeper_rule_set_reloads_total", "reloads", ["result"],
        "Attempts to load a rule set, the first one included.";
    reload_success: GaugeVec = Kind::Gauge, "lockkeeper_rule_set_last_reload_successful", "", [],
        "1 where the last attempt to load a rule set succeeded, else 0.";
    build: GaugeVec = Kind::Gauge, "lockkeeper_build_info", "", ["version", "rust", "kafka"],
        "What is running; always 1.";
}

/// The metrics of the process, which the `prometheus` crate collects on Linux.
pub const PROCESS: [Spec; 7] = [
    process("process_cpu_seconds_total", Kind::Counter, "seconds", "Total user and system CPU time spent in seconds."),
    process("process_max_fds", Kind::Gauge, "files", "Maximum number of open file descriptors."),
    process("process_open_fds", Kind::Gauge, "files", "Number of open file descriptors."),
    process("process_resident_memory_bytes", Kind::Gauge, "bytes", "Resident memory size in bytes."),
    process(
        "process_start_time_seconds",
        Kind::Gauge,
        "seconds",
        "Start time of the process since unix epoch in seconds.",
    ),
    process("process_threads", Kind::Gauge, "threads", "Number of OS threads in the process."),
    process("process_virtual_memory_bytes", Kind::Gauge, "bytes", "Virtual memory size in bytes."),
];

const fn process(name: &'static str, kind: Kind, unit: &'static str, help: &'static str) -> Spec {
    Spec { name, kind, unit, labels: &[], help }
}

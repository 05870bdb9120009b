//! The service's configuration: one YAML file and the environment -> a typed [`Config`], or every fault at once.
//!
//! [`parse`] is pure: text, environment and a way to read secrets come by value; [`load::load`] is the one place that
//! touches the outside. Reading, faults and carets are those of rule files.

pub mod key;
pub mod load;
mod program;
mod properties;
mod read;
pub mod secret;
mod settings;
pub mod size;
#[cfg(test)]
mod tests;

use core::time::Duration;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

pub use program::{Program, Properties, PropertyFault};
pub use properties::{MANAGED, PropertyValue};
pub use read::{parse, parse_for};
pub use secret::Secret;

use crate::engine::{Emit, Options};
use crate::model::time::duration_text;
use crate::ruleset::diagnostic::{Diagnostic, Location, Severity};

/// Gives the secret in a file, or says why it cannot be had.
pub type ReadSecret<'a> = &'a dyn Fn(&Path) -> Result<Secret, String>;

/// The whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// `kafka`
    pub kafka: Kafka,
    /// `topics`
    pub topics: Topics,
    /// `rules`: files and directories.
    pub rules: Vec<PathBuf>,
    /// `emit`: never [`Emit::None`].
    pub emit: Emit,
    /// `state`
    pub state: State,
    /// `http`
    pub http: Http,
    /// `limits`
    pub limits: Limits,
    /// `logging`
    pub logging: Logging,
    /// Where `limits.max_future` was written, for [`Config::lateness_fault`].
    max_future_at: Location,
}

/// How Kafka is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kafka {
    /// Brokers to begin with.
    pub bootstrap_servers: Vec<String>,
    /// The consumer group.
    pub group_id: String,
    /// The producer's identity.
    pub transactional_id: String,
    /// Further librdkafka properties, by name.
    pub properties: Properties,
}

/// Names of topics.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topics {
    /// Events.
    pub input: Vec<String>,
    /// Events that may unlock, freeze and label.
    pub control: Vec<String>,
    /// Decisions.
    pub decisions: String,
    /// Every lock transition.
    pub lock_events: String,
    /// The current state of each lock.
    pub locks: String,
    /// Rejected records; `{topic}` stands for the source.
    pub dead_letters: String,
    /// The order of consumption.
    pub journal: String,
}

impl Topics {
    /// The dead-letter topic of a source topic.
    pub fn dead_letters_of(&self, topic: &str) -> String {
        self.dead_letters.replace(read::TOPIC_PLACEHOLDER, topic)
    }

    /// All topics that are read: input, then control.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        self.input.iter().chain(&self.control).map(String::as_str)
    }
}

/// Where and how often snapshots are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The directory.
    pub directory: PathBuf,
    /// Time between two snapshots.
    pub snapshot_interval: Duration,
    /// Number of snapshots kept, at least 3.
    pub keep: usize,
}

/// The HTTP listener and its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Address and port; port 0 is any free one.
    pub listen: SocketAddr,
    /// Connections at a time.
    pub max_connections: usize,
    /// Largest request line with headers, bytes.
    pub max_header: usize,
    /// Largest body, bytes.
    pub max_body: usize,
    /// Time for a request's header to arrive.
    pub header_timeout: Duration,
    /// Time for the rest of a request and for its response.
    pub request_timeout: Duration,
}

/// Bounds of the stream's work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Most records of a batch.
    pub batch_records: usize,
    /// Most bytes of a batch.
    pub batch_bytes: usize,
    /// Most bytes fetched and not yet committed.
    pub queue_bytes: usize,
    /// Time between two transactions.
    pub commit_interval: Duration,
    /// How long a partition that is ahead waits.
    pub max_wait: Duration,
    /// How far behind the newest event a record may be.
    pub max_skew: Duration,
    /// How far ahead of its record's timestamp an event may be.
    pub max_future: Duration,
    /// Largest record, bytes.
    pub record_size: usize,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logging {
    /// Level, or levels by module: valid by construction.
    pub level: String,
    /// How lines are written.
    pub format: LogFormat,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people on a terminal, JSON elsewhere.
    Auto,
    /// For people.
    Human,
    /// One JSON object per line.
    Json,
}

/// What loading gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

impl Config {
    /// What the engine is to know.
    pub fn engine_options(&self) -> Options {
        let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let (max_future, max_skew) = (Some(ms(self.limits.max_future)), Some(ms(self.limits.max_skew)));
        Options { max_future, max_skew, ..Options::default() }
    }

    /// What only the rule set can tell: the fault, where it is written, of a `limits.max_future` beyond its lateness
    /// (ms).
    pub fn lateness_fault(&self, lateness: i64) -> Option<Diagnostic> {
        let max_future = i64::try_from(self.limits.max_future.as_millis()).unwrap_or(i64::MAX);
        if max_future <= lateness {
            return None;
        }
        let (future, late) = (duration_text(max_future), duration_text(lateness));
        Some(Diagnostic {
            code: "max-future",
            severity: Severity::Error,
            location: self.max_future_at.clone(),
            message: format!("`limits.max_future` is {future}, and the rule set's `lateness` is {late}"),
            expected: Some(format!("at most {late}")),
            help: Some("one clock that is ahead by more would make the events of all others late".to_string()),
            others: Vec::new(),
        })
    }
}

impl fmt::Display for Config {
    /// As key and value, one a line, secrets redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#?}")
    }
}

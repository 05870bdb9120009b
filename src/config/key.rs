//! The closed list of configuration keys: one line each, from which reading, documentation and tests work.
//!
//! A default is written as it would stand in the file and goes through the same reading, so that what is documented
//! is what happens.

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// The name of a Kafka topic.
    Topic,
    /// Topic names; in a variable separated by commas.
    Topics,
    /// Texts; in a variable separated by commas.
    Texts,
    /// Paths; in a variable separated by commas.
    Paths,
    /// A path.
    Path,
    /// A duration.
    Duration,
    /// A number of bytes.
    Size,
    /// A whole number.
    Count,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An IP address and a port.
    Address,
    /// A log level or a filter by module.
    Filter,
    /// librdkafka properties.
    Properties,
}

impl Form {
    /// The form in words, for the documentation.
    pub fn describe(self) -> String {
        match self {
            Form::Text => "text".to_string(),
            Form::Topic => "topic".to_string(),
            Form::Topics => "list of topics".to_string(),
            Form::Texts => "list of texts".to_string(),
            Form::Paths => "list of paths".to_string(),
            Form::Path => "path".to_string(),
            Form::Duration => "duration".to_string(),
            Form::Size => "size".to_string(),
            Form::Count => "number".to_string(),
            Form::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<String>>().join(" or "),
            Form::Address => "address and port".to_string(),
            Form::Filter => "log level or filter".to_string(),
            Form::Properties => "properties".to_string(),
        }
    }
}

/// One key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The section it stands in; empty for a key of its own.
    pub section: &'static str,
    /// Its name in the section.
    pub name: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// Its value where none is given, as it would be written; `None` where one must be given.
    pub default: Option<&'static str>,
    /// Least and greatest value of a count, a size (bytes) or a duration (ms).
    pub range: (i64, i64),
    /// What it is for.
    pub help: &'static str,
}

impl Key {
    /// The key as people name it, `section.name`.
    pub fn path(&self) -> String {
        if self.section.is_empty() { self.name.to_string() } else { format!("{}.{}", self.section, self.name) }
    }

    /// The environment variable that overrides it.
    pub fn variable(&self) -> String {
        format!("LOCKKEEPER_{}", self.path().to_uppercase().replace('.', "_"))
    }
}

const fn key(section: &'static str, name: &'static str, form: Form, help: &'static str) -> Key {
    Key { section, name, form, default: None, range: (0, i64::MAX), help }
}

impl Key {
    const fn or(mut self, default: &'static str) -> Key {
        self.default = Some(default);
        self
    }

    const fn within(mut self, least: i64, most: i64) -> Key {
        self.range = (least, most);
        self
    }
}

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const KIB: i64 = 1024;
const GIB: i64 = KIB * KIB * KIB;

macro_rules! keys {
    ($($name:ident = $key:expr;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`; see [`Key::help`].")] pub const $name: Key = $key;)*
        /// All keys, in the order of the documentation.
        pub const ALL: &[&Key] = &[$(&$name),*];
    };
}

keys! {
    BOOTSTRAP_SERVERS = key("kafka", "bootstrap_servers", Form::Texts, "brokers to begin with, `host:port`");
    GROUP_ID = key("kafka", "group_id", Form::Text, "consumer group whose offsets say how far the work has come");
    TRANSACTIONAL_ID = key("kafka", "transactional_id", Form::Text,
        "identity of the producer; a second process with the same one fences the first. Default: the group").or("");
    PROPERTIES = key("kafka", "properties", Form::Properties,
        "any librdkafka property; secrets as `{ file: PATH }` or `{ env: NAME }` only").or("");

    INPUT = key("topics", "input", Form::Topics, "topics with events; all with the same number of partitions");
    CONTROL = key("topics", "control", Form::Topics,
        "topics that may carry `unlock`, `freeze` and `label`; as many partitions as the input").or("");
    DECISIONS = key("topics", "decisions", Form::Topic, "decisions, keyed by account").or("decisions");
    LOCK_EVENTS = key("topics", "lock_events", Form::Topic, "every lock transition, keyed by target").or("lock-events");
    LOCKS = key("topics", "locks", Form::Topic, "compacted: the current state of each lock").or("locks");
    DEAD_LETTERS = key("topics", "dead_letters", Form::Topic,
        "rejected records; `{topic}` stands for the topic a record came from").or("dlq.{topic}");
    JOURNAL = key("topics", "journal", Form::Topic, "the order in which records were consumed").or("lockkeeper-journal");

    RULES = key("", "rules", Form::Paths, "rule files, or directories of them");
    EMIT = key("", "emit", Form::Word(&["all", "flagged"]),
        "which decisions are written: all, or those that are not a bare allow").or("all");

    DIRECTORY = key("state", "directory", Form::Path, "where snapshots are kept; instances may share it");
    SNAPSHOT_INTERVAL = key("state", "snapshot_interval", Form::Duration, "time between two snapshots")
        .or("5m").within(SECOND, DAY);
    KEEP = key("state", "keep", Form::Count, "snapshots kept; an older one serves when the newest is damaged")
        .or("3").within(3, 1000);

    LISTEN = key("http", "listen", Form::Address, "where metrics, probes and the status page are served")
        .or("127.0.0.1:8464");
    MAX_CONNECTIONS = key("http", "max_connections", Form::Count, "connections at a time; more are closed at once")
        .or("64").within(1, 65_536);
    MAX_HEADER = key("http", "max_header", Form::Size, "largest request line with headers").or("16KiB")
        .within(KIB, 1024 * KIB);
    MAX_BODY = key("http", "max_body", Form::Size, "largest request body").or("64KiB").within(0, 1024 * KIB);
    HEADER_TIMEOUT = key("http", "header_timeout", Form::Duration, "time for a whole request header to arrive")
        .or("5s").within(10, MINUTE);
    REQUEST_TIMEOUT = key("http", "request_timeout", Form::Duration,
        "time for a request's body to arrive and its response to be taken").or("10s").within(10, 10 * MINUTE);

    BATCH_RECORDS = key("limits", "batch_records", Form::Count, "most records scored together").or("4096")
        .within(1, 1_000_000);
    BATCH_BYTES = key("limits", "batch_bytes", Form::Size, "most bytes scored together").or("4MiB")
        .within(64 * KIB, GIB);
    QUEUE_BYTES = key("limits", "queue_bytes", Form::Size, "most bytes fetched and not yet committed; then fetching pauses")
        .or("64MiB").within(64 * KIB, 1024 * GIB);
    COMMIT_INTERVAL = key("limits", "commit_interval", Form::Duration,
        "time between two transactions; 20ms for throughput").or("5ms").within(0, 10 * SECOND);
    MAX_WAIT = key("limits", "max_wait", Form::Duration,
        "how long a partition that is ahead waits for the others").or("200ms").within(0, MINUTE);
    MAX_SKEW = key("limits", "max_skew", Form::Duration,
        "a record further behind the newest event of all partitions is late").or("1h").within(SECOND, 365 * DAY);
    MAX_FUTURE = key("limits", "max_future", Form::Duration,
        "how far ahead of its record's timestamp an event may be; at most the rule set's `lateness`").or("5m")
        .within(0, 365 * DAY);
    RECORD_SIZE = key("limits", "record_size", Form::Size,
        "larger records are rejected; below 64KiB the service is stricter than `replay` of files").or("64KiB").within(KIB, 64 * KIB);

    LEVEL = key("logging", "level", Form::Filter,
        "`off`, `error`, `warn`, `info`, `debug` or `trace`, or a list such as `warn,lockkeeper::service=debug`").or("info");
    FORMAT = key("logging", "format", Form::Word(&["auto", "human", "json"]),
        "how log lines are written; `auto`: for people on a terminal, JSON elsewhere").or("auto");
}

/// The sections and single keys of the file, in order.
pub fn top_level() -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for key in ALL {
        let name = if key.section.is_empty() { key.name } else { key.section };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The names of the keys of a section.
pub fn names_in(section: &str) -> Vec<&'static str> {
    ALL.iter().filter(|key| key.section == section).map(|key| key.name).collect()
}

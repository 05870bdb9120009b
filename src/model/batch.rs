//! A batch: records in the order they were read, decoded into events or rejections.

use super::events::{Events, FieldType};

/// Where one record came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Origin {
    /// Index into [`Batch::sources`].
    pub source: u32,
    /// Line number (first physical line, from 1) or Kafka offset.
    pub number: u64,
    /// Source partition: whose watermark and expiries the record belongs to. Files are one partition, 0.
    pub partition: u32,
    /// The Kafka record timestamp in ms, where there is one.
    pub timestamp: Option<i64>,
}

/// Why a record was rejected, in the words of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RejectCode {
    /// Not one JSON object, not UTF-8, repeated key, too deep, ragged CSV row.
    Malformed,
    /// Over 64 KiB.
    TooLarge,
    /// A field breaks its rule.
    InvalidField,
    /// A control event from a topic that may not carry it.
    NotAllowed,
    /// Older than the watermark.
    Late,
    /// Too far ahead of its record timestamp.
    Future,
    /// Seen before.
    Duplicate,
    /// Same account and id as an event seen before, but different.
    Conflict,
}

impl RejectCode {
    /// All codes in the order of the contract.
    pub const ALL: [RejectCode; 8] = [
        RejectCode::Malformed,
        RejectCode::TooLarge,
        RejectCode::InvalidField,
        RejectCode::NotAllowed,
        RejectCode::Late,
        RejectCode::Future,
        RejectCode::Duplicate,
        RejectCode::Conflict,
    ];

    /// The code as written in the output.
    pub fn name(self) -> &'static str {
        match self {
            RejectCode::Malformed => "malformed",
            RejectCode::TooLarge => "too_large",
            RejectCode::InvalidField => "invalid_field",
            RejectCode::NotAllowed => "not_allowed",
            RejectCode::Late => "late",
            RejectCode::Future => "future",
            RejectCode::Duplicate => "duplicate",
            RejectCode::Conflict => "conflict",
        }
    }
}

/// A rejected record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Index of the record in [`Batch::origins`].
    pub record: u32,
    /// Why.
    pub code: RejectCode,
    /// The first bad field, for [`RejectCode::InvalidField`].
    pub field: Option<String>,
    /// The event's id, where it was valid.
    pub event: Option<String>,
    /// What was found, what was expected, and what to do; for people.
    pub detail: String,
}

/// How a source is written in positions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file by its name as given, `-` for stdin: `FILE:LINE`.
    File(String),
    /// A topic partition: `topic/partition/offset`.
    Partition {
        /// Name of the topic.
        topic: String,
        /// Number of the partition in it.
        partition: i32,
        /// Whether events that only the wallet itself may send (`unlock`, `freeze`, `label`) are accepted from it.
        control: bool,
    },
}

impl Source {
    /// Whether control events are accepted from it; files are what their owner says they are.
    pub fn may_control(&self) -> bool {
        !matches!(self, Source::Partition { control: false, .. })
    }

    /// The position of a record, as written in the output.
    pub fn position(&self, number: u64) -> String {
        match self {
            Source::File(name) => format!("{name}:{number}"),
            Source::Partition { topic, partition, .. } => format!("{topic}/{partition}/{number}"),
        }
    }
}

/// Records as read and decoded; the unit the engine works on.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Source names; [`Origin::source`] points here.
    pub sources: Vec<Source>,
    /// One per record, in input order, rejected ones included.
    pub origins: Vec<Origin>,
    /// The records that could be decoded, in input order.
    pub events: Events,
    /// The records that could not, in input order.
    pub rejections: Vec<Rejection>,
}

impl Batch {
    /// An empty batch for the given declared fields.
    pub fn new(declared: &[FieldType]) -> Self {
        Batch { sources: Vec::new(), origins: Vec::new(), events: Events::new(declared), rejections: Vec::new() }
    }

    /// Empties the batch and keeps the memory and the sources.
    pub fn clear(&mut self) {
        self.origins.clear();
        self.events.clear();
        self.rejections.clear();
    }
}

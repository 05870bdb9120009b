//! The journal: what the owner of the partitions consumed, in order. With the records themselves it is all that the
//! engine's output depends on, so replaying it gives that output again.
//!
//! It has two forms. [`record`] is the value of one record in the journal topic: where the owner read, in a few bytes a
//! batch; the events stay where they are. [`lines`] is a file that holds the events as well, for replay elsewhere.
//! Pure: bytes in, bytes out.

mod base64;
pub mod lines;
pub mod record;

use serde::{Deserialize, Serialize};

pub use lines::{LineFault, Reader, Step};
pub use record::{Entry, Record, RecordFault, Run};

/// The lock ends of a partition up to a time were written although no event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tick {
    /// Number of the partition.
    pub partition: u32,
    /// Event time in ms.
    pub time: i64,
}

/// What the owner was told about the run; the output depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Whether bare decisions were written as well.
    pub emit_all: bool,
    /// How far ahead of its record's timestamp an event might be, ms.
    pub max_future: i64,
    /// How far behind the newest event of all partitions an event might be, ms.
    pub max_skew: i64,
    /// Largest record, bytes.
    pub record_size: u32,
}

/// The owner began to decide, or went on under other settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Whether it had no history: at its first start, and after its state was given up.
    pub is_fresh: bool,
    /// The rule set it decided by, `name@hash`.
    pub ruleset: String,
    /// What it was told.
    pub settings: Settings,
    /// Where the output stood: an owner without history goes on counting.
    pub mark: Mark,
}

/// A place in the output: how much of it there was, and which.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Number of lines so far.
    pub sequence: u64,
    /// Running hash of all lines so far: see [`Mark::add`]. As hex digits where people read it.
    #[serde(with = "hex")]
    pub output_hash: u128,
}

/// JSON numbers end at 64 bits.
mod hex {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&format!("{value:032x}"))
        } else {
            value.serialize(serializer)
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        if !deserializer.is_human_readable() {
            return u128::deserialize(deserializer);
        }
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(|_| D::Error::custom("expected up to 32 hex digits"))
    }
}

/// Odd and without structure, so that no line's place can be undone: the golden ratio's first 128 binary digits.
const MULTIPLIER: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

impl Mark {
    /// Counts one more line. The hash depends on the lines and their order, not on how they were cut into batches.
    pub fn add(&mut self, line: &[u8]) {
        self.sequence += 1;
        self.output_hash = self.output_hash.wrapping_mul(MULTIPLIER).wrapping_add(xxhash_rust::xxh3::xxh3_128(line));
    }
}

/// Highest number of a partition. Watermarks are kept for all numbers up to the highest one seen, so a damaged number
/// must not decide how much memory is taken; no topic has nearly as many.
pub const MAX_PARTITION: u32 = 65_535;

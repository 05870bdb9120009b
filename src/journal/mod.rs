//! The journal: what the owner of the partitions consumed, in order. With the records themselves it is all that the
//! engine's output depends on, so replaying it gives that output again.
//!
//! It has two forms. [`record`] is the value of one record in the journal topic: where the owner read, in a few bytes a
//! batch; the events stay where they are. [`lines`] is a file that holds the events as well, for replay elsewhere.
//! Pure: bytes in, bytes out.

mod base64;
pub mod lines;
pub mod record;

pub use lines::{LineFault, Reader, Record, Step};
pub use record::{Entries, Entry, RecordFault, Run};

/// The lock ends of a partition up to a time were written although no event came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// Number of the partition.
    pub partition: u32,
    /// Event time in ms.
    pub time: i64,
}

/// Highest number of a partition: Kafka's are not negative and have 31 bits.
pub const MAX_PARTITION: u32 = i32::MAX as u32;

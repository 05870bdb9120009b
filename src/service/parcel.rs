//! What came of one batch, on its way out: lines and keys as bytes in two buffers, and what each record is.
//!
//! A parcel is kept until its transaction is known to be committed, since after a failure the same bytes are sent again.

use std::ops::Range;

use crate::journal::{Entry, Mark};

/// Where a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// A decision, or an eviction.
    Decisions,
    /// A lock transition.
    LockEvents,
    /// The current state of a lock; without a line the lock is forgotten.
    Locks,
    /// A rejected record, with why.
    DeadLetters {
        /// `code` of the rejection.
        code: &'static str,
        /// What was found and expected, as start and end in [`Parcel::keys`].
        detail: (usize, usize),
    },
}

/// One record to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Where to.
    pub destination: Destination,
    /// In [`Parcel::lines`], without its line end; `None` is a tombstone.
    pub line: Option<Range<usize>>,
    /// In [`Parcel::keys`].
    pub key: Option<Range<usize>>,
    /// The lane and offset of the record at which it was said; an end that a tick wrote has none.
    pub source: Option<(usize, u64)>,
    /// Number of the line in the whole output, from 1; of a tombstone, the line before it.
    pub sequence: u64,
}

/// What came of one batch.
#[derive(Debug, Default)]
pub struct Parcel {
    /// Lines of output.
    pub lines: Vec<u8>,
    /// Keys of records.
    pub keys: Vec<u8>,
    /// In order.
    pub outcomes: Vec<Outcome>,
    /// What was consumed, in order; topics are numbered as the sources are.
    pub entries: Vec<Entry>,
    /// By lane: the next offset; `None` for lanes that this parcel did not read from.
    pub next: Vec<Option<i64>>,
    /// Where the output stood before.
    pub before: Mark,
    /// Where it stands after it.
    pub after: Mark,
    /// Timestamps (ms) of some of the records, evenly spread, for the latency.
    pub times: Vec<i64>,
    /// Records consumed.
    pub records: usize,
}

impl Parcel {
    /// Empties it for so many lanes, and keeps the memory.
    pub fn clear(&mut self, lanes: usize, mark: Mark) {
        self.lines.clear();
        self.keys.clear();
        self.outcomes.clear();
        self.entries.clear();
        self.next.clear();
        self.next.resize(lanes, None);
        (self.before, self.after) = (mark, mark);
        self.times.clear();
        self.records = 0;
    }

    /// Keeps the bytes that `write` appends as a key.
    pub fn key(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Option<Range<usize>> {
        let start = self.keys.len();
        write(&mut self.keys);
        Some(start..self.keys.len())
    }

    /// Bytes that go out, about.
    pub fn bytes(&self) -> usize {
        self.lines.len() + self.keys.len()
    }

    /// Whether there is nothing to commit.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

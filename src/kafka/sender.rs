//! What both producers share: handing records to the library and waiting until the broker has them.
//!
//! Only failures are reported back, so a transaction of a thousand records costs one wait and no reports. The wait is
//! woken by the last record; it is cut into slices only so that failed records, which stay in a queue of their own
//! until someone looks, are looked at.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;

use super::error::{Failure, is_fenced, is_refusal};
use super::offsets::Commit;
use super::raw::{Coded, Handle, Notice, Topic};

/// A record on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Name of the topic.
    pub topic: &'a str,
    /// `None`: by the key's murmur2 hash, as Java's producers do.
    pub partition: Option<i32>,
    /// `None` is a record without a key.
    pub key: Option<&'a [u8]>,
    /// Written as given, in this order.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// `None` is a tombstone.
    pub payload: Option<&'a [u8]>,
    /// Milliseconds since 1970; `None` is now.
    pub timestamp: Option<i64>,
}

/// Records go out and offsets are committed: in one transaction, or one after the other.
///
/// All calls may block; they belong on a thread of their own.
pub trait Producer {
    /// Starts a round. Call it when there is something to send, not before.
    ///
    /// # Errors
    /// The producer cannot be used any more.
    fn begin(&mut self) -> Result<(), Failure>;

    /// Hands over a copy of a record; waits only while the library's queue is full.
    ///
    /// # Errors
    /// The round has to be aborted, or the producer cannot be used any more.
    fn send(&mut self, record: &Outgoing) -> Result<(), Failure>;

    /// Waits until all records are written, then commits these offsets with them.
    ///
    /// # Errors
    /// What is known of the outcome and what to do: see [`Failure`].
    fn commit(&mut self, commits: &[Commit]) -> Result<(), Failure>;

    /// Gives the round up. After that the next may begin.
    ///
    /// # Errors
    /// The producer cannot be used any more.
    fn abort(&mut self) -> Result<(), Failure>;
}

/// How long a flush waits between looks at failed records. Success is not delayed by it.
const SLICE: Duration = Duration::from_millis(20);

pub(super) struct Sender {
    handle: Arc<Handle>,
    /// The few topics written to so far, by name.
    topics: Vec<(String, Topic)>,
    /// Why the first record of this round was given up.
    lost: Option<RDKafkaErrorCode>,
}

impl Sender {
    pub(super) fn new(handle: Handle) -> Self {
        Self { handle: Arc::new(handle), topics: Vec::new(), lost: None }
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Forgets what was lost in the round before.
    pub(super) fn start(&mut self) {
        self.hear();
        self.lost = None;
    }

    pub(super) fn send(&mut self, record: &Outgoing, limit: Duration) -> Result<(), Failure> {
        let sent =
            self.topic(record.topic).and_then(|topic| match self.handle.produce(&self.topics[topic].1, record) {
                Err(RDKafkaErrorCode::QueueFull) => self.send_when_there_is_room(topic, record, limit),
                sent => sent,
            });
        sent.map_err(|code| self.failure(code, &format!("a record for `{}`", record.topic)))
    }

    fn send_when_there_is_room(&mut self, topic: usize, record: &Outgoing, limit: Duration) -> Coded {
        let start = now();
        loop {
            self.make_room();
            match self.handle.produce(&self.topics[topic].1, record) {
                Err(RDKafkaErrorCode::QueueFull) if start.elapsed() < limit => {}
                sent => return sent,
            }
        }
    }

    /// Where among the topics one is.
    fn topic(&mut self, name: &str) -> Result<usize, RDKafkaErrorCode> {
        if let Some(found) = self.topics.iter().position(|(known, _)| known == name) {
            return Ok(found);
        }
        self.topics.push((name.to_string(), self.handle.topic(name)?));
        Ok(self.topics.len() - 1)
    }

    /// Waits until all records are written.
    pub(super) fn flush(&mut self, limit: Duration) -> Result<(), Failure> {
        let settled = self.settle(limit);
        if let Some(code) = self.lost {
            return Err(self.failure(code, "writing records"));
        }
        settled
    }

    /// Gives up what was not sent and waits for what was.
    pub(super) fn give_up(&mut self, limit: Duration) -> Result<(), Failure> {
        self.handle.purge_unsent().map_err(|code| Failure::Unknown(code.to_string()))?;
        self.settle(limit)
    }

    /// Waits until every record is written or given up.
    fn settle(&mut self, limit: Duration) -> Result<(), Failure> {
        let start = now();
        loop {
            let done = self.handle.flush(SLICE.min(limit));
            self.hear();
            match done {
                Ok(()) => return Ok(()),
                Err(RDKafkaErrorCode::OperationTimedOut) if start.elapsed() < limit => {}
                Err(code) => return Err(self.failure(code, "waiting for records to be written")),
            }
        }
    }

    /// Waits a little for the queue to get shorter.
    fn make_room(&mut self) {
        // Not being done in that time is what is expected here.
        let _full = self.handle.flush(SLICE);
        self.hear();
    }

    /// What a code of the library means for the round.
    pub(super) fn failure(&self, code: RDKafkaErrorCode, doing: &str) -> Failure {
        if let Some((cause, reason)) = self.handle.client().fatal_error() {
            let reason = format!("{doing}: {reason}");
            return if is_fenced(cause) { Failure::Fenced(reason) } else { Failure::Unknown(reason) };
        }
        let reason = format!("{doing}: {code}");
        // A producer that was fenced has a fatal error; any other code leaves the question to the abort that follows.
        if is_refusal(code) { Failure::Refused(reason) } else { Failure::Abortable(reason) }
    }

    fn hear(&mut self) {
        while let Some(notice) = self.handle.notice() {
            match notice {
                // Of our own doing.
                Notice::Undelivered {
                    code: RDKafkaErrorCode::PurgeQueue | RDKafkaErrorCode::PurgeInflight, ..
                } => {}
                Notice::Undelivered { code, .. } => {
                    self.lost.get_or_insert(code);
                }
                other => log(&other),
            }
        }
    }
}

/// Puts what the library says into the log, under its own name.
pub(super) fn log(notice: &Notice) {
    const TARGET: &str = "librdkafka";
    match notice {
        // Properties go to both clients, and each remarks on those of the other.
        Notice::Log { facility, line, .. } if facility == "CONFWARN" => tracing::debug!(target: TARGET, "{line}"),
        // The same comes again as trouble.
        Notice::Log { facility, line, .. } if facility == "FAIL" || facility == "ERROR" => {
            tracing::debug!(target: TARGET, "{line}");
        }
        Notice::Log { level: ..=4, line, .. } => tracing::warn!(target: TARGET, "{line}"),
        Notice::Log { level: 5 | 6, line, .. } => tracing::info!(target: TARGET, "{line}"),
        Notice::Log { line, .. } => tracing::debug!(target: TARGET, "{line}"),
        Notice::Trouble { code, reason, fatal } => tracing::warn!(target: TARGET, %code, fatal, "{reason}"),
        Notice::Undelivered { code, records } => tracing::warn!(target: TARGET, %code, records, "records given up"),
    }
}

pub(super) fn now() -> Instant {
    #[expect(clippy::disallowed_methods, reason = "limits how long the broker is waited for")]
    Instant::now()
}

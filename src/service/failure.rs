//! Why the service ends although nobody asked it to: what, where, and what to do.

use std::io;

use thiserror::Error;

use super::state::StateError;
use crate::engine::snapshot::SnapshotError;
use crate::journal::{Mark, RecordFault};
use crate::kafka;

/// What ended the service.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum Failure {
    /// Kafka said no, or a property cannot be used.
    #[error(transparent)]
    Kafka(#[from] kafka::Error),
    /// The consumer cannot go on.
    #[error("the Kafka client has failed: {reason}; start again")]
    Client { reason: String },
    /// The log does not reach to a position.
    #[error(
        "{place} is not in the log ({reason}): it was deleted, or the position was moved. Restore the log, or give the \
         state up with --accept-state-loss"
    )]
    OutOfRange { place: String, reason: String },
    /// Topics that do not go together.
    #[error("{0}")]
    Topics(String),
    /// What was committed, what is kept and what the logs hold do not fit.
    #[error("{0}")]
    Refused(String),
    /// Somebody else is at work.
    #[error("{reason}. Another instance has taken over, or this one stood still for too long; only one may run")]
    Fenced { reason: String },
    /// Somebody else has committed for our group.
    #[error(
        "the committed offsets are not ours: found output number {found}, expected {first} or {last}. Another program \
         commits for this group; stop it and start again"
    )]
    Foreign { found: String, first: u64, last: u64 },
    /// Somebody has moved the offsets while we were at work.
    #[error(
        "the committed offset of {place} is {found}, and this service had committed {expected}: somebody else commits \
         for the group, an operator's tool or an instance with another `kafka.transactional_id`. Stop it and start again"
    )]
    Moved { place: String, found: String, expected: i64 },
    /// The journal holds what is no record of it.
    #[error("{place}: {fault}; is `topics.journal` the right topic?")]
    Journal { place: String, fault: RecordFault },
    /// The past did not come out as it was.
    #[error(
        "replaying the journal gave another output than was committed, at {place}: output number {}, hash {:032x}, and \
         {} with hash {:032x} was committed. Another process commits for the same group under another \
         `kafka.transactional_id`, this is another program version, or records were changed. Do not go on; \
         `--accept-state-loss` gives the state up", found.sequence, found.output_hash, expected.sequence,
         expected.output_hash
    )]
    Diverged { place: String, found: Mark, expected: Mark },
    /// Records that were consumed are gone.
    #[error("{place} was consumed, but the log has nothing there any more; --accept-state-loss gives the state up")]
    Missing { place: String },
    /// The state directory.
    #[error(transparent)]
    State(#[from] StateError),
    /// The state at the end could not be written.
    #[error(
        "the last snapshot could not be written: {0}. Nothing is lost: everything is committed, and the next start \
         replays from the snapshot before"
    )]
    LastSnapshot(StateError),
    /// A state that cannot be taken over or written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A thread could not be started, or output not be written.
    #[error("the system said: {0}")]
    System(#[from] io::Error),
    /// A bug.
    #[error("the {thread} thread has panicked; what it said is in the log")]
    Panicked { thread: &'static str },
    /// A call into Kafka did not come back.
    #[error("{doing} has taken {seconds} s and does not come back; start again, nothing is lost")]
    Stuck { doing: &'static str, seconds: u64 },
    /// It was told to stop before it was live.
    #[error("stopped before it was live")]
    Stopped,
}

impl Failure {
    /// A thread of ours has panicked.
    pub fn panicked(thread: &'static str) -> Failure {
        Failure::Panicked { thread }
    }

    /// Whether the same may succeed a little later without anybody doing anything.
    pub fn may_pass(&self) -> bool {
        match self {
            Failure::Kafka(error) => error.may_pass(),
            Failure::Client { .. } => true,
            _ => false,
        }
    }

    /// The same, of the snapshot that is written at the end.
    pub fn at_the_end(self) -> Failure {
        match self {
            Failure::State(fault) => Failure::LastSnapshot(fault),
            other => other,
        }
    }

    /// Whether it is about what was consumed before: of no matter where an owner began without history after it.
    pub fn is_of_the_past(&self) -> bool {
        matches!(self, Failure::Refused(_) | Failure::Diverged { .. } | Failure::Missing { .. })
    }

    /// Whether it takes a person: starting again would end the same way.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Failure::OutOfRange { .. }
                | Failure::Topics(_)
                | Failure::Refused(_)
                | Failure::Journal { .. }
                | Failure::Diverged { .. }
                | Failure::Missing { .. }
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_snapshot_is_no_loss_and_says_so() {
        let fault = io::Error::from(io::ErrorKind::PermissionDenied);
        let path = std::path::PathBuf::from("/var/lib/lockkeeper");
        let said = Failure::State(StateError { path, action: "write a state", fault }).at_the_end().to_string();
        let begin =
            "the last snapshot could not be written: /var/lib/lockkeeper: cannot write a state: permission denied";
        assert!(said.starts_with(begin) && said.contains("Nothing is lost"), "{said}");
        let stopped = Failure::Stopped.at_the_end();
        assert!(matches!(stopped, Failure::Stopped), "{stopped:?}");
    }
}

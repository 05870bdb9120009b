//! The consumer group: what it has committed, committing for it, and why calls to the cluster fail.
//!
//! Apart from the consumer, because the thread that commits is not the one that fetches.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::error::{Error, is_credentials, is_denial, is_without_sasl};
use super::offsets::{Commit, Committed, commit_list, first_error, partition_list, read_committed};
use super::raw::{Coded, GroupMetadata, Handle, Notice};
use super::sender::{log, now};

/// Between two questions to a group whose coordinator is not ready.
const COORDINATOR_PAUSE: Duration = Duration::from_millis(50);

/// The consumer group, for use from another thread than the one that fetches.
#[derive(Clone)]
pub struct Group {
    handle: Arc<Handle>,
    servers: Arc<str>,
}

impl Group {
    pub(super) fn new(handle: Arc<Handle>, servers: &str) -> Self {
        Self { handle, servers: servers.into() }
    }

    /// What the group has committed, in the order asked for; `None` where nothing was. Waits for the end of a pending
    /// transaction that holds offsets.
    ///
    /// # Errors
    /// No access, nobody there, wrong credentials, a transaction that does not end in time.
    #[expect(clippy::disallowed_methods, reason = "the library gives up at once while a coordinator moves")]
    pub fn committed(&self, partitions: &[(&str, i32)], wait: Duration) -> Result<Vec<Option<Committed>>, Error> {
        let start = now();
        loop {
            let list = partition_list(partitions)?;
            let left = wait.saturating_sub(start.elapsed());
            match self.handle.committed(&list, left).and_then(|()| read_committed(&list)) {
                Ok(committed) => return Ok(committed),
                Err(code) if is_moving(code) && start.elapsed() < wait => std::thread::sleep(COORDINATOR_PAUSE),
                Err(code) => {
                    let doing = "reading committed offsets (a transaction of the group that has not ended holds them \
                                 back)"
                        .to_string();
                    return Err(self.explain(doing, &KafkaError::OffsetFetch(code)));
                }
            }
        }
    }

    /// Who the group believes we are; to be asked anew for each transaction.
    ///
    /// # Errors
    /// The library has none.
    pub(super) fn metadata(&self) -> Result<GroupMetadata, Error> {
        self.handle.group_metadata().ok_or_else(|| Error::other("asking for the group", "it has no metadata"))
    }

    /// Commits outside any transaction and waits for the answer: for the mode without exactly-once.
    ///
    /// # Errors
    /// Names and offsets that cannot be; no access, nobody there.
    pub fn commit(&self, commits: &[Commit]) -> Result<(), Error> {
        let list = commit_list(commits)?;
        let done: Coded = self.handle.commit(&list).and_then(|()| first_error(&list));
        done.map_err(|code| Error::other("committing offsets", code))
    }

    /// Says why, with the help of what the library has said in the meantime: calls themselves only time out.
    pub(super) fn explain(&self, doing: String, error: &KafkaError) -> Error {
        explain(&self.handle, &self.servers, doing, error)
    }
}

/// Turns the code of a call into an error that says what to do, with the help of what else the library has said.
pub(super) fn explain(handle: &Handle, servers: &str, doing: String, error: &KafkaError) -> Error {
    let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
    let (mut reason, mut credentials) = (code.to_string(), is_credentials(code));
    while let Some(notice) = handle.notice() {
        match notice {
            // Once the credentials are the trouble, what follows from them is not told.
            Notice::Trouble { .. } if credentials => {}
            Notice::Trouble { code: RDKafkaErrorCode::AllBrokersDown, .. } => {}
            Notice::Trouble { code, reason: said, .. } => {
                (reason, credentials) = (said, is_credentials(code));
            }
            other => log(&other),
        }
    }
    let servers = servers.to_string();
    if credentials && is_without_sasl(&reason) {
        Error::NoSasl { doing, servers, reason }
    } else if credentials {
        Error::Credentials { doing, servers, reason }
    } else if is_denial(code) {
        Error::Denied { doing, reason }
    } else if is_silence(code) {
        Error::Unreachable { doing, servers, reason }
    } else {
        Error::Other { doing, reason }
    }
}

/// The codes of a group whose coordinator is being found or is still loading.
fn is_moving(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::NotCoordinator
            | RDKafkaErrorCode::CoordinatorNotAvailable
            | RDKafkaErrorCode::CoordinatorLoadInProgress
            | RDKafkaErrorCode::UnstableOffsetCommit
    )
}

/// The codes of not having been answered.
fn is_silence(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::SSL
            | RDKafkaErrorCode::WaitingForCoordinator
            | RDKafkaErrorCode::TimedOutQueue
            | RDKafkaErrorCode::RequestTimedOut
    )
}

//! The producer whose records and offsets become visible together or not at all.
//!
//! A commit is three steps: wait until the records are written, add the offsets, end the transaction. Each can fail in
//! ways that differ in what is known afterwards, and [`Failure`] keeps them apart. After anything but a plain success
//! or a clean abort the producer is to be dropped: a delayed request of its past can then do no harm, since starting
//! the next one fences it.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::error::{Error, Failure, is_denial, is_fenced, is_refusal};
use super::group::{Group, explain};
use super::offsets::{Commit, commit_list};
use super::raw::{Fault, Handle};
use super::sender::{Outgoing, Producer, Sender};
use super::settings::Settings;
use super::watchdog::Watchdog;

/// The longest wait for records to be written or for room to write them.
const RECORDS_LIMIT: Duration = Duration::from_secs(60);
/// The longest wait for one try of adding the offsets; while the coordinator is away the library waits on regardless.
const OFFSETS_LIMIT: Duration = Duration::from_secs(10);
/// Tries of what may be tried again with the same arguments.
const TRIES: usize = 3;

/// A producer with a transactional id. One thread uses it; its calls are watched.
pub struct TransactionalProducer {
    sender: Sender,
    group: Group,
    watchdog: Watchdog,
}

impl TransactionalProducer {
    /// Connects, fences any older producer with the same id, and waits until what that left open has ended.
    ///
    /// # Errors
    /// Properties that cannot be used; nobody there within `wait`, no access, wrong credentials.
    pub fn init(settings: &Settings, group: Group, watchdog: Watchdog, wait: Duration) -> Result<Self, Error> {
        let handle = Handle::producer(&settings.transactional_producer()?)?;
        let done = {
            let _watched = watchdog.watch("starting the transactional producer");
            handle.init_transactions(wait)
        };
        match done {
            Ok(()) => Ok(Self { sender: Sender::new(handle), group, watchdog }),
            Err(fault) => {
                let doing = format!("starting the transactional producer `{}`", settings.transactional_id);
                Err(init_error(&handle, &settings.bootstrap_servers, doing, fault))
            }
        }
    }

    fn add_offsets(&self, commits: &[Commit]) -> Result<(), Failure> {
        if commits.is_empty() {
            return Ok(());
        }
        let list = commit_list(commits).map_err(|error| Failure::Refused(error.to_string()))?;
        let _watched = self.watchdog.watch("adding offsets to the transaction");
        let mut tries = 1;
        loop {
            // Asked anew each time: it changes with the group.
            let group = self.group.metadata().map_err(|error| Failure::Abortable(error.to_string()))?;
            match self.sender.handle().send_offsets(&list, &group, OFFSETS_LIMIT) {
                Ok(()) => return Ok(()),
                Err(fault) if fault.retriable && tries < TRIES => tries += 1,
                // Not in the transaction yet, so the transaction can still be aborted.
                Err(fault) if fault.retriable => return Err(Failure::Abortable(fault.reason)),
                Err(fault) => return Err(self.failure(fault, "adding offsets to the transaction")),
            }
        }
    }

    /// What a call of the transaction left behind. Whatever is not known to be abortable is unknown.
    fn failure(&self, fault: Fault, doing: &str) -> Failure {
        let cause = self.sender.handle().client().fatal_error();
        let code = cause.as_ref().map_or(fault.code, |(code, _)| *code);
        sort(&fault, code, doing)
    }
}

/// The failure that a fault stands for, where `code` is what lies behind it.
fn sort(fault: &Fault, code: RDKafkaErrorCode, doing: &str) -> Failure {
    let reason = format!("{doing}: {}", fault.reason);
    if fault.fatal && is_fenced(code) {
        Failure::Fenced(reason)
    } else if fault.fatal || !fault.abortable {
        Failure::Unknown(reason)
    } else if is_refusal(code) {
        Failure::Refused(reason)
    } else {
        Failure::Abortable(reason)
    }
}

fn init_error(handle: &Handle, servers: &str, doing: String, fault: Fault) -> Error {
    if is_denial(fault.code) {
        return Error::Denied { doing, reason: fault.reason };
    }
    match explain(handle, servers, doing, &KafkaError::Global(fault.code)) {
        // The code alone says less than the library's own words.
        Error::Other { doing, .. } => Error::Other { doing, reason: fault.reason },
        error => error,
    }
}

impl Producer for TransactionalProducer {
    fn begin(&mut self) -> Result<(), Failure> {
        self.sender.start();
        self.sender.handle().begin_transaction().map_err(|fault| self.failure(fault, "beginning a transaction"))
    }

    fn send(&mut self, record: &Outgoing) -> Result<(), Failure> {
        self.sender.send(record, RECORDS_LIMIT)
    }

    fn commit(&mut self, commits: &[Commit]) -> Result<(), Failure> {
        {
            let _watched = self.watchdog.watch("waiting for the records of a transaction");
            self.sender.flush(RECORDS_LIMIT)?;
        }
        self.add_offsets(commits)?;
        let _watched = self.watchdog.watch("committing a transaction");
        let done = self.sender.handle().commit_transaction();
        done.map_err(|fault| self.failure(fault, "committing a transaction"))
    }

    fn abort(&mut self) -> Result<(), Failure> {
        let _watched = self.watchdog.watch("aborting a transaction");
        self.sender.give_up(RECORDS_LIMIT)?;
        match self.sender.handle().abort_transaction() {
            Ok(()) => Ok(()),
            // There is nothing further to abort, so what is left is not to trust it.
            Err(fault) => match self.failure(fault, "aborting a transaction") {
                Failure::Abortable(reason) | Failure::Refused(reason) => Err(Failure::Unknown(reason)),
                other => Err(other),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        code: RDKafkaErrorCode,
        (fatal, retriable, abortable): (bool, bool, bool),
        expected: fn(String) -> Failure,
    ) {
        let fault = Fault { code, reason: "why".to_string(), fatal, retriable, abortable };
        assert_eq!(sort(&fault, code, "testing"), expected("testing: why".to_string()), "{code:?}");
    }

    #[test]
    fn what_is_not_known_to_be_abortable_is_unknown() {
        use RDKafkaErrorCode as Code;
        check(Code::Fenced, (true, false, false), Failure::Fenced);
        check(Code::ProducerFenced, (true, false, false), Failure::Fenced);
        check(Code::InvalidProducerEpoch, (true, false, false), Failure::Fenced);
        check(Code::InvalidProducerEpoch, (false, false, true), Failure::Abortable);
        check(Code::OutOfOrderSequenceNumber, (true, false, false), Failure::Unknown);
        check(Code::UnknownMemberId, (false, false, true), Failure::Abortable);
        check(Code::MessageSizeTooLarge, (false, false, true), Failure::Refused);
        check(Code::OperationTimedOut, (false, true, false), Failure::Unknown);
        check(Code::State, (false, false, false), Failure::Unknown);
    }
}

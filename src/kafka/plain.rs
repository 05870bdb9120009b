//! The producer without transactions: records first, offsets after them, so a crash in between repeats records.
//!
//! For the demonstration, whose in-process cluster accepts transactions without honouring them, and for measuring what
//! transactions cost. It behaves like the other one, so that the same loop drives both.

use std::time::Duration;

use super::error::{Error, Failure};
use super::group::Group;
use super::offsets::Commit;
use super::raw::Handle;
use super::sender::{Outgoing, Producer, Sender};
use super::settings::Settings;

/// The longest wait for records to be written or for room to write them.
const RECORDS_LIMIT: Duration = Duration::from_secs(60);

/// A producer that commits offsets for a group after its records are written.
pub struct PlainProducer {
    sender: Sender,
    group: Group,
}

impl PlainProducer {
    /// Connects in the background.
    ///
    /// # Errors
    /// Properties that cannot be used.
    pub fn connect(settings: &Settings, group: Group) -> Result<Self, Error> {
        Ok(Self { sender: Sender::new(Handle::producer(&settings.producer()?)?), group })
    }
}

impl Producer for PlainProducer {
    fn begin(&mut self) -> Result<(), Failure> {
        self.sender.start();
        Ok(())
    }

    fn send(&mut self, record: &Outgoing) -> Result<(), Failure> {
        self.sender.send(record, RECORDS_LIMIT)
    }

    fn commit(&mut self, commits: &[Commit]) -> Result<(), Failure> {
        self.sender.flush(RECORDS_LIMIT)?;
        if commits.is_empty() {
            return Ok(());
        }
        match self.group.commit(commits) {
            Ok(()) => Ok(()),
            Err(error) if error.may_pass() => Err(Failure::Unknown(error.to_string())),
            Err(error) => Err(Failure::Refused(error.to_string())),
        }
    }

    fn abort(&mut self) -> Result<(), Failure> {
        self.sender.give_up(RECORDS_LIMIT)
    }
}

//! Reads partitions that it was told to read, in batches of what has arrived.
//!
//! Partitions are assigned, never subscribed to: one owner reads them all, and who that is the transactional id
//! decides. A fetch neither waits for a batch to fill nor looks again in steps: it takes what is there, and waits only
//! when there is nothing, for exactly one record. End of partition and trouble come in the same stream, as events.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::assignment::Assignment;
use super::error::Error;
use super::fetched::{Event, Fetched, Record, partition_fault};
use super::group::Group;
use super::offsets::{Committed, Position, Watermarks, check_topic, position_list};
use super::raw::{Batch, Handle, Message, Notice};
use super::sender::log;
use super::settings::Settings;

/// Records taken from the library in one go; what a fetch has no room for waits here for the next.
const TAKEN_AT_ONCE: usize = 512;

/// A consumer of assigned partitions.
pub struct Consumer {
    // Records go back to the library before their client is closed.
    batch: Batch,
    assignment: Assignment,
    group: Group,
    handle: Arc<Handle>,
}

impl Consumer {
    /// A consumer for the group of the settings. Connects in the background.
    ///
    /// # Errors
    /// Properties that cannot be used.
    pub fn connect(settings: &Settings) -> Result<Self, Error> {
        let handle = Arc::new(Handle::consumer(&settings.consumer()?)?);
        let group = Group::new(Arc::clone(&handle), &settings.bootstrap_servers);
        Ok(Self { batch: Batch::new(Arc::clone(&handle)), assignment: Assignment::default(), group, handle })
    }

    /// The group, for committing from elsewhere.
    #[must_use]
    pub fn group(&self) -> Group {
        self.group.clone()
    }

    /// How many partitions a topic has.
    ///
    /// # Errors
    /// No such topic, no access, nobody there, wrong credentials; worth another try where [`Error::may_pass`].
    pub fn partition_count(&self, topic: &str, wait: Duration) -> Result<i32, Error> {
        check_topic(topic)?;
        let doing = || format!("looking for topic `{topic}`");
        let metadata = self
            .handle
            .client()
            .fetch_metadata(Some(topic), wait)
            .map_err(|error| self.group.explain(doing(), &error))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let missing = || Error::MissingTopic { topic: topic.to_string() };
        let found = found.ok_or_else(missing)?;
        match found.error().map(RDKafkaErrorCode::from) {
            None => i32::try_from(found.partitions().len()).ok().filter(|count| *count > 0).ok_or_else(missing),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Err(missing()),
            Some(code) => Err(self.group.explain(doing(), &KafkaError::MetadataFetch(code))),
        }
    }

    /// What the group has committed, in the order asked for; `None` where nothing was. Waits for the end of a pending
    /// transaction that holds offsets.
    ///
    /// # Errors
    /// No access, nobody there, wrong credentials, a transaction that does not end in time.
    pub fn committed(&self, partitions: &[(&str, i32)], wait: Duration) -> Result<Vec<Option<Committed>>, Error> {
        self.group.committed(partitions, wait)
    }

    /// How far a partition reaches.
    ///
    /// # Errors
    /// No such partition, no access, nobody there, wrong credentials.
    pub fn watermarks(&self, topic: &str, partition: i32, wait: Duration) -> Result<Watermarks, Error> {
        check_topic(topic)?;
        let found = self.handle.client().fetch_watermarks(topic, partition, wait);
        let (start, end) =
            found.map_err(|error| self.group.explain(format!("asking how far {topic}/{partition} reaches"), &error))?;
        Ok(Watermarks { start, end })
    }

    /// Where an assigned partition ended when the broker last answered for it, records of open transactions included:
    /// what lag is measured against. Asks nobody; `None` until there was an answer.
    #[must_use]
    pub fn known_end(&self, topic: &str, partition: i32) -> Option<i64> {
        // The library would make a topic of its own out of a name it does not know.
        if !self.assignment.has(topic, partition) {
            return None;
        }
        self.handle.high_watermark(topic, partition).ok().filter(|end| *end >= 0)
    }

    /// Reads these partitions from now on, and no others. Topics are numbered by their first mention.
    ///
    /// # Errors
    /// Names and offsets that cannot be.
    pub fn assign(&mut self, positions: &[Position]) -> Result<(), Error> {
        let list = position_list(positions)?;
        self.assignment = Assignment::new(positions)?;
        self.batch.clear();
        self.handle.assign(&list).map_err(|code| Error::other("assigning partitions", code))
    }

    /// Topics of the assignment in the order of their numbers.
    #[must_use]
    pub fn topics(&self) -> &[String] {
        self.assignment.topics()
    }

    /// Hands out nothing more of these partitions until they are resumed.
    ///
    /// # Errors
    /// Partitions that are not assigned.
    pub fn pause(&mut self, partitions: &[(&str, i32)]) -> Result<(), Error> {
        let list = position_list(&self.assignment.to_change(partitions, true)?)?;
        if list.count() > 0 {
            self.handle.remove(&list).map_err(|fault| Error::other("pausing partitions", fault.reason))?;
        }
        self.assignment.mark(partitions, true);
        Ok(())
    }

    /// Goes on with these partitions, right after the last record that was handed out.
    ///
    /// # Errors
    /// Partitions that are not assigned.
    pub fn resume(&mut self, partitions: &[(&str, i32)]) -> Result<(), Error> {
        let list = position_list(&self.assignment.to_change(partitions, false)?)?;
        if list.count() > 0 {
            self.handle.add(&list).map_err(|fault| Error::other("resuming partitions", fault.reason))?;
        }
        self.assignment.mark(partitions, false);
        Ok(())
    }

    /// Replaces what is in `fetched` by what has arrived, up to its caps. Waits, up to `wait`, only while there is
    /// neither a record nor an event.
    pub fn fetch(&mut self, fetched: &mut Fetched, wait: Duration) {
        fetched.clear();
        self.take(fetched);
        if fetched.is_empty() && fetched.events().is_empty() {
            self.batch.fill(1, wait);
            self.take(fetched);
        }
        self.hear(fetched);
    }

    /// Moves records until none is there or no more fits.
    fn take(&mut self, fetched: &mut Fetched) {
        loop {
            while let Some(message) = self.batch.first() {
                if !fetched.has_room_for(size(&message)) {
                    return;
                }
                store(fetched, &mut self.assignment, &message);
                self.batch.advance();
            }
            if fetched.room() == 0 {
                return;
            }
            self.batch.fill(fetched.room().min(TAKEN_AT_ONCE), Duration::ZERO);
            if self.batch.first().is_none() {
                return;
            }
        }
    }

    /// Passes on what the library says about the client.
    fn hear(&self, fetched: &mut Fetched) {
        while let Some(notice) = self.handle.notice() {
            match notice {
                Notice::Trouble { reason, fatal, .. } => fetched.push_event(Event::Client { fatal, reason }),
                other => log(&other),
            }
        }
    }
}

/// Bytes of key and value.
fn size(message: &Message) -> usize {
    message.key.map_or(0, <[u8]>::len) + message.value.map_or(0, <[u8]>::len)
}

/// Keeps a record or what it says of its partition; nothing of a partition that is paused or gone.
fn store(fetched: &mut Fetched, assignment: &mut Assignment, message: &Message) {
    let (partition, offset) = (message.partition, message.offset);
    let reason = || String::from_utf8_lossy(message.value.unwrap_or_default()).into_owned();
    if message.topic_id == 0 {
        return fetched.push_event(Event::Client { fatal: false, reason: reason() });
    }
    let Some(topic) = assignment.topic(message) else { return };
    let Some(slot) = assignment.open(topic, partition) else { return };
    if message.code == 0 {
        if !slot.accepts(offset) {
            return;
        }
        let (time, time_kind) = message.time();
        fetched.push(&Record { topic, partition, offset, time, time_kind, key: message.key, value: message.value });
    } else if message.code == RDKafkaErrorCode::PartitionEOF as i32 {
        fetched.push_event(Event::End { topic, partition, offset });
    } else {
        let fault = partition_fault(message.code);
        fetched.push_event(Event::Partition { topic, partition, offset, fault, reason: reason() });
    }
}

//! The thread that reads what the service writes, as a gateway would, and hands it to the judge.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, bail};

use super::course::Course;
use super::judge::Judge;
use super::stage::{DEAD_LETTERS, DECISIONS, LOCK_EVENTS};
use crate::kafka::{Consumer, Event, Fetched, Group, PartitionFault, Position, Record, Settings};

/// Records and bytes of one fetch.
const RECORDS: usize = 4096;
const BYTES: usize = 4 << 20;
/// The longest wait for a record.
const WAIT: Duration = Duration::from_millis(20);
/// How long one question to the cluster may take.
const ANSWER: Duration = Duration::from_secs(5);
/// What is read, in the order of the assignment; each topic has one partition.
const TOPICS: [&str; 4] = [DECISIONS, LOCK_EVENTS, DEAD_LETTERS[0], DEAD_LETTERS[1]];

/// Reads all topics that the service writes.
pub struct Audience {
    consumer: Consumer,
    judge: Arc<Mutex<Judge>>,
    course: Arc<Course>,
    /// By topic: the next offset.
    next: [i64; TOPICS.len()],
}

impl Audience {
    /// Takes its seat: reads everything from the beginning.
    ///
    /// # Errors
    /// When the cluster cannot be reached.
    pub fn new(settings: &Settings, judge: Arc<Mutex<Judge>>, course: Arc<Course>) -> Result<Audience> {
        let mut consumer = Consumer::connect(settings)?;
        consumer.assign(&TOPICS.map(|topic| Position { topic, partition: 0, offset: 0 }))?;
        Ok(Audience { consumer, judge, course, next: [0; TOPICS.len()] })
    }

    /// The group it reads for.
    pub fn group(&self) -> Group {
        self.consumer.group()
    }

    /// Reads until nothing more will be written and all of it is read.
    ///
    /// # Errors
    /// When something was lost before it was read, or cannot be read.
    pub fn run(mut self) -> Result<()> {
        let mut fetched = Fetched::new(RECORDS, BYTES);
        loop {
            let is_last_call = self.course.last_call.is_requested();
            self.consumer.fetch(&mut fetched, WAIT);
            fetched.events().iter().try_for_each(no_loss)?;
            self.take_in(&fetched)?;
            if is_last_call && self.has_read_all()? {
                return Ok(());
            }
        }
    }

    fn take_in(&mut self, fetched: &Fetched) -> Result<()> {
        let mut decided = 0;
        {
            let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
            for record in fetched.records() {
                decided += u64::from(hear(&mut judge, &record)?);
                if let Some(next) = self.next.get_mut(usize::from(record.topic)) {
                    *next = record.offset + 1;
                }
            }
        }
        if decided > 0 {
            self.course.decide(decided);
        }
        Ok(())
    }

    fn has_read_all(&self) -> Result<bool> {
        for (topic, next) in TOPICS.iter().zip(self.next) {
            if self.consumer.watermarks(topic, 0, ANSWER)?.end > next {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Passes a record on; whether it says what became of an event.
fn hear(judge: &mut Judge, record: &Record) -> Result<bool> {
    let line = record.value.unwrap_or_default();
    match TOPICS.get(usize::from(record.topic)) {
        Some(&DECISIONS) => judge.decision(line),
        Some(&LOCK_EVENTS) => judge.transition(line).map(|()| false),
        _ => judge.rejection(line).map(|()| true),
    }
}

/// What was written must also be read; troubles that pass are waited out.
fn no_loss(event: &Event) -> Result<()> {
    match event {
        Event::Client { fatal: true, reason } => bail!("the demonstration's consumer has failed: {reason}"),
        Event::Partition { fault: PartitionFault::OutOfRange, topic, .. } => {
            let topic = TOPICS.get(usize::from(*topic)).copied().unwrap_or_default();
            bail!("records of `{topic}` were dropped by the in-process cluster before they were read; lower --rate")
        }
        _ => Ok(()),
    }
}

//! Events that are there before anybody reads them: generated traffic of the last hours, with attacks in it.

use anyhow::Result;
use lockkeeper::generate::{Options, Traffic};
use lockkeeper::kafka::{Outgoing, Producer};

use super::broker::Broker;
use super::stage::{make_input, producer};
use super::support::lines::Lines;

/// The traffic's length, ms: it is of the day before.
const LENGTH: i64 = 20 * 3_600_000;
const BEFORE: i64 = 24 * 3_600_000;
/// Attacks per hundred thousand events.
const ATTACKS: [(&str, u64); 4] = [("stuffing", 1), ("takeover", 2), ("velocity_burst", 2), ("password_guessing", 3)];

/// Lines in a topic, and the same in memory.
pub struct Backlog {
    /// The topic.
    pub topic: String,
    /// The lines.
    pub text: Vec<u8>,
    /// How many.
    pub events: u64,
    times: Vec<i64>,
}

impl Backlog {
    /// Traffic of 20 thousand accounts.
    pub fn generate(topic: &str, events: u64) -> Result<Backlog> {
        let attacks = ATTACKS.map(|(name, count)| format!("{name}={}", (count * events).div_ceil(100_000)));
        let options = Options {
            accounts: 20_000,
            events,
            start: now() - BEFORE,
            length: LENGTH,
            attacks: attacks.join(",").parse()?,
            ..Options::default()
        };
        let (mut traffic, mut text, mut times) = (Traffic::new(&options)?, Vec::new(), Vec::new());
        while let Some(told) = traffic.append(&mut text) {
            times.push(told.time);
        }
        Ok(Backlog { topic: topic.to_owned(), text, events: times.len() as u64, times })
    }

    /// Lines made elsewhere, with their times.
    pub fn of(topic: &str, text: Vec<u8>, times: Vec<i64>) -> Backlog {
        Backlog { topic: topic.to_owned(), text, events: times.len() as u64, times }
    }

    /// Writes everything into a new topic; timestamps of records are those of events.
    pub fn produce(&self, broker: &Broker) -> Result<()> {
        make_input(broker, &self.topic);
        let mut producer = producer(&broker.bootstrap())?;
        producer.begin()?;
        for (line, time) in Lines(&self.text).zip(&self.times) {
            producer.send(&record(&self.topic, line, *time))?;
        }
        Ok(producer.commit(&[])?)
    }
}

/// An event as a record, keyed by account.
pub fn record<'a>(topic: &'a str, line: &'a [u8], time: i64) -> Outgoing<'a> {
    let key = Some(text_after(line, b"\"account\":\""));
    Outgoing { topic, partition: None, key, headers: &[], payload: Some(line), timestamp: Some(time) }
}

/// The text that begins after these bytes; empty where there is none.
pub fn text_after<'a>(line: &'a [u8], before: &[u8]) -> &'a [u8] {
    let Some(start) = memchr::memmem::find(line, before).map(|at| at + before.len()) else { return &[] };
    let length = memchr::memchr(b'"', &line[start..]).unwrap_or(0);
    &line[start..start + length]
}

/// Milliseconds since 1970.
pub fn now() -> i64 {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    elapsed.as_millis() as i64
}

//! The bare loop: what any service of this kind has to do. Fetch, write as much as the service would, commit both in
//! one transaction; no decoding, no scoring, no journal, no state. One thread owns all of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lockkeeper::kafka::{
    Commit, Consumer, Fetched, Outgoing, Position, Producer, Record, TransactionalProducer, Watchdog,
};
use lockkeeper::service::owner::Job;

use super::backlog::text_after;
use super::stage::Output;

const WAIT: Duration = Duration::from_secs(30);
/// The longest sleep while nothing comes.
const IDLE: Duration = Duration::from_millis(100);
/// The library counts in whole milliseconds; 0 would be a spin.
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// As in the service.
const MOST_BYTES: usize = 16 << 20;
const REST: &[u8] =
    br#","action":"allow","score":0,"hits":[],"covered_by":[],"ruleset":"wallet-default@9ddcd10bd79e","#;

struct Bare<'a> {
    job: &'a Job,
    consumer: Consumer,
    producer: TransactionalProducer,
    output: Output,
    /// Output that is due, in records; below one.
    due: f64,
    sequence: u64,
    next: BTreeMap<i32, i64>,
    payload: Vec<u8>,
}

/// Runs until killed.
pub fn run(job: &Job, output: Output) -> Result<()> {
    let settings = job.kafka();
    let mut consumer = Consumer::connect(&settings)?;
    let topic = job.config.topics.input.first().context("no input")?;
    let partitions = 0..consumer.partition_count(topic, WAIT)?;
    let positions: Vec<Position> = partitions.map(|partition| Position { topic, partition, offset: 0 }).collect();
    let producer = TransactionalProducer::init(&settings, consumer.group(), Watchdog::new(WAIT), WAIT)?;
    consumer.assign(&positions)?;
    let (next, payload) = (BTreeMap::new(), Vec::new());
    Bare { job, consumer, producer, output, due: 0.0, sequence: 0, next, payload }.run()
}

impl Bare<'_> {
    fn run(&mut self) -> Result<()> {
        let limits = &self.job.config.limits;
        let mut fetched = Fetched::new(limits.batch_records, limits.batch_bytes);
        let mut due = Instant::now();
        loop {
            self.consumer.fetch(&mut fetched, IDLE);
            if !fetched.is_empty() {
                self.round(&mut fetched, due)?;
                due = Instant::now() + limits.commit_interval;
            }
        }
    }

    /// One transaction.
    fn round(&mut self, fetched: &mut Fetched, due: Instant) -> Result<()> {
        self.producer.begin()?;
        let mut bytes = 0;
        loop {
            for record in fetched.records() {
                bytes += self.answer(&record)?;
            }
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() || bytes >= MOST_BYTES {
                return self.commit();
            }
            self.consumer.fetch(fetched, left.max(LEAST_WAIT));
        }
    }

    /// Writes what is due after a record; its bytes.
    fn answer(&mut self, record: &Record) -> Result<usize> {
        self.next.insert(record.partition, record.offset + 1);
        self.due += self.output.share;
        let mut bytes = 0;
        while self.due >= 1.0 {
            self.due -= 1.0;
            bytes += self.write(record)?;
        }
        Ok(bytes)
    }

    /// Writes one record; its bytes.
    fn write(&mut self, record: &Record) -> Result<usize> {
        self.sequence += 1;
        self.write_payload(record.key.unwrap_or_default(), record.value.unwrap_or_default());
        let (mut sequence, mut partition, mut offset) = (itoa::Buffer::new(), itoa::Buffer::new(), itoa::Buffer::new());
        let topics = &self.job.config.topics;
        let headers: [(&str, &[u8]); 6] = [
            ("sequence", sequence.format(self.sequence).as_bytes()),
            ("ruleset", self.job.rules.id.as_bytes()),
            ("content-type", b"application/json"),
            ("source.topic", topics.input[0].as_bytes()),
            ("source.partition", partition.format(record.partition).as_bytes()),
            ("source.offset", offset.format(record.offset).as_bytes()),
        ];
        let (topic, payload) = (topics.decisions.as_str(), Some(self.payload.as_slice()));
        let outgoing =
            Outgoing { topic, partition: None, key: record.key, headers: &headers, payload, timestamp: None };
        self.producer.send(&outgoing)?;
        Ok(self.payload.len())
    }

    /// What a decision says of an allowed event, repeated up to the length, so that it compresses as decisions do.
    fn write_payload(&mut self, key: &[u8], value: &[u8]) {
        let (id, time) = (text_after(value, b"{\"id\":\""), text_after(value, b"\"time\":\""));
        let parts: [&[u8]; 8] = [
            b"{\"kind\":\"decision\",\"event\":\"",
            id,
            b"\",\"account\":\"",
            key,
            b"\",\"time\":\"",
            time,
            b"\"",
            REST,
        ];
        self.payload.clear();
        parts.iter().for_each(|part| self.payload.extend_from_slice(part));
        while self.payload.len() < self.output.bytes {
            self.payload.extend_from_slice(&REST[..REST.len().min(self.output.bytes - self.payload.len())]);
        }
    }

    fn commit(&mut self) -> Result<()> {
        let topic = self.job.config.topics.input[0].as_str();
        let commit =
            |(partition, next): (&i32, &i64)| Commit { topic, partition: *partition, next_offset: *next, metadata: "" };
        let commits: Vec<Commit> = self.next.iter().map(commit).collect();
        self.producer.commit(&commits)?;
        self.next.clear();
        Ok(())
    }
}

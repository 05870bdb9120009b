//! Reads what is committed, as a consumer of decisions would: to count it, or to see when it becomes visible.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use anyhow::Result;
use lockkeeper::kafka::{Consumer, Event, Fetched, Position};

use super::backlog::text_after;
use super::stage::Stage;

const WAIT: Duration = Duration::from_millis(100);
const ANSWER: Duration = Duration::from_secs(30);
const MOST_RECORDS: usize = 4096;
const MOST_BYTES: usize = 4 << 20;

/// How much there is in a topic.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    /// Records.
    pub records: u64,
    /// Bytes of values.
    pub bytes: u64,
}

/// A decision about an event that carries its number and when it was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Number of the event.
    pub number: u64,
    /// When it was sent, us after the beginning.
    pub sent: u64,
    /// When its decision was seen, us after the beginning.
    pub seen: u64,
}

fn open(stage: &Stage, topic: &str) -> Result<(Consumer, i32)> {
    let mut consumer = Consumer::connect(&stage.settings())?;
    let count = consumer.partition_count(topic, ANSWER)?;
    let positions: Vec<Position> = (0..count).map(|partition| Position { topic, partition, offset: 0 }).collect();
    consumer.assign(&positions)?;
    Ok((consumer, count))
}

/// Counts all that is committed in a topic.
pub fn count(stage: &Stage, topic: &str) -> Result<Counts> {
    let (mut consumer, partitions) = open(stage, topic)?;
    let mut fetched = Fetched::new(MOST_RECORDS, MOST_BYTES);
    let (mut counts, mut ended) = (Counts::default(), 0);
    while ended < partitions {
        consumer.fetch(&mut fetched, WAIT);
        counts.records += fetched.len() as u64;
        counts.bytes += fetched.records().map(|record| record.value.unwrap_or_default().len() as u64).sum::<u64>();
        ended += fetched.events().iter().filter(|event| matches!(event, Event::End { .. })).count() as i32;
    }
    Ok(counts)
}

/// Reads decisions from a thread.
pub struct Reader {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Seen>>,
}

impl Reader {
    /// Begins to read the decisions of a stage.
    pub fn start(stage: &Stage, beginning: Instant) -> Result<Reader> {
        let (mut consumer, _) = open(stage, &stage.topic("decisions"))?;
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = spawn(move || {
            let (mut fetched, mut all) = (Fetched::new(MOST_RECORDS, MOST_BYTES), Vec::new());
            loop {
                consumer.fetch(&mut fetched, WAIT);
                let seen = beginning.elapsed().as_micros() as u64;
                let values = fetched.records().filter_map(|record| record.value);
                all.extend(values.filter_map(|value| look_at(value, seen)));
                if fetched.is_empty() && asked.load(Ordering::Relaxed) {
                    return all;
                }
            }
        });
        Ok(Reader { stop, thread })
    }

    /// What was seen until nothing more came.
    pub fn end(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the reader does not panic")
    }
}

/// A decision about an event of the pacer's; `None` for anything else.
fn look_at(value: &[u8], seen: u64) -> Option<Seen> {
    let id = std::str::from_utf8(text_after(value, b"\"event\":\"")).ok()?;
    let (number, sent) = id.split_once('-')?;
    Some(Seen { number: number.parse().ok()?, sent: sent.parse().ok()?, seen })
}

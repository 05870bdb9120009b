//! What was consumed, in order, with the events: a file that gives the same output anywhere else.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use super::clock::wall_ms;
use super::failure::Failure;
use super::feed::Feed;
use super::lanes::{Lanes, Taken};
use super::order::{Order, Turn};
use super::owner::{ANSWER, Job};
use super::sources::{Lane, Sources};
use super::stop::Stop;
use crate::journal::Step;
use crate::journal::lines::{Consumed, MAX_VALUE, write_head, write_step};
use crate::kafka::Consumer;
use crate::model::batch::Source;

/// The longest wait before the stop is looked at.
const WAIT: Duration = Duration::from_millis(100);

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exported {
    /// Records.
    pub records: u64,
    /// Records there are in all, gaps included; more than were written where the output is interrupted.
    pub total: u64,
}

/// Writes everything that the journal speaks of from its first fresh start on; `progress` hears how far it has come.
///
/// # Errors
/// When the logs no longer hold it, and when the output cannot be written.
pub fn export(
    job: &Job,
    out: &mut dyn Write,
    stop: &Stop,
    progress: &mut dyn FnMut(Exported),
) -> Result<Exported, Failure> {
    let consumer = Consumer::connect(&job.kafka())?;
    let first = job.config.topics.sources().next().unwrap_or_default();
    let sources = Arc::new(Sources::new(&job.config.topics, consumer.partition_count(first, ANSWER)?));
    let mut positions = Vec::new();
    let (mut total, mut end) = (0, 0);
    for lane in 0..=sources.count() {
        let Lane { topic, partition } = sources.lane(lane);
        let log = consumer.watermarks(topic, partition, ANSWER)?;
        positions.push(log.start);
        if lane == sources.journal() {
            end = log.end;
        } else {
            total += (log.end - log.start).max(0).cast_unsigned();
        }
    }
    let feed = Feed::start(Consumer::connect(&job.kafka())?, &sources, &positions, &job.config.limits, None)?;
    let next = positions[..sources.count()].to_vec();
    let order = Order::new(feed, Lanes::new(&positions, 0, wall_ms()), &sources, next);
    let batches = sources.for_batches();
    let mut export = Export { order, sources: batches, out, line: Vec::new(), has_begun: false };
    let written = export.write_all(end, stop, &mut |records| progress(Exported { records, total }));
    let records = export.order.records();
    let (_, fetched) = export.order.feed.stop();
    fetched.and(written)?;
    Ok(Exported { records, total })
}

struct Export<'a> {
    order: Order,
    /// By lane.
    sources: Vec<Source>,
    out: &'a mut dyn Write,
    line: Vec<u8>,
    /// Whether a fresh start has been met: what comes before it cannot be replayed.
    has_begun: bool,
}

impl Export<'_> {
    fn write_all(&mut self, end: i64, stop: &Stop, progress: &mut dyn FnMut(u64)) -> Result<(), Failure> {
        write_head(&mut self.line);
        loop {
            match self.order.turn(end, 0)? {
                Turn::Record { lane } => {
                    if let Some(taken) = self.order.front(lane) {
                        let step = Step::Record(consumed(&taken, &self.sources[lane]));
                        self.add(&step)?;
                    }
                    self.order.took(lane);
                }
                Turn::Tick(tick) => self.add(&Step::Tick(tick))?,
                Turn::RuleSet(id) => self.add(&Step::RuleSet(id))?,
                Turn::Start(start) => {
                    self.has_begun |= start.is_fresh;
                    self.add(&Step::Start(start))?;
                }
                Turn::Mark { .. } => {}
                Turn::Waiting => {
                    self.wait(stop)?;
                    progress(self.order.records());
                }
                Turn::End => {
                    self.out.write_all(&self.line)?;
                    return self.out.flush().map_err(Failure::from);
                }
            }
        }
    }

    fn add(&mut self, step: &Step) -> Result<(), Failure> {
        if self.has_begun {
            write_step(&mut self.line, step);
            self.out.write_all(&self.line)?;
            self.line.clear();
        }
        Ok(())
    }

    fn wait(&mut self, stop: &Stop) -> Result<(), Failure> {
        if stop.is_requested() {
            return Err(Failure::Stopped);
        }
        let Order { feed, lanes, .. } = &mut self.order;
        feed.release(lanes);
        if feed.receive(lanes, WAIT) {
            Ok(())
        } else {
            Err(Failure::Client { reason: "fetching has ended".to_owned() })
        }
    }
}

fn consumed(taken: &Taken, source: &Source) -> Consumed {
    let record = &taken.record;
    let cut = |value: &[u8]| value[..value.len().min(MAX_VALUE)].to_vec();
    let topic = if let Source::Partition { topic, .. } = source { topic.clone() } else { String::new() };
    Consumed {
        topic,
        // Kafka's partitions and offsets are not negative.
        partition: record.partition.cast_unsigned(),
        offset: record.offset.cast_unsigned(),
        timestamp: taken.timestamp(),
        control: source.may_control(),
        value: record.value.map(cut),
    }
}

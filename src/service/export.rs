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
use crate::kafka::{Consumer, Watermarks};
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
    /// How far the journal's topic is in it: where the next export may begin.
    pub journal: i64,
}

/// Writes everything that the journal speaks of, from its first start without history on or `from` an offset where an
/// earlier export ended; `progress` hears how far it has come.
///
/// # Errors
/// When the logs no longer hold it, and when the output cannot be written.
pub fn export(
    job: &Job,
    from: Option<i64>,
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
            positions[lane] = begin(from, log, topic)?;
        } else {
            total += (log.end - log.start).max(0).cast_unsigned();
        }
    }
    let feed = Feed::start(Consumer::connect(&job.kafka())?, &sources, &positions, &job.config.limits, None)?;
    let mut order =
        Order::new(feed, Lanes::new(&positions, 0, wall_ms()), &sources, vec![None; sources.count()], false);
    order.pass_over(from.is_none());
    let batches = sources.for_batches();
    let mut export = Export { order, sources: batches, out, line: Vec::new(), has_begun: from.is_some() };
    let written = export.write_all(end, stop, &mut |records| progress(Exported { records, total, journal: end }));
    let (records, has_begun) = (export.order.records(), export.has_begun);
    let (_, fetched) = export.order.feed.stop();
    fetched.and(written)?;
    let journal = positions[sources.journal()];
    if !has_begun && journal < end {
        return Err(Failure::Refused(format!(
            "the journal's beginning was deleted: it is left from offset {journal} on. Export that with --from-offset \
             {journal}; it continues the file that holds what came before"
        )));
    }
    Ok(Exported { records, total, journal: end })
}

/// Where to begin in the journal's topic.
fn begin(from: Option<i64>, log: Watermarks, topic: &str) -> Result<i64, Failure> {
    let Some(from) = from else { return Ok(log.start) };
    if (log.start..=log.end).contains(&from) {
        return Ok(from);
    }
    Err(Failure::Refused(format!(
        "--from-offset is {from}, and `{topic}` holds offsets from {} to {}",
        log.start, log.end
    )))
}

/// What the logs no longer hold cannot be exported, but what came after it can.
fn unheld(failure: Failure) -> Failure {
    match failure {
        Failure::Missing { place } => Failure::Refused(format!(
            "{place} was consumed, but the log no longer holds it. Export what came later with --from-offset, an offset of the \
             journal: where the last export ended"
        )),
        other => other,
    }
}

struct Export<'a> {
    order: Order,
    /// By lane.
    sources: Vec<Source>,
    out: &'a mut dyn Write,
    line: Vec<u8>,
    /// Whether a start without history has been met: what comes before it cannot be replayed by itself.
    has_begun: bool,
}

impl Export<'_> {
    fn write_all(&mut self, end: i64, stop: &Stop, progress: &mut dyn FnMut(u64)) -> Result<(), Failure> {
        write_head(&mut self.line);
        loop {
            match self.order.turn(end, 0).map_err(unheld)? {
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
                    self.order.pass_over(!self.has_begun);
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

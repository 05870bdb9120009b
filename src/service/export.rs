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
    let logs = logs(&consumer, &sources)?;
    let journal = logs[sources.journal()];
    let total = logs[..sources.count()].iter().map(|log| (log.end - log.start).max(0).cast_unsigned()).sum();
    let begin = begin(from, journal, &job.config.topics.journal)?;
    let mut positions: Vec<i64> = logs.iter().map(|log| log.start).collect();
    let mut export = Export { sources: sources.for_batches(), out, line: Vec::new(), has_begun: from.is_some() };
    write_head(&mut export.line);
    let (mut next, mut records) = (Some(begin), 0);
    while let Some(offset) = next {
        positions[sources.journal()] = offset;
        let feed = Feed::start(Consumer::connect(&job.kafka())?, &sources, &positions, &job.config.limits, None)?;
        let lanes = Lanes::new(&positions, 0, wall_ms());
        let mut order = Order::new(feed, lanes, &sources, vec![None; sources.count()], false);
        order.pass_over(!export.has_begun);
        let mut show = |more| progress(Exported { records: records + more, total, journal: journal.end });
        let written = export.write_leg(&mut order, journal.end, stop, &mut show);
        records += order.records();
        let (_, fetched) = order.feed.stop();
        next = fetched.and(written)?;
    }
    export.flush()?;
    if !export.has_begun && begin < journal.end {
        return Err(Failure::Refused(format!(
            "the journal's beginning was deleted: it is left from offset {begin} on. Export that with --from-offset \
             {begin}; it continues the file that holds what came before"
        )));
    }
    Ok(Exported { records, total, journal: journal.end })
}

/// How far each log reaches, by lane.
fn logs(consumer: &Consumer, sources: &Sources) -> Result<Vec<Watermarks>, Failure> {
    let log = |lane| {
        let Lane { topic, partition } = sources.lane(lane);
        Ok(consumer.watermarks(topic, partition, ANSWER)?)
    };
    (0..=sources.count()).map(log).collect()
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

/// What the logs no longer hold cannot be exported, but what came after it can: `later` is the offset of the journal at
/// which an owner began without history after that.
fn unheld(place: &str, later: Option<i64>) -> Failure {
    let remedy = match later {
        Some(offset) => format!("It began without history after that: export this with --from-offset {offset}"),
        None => "Export what came later with --from-offset, an offset of the journal: where the last export ended"
            .to_owned(),
    };
    Failure::Refused(format!("{place} was consumed, but the log no longer holds it. {remedy}"))
}

struct Export<'a> {
    /// By lane.
    sources: Vec<Source>,
    out: &'a mut dyn Write,
    line: Vec<u8>,
    /// Whether a start without history has been met: what comes before it cannot be replayed by itself.
    has_begun: bool,
}

impl Export<'_> {
    /// Writes up to the end, or up to a start without history, which may lie before what was read: then the offset of
    /// the journal at which the next leg begins.
    fn write_leg(
        &mut self,
        order: &mut Order,
        end: i64,
        stop: &Stop,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Option<i64>, Failure> {
        let mut lost = None;
        loop {
            match order.turn(end, 0) {
                Err(Failure::Missing { place }) => {
                    order.pass_over(true);
                    lost.get_or_insert(place);
                }
                Ok(Turn::Start(start)) if start.is_fresh && (lost.is_some() || order.records() > 0) => {
                    let journal = order.journal();
                    self.has_begun = false;
                    return lost.map_or(Ok(journal), |place| Err(unheld(&place, journal)));
                }
                Ok(Turn::End) => return lost.map_or(Ok(None), |place| Err(unheld(&place, None))),
                Ok(Turn::Waiting) => {
                    wait(order, stop)?;
                    progress(order.records());
                }
                Ok(turn) if lost.is_none() => self.write(order, turn)?,
                Ok(_) => {}
                Err(failure) => return Err(failure),
            }
        }
    }

    fn write(&mut self, order: &mut Order, turn: Turn) -> Result<(), Failure> {
        match turn {
            Turn::Record { lane } => {
                if let Some(taken) = order.front(lane) {
                    let step = Step::Record(consumed(&taken, &self.sources[lane]));
                    self.add(&step)?;
                }
                order.took(lane);
                Ok(())
            }
            Turn::Tick(tick) => self.add(&Step::Tick(tick)),
            Turn::RuleSet(id) => self.add(&Step::RuleSet(id)),
            Turn::Start(start) => {
                self.has_begun |= start.is_fresh;
                order.pass_over(!self.has_begun);
                self.add(&Step::Start(start))
            }
            Turn::Mark { .. } | Turn::Waiting | Turn::End => Ok(()),
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

    fn flush(&mut self) -> Result<(), Failure> {
        self.out.write_all(&self.line)?;
        Ok(self.out.flush()?)
    }
}

fn wait(order: &mut Order, stop: &Stop) -> Result<(), Failure> {
    if stop.is_requested() {
        return Err(Failure::Stopped);
    }
    let Order { feed, lanes, .. } = order;
    feed.release(lanes);
    if feed.receive(lanes, WAIT) { Ok(()) } else { Err(Failure::Client { reason: "fetching has ended".to_owned() }) }
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

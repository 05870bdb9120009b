//! The thread that fetches, and what it hands over: the engine never waits for the network, only for records.
//!
//! What is fetched and not yet scored is bounded. When it is too much, fetching stops; and should the engine need just
//! the partition that has nothing while the others are full, those are paused and that one is fetched on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::failure::Failure;
use super::http::Shared;
use super::lanes::Lanes;
use super::sources::{Lane, Sources};
use super::troubles::Troubles;
use crate::config::Limits;
use crate::kafka::{Consumer, Event, Fetched, PartitionFault, Position};

/// The longest wait for a record: also how soon a stop is noticed.
const IDLE_WAIT: Duration = Duration::from_millis(100);
/// The wait while something is held back, and has to be let go on.
const HELD_WAIT: Duration = Duration::from_millis(2);
/// How long a broker may take to answer while something is wrong: fetching waits for it.
const QUESTION: Duration = Duration::from_millis(200);
/// Fetches between two looks at the ends of all logs.
const LOOK_AROUND: u32 = 64;

/// What one fetch brought.
pub struct Arrival {
    /// The records.
    pub fetched: Fetched,
    /// Lanes all of whose log, up to an offset, has been fetched with this.
    pub ended: Vec<(usize, i64)>,
    /// How far the logs of lanes were seen to reach.
    pub known: Vec<(usize, i64)>,
}

/// What both sides look at.
pub struct Gauges {
    stop: AtomicBool,
    /// Whether the journal is no longer of interest.
    without_journal: AtomicBool,
    /// Bytes handed over and not yet taken.
    bytes: AtomicUsize,
    /// By lane: records handed over and not yet taken.
    waiting: Vec<AtomicUsize>,
    /// By lane: the end of its log as last heard of; -1 where it is not known.
    ends: Vec<AtomicI64>,
}

impl Gauges {
    /// The end of a lane's log as last heard of.
    pub fn end_of(&self, lane: usize) -> Option<i64> {
        Some(self.ends[lane].load(Ordering::Relaxed)).filter(|end| *end >= 0)
    }
}

/// A running thread.
pub struct Feed {
    arrivals: Receiver<Arrival>,
    empties: Sender<Fetched>,
    gauges: Arc<Gauges>,
    sources: Arc<Sources>,
    thread: JoinHandle<(Consumer, Result<(), Failure>)>,
}

impl Feed {
    /// Begins to fetch all source lanes and the journal at these positions. A replay in the background shares
    /// nothing.
    ///
    /// # Errors
    /// When the partitions cannot be assigned or the thread not be started.
    pub fn start(
        mut consumer: Consumer,
        sources: &Arc<Sources>,
        positions: &[i64],
        limits: &Limits,
        shared: Option<Shared>,
    ) -> Result<Feed, Failure> {
        let assigned: Vec<Position> = (0..=sources.count())
            .map(|lane| {
                let Lane { topic, partition } = sources.lane(lane);
                Position { topic, partition, offset: positions[lane] }
            })
            .collect();
        consumer.assign(&assigned)?;
        let lanes = sources.count() + 1;
        let gauges = Arc::new(Gauges {
            stop: AtomicBool::new(false),
            without_journal: AtomicBool::new(false),
            bytes: AtomicUsize::new(0),
            waiting: (0..lanes).map(|_| AtomicUsize::new(0)).collect(),
            ends: (0..lanes).map(|_| AtomicI64::new(-1)).collect(),
        });
        let (arrivals_out, arrivals) = channel();
        let (empties, empties_in) = channel();
        let reader = Reader {
            consumer,
            sources: Arc::clone(sources),
            gauges: Arc::clone(&gauges),
            arrivals: arrivals_out,
            empties: empties_in,
            limits: limits.clone(),
            troubles: Troubles::new(shared.clone()),
            shared,
            paused: vec![false; lanes],
            since_look: 0,
        };
        let thread = Builder::new().name("fetch".to_owned()).spawn(move || reader.run())?;
        Ok(Feed { arrivals, empties, gauges, sources: Arc::clone(sources), thread })
    }

    /// What both sides look at.
    pub fn gauges(&self) -> Arc<Gauges> {
        Arc::clone(&self.gauges)
    }

    /// Moves what has arrived into the lanes; waits, up to `wait`, only where nothing has. False when nothing will
    /// arrive any more: then ask [`Feed::stop`] why.
    pub fn receive(&self, lanes: &mut Lanes, wait: Duration) -> bool {
        let first = match self.arrivals.recv_timeout(wait) {
            Ok(arrival) => arrival,
            Err(RecvTimeoutError::Timeout) => return true,
            Err(RecvTimeoutError::Disconnected) => return false,
        };
        self.take_in(lanes, first);
        while let Ok(arrival) = self.arrivals.try_recv() {
            self.take_in(lanes, arrival);
        }
        true
    }

    fn take_in(&self, lanes: &mut Lanes, arrival: Arrival) {
        lanes.take_in(arrival.fetched, &self.sources);
        arrival.ended.into_iter().for_each(|(lane, offset)| lanes.ended_at(lane, offset));
        arrival.known.into_iter().for_each(|(lane, offset)| lanes.reaches_to(lane, offset));
    }

    /// Tells the thread what was taken, and gives it back what was emptied. Call it after records were taken.
    pub fn release(&self, lanes: &mut Lanes) {
        for (lane, count) in lanes.taken() {
            self.gauges.waiting[lane].fetch_sub(count, Ordering::Relaxed);
        }
        while let Some(fetched) = lanes.emptied() {
            self.gauges.bytes.fetch_sub(fetched.bytes(), Ordering::Relaxed);
            // Nobody needs it once the thread has ended.
            let _ = self.empties.send(fetched);
        }
    }

    /// Reads the journal no further: from now on it holds our own words.
    pub fn drop_journal(&self) {
        self.gauges.without_journal.store(true, Ordering::Relaxed);
    }

    /// Ends the thread; its consumer, and why it had ended by itself if it had.
    pub fn stop(self) -> (Option<Consumer>, Result<(), Failure>) {
        self.gauges.stop.store(true, Ordering::Relaxed);
        // What it waits for: room.
        drop((self.arrivals, self.empties));
        match self.thread.join() {
            Ok((consumer, result)) => (Some(consumer), result),
            Err(_) => (None, Err(Failure::panicked("fetch"))),
        }
    }
}

/// The thread's own.
struct Reader {
    consumer: Consumer,
    sources: Arc<Sources>,
    gauges: Arc<Gauges>,
    arrivals: Sender<Arrival>,
    empties: Receiver<Fetched>,
    limits: Limits,
    shared: Option<Shared>,
    troubles: Troubles,
    paused: Vec<bool>,
    since_look: u32,
}

impl Reader {
    fn run(mut self) -> (Consumer, Result<(), Failure>) {
        let result = self.fetch_all();
        (self.consumer, result)
    }

    fn fetch_all(&mut self) -> Result<(), Failure> {
        while !self.gauges.stop.load(Ordering::Relaxed) {
            if let Some(shared) = &self.shared {
                shared.metrics.polled();
            }
            let Some(wait) = self.make_room()? else { continue };
            let new = || Fetched::new(self.limits.batch_records, self.limits.batch_bytes);
            let mut fetched = self.empties.try_recv().unwrap_or_else(|_| new());
            self.consumer.fetch(&mut fetched, wait);
            let mut ended = Vec::new();
            for event in fetched.events() {
                self.hear(event, &mut ended)?;
            }
            let brought = self.count(&fetched);
            self.look_at_troubles(&brought, &ended);
            let known = self.known_ends(&brought);
            let is_news = !fetched.is_empty() || !ended.is_empty();
            if is_news && !self.hand_over(Arrival { fetched, ended, known }, &brought) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// How long to wait for the next record; `None` where nothing is to be fetched for now.
    fn make_room(&mut self) -> Result<Option<Duration>, Failure> {
        let journal = self.sources.journal();
        let is_done = self.gauges.without_journal.load(Ordering::Relaxed);
        if is_done && !self.paused[journal] {
            self.set_paused(&[journal], true)?;
        }
        let wanted: Vec<usize> = (0..self.paused.len()).filter(|lane| *lane != journal || !is_done).collect();
        let has_records = |lane: usize| self.gauges.waiting[lane].load(Ordering::Relaxed) > 0;
        let (full, empty): (Vec<usize>, Vec<usize>) = wanted.iter().partition(|lane| has_records(**lane));
        let bytes = self.gauges.bytes.load(Ordering::Relaxed);
        // Half is a margin, since pausing throws away what the library has fetched ahead; but what has nothing may be
        // what everything else waits for.
        let is_low = bytes <= self.limits.queue_bytes / 2;
        let again = if is_low { &wanted } else { &empty };
        let again: Vec<usize> = again.iter().copied().filter(|lane| self.paused[*lane]).collect();
        self.set_paused(&again, false)?;
        if bytes > self.limits.queue_bytes {
            if empty.is_empty() {
                #[expect(clippy::disallowed_methods, reason = "nobody needs anything: all lanes are full")]
                std::thread::sleep(HELD_WAIT);
                return Ok(None);
            }
            let fresh: Vec<usize> = full.into_iter().filter(|lane| !self.paused[*lane]).collect();
            self.set_paused(&fresh, true)?;
        }
        let is_held_back = wanted.iter().any(|lane| self.paused[*lane]);
        Ok(Some(if is_held_back { HELD_WAIT } else { IDLE_WAIT }))
    }

    fn set_paused(&mut self, lanes: &[usize], paused: bool) -> Result<(), Failure> {
        if lanes.is_empty() {
            return Ok(());
        }
        let names: Vec<(&str, i32)> = lanes
            .iter()
            .map(|&lane| {
                let Lane { topic, partition } = self.sources.lane(lane);
                (topic, partition)
            })
            .collect();
        if paused {
            self.consumer.pause(&names)?
        } else {
            self.consumer.resume(&names)?
        }
        lanes.iter().for_each(|&lane| self.paused[lane] = paused);
        Ok(())
    }

    /// How far logs reach, as far as it is known without asking: of lanes that brought records, now and then of all.
    fn known_ends(&mut self, brought: &[usize]) -> Vec<(usize, i64)> {
        self.since_look = if self.since_look == 0 { LOOK_AROUND } else { self.since_look - 1 };
        let is_asked = |lane: &usize| self.since_look == 0 || brought[*lane] > 0;
        let end = |lane| {
            let Lane { topic, partition } = self.sources.lane(lane);
            Some((lane, self.consumer.known_end(topic, partition)?))
        };
        let known: Vec<(usize, i64)> = (0..brought.len()).filter(is_asked).filter_map(end).collect();
        for (lane, end) in &known {
            self.gauges.ends[*lane].fetch_max(*end, Ordering::Relaxed);
        }
        known
    }

    /// False where nobody takes it.
    fn hand_over(&self, arrival: Arrival, brought: &[usize]) -> bool {
        for (waiting, count) in self.gauges.waiting.iter().zip(brought).filter(|(_, count)| **count > 0) {
            waiting.fetch_add(*count, Ordering::Relaxed);
        }
        self.gauges.bytes.fetch_add(arrival.fetched.bytes(), Ordering::Relaxed);
        self.arrivals.send(arrival).is_ok()
    }

    /// By lane: how many records there are.
    fn count(&self, fetched: &Fetched) -> Vec<usize> {
        let mut counts = vec![0; self.paused.len()];
        fetched.records().for_each(|record| counts[self.sources.lane_of(record.topic, record.partition)] += 1);
        counts
    }

    /// Which troubles are over: of lanes that have brought something, and of those whose brokers answer.
    fn look_at_troubles(&mut self, brought: &[usize], ended: &[(usize, i64)]) {
        let has_brought = |lane: &usize| brought[*lane] > 0;
        let lanes = (0..brought.len()).filter(has_brought).chain(ended.iter().map(|(lane, _)| *lane));
        lanes.for_each(|lane| self.troubles.goes_on(lane));
        if self.troubles.is_question_due() {
            let answers = |Lane { topic, partition }| self.consumer.watermarks(topic, partition, QUESTION).is_ok();
            if self.sources.lanes().all(answers) {
                self.troubles.answered();
            }
        }
    }

    fn hear(&mut self, event: &Event, ended: &mut Vec<(usize, i64)>) -> Result<(), Failure> {
        match event {
            Event::End { topic, partition, offset } => {
                ended.push((self.sources.lane_of(*topic, *partition), *offset));
            }
            Event::Partition { topic, partition, offset, fault, reason } => {
                let lane = self.sources.lane_of(*topic, *partition);
                let Lane { topic, partition } = self.sources.lane(lane);
                let place = format!("{topic}/{partition} at offset {offset}");
                let unreadable = format!(
                    "{place} cannot be read ({reason}); the partition stands still until it can: repair the record, or \
                     run a build that knows its compression"
                );
                let why = format!("{place}: {reason}");
                match fault {
                    PartitionFault::OutOfRange => return Err(Failure::OutOfRange { place, reason: reason.clone() }),
                    PartitionFault::Unreadable => self.troubles.of_lane(lane, unreadable, false),
                    PartitionFault::Denied => self.troubles.of_lane(lane, why, false),
                    PartitionFault::Missing | PartitionFault::Other => self.troubles.of_lane(lane, why, true),
                }
            }
            Event::Client { fatal: true, reason } => return Err(Failure::Client { reason: reason.clone() }),
            Event::Client { fatal: false, reason } => self.troubles.of_client(reason.clone()),
        }
        Ok(())
    }
}

//! The order that the journal recorded, read back: what the owner did, one thing after the other, with the records
//! themselves from the logs that still hold them.
//!
//! Recovery, snapshots and the export of a journal all follow it.

use std::collections::VecDeque;
use std::sync::Arc;

use super::failure::Failure;
use super::feed::Feed;
use super::lanes::{Lanes, Taken};
use super::sources::{Lane, Sources};
use crate::journal::{Entry, Mark, Record, Run, Start, Tick};

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// The front record of a lane: look at it, then call [`Order::took`].
    Record {
        /// The lane.
        lane: usize,
    },
    /// Ends of locks were written although no event came.
    Tick(Tick),
    /// The owner began, or went on under other settings.
    Start(Start),
    /// Another rule set decides from here on.
    RuleSet(String),
    /// Where the output stood then.
    Mark {
        /// Number and hash.
        expected: Mark,
        /// Offset of the journal's record that says so.
        journal: i64,
    },
    /// More has to arrive first: receive.
    Waiting,
    /// The end that was asked for.
    End,
}

/// Follows the journal.
pub struct Order {
    /// What arrives.
    pub feed: Feed,
    /// What has arrived.
    pub lanes: Lanes,
    sources: Arc<Sources>,
    /// The journal's record that is followed: its offset, what is left of it, and its mark.
    open: Option<(i64, VecDeque<Entry>, Option<Mark>)>,
    /// By source lane: the next offset.
    next: Vec<i64>,
    /// By source lane: whether the journal has spoken of it.
    seen: Vec<bool>,
    /// Records taken.
    records: u64,
}

impl Order {
    /// From these positions of the source lanes on.
    pub fn new(feed: Feed, lanes: Lanes, sources: &Arc<Sources>, next: Vec<i64>) -> Order {
        let seen = vec![false; next.len()];
        Order { feed, lanes, sources: Arc::clone(sources), open: None, next, seen, records: 0 }
    }

    /// By source lane: the next offset.
    pub fn next(&self) -> &[i64] {
        &self.next
    }

    /// Whether the journal has spoken of a lane so far.
    pub fn has_seen(&self, lane: usize) -> bool {
        self.seen[lane]
    }

    /// Records taken.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// What comes next, up to an offset of the journal. `sequence` is where the reader's output stands.
    ///
    /// # Errors
    /// When the journal is none, or the logs do not hold what it speaks of.
    pub fn turn(&mut self, end: i64, sequence: u64) -> Result<Turn, Failure> {
        loop {
            let Some((offset, mut entries, mark)) = self.open.take() else {
                match self.open_next(end, sequence)? {
                    Some(turn) => return Ok(turn),
                    None => continue,
                }
            };
            let Some(entry) = entries.pop_front() else {
                match mark {
                    Some(expected) => return Ok(Turn::Mark { expected, journal: offset }),
                    None => continue,
                }
            };
            let turn = match entry {
                Entry::Tick(tick) => Some(Turn::Tick(tick)),
                Entry::Start(start) => Some(Turn::Start(*start)),
                Entry::RuleSet(id) => Some(Turn::RuleSet(id)),
                Entry::Run(run) => {
                    let turn = self.run(&run)?;
                    if turn.is_some() {
                        entries.push_front(Entry::Run(run));
                    }
                    turn
                }
            };
            self.open = Some((offset, entries, mark));
            if let Some(turn) = turn {
                return Ok(turn);
            }
        }
    }

    /// The front record of a lane.
    pub fn front(&self, lane: usize) -> Option<Taken<'_>> {
        self.lanes.front(lane)
    }

    /// The front record of a lane was taken.
    pub fn took(&mut self, lane: usize) {
        if let Some(offset) = self.lanes.front(lane).map(|taken| taken.record.offset) {
            self.next[lane] = offset + 1;
            self.records += 1;
            self.lanes.advance(lane, 0);
        }
    }

    /// Opens the journal's next record; a turn where there is none.
    fn open_next(&mut self, end: i64, sequence: u64) -> Result<Option<Turn>, Failure> {
        let lane = self.sources.journal();
        let Some(taken) = self.lanes.front(lane).filter(|taken| taken.record.offset < end) else {
            return Ok(Some(if self.lanes.arrived(lane) >= end { Turn::End } else { Turn::Waiting }));
        };
        let offset = taken.record.offset;
        let Lane { topic, partition } = self.sources.lane(lane);
        let record = Record::decode(taken.record.value.unwrap_or_default())
            .map_err(|fault| Failure::Journal { place: format!("{topic}/{partition}/{offset}"), fault })?;
        self.lanes.advance(lane, 0);
        let entries = self.renumber(record.entries, &record.topics)?;
        if !self.is_done(&entries, record.mark, sequence) {
            self.open = Some((offset, entries.into(), record.mark));
        }
        Ok(None)
    }

    /// Runs whose topics are numbered as the sources are.
    fn renumber(&self, entries: Vec<Entry>, topics: &[String]) -> Result<Vec<Entry>, Failure> {
        let renumber = |entry| match entry {
            Entry::Run(run) => {
                let topic = &topics[run.topic as usize];
                let lane = self.sources.find(topic, run.partition.cast_signed()).ok_or_else(|| {
                    Failure::Refused(format!(
                        "the journal speaks of {topic}/{}, which is not read any more: put it back under `topics`, or \
                         give the state up with --accept-state-loss",
                        run.partition
                    ))
                })?;
                Ok(Entry::Run(Run { topic: (lane / self.sources.partitions()) as u32, ..run }))
            }
            other => Ok(other),
        };
        entries.into_iter().map(renumber).collect()
    }

    /// Whether a record of the journal lies behind us: a state may know less of the journal than it holds.
    fn is_done(&self, entries: &[Entry], mark: Option<Mark>, sequence: u64) -> bool {
        let run = entries.iter().find_map(|entry| if let Entry::Run(run) = entry { Some(run) } else { None });
        let is_tick = || entries.iter().any(|entry| matches!(entry, Entry::Tick(_)));
        match run {
            Some(run) => run.to <= self.next[self.lane_of(run)],
            None => is_tick() && mark.is_some_and(|mark| mark.sequence <= sequence),
        }
    }

    fn lane_of(&self, run: &Run) -> usize {
        run.topic as usize * self.sources.partitions() + run.partition as usize
    }

    /// The next record of a run; nothing where it is done.
    fn run(&mut self, run: &Run) -> Result<Option<Turn>, Failure> {
        let lane = self.lane_of(run);
        self.seen[lane] = true;
        // What lies before it was never consumed: the log is read from further back than the owner began.
        while self.lanes.front(lane).is_some_and(|taken| taken.record.offset < run.from) {
            self.lanes.advance(lane, 0);
        }
        let is_done = self.next[lane] >= run.to;
        match self.lanes.front(lane).map(|taken| taken.record.offset) {
            _ if is_done => Ok(None),
            Some(offset) if offset < run.to => Ok(Some(Turn::Record { lane })),
            Some(_) => Err(self.missing(run)),
            None if self.lanes.is_idle(lane) => Err(self.missing(run)),
            None => Ok(Some(Turn::Waiting)),
        }
    }

    fn missing(&self, run: &Run) -> Failure {
        let Lane { topic, partition } = self.sources.lane(self.lane_of(run));
        Failure::Missing { place: format!("{topic}/{partition} from offset {} to {}", run.from, run.to) }
    }
}

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
    /// Records of the journal that are followed, one after the other.
    open: VecDeque<Opened>,
    /// Records of the journal of which only the next one can say whether they lie behind us.
    unsure: VecDeque<Opened>,
    /// Whether the journal may still speak of what lies behind us.
    is_behind: bool,
    /// Whether the journal has to, or it is not known what of it is missing.
    must_meet: bool,
    /// Whether runs are passed over without their records.
    passes_over: bool,
    /// By source lane: the next offset; `None` where it is not known that anything was consumed.
    next: Vec<Option<i64>>,
    /// Records taken.
    records: u64,
}

/// A record of the journal.
struct Opened {
    offset: i64,
    /// What is left of it.
    entries: VecDeque<Entry>,
    mark: Option<Mark>,
}

/// Where a record of the journal lies, seen from a state.
enum Place {
    Behind,
    Ahead,
    Unsure,
}

impl Order {
    /// From these positions of the source lanes on; a lane has none where it is not known that anything was consumed
    /// of it. With `must_meet` the journal must begin with what lies behind them.
    pub fn new(feed: Feed, lanes: Lanes, sources: &Arc<Sources>, next: Vec<Option<i64>>, must_meet: bool) -> Order {
        Order {
            feed,
            lanes,
            sources: Arc::clone(sources),
            open: VecDeque::new(),
            unsure: VecDeque::new(),
            is_behind: true,
            must_meet,
            passes_over: false,
            next,
            records: 0,
        }
    }

    /// By source lane: the next offset, as far as it is known.
    pub fn next(&self) -> &[Option<i64>] {
        &self.next
    }

    /// Offset of the journal's record that is followed.
    pub fn journal(&self) -> Option<i64> {
        self.open.front().map(|opened| opened.offset)
    }

    /// Records taken.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Passes over runs, or no longer: their records are not waited for, and need not be there.
    pub fn pass_over(&mut self, passes_over: bool) {
        self.passes_over = passes_over;
    }

    /// What comes next, up to an offset of the journal. `sequence` is where the reader's output stands.
    ///
    /// # Errors
    /// When the journal is none, or the logs do not hold what it speaks of.
    pub fn turn(&mut self, end: i64, sequence: u64) -> Result<Turn, Failure> {
        loop {
            let Some(mut opened) = self.open.pop_front() else {
                match self.open_next(end, sequence)? {
                    Some(turn) => return Ok(turn),
                    None => continue,
                }
            };
            let Some(entry) = opened.entries.pop_front() else {
                match opened.mark {
                    Some(expected) => return Ok(Turn::Mark { expected, journal: opened.offset }),
                    None => continue,
                }
            };
            let turn = match entry {
                Entry::Tick(tick) => Some(Turn::Tick(tick)),
                Entry::Start(start) => Some(self.start(*start)),
                Entry::RuleSet(id) => Some(Turn::RuleSet(id)),
                Entry::Run(run) => {
                    let turn = self.run(&run)?;
                    if turn.is_some() {
                        opened.entries.push_front(Entry::Run(run));
                    }
                    turn
                }
            };
            self.open.push_front(opened);
            if let Some(turn) = turn {
                return Ok(turn);
            }
        }
    }

    /// Without history an owner may begin anywhere.
    fn start(&mut self, start: Start) -> Turn {
        if start.is_fresh {
            self.next.fill(None);
        }
        Turn::Start(start)
    }

    /// The front record of a lane.
    pub fn front(&self, lane: usize) -> Option<Taken<'_>> {
        self.lanes.front(lane)
    }

    /// The front record of a lane was taken.
    pub fn took(&mut self, lane: usize) {
        if let Some(offset) = self.lanes.front(lane).map(|taken| taken.record.offset) {
            self.next[lane] = Some(offset + 1);
            self.records += 1;
            self.lanes.advance(lane, 0);
        }
    }

    /// Opens the journal's next record; a turn where there is none.
    fn open_next(&mut self, end: i64, sequence: u64) -> Result<Option<Turn>, Failure> {
        let lane = self.sources.journal();
        let Some(taken) = self.lanes.front(lane).filter(|taken| taken.record.offset < end) else {
            let is_end = self.lanes.arrived(lane) >= end;
            if is_end && !self.unsure.is_empty() {
                std::mem::swap(&mut self.open, &mut self.unsure);
                return Ok(None);
            }
            return Ok(Some(if is_end { Turn::End } else { Turn::Waiting }));
        };
        let offset = taken.record.offset;
        let Lane { topic, partition } = self.sources.lane(lane);
        let record = Record::decode(taken.record.value.unwrap_or_default())
            .map_err(|fault| Failure::Journal { place: format!("{topic}/{partition}/{offset}"), fault })?;
        self.lanes.advance(lane, 0);
        let entries = self.renumber(record.entries, &record.topics)?;
        self.sort(Opened { offset, entries: entries.into(), mark: record.mark }, sequence)?;
        Ok(None)
    }

    /// Follows a record of the journal unless it lies behind us: a state may know less of the journal than it holds.
    /// Starts have no place of their own, so they wait for what comes after them. One that ends where the state does
    /// is done again, which changes nothing.
    fn sort(&mut self, opened: Opened, sequence: u64) -> Result<(), Failure> {
        let place = if self.is_behind { self.place_of(&opened, sequence) } else { Place::Ahead };
        match place {
            Place::Behind => {
                self.must_meet = false;
                self.unsure.clear();
            }
            Place::Unsure => self.unsure.push_back(opened),
            Place::Ahead => {
                self.is_behind = false;
                self.open.append(&mut self.unsure);
                self.open.push_back(opened);
                if std::mem::replace(&mut self.must_meet, false) {
                    return Err(self.unmet());
                }
            }
        }
        Ok(())
    }

    fn unmet(&self) -> Failure {
        let Lane { topic, partition } = self.sources.lane(self.sources.journal());
        Failure::Refused(format!(
            "what is left of {topic}/{partition} begins after the end of the state, so it is not known what lies between. \
             Rebuild the state with a later export (see `lockkeeper state rebuild`), or give it up with \
             --accept-state-loss"
        ))
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

    fn place_of(&self, opened: &Opened, sequence: u64) -> Place {
        let is_run = |entry: &Entry| matches!(entry, Entry::Run(_));
        let is_done = |entry: &Entry| match entry {
            Entry::Run(run) => self.next[self.lane_of(run)].is_some_and(|next| run.to <= next),
            _ => true,
        };
        let has_ticks = opened.entries.iter().any(|entry| matches!(entry, Entry::Tick(_)));
        let is_known = opened.entries.iter().any(is_run);
        match opened.mark {
            _ if is_known && opened.entries.iter().all(is_done) => Place::Behind,
            _ if is_known => Place::Ahead,
            // A tick always says something.
            Some(mark) if has_ticks && mark.sequence <= sequence => Place::Behind,
            Some(_) if has_ticks => Place::Ahead,
            _ => Place::Unsure,
        }
    }

    fn lane_of(&self, run: &Run) -> usize {
        run.topic as usize * self.sources.partitions() + run.partition as usize
    }

    /// The next record of a run; nothing where it is done.
    fn run(&mut self, run: &Run) -> Result<Option<Turn>, Failure> {
        let lane = self.lane_of(run);
        let next = self.next[lane];
        if next.is_some_and(|next| next >= run.to) {
            return Ok(None);
        }
        if self.passes_over {
            self.next[lane] = Some(run.to);
            return Ok(None);
        }
        self.skip_before(run, lane)?;
        // A run's first record is the one it names; after that there may be gaps.
        let has_begun = next.is_some_and(|next| next > run.from);
        match self.lanes.front(lane).map(|taken| taken.record.offset) {
            Some(offset) if offset == run.from || (has_begun && offset < run.to) => Ok(Some(Turn::Record { lane })),
            Some(_) => Err(self.missing(run)),
            None if self.lanes.is_idle(lane) => Err(self.missing(run)),
            None => Ok(Some(Turn::Waiting)),
        }
    }

    /// What lies before a run was never consumed: the log is read from further back than the owner began. Once it has
    /// begun, it consumes all there is.
    fn skip_before(&mut self, run: &Run, lane: usize) -> Result<(), Failure> {
        while let Some(offset) = self.lanes.front(lane).map(|taken| taken.record.offset).filter(|at| *at < run.from) {
            if self.next[lane].is_some_and(|next| offset >= next) {
                let Lane { topic, partition } = self.sources.lane(lane);
                return Err(Failure::Refused(format!(
                    "the journal does not say when {topic}/{partition}/{offset} was consumed, only what came after it: \
                     some of the journal is missing, or the state is older than what is left of it. Take a newer state \
                     (see `lockkeeper state rebuild`), or give the state up with --accept-state-loss"
                )));
            }
            self.lanes.advance(lane, 0);
        }
        Ok(())
    }

    fn missing(&self, run: &Run) -> Failure {
        let Lane { topic, partition } = self.sources.lane(self.lane_of(run));
        Failure::Missing { place: format!("{topic}/{partition} from offset {} to {}", run.from, run.to) }
    }
}

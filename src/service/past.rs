//! The past, folded again: the journal says what was consumed in which order, the logs still hold it, and every
//! transaction's mark says whether it came out as it did then.
//!
//! Three things are this: recovery at a start, the background replay that makes snapshots, and (from files) a rebuild.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::clock::wall_ms;
use super::failure::Failure;
use super::feed::Feed;
use super::fold::{Fold, Heard, Sink};
use super::lanes::Lanes;
use super::sources::{Lane, Sources};
use super::stop::Stop;
use crate::config::Limits;
use crate::journal::{Entry, Mark, Record, Run, Start};

/// The longest wait for records that are known to be there, before the stop is looked at.
const WAIT: Duration = Duration::from_millis(100);

/// A replay under way.
pub struct Past {
    /// The engine and where it stands.
    pub fold: Fold,
    /// What arrives.
    pub feed: Feed,
    /// What has arrived.
    pub lanes: Lanes,
    sources: Arc<Sources>,
    limits: Limits,
    /// The journal's record that is being folded: its offset, and what is left of it.
    open: Option<(i64, VecDeque<Entry>, Option<Mark>)>,
    checks: Vec<Check>,
    /// Whether everything up to the first fresh start is passed over.
    wants_start: bool,
    /// By lane: whether a run of it was folded.
    seen: Vec<bool>,
    /// Records folded.
    records: u64,
}

/// What must have come out once so many records of the batch were folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check {
    records: usize,
    expected: Mark,
    /// Offset of the journal's record that says so.
    journal: i64,
}

/// Compares marks on the way.
struct Checker<'a> {
    checks: &'a [Check],
    last: Mark,
    wrong: Option<(Check, Mark)>,
}

impl Past {
    /// From a state on, or from the first fresh start on where there is none.
    pub fn new(fold: Fold, feed: Feed, lanes: Lanes, sources: &Arc<Sources>, limits: &Limits, has_state: bool) -> Past {
        Past {
            fold,
            feed,
            lanes,
            sources: Arc::clone(sources),
            limits: limits.clone(),
            open: None,
            checks: Vec::new(),
            wants_start: !has_state,
            seen: vec![false; sources.count()],
            records: 0,
        }
    }

    /// Folds everything that the journal has before `end`; `progress` hears how many records were folded.
    ///
    /// # Errors
    /// When the past does not come out as it was, when what it needs is gone, and when it is told to stop.
    pub fn replay(&mut self, end: i64, stop: &Stop, progress: &mut dyn FnMut(u64)) -> Result<(), Failure> {
        loop {
            let advanced = self.advance(end)?;
            self.feed.release(&mut self.lanes);
            if advanced {
                progress(self.records);
                continue;
            }
            if self.open.is_none() && self.lanes.arrived(self.sources.journal()) >= end {
                return self.flush();
            }
            if stop.is_requested() {
                return Err(Failure::Stopped);
            }
            self.flush()?;
            if !self.feed.receive(&mut self.lanes, WAIT) {
                return Err(Failure::Client { reason: "fetching has ended".to_owned() });
            }
        }
    }

    /// The positions that were come to must be those that were committed.
    ///
    /// # Errors
    /// When they are not.
    pub fn must_be_at(&mut self, next: &[i64], mark: Mark) -> Result<(), Failure> {
        let found = self.fold.mark();
        if found != mark {
            return Err(Failure::Diverged { place: "the end of the journal".to_owned(), found, expected: mark });
        }
        for (lane, offset) in next.iter().enumerate().filter(|(lane, _)| self.seen[*lane]) {
            if self.fold.next()[lane] != *offset {
                let Lane { topic, partition } = self.sources.lane(lane);
                return Err(Failure::Refused(format!(
                    "offset {offset} of {topic}/{partition} is committed, but the journal ends at {}: is \
                     `topics.journal` the topic it was before?",
                    self.fold.next()[lane]
                )));
            }
        }
        for (lane, offset) in next.iter().enumerate() {
            self.lanes.skip_to(lane, *offset, wall_ms());
        }
        self.fold.set_next(next.to_vec());
        Ok(())
    }

    /// Records folded.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Does what can be done with what has arrived; false where nothing can.
    fn advance(&mut self, end: i64) -> Result<bool, Failure> {
        let Some((offset, mut entries, mark)) = self.open.take() else { return self.open_next(end) };
        while let Some(entry) = entries.pop_front() {
            if !self.fold_entry(&entry)? {
                entries.push_front(entry);
                self.open = Some((offset, entries, mark));
                return Ok(false);
            }
        }
        if let Some(expected) = mark.filter(|_| !self.wants_start) {
            self.checks.push(Check { records: self.fold.len(), expected, journal: offset });
        }
        Ok(true)
    }

    /// Opens the journal's next record; false where it has not arrived or there is none.
    fn open_next(&mut self, end: i64) -> Result<bool, Failure> {
        let lane = self.sources.journal();
        let Some(taken) = self.lanes.front(lane).filter(|taken| taken.record.offset < end) else { return Ok(false) };
        let offset = taken.record.offset;
        let record = Record::decode(taken.record.value.unwrap_or_default())
            .map_err(|fault| Failure::Journal { place: self.fold.place(lane, offset), fault })?;
        self.lanes.advance(lane, wall_ms());
        let entries = self.renumber(record.entries, &record.topics)?;
        if !self.is_folded(&entries, record.mark) {
            self.open = Some((offset, entries.into(), record.mark));
        }
        Ok(true)
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

    /// Whether a record of the journal is in the state already: a state may know less of the journal than it holds.
    fn is_folded(&self, entries: &[Entry], mark: Option<Mark>) -> bool {
        let run = entries.iter().find_map(|entry| if let Entry::Run(run) = entry { Some(run) } else { None });
        match run {
            Some(run) => run.to <= self.fold.next()[self.lane_of(run)],
            None => {
                let is_tick = entries.iter().any(|entry| matches!(entry, Entry::Tick(_)));
                is_tick && mark.is_some_and(|mark| mark.sequence <= self.fold.mark().sequence)
            }
        }
    }

    fn lane_of(&self, run: &Run) -> usize {
        run.topic as usize * self.sources.partitions() + run.partition as usize
    }

    /// Folds an entry; false where its records have not all arrived.
    fn fold_entry(&mut self, entry: &Entry) -> Result<bool, Failure> {
        match entry {
            Entry::Start(start) => self.start(start).map(|()| true),
            _ if self.wants_start => Ok(true),
            Entry::Run(run) => self.run(run),
            Entry::Tick(tick) => {
                self.flush()?;
                let last = self.fold.mark();
                self.fold.tick(*tick, &mut Checker { checks: &[], last, wrong: None });
                self.fold.take_entries();
                Ok(true)
            }
            Entry::RuleSet(id) => Err(self.other_rules(id)),
        }
    }

    fn start(&mut self, start: &Start) -> Result<(), Failure> {
        if self.wants_start && !start.is_fresh {
            return Ok(());
        }
        if start.ruleset != self.fold.rules().id {
            return Err(self.other_rules(&start.ruleset));
        }
        self.flush()?;
        self.wants_start = false;
        self.fold.restart(start.clone())?;
        self.fold.take_entries();
        Ok(())
    }

    fn other_rules(&self, id: &str) -> Failure {
        Failure::Refused(format!(
            "the journal was decided by rule set {id}, and {} is loaded: load the other one, or give the state up with \
             --accept-state-loss",
            self.fold.rules().id
        ))
    }

    /// Takes the records of a run that have arrived; false where some have not.
    fn run(&mut self, run: &Run) -> Result<bool, Failure> {
        let lane = self.lane_of(run);
        self.seen[lane] = true;
        loop {
            let Some(taken) = self.lanes.front(lane) else {
                if self.fold.next()[lane] >= run.to {
                    return Ok(true);
                }
                return if self.lanes.is_idle(lane) { Err(self.missing(run)) } else { Ok(false) };
            };
            let offset = taken.record.offset;
            if offset >= run.to {
                return if self.fold.next()[lane] >= run.to { Ok(true) } else { Err(self.missing(run)) };
            }
            if offset >= run.from {
                self.fold.push(&taken);
                self.records += 1;
            }
            self.lanes.advance(lane, 0);
            if self.fold.len() >= self.limits.batch_records || self.fold.bytes() >= self.limits.batch_bytes {
                self.flush()?;
            }
        }
    }

    fn missing(&self, run: &Run) -> Failure {
        let Lane { topic, partition } = self.sources.lane(self.lane_of(run));
        Failure::Missing { place: format!("{topic}/{partition} from offset {} to {}", run.from, run.to) }
    }

    /// Folds the batch in the making and compares.
    fn flush(&mut self) -> Result<(), Failure> {
        let last = self.fold.mark();
        let mut checker = Checker { checks: &self.checks, last, wrong: None };
        if !self.fold.is_empty() {
            self.fold.apply(&mut checker);
            self.fold.take_entries();
        }
        checker.compare(usize::MAX);
        let wrong = checker.wrong;
        self.checks.clear();
        match wrong {
            None => Ok(()),
            Some((check, found)) => {
                let place = self.fold.place(self.sources.journal(), check.journal);
                Err(Failure::Diverged { place, found, expected: check.expected })
            }
        }
    }
}

impl Checker<'_> {
    /// Compares what must have come out before a record.
    fn compare(&mut self, record: usize) {
        while let Some((check, rest)) = self.checks.split_first().filter(|(check, _)| check.records <= record) {
            if check.expected != self.last && self.wrong.is_none() {
                self.wrong = Some((*check, self.last));
            }
            self.checks = rest;
        }
    }
}

impl Sink for Checker<'_> {
    fn line(&mut self, heard: &Heard) {
        self.compare(heard.record.unwrap_or(usize::MAX - 1));
        self.last = heard.mark;
    }
}

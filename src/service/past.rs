//! The past, folded again: what was consumed in which order the journal says, and every transaction's mark says whether
//! it comes out as it did then.

use std::sync::Arc;
use std::time::Duration;

use super::clock::wall_ms;
use super::failure::Failure;
use super::fold::{Fold, Heard, Sink};
use super::order::{Order, Turn};
use super::sources::{Lane, Sources};
use super::stop::Stop;
use crate::config::Limits;
use crate::journal::{Mark, Start, Tick};

/// The longest wait for records that are known to be there, before the stop is looked at.
const WAIT: Duration = Duration::from_millis(100);

/// A replay under way.
pub struct Past {
    /// The engine and where it stands.
    pub fold: Fold,
    /// What was consumed.
    pub order: Order,
    sources: Arc<Sources>,
    limits: Limits,
    checks: Vec<Check>,
    /// Whether everything up to the next start without history is passed over.
    wants_start: bool,
    /// Why it is, where the past before that start cannot be had.
    lost: Option<Failure>,
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
    /// From a state on, or from the first start without history on where there is none.
    pub fn new(fold: Fold, mut order: Order, sources: &Arc<Sources>, limits: &Limits, has_state: bool) -> Past {
        let (sources, limits) = (Arc::clone(sources), limits.clone());
        order.pass_over(!has_state);
        Past { fold, order, sources, limits, checks: Vec::new(), wants_start: !has_state, lost: None }
    }

    /// Folds everything that the journal has before `end`; `progress` hears how many records were folded.
    ///
    /// # Errors
    /// When the past does not come out as it was, when what it needs is gone, and when it is told to stop.
    pub fn replay(&mut self, end: i64, stop: &Stop, progress: &mut dyn FnMut(u64)) -> Result<(), Failure> {
        loop {
            match self.step(end, stop, progress) {
                Ok(true) => {}
                Ok(false) => return self.lost.take().map_or(Ok(()), Err),
                Err(failure) if failure.is_of_the_past() => self.pass_over(failure),
                Err(failure) => return Err(failure),
            }
        }
    }

    /// Does what comes next; false at the end.
    fn step(&mut self, end: i64, stop: &Stop, progress: &mut dyn FnMut(u64)) -> Result<bool, Failure> {
        match self.order.turn(end, self.fold.mark().sequence)? {
            Turn::Record { lane } => self.record(lane)?,
            Turn::Tick(tick) => self.tick(tick)?,
            Turn::Start(start) => self.start(start)?,
            Turn::RuleSet(id) if !self.wants_start => return Err(self.other_rules(&id)),
            Turn::Mark { expected, journal } if !self.wants_start => {
                self.checks.push(Check { records: self.fold.len(), expected, journal });
            }
            Turn::RuleSet(_) | Turn::Mark { .. } => {}
            Turn::Waiting => self.wait(stop, progress)?,
            Turn::End => return self.flush().map(|()| false),
        }
        Ok(true)
    }

    /// What cannot be had is of no matter where the owner began anew after it: passes over all up to there. Where it
    /// did not, this is why there is no way on.
    fn pass_over(&mut self, failure: Failure) {
        self.lost.get_or_insert(failure);
        self.wants_start = true;
        self.order.pass_over(true);
        self.fold.give_up();
        self.checks.clear();
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
        for (lane, offset) in next.iter().enumerate() {
            let Some(found) = self.order.next()[lane] else { continue };
            if found != *offset {
                let Lane { topic, partition } = self.sources.lane(lane);
                return Err(Failure::Refused(format!(
                    "offset {offset} of {topic}/{partition} is committed, but the journal ends at {found}: is \
                     `topics.journal` the topic it was before?"
                )));
            }
        }
        for (lane, offset) in next.iter().enumerate() {
            self.order.lanes.skip_to(lane, *offset, wall_ms());
        }
        self.fold.set_next(next.to_vec());
        Ok(())
    }

    fn wait(&mut self, stop: &Stop, progress: &mut dyn FnMut(u64)) -> Result<(), Failure> {
        self.flush()?;
        progress(self.order.records());
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

    fn record(&mut self, lane: usize) -> Result<(), Failure> {
        if let Some(taken) = self.order.front(lane).filter(|_| !self.wants_start) {
            self.fold.push(&taken);
        }
        self.order.took(lane);
        if self.fold.len() >= self.limits.batch_records || self.fold.bytes() >= self.limits.batch_bytes {
            self.flush()?;
        }
        Ok(())
    }

    fn tick(&mut self, tick: Tick) -> Result<(), Failure> {
        if !self.wants_start {
            self.flush()?;
            let last = self.fold.mark();
            self.fold.tick(tick, &mut Checker { checks: &[], last, wrong: None });
            self.fold.forget_entries();
        }
        Ok(())
    }

    fn start(&mut self, start: Start) -> Result<(), Failure> {
        if self.wants_start && !start.is_fresh {
            return Ok(());
        }
        if start.ruleset != self.fold.rules().id {
            return Err(self.other_rules(&start.ruleset));
        }
        self.flush()?;
        self.wants_start = false;
        self.lost = None;
        self.order.pass_over(false);
        self.fold.restart(start)?;
        self.fold.forget_entries();
        Ok(())
    }

    fn other_rules(&self, id: &str) -> Failure {
        Failure::Refused(format!(
            "the journal was decided by rule set {id}, and {} is loaded: load the other one, or give the state up with \
             --accept-state-loss",
            self.fold.rules().id
        ))
    }

    /// Folds the batch in the making and compares.
    fn flush(&mut self) -> Result<(), Failure> {
        let last = self.fold.mark();
        let mut checker = Checker { checks: &self.checks, last, wrong: None };
        if !self.fold.is_empty() {
            self.fold.apply(&mut checker);
            self.fold.forget_entries();
        }
        checker.compare(usize::MAX);
        let wrong = checker.wrong;
        self.checks.clear();
        match wrong {
            None => Ok(()),
            Some((check, found)) => {
                let Lane { topic, partition } = self.sources.lane(self.sources.journal());
                let place = format!("{topic}/{partition}/{}", check.journal);
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

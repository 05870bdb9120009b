//! The thread that commits: what came of several batches becomes visible in one transaction with the offsets behind it.
//!
//! After a failure a new producer is started, which ends what the old one left open; the committed offset says whether
//! the transaction was committed after all; and if not, the same bytes are sent again. The fold is never rolled back.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use super::clock::{instant, wall_ms};
use super::failure::Failure;
use super::health::Component;
use super::http::Shared;
use super::outbox::{Offsets, Outbox};
use super::parcel::Parcel;
use super::position::{Standing, standing};
use super::progress::Progress;
use super::sources::{Lane, Sources};
use super::stop::Stop;
use crate::config::Limits;
use crate::journal::Mark;
use crate::kafka::{Committed, Failure as Refusal, Producer};
use crate::metrics::TransactionFailure;

/// Bytes of output after which a transaction is closed before its time.
const MOST_BYTES: usize = 16 << 20;
/// Pauses after failures: doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Between two times that all offsets are committed, those of silent partitions included. Brokers forget offsets that
/// nobody commits for `offsets.retention.minutes`: a week if nothing else is said, a minute at least.
const REFRESH: Duration = Duration::from_secs(20);
/// How long it is tried on after a stop was asked for.
const STOP_PATIENCE: Duration = Duration::from_secs(7);

/// Makes a producer; waits for its transactional id to be free.
pub type MakeProducer = Box<dyn FnMut() -> Result<Box<dyn Producer + Send>, crate::kafka::Error> + Send>;

/// Asks what is committed.
pub type AskCommitted = Box<dyn FnMut() -> Result<Vec<Option<Committed>>, crate::kafka::Error> + Send>;

/// Commits parcels.
pub struct Committer {
    /// `None` only while a new one is being made.
    pub producer: Option<Box<dyn Producer + Send>>,
    /// Makes the next one.
    pub make: MakeProducer,
    /// Asks what is committed of all lanes.
    pub ask: AskCommitted,
    /// Where records go.
    pub outbox: Outbox,
    /// What is read.
    pub sources: Arc<Sources>,
    /// By lane: what is committed.
    pub committed: Vec<i64>,
    /// Where the committed output stands.
    pub mark: Mark,
    /// When all offsets were committed last.
    pub refreshed: Instant,
    /// Time between two transactions.
    pub limits: Limits,
    /// Whom to tell.
    pub shared: Shared,
    /// By lane what is committed, for others to look at.
    pub progress: Arc<Progress>,
    /// Whether to give up waiting.
    pub stop: Arc<Stop>,
}

impl Committer {
    /// Commits what comes until nothing more will.
    ///
    /// # Errors
    /// What nobody can mend by trying again.
    pub fn run(&mut self, parcels: &Receiver<Parcel>, empties: &Sender<Parcel>) -> Result<(), Failure> {
        let mut round: Vec<Parcel> = Vec::new();
        let mut due = instant();
        loop {
            match parcels.recv_timeout(REFRESH.saturating_sub(self.refreshed.elapsed())) {
                Ok(first) => round.push(first),
                Err(RecvTimeoutError::Timeout) => round.push(self.nothing()),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            let start = instant();
            let sent = self.collect(&mut round, parcels, due);
            self.finish(&round, sent, start)?;
            due = instant() + self.limits.commit_interval;
            // Nobody needs them once the engine has ended.
            round.drain(..).filter(|parcel| !parcel.is_empty()).for_each(|parcel| drop(empties.send(parcel)));
        }
    }

    /// A parcel with nothing in it: for committing offsets alone.
    fn nothing(&self) -> Parcel {
        let mut parcel = Parcel::default();
        parcel.clear(self.sources.count(), self.mark);
        parcel
    }

    /// Commits one parcel by itself.
    ///
    /// # Errors
    /// As [`Committer::run`].
    pub fn commit_one(&mut self, parcel: Parcel) -> Result<(), Failure> {
        let (round, start) = (vec![parcel], instant());
        let sent = self.send(&round);
        self.finish(&round, sent, start)
    }

    /// Sends what comes until the transaction is due. The first parcel's part of the journal goes at once: a partition
    /// is made part of a transaction by its first record, and that takes the broker a while, which passes here anyhow.
    fn collect(&mut self, round: &mut Vec<Parcel>, parcels: &Receiver<Parcel>, due: Instant) -> Result<(), Refusal> {
        let producer = open(&mut self.producer)?;
        producer.begin()?;
        let mut bytes = 0;
        loop {
            if let Some(parcel) = round.last() {
                bytes += parcel.bytes();
                self.outbox.send(producer, parcel)?;
            }
            if let [first] = round.as_slice() {
                self.outbox.send_journal(producer, std::slice::from_ref(first))?;
            }
            let wait = due.saturating_duration_since(instant());
            if bytes >= MOST_BYTES {
                return Ok(());
            }
            match parcels.recv_timeout(wait) {
                Ok(parcel) => round.push(parcel),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Brings a round that was sent to its end, however often it takes.
    fn finish(&mut self, round: &[Parcel], sent: Result<(), Refusal>, start: Instant) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (round.first(), round.last()) else { return Ok(()) };
        let (before, after) = (first.before.sequence, last.after.sequence);
        let is_refresh = self.refreshed.elapsed() >= REFRESH;
        let offsets = Offsets::of(round, &self.committed, last.after, is_refresh);
        let mut done = sent.and_then(|()| self.commit(round, &offsets));
        let mut pause = FIRST_PAUSE;
        while let Err(refusal) = done {
            self.report(&refusal);
            if self.recover(refusal, (before, after), &offsets, &mut pause)? {
                break;
            }
            done = self.send(round).and_then(|()| self.commit(round, &offsets));
        }
        offsets.remember(&mut self.committed);
        self.mark = last.after;
        if is_refresh {
            self.refreshed = instant();
        }
        self.tell(round, start.elapsed());
        Ok(())
    }

    /// Begins a transaction and sends everything.
    fn send(&mut self, round: &[Parcel]) -> Result<(), Refusal> {
        let producer = open(&mut self.producer)?;
        producer.begin()?;
        round.iter().try_for_each(|parcel| self.outbox.send(producer, parcel))?;
        self.outbox.send_journal(producer, &round[..1.min(round.len())])
    }

    /// After everything was sent: what the journal still lacks, the offsets, the commit.
    fn commit(&mut self, round: &[Parcel], offsets: &Offsets) -> Result<(), Refusal> {
        let producer = open(&mut self.producer)?;
        self.outbox.send_journal(producer, &round[1.min(round.len())..])?;
        producer.commit(&offsets.commits(&self.sources))
    }

    /// A new producer, whose start ends what the old one left open, even if that is only delayed somewhere. Then the
    /// committed offset says whether the round was committed: true where it was.
    fn recover(
        &mut self,
        refusal: Refusal,
        marks: (u64, u64),
        offsets: &Offsets,
        pause: &mut Duration,
    ) -> Result<bool, Failure> {
        if let Refusal::Fenced(reason) = refusal {
            return Err(Failure::Fenced { reason });
        }
        loop {
            self.wait(pause)?;
            match self.start_anew() {
                Ok(found) => return self.was_committed(&found, marks, offsets),
                Err(error) if error.may_pass() => self.shared.health.trouble(Component::Output, error.to_string()),
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn start_anew(&mut self) -> Result<Standing, crate::kafka::Error> {
        // Closed before the next one begins.
        self.producer = None;
        self.producer = Some((self.make)()?);
        Ok(standing(&(self.ask)()?))
    }

    fn was_committed(&self, found: &Standing, (first, last): (u64, u64), offsets: &Offsets) -> Result<bool, Failure> {
        let foreign = |found: String| Err(Failure::Foreign { found, first, last });
        match found {
            Standing::Nothing if self.committed.iter().all(|offset| *offset < 0) => Ok(false),
            Standing::Nothing => foreign("nothing".to_owned()),
            Standing::Foreign { lane, .. } => {
                let Lane { topic, partition } = self.sources.lane(*lane);
                foreign(format!("an offset of {topic}/{partition} without it"))
            }
            Standing::Whole { next, mark } => {
                let mut expected = self.committed.clone();
                offsets.remember(&mut expected);
                // Offsets and number: a round without output changes only the former. One that changes neither says
                // that the owner starts, and may be said twice.
                if *next == self.committed && mark.sequence == first {
                    Ok(false)
                } else if *next == expected && mark.sequence == last {
                    Ok(true)
                } else {
                    foreign(mark.sequence.to_string())
                }
            }
        }
    }

    /// Waits, twice as long the next time; who is told to stop tries on for a while, since work is under way.
    fn wait(&self, pause: &mut Duration) -> Result<(), Failure> {
        if self.stop.requested_for().is_some_and(|since| since > STOP_PATIENCE) {
            return Err(Failure::Stopped);
        }
        #[expect(clippy::disallowed_methods, reason = "the broker is given time")]
        std::thread::sleep(*pause);
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    fn report(&self, refusal: &Refusal) {
        let kind = match refusal {
            Refusal::Abortable(_) => TransactionFailure::Abortable,
            Refusal::Refused(_) => TransactionFailure::Fatal,
            Refusal::Unknown(_) => TransactionFailure::Unknown,
            Refusal::Fenced(_) => TransactionFailure::Fenced,
        };
        self.shared.metrics.transaction_failed(kind);
        self.shared.health.trouble(Component::Output, refusal.to_string());
    }

    fn tell(&self, round: &[Parcel], took: Duration) {
        let Shared { health, metrics, .. } = &self.shared;
        health.well(Component::Output);
        metrics.transaction_committed(took);
        let now = wall_ms();
        let times = round.iter().flat_map(|parcel| &parcel.times);
        metrics.observe_latencies(times.map(|time| now.saturating_sub(*time) as f64 / 1000.0));
        self.progress.set(&self.committed);
    }
}

/// The producer, where there is one: there is none only while the next one is being made.
fn open(producer: &mut Option<Box<dyn Producer + Send>>) -> Result<&mut dyn Producer, Refusal> {
    match producer {
        Some(producer) => Ok(producer.as_mut()),
        None => Err(Refusal::Unknown("there is no producer".to_owned())),
    }
}

#[cfg(test)]
mod tests;

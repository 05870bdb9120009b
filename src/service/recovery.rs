//! From a state file to a fold that stands where the last owner left it, or a clear reason why not.
//!
//! The order matters: the producer was started first, which ended whatever an owner before had left open; so what is
//! committed is moved by nobody else. Then the newest state that fits, then the past since then.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use super::attempt::insist;
use super::clock::wall_ms;
use super::failure::Failure;
use super::feed::Feed;
use super::fold::{Fold, options};
use super::health::State;
use super::http::Shared;
use super::lanes::Lanes;
use super::order::Order;
use super::owner::{ANSWER, Job, Owner};
use super::past::Past;
use super::position::{Standing, newest, standing};
use super::sources::{Lane, Sources};
use super::state::{Header, Loaded, PassedOver, StateDirectory};
use super::tail::last_mark;
use crate::engine::Engine;
use crate::journal::{Mark, Start};
use crate::kafka::{Committed, Consumer};

/// A position that is not known: a state that was rebuilt from files has none in the journal's topic, and none in
/// partitions that the files do not speak of.
pub(super) const UNKNOWN: i64 = -1;

/// Where the stream goes on.
pub struct Ready {
    /// The engine and where it stands.
    pub fold: Fold,
    /// Running from there on.
    pub feed: Feed,
    /// What has arrived.
    pub lanes: Lanes,
    /// By source lane what is committed; -1 where nothing is.
    pub committed: Vec<i64>,
    /// Whether it has no history, which is to be written down first.
    pub is_fresh: bool,
}

/// A replay that has not begun, and where it is to end.
pub struct Opened {
    /// The replay.
    pub past: Past,
    /// The journal's end.
    pub end: i64,
    /// Whether it begins with a state.
    pub has_state: bool,
}

/// What is asked for when the past is opened.
pub struct Opening<'a> {
    /// What is run.
    pub job: &'a Job,
    /// What is read.
    pub sources: &'a Arc<Sources>,
    /// For questions.
    pub consumer: &'a Consumer,
    /// Where states are kept.
    pub directory: &'a StateDirectory,
}

impl Owner {
    /// Comes to where the last owner stood.
    ///
    /// # Errors
    /// When that cannot be done and giving the history up was not allowed.
    pub fn recover(&self) -> Result<Ready, Failure> {
        let lanes: Vec<(&str, i32)> =
            self.sources.lanes().map(|Lane { topic, partition }| (topic, partition)).collect();
        let ask = || self.consumer.committed(&lanes, ANSWER);
        let committed = insist(&self.shared, &self.stop, "reading committed offsets", ask)?;
        match insist(&self.shared, &self.stop, "opening the state", || self.recover_from(&committed)) {
            Err(failure) if failure.is_refusal() && self.job.accept_state_loss => {
                tracing::warn!("{failure}");
                tracing::warn!("the state is given up as --accept-state-loss says: windows and locks begin anew");
                self.directory.set_aside_above(0)?;
                self.begin_anew(&committed)
            }
            other => other,
        }
    }

    fn recover_from(&self, committed: &[Option<Committed>]) -> Result<Ready, Failure> {
        match standing(committed) {
            Standing::Foreign { lane, found } => Err(self.foreign(lane, found.as_ref())),
            Standing::Whole { next, mark } => self.replay(next, mark),
            Standing::Nothing => match self.opening().newest(u64::MAX, None)? {
                (Some((header, _)), _) if header.progress.sequence > 0 => Err(Failure::Refused(format!(
                    "group `{}` has committed nothing, but there is a state at output number {}: its offsets were \
                     deleted, or this is another cluster or group. Put it right, or begin anew with \
                     --accept-state-loss",
                    self.job.config.kafka.group_id, header.progress.sequence
                ))),
                _ => self.begin_anew(committed),
            },
        }
    }

    fn opening(&self) -> Opening<'_> {
        Opening { job: &self.job, sources: &self.sources, consumer: &self.consumer, directory: &self.directory }
    }

    fn foreign(&self, lane: usize, found: Option<&Committed>) -> Failure {
        let Lane { topic, partition } = self.sources.lane(lane);
        let group = &self.job.config.kafka.group_id;
        Failure::Refused(match found {
            Some(found) => format!(
                "offset {} of {topic}/{partition} was not committed by this service: somebody has moved the offsets of \
                 group `{group}`. Put them back, or go on there without history with --accept-state-loss",
                found.next_offset
            ),
            None => format!(
                "group `{group}` has committed offsets, but none for {topic}/{partition}: the number of partitions or \
                 the topics have changed, and accounts are elsewhere now. Go on without history with \
                 --accept-state-loss"
            ),
        })
    }

    /// From the newest state, or else from the beginning of the logs, to what is committed.
    fn replay(&self, next: Vec<i64>, mark: Mark) -> Result<Ready, Failure> {
        let Opened { mut past, end, has_state } = self.opening().open(mark.sequence, Some(self.shared.clone()))?;
        if has_state {
            tracing::info!(sequence = past.fold.mark().sequence, "goes on from a state");
        } else {
            tracing::info!("there is no state; the whole journal is replayed");
        }
        let total: i64 = next.iter().zip(past.fold.next()).map(|(to, from)| (to - from).max(0)).sum();
        let total = total.cast_unsigned();
        let Shared { metrics, health, .. } = &self.shared;
        let mut show = |done: u64| {
            metrics.set_recovery(done, total.max(1));
            health.set(State::Recovering { done, total });
        };
        show(0);
        let replayed = past.replay(end, &self.stop, &mut show).and_then(|()| past.must_be_at(&next, mark));
        if let Err(failure) = replayed {
            let (_, fetched) = past.order.feed.stop();
            // Why nothing arrives any more says more than that nothing does.
            return Err(fetched.err().unwrap_or(failure));
        }
        metrics.set_recovery(0, 0);
        tracing::info!(records = past.order.records(), sequence = mark.sequence, "recovered");
        let Past { fold, order: Order { feed, lanes, .. }, .. } = past;
        Ok(Ready { fold, feed, lanes, committed: next, is_fresh: false })
    }

    /// Without history, from what is committed on where the log has it, else from the log's beginning.
    fn begin_anew(&self, committed: &[Option<Committed>]) -> Result<Ready, Failure> {
        let mut positions = Vec::new();
        for (lane, found) in committed.iter().enumerate() {
            let log = self.opening().log(lane)?;
            let position = found.as_ref().map(|found| found.next_offset);
            positions.push(position.filter(|offset| (log.start..=log.end).contains(offset)).unwrap_or(log.start));
        }
        // Offsets that were moved have lost their mark; the journal still has it.
        let marks = [newest(committed), last_mark(&self.opening())?];
        let mark = marks.into_iter().max_by_key(|mark| mark.sequence).unwrap_or_default();
        let settings = self.job.settings();
        let engine = Engine::new(self.job.rules.clone(), options(&settings));
        let mut fold = Fold::new(engine, settings, &self.sources, positions.clone(), mark);
        fold.restart(Start { is_fresh: true, ruleset: self.job.rules.id.clone(), settings, mark })?;
        positions.push(self.opening().log(self.sources.journal())?.end);
        let (feed, lanes) = self.opening().feed(&positions, Some(self.shared.clone()))?;
        let committed = committed.iter().map(|found| found.as_ref().map_or(-1, |found| found.next_offset)).collect();
        self.shared.metrics.set_recovery(0, 0);
        tracing::info!("begins without history");
        Ok(Ready { fold, feed, lanes, committed, is_fresh: true })
    }
}

impl Opening<'_> {
    /// The newest state up to an output number with its engine, and the newer files that do not serve.
    #[expect(clippy::type_complexity, reason = "what the directory gives")]
    pub fn newest(
        &self,
        sequence: u64,
        shared: Option<&Shared>,
    ) -> Result<(Option<(Header, Engine)>, Vec<PassedOver>), Failure> {
        let identity = self.job.identity(self.sources);
        let mut fits = |header: &Header| match header.progress.sequence {
            found if found <= sequence => Ok(()),
            found => Err(format!("is of output number {found}, beyond what is committed ({sequence})")),
        };
        let mut path = PathBuf::new();
        let mut open = |loaded: Loaded| {
            path.clone_from(&loaded.path);
            let options = options(&loaded.header.settings);
            let engine = Engine::decode(self.job.rules.clone(), options, &loaded.state);
            engine.map(|engine| (loaded.header, engine)).map_err(|error| error.to_string())
        };
        let found = self.directory.newest_usable(&identity, &mut fits, &mut open)?;
        for PassedOver { path, reason } in &found.passed_over {
            // Once, at the start: whoever makes snapshots looks at the same files again and again.
            if shared.is_some() {
                tracing::warn!("{} {reason}; an older state is looked for", path.display());
            }
        }
        if let Some(shared) = shared.filter(|_| found.newest.is_some()) {
            show_state(shared, &path);
        }
        Ok((found.newest, found.passed_over))
    }

    /// Opens the past from the newest state up to an output number on, or from the beginning of the logs.
    ///
    /// # Errors
    /// When the logs do not reach back.
    pub fn open(&self, sequence: u64, shared: Option<Shared>) -> Result<Opened, Failure> {
        let (newest, passed_over) = self.newest(sequence, shared.as_ref())?;
        let journal = self.log(self.sources.journal())?;
        let has_state = newest.is_some();
        let (mut fold, positions) = match newest {
            Some((header, engine)) => self.take_up(header, engine)?,
            None if journal.start > 0 => return Err(self.no_state(&passed_over)),
            None => self.begin_at_start_of_logs()?,
        };
        let known = |position: &i64| Some(*position).filter(|position| has_state && *position != UNKNOWN);
        let next = positions[..self.sources.count()].iter().map(known).collect();
        // A state that does not know where it is in the journal must find its end there, if not all of it is there.
        let must_meet = positions[self.sources.journal()] == UNKNOWN && journal.start > 0;
        let positions = self.where_logs_begin(positions)?;
        fold.set_next(positions[..self.sources.count()].to_vec());
        for (lane, &position) in positions.iter().enumerate() {
            self.must_hold(lane, position)?;
        }
        let (feed, lanes) = self.feed(&positions, shared)?;
        let order = Order::new(feed, lanes, self.sources, next, must_meet);
        let past = Past::new(fold, order, self.sources, &self.job.config.limits, has_state);
        Ok(Opened { past, end: journal.end, has_state })
    }

    /// Logs are read from their beginnings where the state does not know how far it has come in them. Should what is
    /// missing there matter, the order notices.
    fn where_logs_begin(&self, mut positions: Vec<i64>) -> Result<Vec<i64>, Failure> {
        for (lane, position) in positions.iter_mut().enumerate().filter(|(_, position)| **position == UNKNOWN) {
            *position = self.log(lane)?.start;
        }
        Ok(positions)
    }

    fn take_up(&self, header: Header, engine: Engine) -> Result<(Fold, Vec<i64>), Failure> {
        let positions = self.sources.from_offsets(&header.progress.next_offsets);
        // The state fits these topics, so it has all of them.
        let positions = positions.ok_or_else(|| Failure::Refused("the state lacks an offset".to_owned()))?;
        let mark = Mark { sequence: header.progress.sequence, output_hash: header.progress.output_hash };
        let next = positions[..self.sources.count()].to_vec();
        Ok((Fold::new(engine, header.settings, self.sources, next, mark), positions))
    }

    fn begin_at_start_of_logs(&self) -> Result<(Fold, Vec<i64>), Failure> {
        let lanes = 0..=self.sources.count();
        let positions = lanes.map(|lane| Ok(self.log(lane)?.start)).collect::<Result<Vec<i64>, Failure>>()?;
        let settings = self.job.settings();
        let engine = Engine::new(self.job.rules.clone(), options(&settings));
        let next = positions[..self.sources.count()].to_vec();
        Ok((Fold::new(engine, settings, self.sources, next, Mark::default()), positions))
    }

    fn no_state(&self, passed_over: &[PassedOver]) -> Failure {
        let reasons: Vec<String> =
            passed_over.iter().map(|PassedOver { path, reason }| format!("{} {reason}", path.display())).collect();
        let reasons = if reasons.is_empty() { "none is there".to_owned() } else { reasons.join("; ") };
        Failure::Refused(format!(
            "no state serves ({reasons}), and the journal's beginning was deleted. Put a state into {} (see `lockkeeper \
             state rebuild`), or begin without history with --accept-state-loss",
            self.job.config.state.directory.display()
        ))
    }

    /// How far a lane's log reaches.
    pub fn log(&self, lane: usize) -> Result<crate::kafka::Watermarks, Failure> {
        let Lane { topic, partition } = self.sources.lane(lane);
        Ok(self.consumer.watermarks(topic, partition, ANSWER)?)
    }

    fn must_hold(&self, lane: usize, position: i64) -> Result<(), Failure> {
        let log = self.log(lane)?;
        let Lane { topic, partition } = self.sources.lane(lane);
        let reason = if position < log.start {
            format!("the log begins at {}", log.start)
        } else if position > log.end {
            format!("the log ends at {}", log.end)
        } else {
            return Ok(());
        };
        Err(Failure::OutOfRange { place: format!("{topic}/{partition} at offset {position}"), reason })
    }

    /// Begins to fetch.
    pub fn feed(&self, positions: &[i64], shared: Option<Shared>) -> Result<(Feed, Lanes), Failure> {
        let limits = &self.job.config.limits;
        let consumer = Consumer::connect(&self.job.kafka())?;
        let feed = Feed::start(consumer, self.sources, positions, limits, shared)?;
        let wait = i64::try_from(limits.max_wait.as_millis()).unwrap_or(i64::MAX);
        Ok((feed, Lanes::new(positions, wait, wall_ms())))
    }
}

/// Tells how old and how large the state is that is gone on from.
fn show_state(shared: &Shared, path: &Path) {
    let Ok(metadata) = fs::metadata(path) else { return };
    let written = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let taken_at = written.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default();
    shared.metrics.set_snapshot(taken_at, metadata.len());
    shared.status.set_snapshot(taken_at, metadata.len());
}

//! The service as a whole: start, recovery, three threads, and an end that leaves nothing half done.
//!
//! ```text
//! fetch --arrivals--> score --parcels--> commit        snapshots (replays behind)
//! ```
//! Each thread has a bounded store before it; whoever is slow makes those before it wait. The caller's thread watches.

use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use super::clock::instant;
use super::committer::{AskCommitted, Committer};
use super::failure::Failure;
use super::feed::Gauges;
use super::fold::Fold;
use super::health::{Component, State};
use super::http::Shared;
use super::live::Live;
use super::observer::Observer;
use super::outbox::Outbox;
use super::owner::{ANSWER, Job, Owner, connect};
use super::packer::finish;
use super::parcel::Parcel;
use super::position;
use super::progress::Progress;
use super::recovery::{Opening, Ready};
use super::snapshots::{Snapshots, note, save};
use super::sources::{Lane, Sources};
use super::state::StateDirectory;
use super::stop::Stop;
use crate::config::Config;
use crate::journal::Start;
use crate::kafka::{Consumer, Group, Watchdog};

/// Parcels on their way from scoring to committing.
const PARCELS: usize = 8;
/// Longer than any call of the library is allowed to take.
const STUCK: Duration = Duration::from_secs(90);
/// Between two looks at the threads.
const LOOK: Duration = Duration::from_millis(200);
/// Between two questions to the broker about what is committed, and how long one may take.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(5);
const QUESTION: Duration = Duration::from_secs(2);

/// Runs the service until it is told to stop or cannot go on.
///
/// # Errors
/// Why it cannot go on.
pub fn run(job: Job, shared: &Shared, stop: &Arc<Stop>) -> Result<(), Failure> {
    shared.status.set_rules(&job.rules);
    shared.metrics.set_rules(&job.rules);
    shared.metrics.reloaded(true);
    let watchdog = Watchdog::new(STUCK);
    let owner = connect(job, shared, stop, &watchdog)?;
    let ready = owner.recover()?;
    let stream = Stream::start(owner, ready)?;
    shared.health.set(State::Live);
    tracing::info!("live");
    let watched = stream.watch(&watchdog);
    shared.health.set(State::Stopping);
    stop.request();
    let ended = stream.end();
    watched.and(ended)
}

/// The running threads.
struct Stream {
    score: JoinHandle<Live>,
    commit: JoinHandle<(Committer, Result<(), Failure>)>,
    snapshots: JoinHandle<Result<(), Failure>>,
    gauges: Arc<Gauges>,
    progress: Arc<Progress>,
    sources: Arc<Sources>,
    shared: Shared,
    stop: Arc<Stop>,
    job: Job,
    directory: StateDirectory,
    consumer: Consumer,
}

impl Stream {
    fn start(owner: Owner, ready: Ready) -> Result<Stream, Failure> {
        let Owner { job, consumer, producer, make, sources, directory, shared, stop } = owner;
        let Ready { mut fold, feed, lanes, committed, is_fresh } = ready;
        feed.drop_journal();
        let progress = Arc::new(Progress::new(&committed));
        let config = &job.config;
        let mut committer = Committer {
            producer: Some(producer),
            make,
            ask: ask(consumer.group(), &sources),
            outbox: Outbox::new(&config.topics, &sources, &job.rules.id, &config.kafka.group_id),
            sources: Arc::clone(&sources),
            committed,
            mark: fold.mark(),
            refreshed: instant(),
            limits: config.limits.clone(),
            shared: shared.clone(),
            progress: Arc::clone(&progress),
            stop: Arc::clone(&stop),
        };
        if is_fresh {
            committer.commit_one(first_parcel(&mut fold, &sources))?;
            let opening = Opening { job: &job, sources: &sources, consumer: &consumer, directory: &directory };
            let journal = opening.log(sources.journal())?.end;
            save(&directory, &mut fold, &sources, journal)?;
        } else if fold.settings() != job.settings() {
            let start =
                Start { is_fresh: false, ruleset: job.rules.id.clone(), settings: job.settings(), mark: fold.mark() };
            fold.restart(start)?;
        }
        set_locks(&fold, &shared);
        let gauges = feed.gauges();
        let live = Live {
            observer: Observer::new(shared.clone(), fold.rules().currency),
            fold,
            feed,
            lanes,
            sources: Arc::clone(&sources),
            limits: config.limits.clone(),
            stop: Arc::clone(&stop),
            looked_at: 0,
        };
        let (score, commit) = spawn(live, committer)?;
        let snapshots = Snapshots {
            job: job.clone(),
            sources: Arc::clone(&sources),
            directory: open_directory(config)?,
            shared: shared.clone(),
            stop: Arc::clone(&stop),
        };
        let snapshots = Builder::new().name("snapshots".to_owned()).spawn(move || snapshots.run())?;
        Ok(Stream { score, commit, snapshots, gauges, progress, sources, shared, stop, job, directory, consumer })
    }

    /// Waits for the stop, or for a thread that has ended; shows meanwhile how far the stream has come.
    fn watch(&self, watchdog: &Watchdog) -> Result<(), Failure> {
        let mut asked = instant();
        while !self.stop.wait(LOOK) {
            if self.score.is_finished() || self.commit.is_finished() || self.snapshots.is_finished() {
                return Ok(());
            }
            if let Some(overrun) = watchdog.overrun() {
                return Err(Failure::Stuck { doing: overrun.doing, seconds: overrun.elapsed.as_secs() });
            }
            self.show_lag();
            if asked.elapsed() >= BETWEEN_QUESTIONS {
                self.must_be_ours()?;
                asked = instant();
            }
        }
        Ok(())
    }

    /// Nobody else may commit for the group: neither an operator's tool nor an instance with another transactional id,
    /// which nothing fences.
    fn must_be_ours(&self) -> Result<(), Failure> {
        let lanes: Vec<(&str, i32)> =
            self.sources.lanes().map(|Lane { topic, partition }| (topic, partition)).collect();
        let before: Vec<i64> = (0..lanes.len()).map(|lane| self.progress.committed(lane)).collect();
        let health = &self.shared.health;
        let committed = match self.consumer.committed(&lanes, QUESTION) {
            Ok(committed) => committed,
            Err(error) => {
                health.trouble(Component::Cluster, error.to_string());
                return Ok(());
            }
        };
        health.well(Component::Cluster);
        let moved = committed.iter().zip(&before).position(|(found, before)| {
            !found.as_ref().is_some_and(|found| position::read(found).is_some() && found.next_offset >= *before)
        });
        match moved {
            None => Ok(()),
            Some(lane) => {
                let Lane { topic, partition } = self.sources.lane(lane);
                let found = committed[lane].as_ref().map_or("none".to_owned(), |found| found.next_offset.to_string());
                Err(Failure::Moved { place: format!("{topic}/{partition}"), found, expected: before[lane] })
            }
        }
    }

    fn show_lag(&self) {
        for (lane, Lane { topic, partition }) in self.sources.lanes().enumerate() {
            let committed = self.progress.committed(lane);
            let lag = self.gauges.end_of(lane).map_or(0, |end| (end - committed).max(0));
            self.shared.metrics.set_lag(topic, partition, lag.cast_unsigned());
            self.shared.status.set_lag(topic, partition, lag.cast_unsigned());
        }
    }

    /// Lets the threads end, and keeps the state where everything was committed.
    fn end(self) -> Result<(), Failure> {
        let live = self.score.join().map_err(|_| Failure::panicked("score"))?;
        let (committer, committed) = self.commit.join().map_err(|_| Failure::panicked("commit"))?;
        let Live { mut fold, feed, .. } = live;
        let (_, fetched) = feed.stop();
        // The producer's end leaves the cluster in order before a state is written.
        drop(committer);
        committed.and(fetched)?;
        let keep = |fold: &mut Fold| -> Result<(), Failure> {
            let start = instant();
            let opening = Opening {
                job: &self.job,
                sources: &self.sources,
                consumer: &self.consumer,
                directory: &self.directory,
            };
            let journal = opening.log(self.sources.journal())?.end;
            let saved = save(&self.directory, fold, &self.sources, journal).map_err(Failure::at_the_end)?;
            note(&self.shared, &saved, start.elapsed());
            Ok(())
        };
        // Where a replay came out otherwise the state is wrong, and not kept.
        let may_keep = !self.snapshots.is_finished();
        let kept = if may_keep { keep(&mut fold) } else { Ok(()) };
        let snapshots = self.snapshots.join().map_err(|_| Failure::panicked("snapshots"))?;
        kept.and(snapshots)?;
        if may_keep { Ok(()) } else { keep(&mut fold) }
    }
}

/// Asks what is committed of all lanes.
fn ask(group: Group, sources: &Arc<Sources>) -> AskCommitted {
    let sources = Arc::clone(sources);
    Box::new(move || {
        let lanes: Vec<(&str, i32)> = sources.lanes().map(|Lane { topic, partition }| (topic, partition)).collect();
        group.committed(&lanes, ANSWER)
    })
}

/// Starts the threads that score and that commit.
#[expect(clippy::type_complexity, reason = "two threads and what they give back")]
fn spawn(
    mut live: Live,
    mut committer: Committer,
) -> Result<(JoinHandle<Live>, JoinHandle<(Committer, Result<(), Failure>)>), Failure> {
    let (parcels_out, parcels_in) = sync_channel::<Parcel>(PARCELS);
    let (empties_out, empties_in) = channel::<Parcel>();
    let score = Builder::new().name("score".to_owned()).spawn(move || {
        live.run(&parcels_out, &empties_in);
        live
    })?;
    let commit = Builder::new().name("commit".to_owned()).spawn(move || {
        let result = committer.run(&parcels_in, &empties_out);
        (committer, result)
    })?;
    Ok((score, commit))
}

/// What says that the owner begins without history, with all its positions.
fn first_parcel(fold: &mut Fold, sources: &Sources) -> Parcel {
    let mut parcel = Parcel::default();
    parcel.clear(sources.count(), fold.mark());
    finish(&mut parcel, fold);
    parcel.next = fold.next().iter().copied().map(Some).collect();
    parcel
}

fn set_locks(fold: &Fold, shared: &Shared) {
    for (rule, count) in fold.rules().rules.iter().zip(fold.engine().locks_by_rule()) {
        if rule.lock.is_some() {
            shared.metrics.set_locks_active(&rule.id, count);
        }
    }
    shared.status.set_active_locks(fold.engine().active_locks());
}

fn open_directory(config: &Config) -> Result<StateDirectory, Failure> {
    Ok(StateDirectory::open(&config.state.directory, &config.kafka.transactional_id, config.state.keep)?)
}

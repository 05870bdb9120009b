//! The thread that makes snapshots: a second engine replays what was committed since the last one, and its state is
//! written. The stream does not stand still for it.
//!
//! What is replayed is compared with what was committed, so every snapshot is also a proof that a recovery would come
//! out right; and since it begins with the newest state file, that that file can be read. The price is memory for a
//! second state while it runs, and the time to score events twice, on a thread that can wait.

use std::sync::Arc;
use std::time::Duration;

use super::clock::{instant, wall_ms};
use super::failure::Failure;
use super::fold::Fold;
use super::http::Shared;
use super::owner::Job;
use super::recovery::{Opened, Opening};
use super::sources::Sources;
use super::state::{Progress, Saved, Snapshot, StateDirectory};
use super::stop::Stop;
use crate::kafka::Consumer;

/// Makes snapshots.
pub struct Snapshots {
    /// What is run.
    pub job: Job,
    /// What is read.
    pub sources: Arc<Sources>,
    /// Where states are kept.
    pub directory: StateDirectory,
    /// Metrics and status.
    pub shared: Shared,
    /// When to end.
    pub stop: Arc<Stop>,
}

impl Snapshots {
    /// Makes one after each interval, until told to stop. What goes wrong is said once, and tried again.
    ///
    /// # Errors
    /// When the replay comes out otherwise than what was committed: the stream must not go on.
    pub fn run(&self) -> Result<(), Failure> {
        give_way();
        let mut said = None;
        while !self.stop.wait(self.job.config.state.snapshot_interval) {
            let failed = match self.take() {
                Err(failure @ Failure::Diverged { .. }) => return Err(failure),
                Ok(()) | Err(Failure::Stopped) => None,
                Err(failure) => Some(failure),
            };
            let why = failed.as_ref().map(ToString::to_string);
            if why != said {
                failed.as_ref().inspect(|failure| say(failure));
                said = why;
            }
        }
        Ok(())
    }

    fn take(&self) -> Result<(), Failure> {
        let start = instant();
        let consumer = Consumer::connect(&self.job.kafka())?;
        let opening =
            Opening { job: &self.job, sources: &self.sources, consumer: &consumer, directory: &self.directory };
        let Opened { mut past, end, .. } = opening.open(u64::MAX, None)?;
        let replayed = past.replay(end, &self.stop, &mut |_| {});
        let records = past.order.records();
        let (_, fetched) = past.order.feed.stop();
        fetched.and(replayed)?;
        if records > 0 {
            let saved = save(&self.directory, &mut past.fold, &self.sources, end)?;
            note(&self.shared, &saved, start.elapsed());
        }
        Ok(())
    }
}

/// A cluster that does not answer is spoken of elsewhere, and may pass.
fn say(failure: &Failure) {
    if failure.may_pass() {
        tracing::warn!("no snapshot was made: {failure}; it is tried again");
    } else {
        tracing::error!("no snapshot was made: {failure}; it is tried again");
    }
}

/// Lets other threads go first, and those that this one starts as well: a snapshot can wait, the stream cannot.
fn give_way() {
    const NICE: i32 = 19;
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), NICE) {
        tracing::debug!(%error, "snapshots have the same priority as the stream");
    }
}

/// Writes the state of a fold; `journal` is how far the journal is in it, or less.
///
/// # Errors
/// When it cannot be written; what was there before stays.
pub fn save(directory: &StateDirectory, fold: &mut Fold, sources: &Sources, journal: i64) -> Result<Saved, Failure> {
    let mut positions = fold.next().to_vec();
    positions.push(journal);
    let mark = fold.mark();
    let snapshot = Snapshot {
        ruleset: fold.rules().id.clone(),
        settings: fold.settings(),
        progress: Progress {
            next_offsets: sources.to_offsets(&positions),
            sequence: mark.sequence,
            output_hash: mark.output_hash,
        },
        state: fold.engine_mut().encode()?,
    };
    Ok(directory.save(&snapshot)?)
}

/// Tells of a snapshot that was written.
pub fn note(shared: &Shared, saved: &Saved, took: Duration) {
    shared.metrics.snapshot_written(saved.bytes, took);
    shared.status.set_snapshot(wall_ms(), saved.bytes);
    saved.undeleted.iter().for_each(|reason| tracing::warn!("an old state could not be deleted: {reason}"));
    tracing::info!(path = %saved.path.display(), bytes = saved.bytes, "snapshot written");
}

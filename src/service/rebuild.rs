//! A state out of exported journals: what was consumed, done once more up to where the files end.
//!
//! It needs neither the service nor its broker: files and rules give the engine's state, the offsets behind the records,
//! and the number and hash of the output, just as the service had them. What the files cannot say is where in the
//! journal topic they end; recovery finds that by the offsets, and its marks show whether the state is the right one.

use std::slice;
use std::sync::atomic::AtomicBool;

use thiserror::Error;

use super::failure::Failure;
use super::owner::{ANSWER, Job, same_count};
use super::recovery::UNKNOWN;
use super::sources::Sources;
use super::state::{Progress, Saved, Snapshot, StateDirectory, StateError};
use crate::engine::facts::Facts;
use crate::engine::snapshot::SnapshotError;
use crate::feature::store::Executor;
use crate::journal::{Settings, Start, Step};
use crate::kafka::{self, Consumer};
use crate::replay::playback::{End, Playback, PlaybackError, Setup};
use crate::replay::run::BATCH_RECORDS;
use crate::replay::{InputError, JournalFile};

/// Why no state was written.
#[derive(Debug, Error)]
#[expect(missing_docs, reason = "each message says what its fields are")]
pub enum RebuildError {
    /// A file that cannot be read, or is no journal, or goes back.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The first file does not hold the beginning.
    #[error(
        "{place}: the journal does not begin with a start without history, so what came before is not known. Name the \
         file that it continues before it"
    )]
    NoBeginning { place: String },
    /// A later file holds a beginning.
    #[error(
        "{place}: here a journal begins without history: it continues nothing. Leave out the files before it, or export \
         what comes after them with `lockkeeper journal export --from-offset`"
    )]
    Anew { place: String },
    /// It would be a state of other decisions.
    #[error(
        "{place}: rule set {found} decided here, and {loaded} is loaded. Load the other one: a state belongs to the \
         rules it came from"
    )]
    OtherRules { place: String, found: String, loaded: String },
    /// Not of this configuration.
    #[error(
        "the journal speaks of {topic}/{partition}, and there is no such partition: {reason}. A state belongs to its \
         topics and their numbers of partitions"
    )]
    Elsewhere { topic: String, partition: u32, reason: String },
    /// Another number of partitions was served here before.
    #[error(
        "{path} is a state of {found} partitions of topic `{topic}`, and this one would have {told}: nothing was \
         written. Say the right --partitions; or, if the topic was made anew with another number, move the old states \
         away first"
    )]
    OtherPartitions { path: String, topic: String, found: u32, told: u32 },
    /// It was told to stop.
    #[error("interrupted; no state was written")]
    Interrupted,
    /// The state cannot be taken over to other settings.
    #[error(transparent)]
    Playback(#[from] PlaybackError),
    /// The state cannot be encoded.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The state cannot be written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A state that was written.
#[derive(Debug)]
pub struct Rebuilt {
    /// Its file.
    pub saved: Saved,
    /// Records it was made of.
    pub records: u64,
    /// Number of the last line of output in it.
    pub sequence: u64,
    /// Whether the directory holds a state that is further on, which is then the one that the service takes.
    pub is_passed_by: bool,
}

/// Asks the broker for the number of partitions of the source topics.
///
/// # Errors
/// When it does not answer, or they do not have equally many.
pub fn partitions(job: &Job) -> Result<i32, Failure> {
    let consumer = Consumer::connect(&job.kafka())?;
    let topics: Result<Vec<(&str, i32)>, kafka::Error> =
        job.config.topics.sources().map(|topic| Ok((topic, consumer.partition_count(topic, ANSWER)?))).collect();
    same_count(&topics?)
}

/// Plays files that continue each other and saves the state they come to; `progress` hears how it goes.
///
/// # Errors
/// When the files are not the journal of these rules and topics from its beginning on, or the state cannot be saved.
pub fn rebuild(
    job: &Job,
    sources: &Sources,
    mut files: Files,
    executor: &dyn Executor,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(&Facts, u64),
) -> Result<Rebuilt, RebuildError> {
    let setup = Setup { emit: None, options: super::fold::options(&job.settings()), batch_records: BATCH_RECORDS };
    let playback = Playback::new(job.rules.clone(), setup, executor);
    let end = playback.play(&mut files, &mut std::io::sink(), stop, progress)?;
    if end.report.interrupted {
        return Err(RebuildError::Interrupted);
    }
    let settings = files.finish()?;
    save(job, sources, settings, end)
}

fn save(job: &Job, sources: &Sources, settings: Settings, mut end: End) -> Result<Rebuilt, RebuildError> {
    let snapshot = Snapshot {
        ruleset: job.rules.id.clone(),
        settings,
        progress: Progress {
            next_offsets: sources.to_offsets(&positions(sources, &end)?),
            sequence: end.mark.sequence,
            output_hash: end.mark.output_hash,
        },
        state: end.engine.encode()?,
    };
    let config = &job.config;
    let directory = StateDirectory::open(&config.state.directory, &config.kafka.transactional_id, config.state.keep)?;
    must_count_alike(&directory, &snapshot.progress)?;
    let newest = directory.newest(&job.identity(sources))?.newest;
    let saved = directory.save(&snapshot)?;
    Ok(Rebuilt {
        saved,
        records: end.report.facts.records,
        sequence: end.mark.sequence,
        is_passed_by: newest.is_some_and(|newest| newest.header.progress.sequence > end.mark.sequence),
    })
}

/// A state that is there may be the good one: it is neither replaced nor outnumbered by one of other partitions.
fn must_count_alike(directory: &StateDirectory, progress: &Progress) -> Result<(), RebuildError> {
    let told = progress.topics();
    for (path, header) in directory.headers()? {
        for (topic, found) in header.progress.topics() {
            if let Some(&told) = told.get(&topic).filter(|told| **told != found) {
                return Err(RebuildError::OtherPartitions { path: path.display().to_string(), topic, found, told });
            }
        }
    }
    Ok(())
}

/// By lane the next offset; it is not known for partitions that the files do not speak of, and for the journal.
fn positions(sources: &Sources, end: &End) -> Result<Vec<i64>, RebuildError> {
    let mut positions = vec![UNKNOWN; sources.count() + 1];
    for (topic, offsets) in &end.next_offsets {
        for (&partition, &offset) in offsets {
            // Partitions and offsets of a journal are in Kafka's range.
            let lane =
                sources.find(topic, partition.cast_signed()).ok_or_else(|| elsewhere(sources, topic, partition))?;
            positions[lane] = offset.cast_signed();
        }
    }
    Ok(positions)
}

fn elsewhere(sources: &Sources, topic: &str, partition: u32) -> RebuildError {
    let reason = if sources.topics().iter().any(|known| known == topic) {
        format!("the last one is {}", sources.partitions() - 1)
    } else {
        "the topic is neither under `topics.input` nor under `topics.control`".to_owned()
    };
    RebuildError::Elsewhere { topic: topic.to_owned(), partition, reason }
}

/// The steps of journal files that continue each other, the first one from a beginning on, all of one rule set.
pub struct Files<'a> {
    rest: slice::Iter<'a, String>,
    /// `None` only while the next one is being opened.
    open: Option<JournalFile>,
    /// The rule set that is loaded.
    ruleset: String,
    /// What the owner was told at the last start.
    settings: Option<Settings>,
    /// Whether the next step is the first one of a file.
    is_first: bool,
    failure: Option<RebuildError>,
}

impl<'a> Files<'a> {
    /// Opens the first of the files; `ruleset` is the id of the one that is loaded.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(paths: &'a [String], ruleset: &str) -> Result<Files<'a>, RebuildError> {
        let mut rest = paths.iter();
        let open = rest.next().map(|first| JournalFile::open_first(first, paths)).transpose()?;
        let ruleset = ruleset.to_owned();
        Ok(Files { rest, open, ruleset, settings: None, is_first: true, failure: None })
    }

    /// How far reading is.
    pub fn progress(&self) -> Option<crate::replay::Progress> {
        self.open.as_ref().map(JournalFile::progress)
    }

    /// The settings at the end, after the last step.
    fn finish(&mut self) -> Result<Settings, RebuildError> {
        match (self.failure.take(), self.settings) {
            (Some(failure), _) => Err(failure),
            (None, Some(settings)) => Ok(settings),
            (None, None) => Err(RebuildError::NoBeginning { place: self.place() }),
        }
    }

    fn place(&self) -> String {
        self.open.as_ref().map(JournalFile::place).unwrap_or_default()
    }

    /// The next step, across the ends of files.
    fn advance(&mut self) -> Result<Option<Step>, RebuildError> {
        while let Some(file) = &mut self.open {
            if let Some(step) = file.next() {
                self.check(&step)?;
                return Ok(Some(step));
            }
            if let Some(InputError { path, line, fault }) = file.take_failure() {
                return Err(InputError { path, line, fault }.into());
            }
            let Some(path) = self.rest.next() else { return Ok(None) };
            let before = self.open.take();
            self.open = before.map(|before| before.follow(path)).transpose()?;
            self.is_first = true;
        }
        Ok(None)
    }

    /// Whether a step may come here.
    fn check(&mut self, step: &Step) -> Result<(), RebuildError> {
        let is_first = std::mem::replace(&mut self.is_first, false);
        let begins = matches!(step, Step::Start(Start { is_fresh: true, .. }));
        match (self.settings.is_some(), is_first) {
            (false, _) if !begins => return Err(RebuildError::NoBeginning { place: self.place() }),
            (true, true) if begins => return Err(RebuildError::Anew { place: self.place() }),
            _ => {}
        }
        let found = match step {
            Step::Start(start) => {
                self.settings = Some(start.settings);
                &start.ruleset
            }
            Step::RuleSet(id) => id,
            Step::Record(_) | Step::Tick(_) => return Ok(()),
        };
        if *found == self.ruleset {
            return Ok(());
        }
        let (found, loaded) = (found.clone(), self.ruleset.clone());
        Err(RebuildError::OtherRules { place: self.place(), found, loaded })
    }
}

impl Iterator for Files<'_> {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.failure.is_some() {
            return None;
        }
        self.advance().unwrap_or_else(|failure| {
            self.failure = Some(failure);
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_another_number_of_partitions_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let directory = StateDirectory::open(folder.path(), "wallet", 3).expect("a directory");
        let progress = |partitions: usize| Progress {
            next_offsets: [("events".to_owned(), vec![5; partitions])].into(),
            sequence: 7,
            output_hash: 1,
        };
        let settings = Settings { emit_all: true, max_future: 1, max_skew: 1, record_size: 1 };
        let (ruleset, state) = ("demo@0123456789ab".to_owned(), vec![1, 2, 3]);
        let snapshot = Snapshot { ruleset, settings, progress: progress(4), state };
        must_count_alike(&directory, &snapshot.progress).expect("an empty directory");
        directory.save(&snapshot).expect("a state");
        must_count_alike(&directory, &snapshot.progress).expect("as many");
        let refused = must_count_alike(&directory, &progress(8)).expect_err("twice as many").to_string();
        let expected = "is a state of 4 partitions of topic `events`, and this one would have 8: nothing was written";
        assert!(refused.contains(expected) && refused.contains("wallet-00000000000000000007.lkstate"), "{refused}");
    }
}

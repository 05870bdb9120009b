//! `lockkeeper state rebuild`: a state for the service, out of journals that were exported.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::configuration::{Ready, read};
use super::exit::Exit;
use super::progress::{Bar, stop_on_signal};
use crate::engine::facts::Facts;
use crate::journal::MAX_PARTITION;
use crate::replay::run::executor;
use crate::ruleset::render::render_human;
use crate::service::delivery::Delivery;
use crate::service::failure::Failure;
use crate::service::owner::Job;
use crate::service::rebuild::{Files, RebuildError, Rebuilt, partitions};
use crate::service::sources::Sources;

const EXAMPLES: &str = "\
Examples:
  The state directory is lost and the journal topic no longer reaches back to its beginning, but it was exported:
    lockkeeper state rebuild --config lockkeeper.yaml --from journal.jsonl.zst
    lockkeeper run --config lockkeeper.yaml

  Exports that continue each other, where no broker can be asked for the number of partitions:
    lockkeeper state rebuild --config lockkeeper.yaml --partitions 12 --from may.jsonl.zst june.jsonl.zst

What came after the files the service replays from the journal topic, which must reach back to where they end.

Exit codes: 0 a state was written, 1 failed (the files are not this journal from its beginning on, the state cannot be
written), 2 usage, 78 invalid configuration or rules, 130 interrupted.";

/// Make a state from exported journals: the one that the service had where they end.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct RebuildArgs {
    /// The configuration of the service: its rules, its topics, its state directory.
    #[arg(short, long, env = "LOCKKEEPER_CONFIG", value_name = "FILE")]
    config: PathBuf,

    /// Files that `journal export` wrote, plain, gzip or zstd, in order; the first one from a beginning on. `-` is
    /// stdin.
    #[arg(long, env = "LOCKKEEPER_FROM", value_name = "FILE", required = true, num_args = 1.., value_delimiter = ',')]
    from: Vec<String>,

    /// Partitions of each input and control topic, for when no broker can be asked [default: what the broker says].
    #[arg(long, env = "LOCKKEEPER_PARTITIONS", value_name = "N", allow_negative_numbers = true)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_PARTITION) + 1))]
    partitions: Option<u32>,
}

/// Makes a state.
///
/// # Errors
/// When the files do not give one, or it cannot be written.
pub fn rebuild(args: &RebuildArgs) -> Result<Exit> {
    let Some(Ready { config, rules, warnings }) = read(&args.config) else { return Ok(Exit::Config) };
    anstream::eprint!("{}", render_human(&warnings, true));
    let stop = stop_on_signal()?;
    let job = Job { config, rules, delivery: Delivery::ExactlyOnce, accept_state_loss: false };
    let files = Files::open(&args.from, &job.rules.id)?;
    let count = match args.partitions {
        Some(count) => told(&job, count.cast_signed())?,
        None => partitions(&job).context("the number of partitions is not known; say --partitions N")?,
    };
    let sources = Sources::new(&job.config.topics, count);
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let executor = executor(threads).context("cannot start threads")?;
    let bar = files.progress().map(|progress| Bar::start(progress, Path::new("")));
    let mut show = |facts: &Facts, active: u64| bar.iter().for_each(|bar| bar.show(facts, active));
    let made = crate::service::rebuild::rebuild(&job, &sources, files, executor.as_ref(), &stop, &mut show);
    bar.iter().for_each(Bar::clear);
    match made {
        Ok(rebuilt) => tell(&rebuilt, &job.rules.id),
        Err(RebuildError::Interrupted) => return Ok(Exit::Interrupted),
        Err(error) => return Err(error.into()),
    }
    Ok(Exit::Fine)
}

/// The number that was told, unless the broker knows better: a state of another number would never serve.
fn told(job: &Job, count: i32) -> Result<i32> {
    match partitions(job) {
        Ok(found) if found == count => {}
        Ok(found) => bail!(
            "--partitions says {count}, and the input and control topics have {found}; leave --partitions out, or \
             correct it"
        ),
        Err(failure @ Failure::Topics(_)) => return Err(failure.into()),
        Err(failure) => anstream::eprintln!("note: {count} partitions are taken on trust: {failure}"),
    }
    Ok(count)
}

fn tell(rebuilt: &Rebuilt, rules: &str) {
    let Rebuilt { saved, records, sequence, is_passed_by } = rebuilt;
    anstream::println!("{}", saved.path.display());
    let bytes = saved.bytes;
    anstream::eprintln!("{records} records, output number {sequence}, rules {rules}, {bytes} bytes");
    saved
        .undeleted
        .iter()
        .for_each(|reason| anstream::eprintln!("warning: an old state could not be deleted: {reason}"));
    if *is_passed_by {
        anstream::eprintln!(
            "warning: there is a state that is further on, and the service takes the newest that serves"
        );
    }
}

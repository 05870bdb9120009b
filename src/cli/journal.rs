//! `lockkeeper journal`: what the service has consumed, for use elsewhere.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use super::configuration::{Ready, read, tell};
use super::exit::Exit;
use super::output::Output;
use super::run::stop_on_signal;
use crate::logging;
use crate::service::delivery::Delivery;
use crate::service::export::{Exported, export};
use crate::service::failure::Failure;
use crate::service::owner::Job;
use crate::service::stop::Stop;

const EXAMPLES: &str = "\
Examples:
  Write what was consumed, and have the same output from it again:
    lockkeeper journal export --config lockkeeper.yaml --out journal.jsonl
    lockkeeper replay --rules rules/wallet --journal journal.jsonl

  Day by day: each export begins where the one before it said that it ended:
    lockkeeper journal export --config lockkeeper.yaml --out day1.jsonl
    lockkeeper journal export --config lockkeeper.yaml --from-offset 86411 --out day2.jsonl

  What would other rules have decided?
    lockkeeper journal export -c lockkeeper.yaml | lockkeeper replay -r new-rules --journal -

Exit codes: 0 done, 1 failed (the logs no longer hold it, the output could not be written),
2 usage, 78 invalid configuration or rules, 130 interrupted.";

/// What the service has consumed, in order.
#[derive(Debug, Clone, Args)]
pub struct JournalArgs {
    #[command(subcommand)]
    verb: JournalVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum JournalVerb {
    Export(ExportArgs),
}

/// Write what was consumed to a file that can be replayed anywhere.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
struct ExportArgs {
    /// The configuration of the service.
    #[arg(short, long, env = "LOCKKEEPER_CONFIG", value_name = "FILE")]
    config: PathBuf,

    /// Begin at this offset of the journal's topic [default: at the first start without history].
    #[arg(long, env = "LOCKKEEPER_FROM_OFFSET", value_name = "OFFSET", allow_negative_numbers = true, value_parser = clap::value_parser!(i64).range(0..))]
    from_offset: Option<i64>,

    /// Where to write it; `-` is stdout. A file appears when it is complete.
    #[arg(short, long, env = "LOCKKEEPER_OUT", value_name = "FILE", default_value = "-")]
    out: PathBuf,
}

/// Runs the verb below `journal`.
///
/// # Errors
/// When the journal cannot be read or the output not be written.
pub fn run(args: &JournalArgs) -> Result<Exit> {
    let JournalVerb::Export(args) = &args.verb;
    let Some(Ready { config, rules, warnings }) = read(&args.config) else { return Ok(Exit::Config) };
    logging::start(&config.logging).context("cannot start logging")?;
    tell(&warnings, &config.logging);
    let stop = Arc::new(Stop::default());
    stop_on_signal(&stop)?;
    let job = Job { config, rules, delivery: Delivery::ExactlyOnce, accept_state_loss: false };
    let mut out = BufWriter::with_capacity(1 << 16, Output::open(&args.out)?);
    let bar = progress_bar();
    let exported = export(&job, args.from_offset, &mut out, &stop, &mut |exported| show(&bar, exported));
    bar.finish_and_clear();
    match exported {
        Ok(exported) => {
            out.flush().with_context(|| format!("cannot write to {}", args.out.display()))?;
            out.into_inner().map_err(|error| anyhow!("{error}"))?.finish()?;
            let Exported { records, journal, .. } = exported;
            anstream::eprintln!("{records} records; what comes next is exported with --from-offset {journal}");
            Ok(Exit::Fine)
        }
        Err(Failure::Stopped) => Ok(Exit::Interrupted),
        Err(failure) => Err(failure.into()),
    }
}

fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(0);
    match ProgressStyle::with_template("{bar:30} {pos}/{len} records {eta}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show(bar: &ProgressBar, exported: Exported) {
    bar.set_length(exported.total);
    bar.set_position(exported.records);
}

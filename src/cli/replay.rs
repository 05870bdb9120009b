//! `lockkeeper replay`: files in, decisions and locks out.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::exit::Exit;
use super::output::Output;
use crate::engine::facts::Facts;
use crate::engine::{Emit, Engine, Options};
use crate::model::outcome::TransitionKind;
use crate::replay::run::{BATCH_RECORDS, Report, Settings, run as run_replay};
use crate::replay::summary::Summary;
use crate::replay::{InputSet, Order, Progress};
use crate::ruleset::types::RuleSet;

const EXAMPLES: &str = "\
Examples:
  Replay a story and see what is flagged:
    lockkeeper replay --rules rules/wallet fixtures/wrong-passwords/events.jsonl

  Every decision, to a file that appears when it is complete:
    lockkeeper replay --rules rules/wallet --emit all --out decisions.jsonl day1.jsonl.zst day2.jsonl.zst

  Only the numbers, for a program:
    lockkeeper replay --rules rules/wallet --emit none --summary json events.csv

Exit codes: 0 done, 1 failed (an input could not be read to its end, the output could not be written), 2 usage,
3 records were rejected and --strict was given, 78 invalid rules, 130 interrupted.";

/// Most worker threads; more than processors gain nothing.
const MAX_THREADS: u64 = 1024;

/// Which decisions to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum EmitArg {
    /// Decisions that are not a bare allow, all lock transitions, rejections and evictions.
    Flagged,
    /// Every decision as well.
    All,
    /// Nothing.
    None,
}

/// How to summarise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SummaryArg {
    /// Tables for people.
    Table,
    /// One JSON object.
    Json,
}

/// Replay files of events through a rule set.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArgs {
    /// Rule files or directories of them.
    #[arg(short, long, env = "LOCKKEEPER_RULES", value_name = "PATH", required = true, num_args = 1)]
    #[arg(value_delimiter = ',')]
    rules: Vec<PathBuf>,

    /// Which decisions to write.
    #[arg(long, env = "LOCKKEEPER_EMIT", value_enum, default_value_t = EmitArg::Flagged)]
    emit: EmitArg,

    /// Where to write them; `-` is stdout. A file appears at the end of the run, never half written; if an input was
    /// damaged it holds what came before the damage.
    #[arg(short, long, env = "LOCKKEEPER_OUT", value_name = "FILE", default_value = "-")]
    out: PathBuf,

    /// Worker threads; the output is the same for any number [default: the processor's].
    #[arg(long, env = "LOCKKEEPER_THREADS", value_name = "N")]
    #[arg(value_parser = clap::value_parser!(u64).range(1..=MAX_THREADS))]
    threads: Option<u64>,

    /// Exit with 3 when a record was rejected.
    #[arg(long, env = "LOCKKEEPER_STRICT")]
    strict: bool,

    /// How to summarise, on stderr.
    #[arg(long, env = "LOCKKEEPER_SUMMARY", value_enum, default_value_t = SummaryArg::Table)]
    summary: SummaryArg,

    /// Read the files together, by event time; by default one after the other.
    #[arg(long, env = "LOCKKEEPER_MERGE")]
    merge: bool,

    /// Records per batch; the output is the same for any number.
    #[arg(long, env = "LOCKKEEPER_BATCH", value_name = "N", hide = true)]
    batch: Option<NonZeroUsize>,

    /// Event files: JSON Lines or CSV, plain, gzip or zstd; `-` is stdin.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

impl ReplayArgs {
    /// The input or rule file that is also the output.
    fn overwritten(&self) -> Option<String> {
        let out = self.out.canonicalize().ok().filter(|out| out.is_file())?;
        let rules = self.rules.iter().map(|path| path.to_string_lossy().into_owned());
        let mut read = self.files.iter().cloned().chain(rules);
        read.find(|path| std::path::Path::new(path).canonicalize().is_ok_and(|path| path == out))
    }

    fn settings(&self) -> Settings {
        let processors = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Settings {
            emit: match self.emit {
                EmitArg::Flagged => Emit::Flagged,
                EmitArg::All => Emit::All,
                EmitArg::None => Emit::None,
            },
            threads: self.threads.map_or(processors, |threads| threads as usize),
            batch_records: self.batch.map_or(BATCH_RECORDS, NonZeroUsize::get),
        }
    }
}

/// Replays; see the exit codes in the help.
#[expect(clippy::disallowed_methods, reason = "the summary says how fast it went")]
pub fn run(args: &ReplayArgs) -> Result<Exit> {
    if let Some(input) = args.overwritten() {
        anstream::eprintln!("error: `{input}` is read and would be overwritten by --out; name another file");
        return Ok(Exit::Usage);
    }
    if args.files.iter().filter(|file| *file == "-").count() > 1 {
        anstream::eprintln!("error: stdin (`-`) can be read only once");
        return Ok(Exit::Usage);
    }
    let Some(rules) = super::load_rules(&args.rules)? else { return Ok(Exit::Config) };
    let stop = stop_on_signal()?;
    let order = if args.merge { Order::Merged } else { Order::Given };
    let schema = rules.schema.clone();
    let mut inputs = InputSet::open(&args.files, order, &schema)?;
    let mut engine = Engine::new(rules, Options::default());
    let mut out = BufWriter::with_capacity(1 << 16, Output::open(&args.out)?);
    let started = Instant::now();
    let bar = progress_bar(&inputs.progress(), &args.out);
    let progress = inputs.progress();
    let mut after_batch = |facts: &Facts, active: u64| show(&bar, &progress, facts, active, started);
    let ran = run_replay(&mut engine, &mut inputs, &args.settings(), &mut out, &stop, &mut after_batch);
    // Before the summary, so that on a terminal the numbers come last.
    let ran = ran.and_then(|report| out.flush().map(|()| report));
    bar.finish_and_clear();
    let report = match ran {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // The reader has seen enough. What is buffered goes nowhere.
            let _ = out.into_parts();
            return Ok(Exit::Fine);
        }
        ran => ran.with_context(|| format!("cannot write to {}", args.out.display()))?,
    };
    summarise(args, engine.rules(), &report, started);
    finish(args, out, &report, inputs.failure())
}

/// The file is given its name unless the run was interrupted; then the exit code.
fn finish(
    args: &ReplayArgs,
    out: BufWriter<Output>,
    report: &Report,
    failure: Option<&crate::replay::InputError>,
) -> Result<Exit> {
    let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    if report.interrupted {
        if args.out.as_os_str() != "-" {
            anstream::eprintln!("{} was not written: the run was interrupted", args.out.display());
        }
        return Ok(Exit::Interrupted);
    }
    out.finish()?;
    if let Some(failure) = failure {
        anstream::eprintln!("error: {failure}\n  what came before it was processed");
        return Ok(Exit::Failed);
    }
    if args.strict && report.facts.rejected_total() > 0 {
        anstream::eprintln!("error: {} records were rejected and --strict is given", report.facts.rejected_total());
        return Ok(Exit::Findings);
    }
    Ok(Exit::Fine)
}

fn summarise(args: &ReplayArgs, rules: &RuleSet, report: &Report, started: Instant) {
    let summary = Summary { rules, report, elapsed: started.elapsed() };
    match args.summary {
        SummaryArg::Json => anstream::eprintln!("{}", summary.json()),
        SummaryArg::Table => {
            anstream::eprint!("{}", summary.table());
            summary.warnings().iter().for_each(|warning| anstream::eprintln!("warning: {warning}"));
        }
    }
}

/// A flag that SIGINT and SIGTERM set; the second signal ends the process at once.
#[expect(clippy::disallowed_methods, reason = "whoever signals twice does not want to wait for anything")]
fn stop_on_signal() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        anstream::eprintln!("stopping after the current batch; once more to stop at once");
    })
    .context("cannot listen for signals")?;
    Ok(stop)
}

/// A bar on stderr, if that is a terminal and the decisions do not go to one.
fn progress_bar(progress: &Progress, out: &std::path::Path) -> ProgressBar {
    if out.as_os_str() == "-" && io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let (template, bar) = match progress.total() {
        Some(total) => ("{bar:30} {bytes}/{total_bytes} {msg} {eta}", ProgressBar::new(total)),
        None => ("{spinner} {bytes} {msg}", ProgressBar::new_spinner()),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn show(bar: &ProgressBar, progress: &Progress, facts: &Facts, active: u64, started: Instant) {
    if bar.is_hidden() {
        return;
    }
    let rate = facts.events as f64 / started.elapsed().as_secs_f64().max(1e-9);
    let set = facts.transitions.get(&TransitionKind::Locked).copied().unwrap_or_default();
    bar.set_position(progress.read());
    bar.set_message(format!("{rate:.0} events/s, {set} locks set, {active} active"));
}

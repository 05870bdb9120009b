//! `lockkeeper replay`: files or a journal in, decisions and locks out.

use std::io::{self, BufWriter, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{ArgGroup, Args, ValueEnum};

use super::exit::Exit;
use super::output::Output;
use super::progress::{Bar, stop_on_signal};
use crate::engine::facts::Facts;
use crate::engine::{Emit, Engine, Options};
use crate::model::time::{duration_text, parse_duration};
use crate::replay::playback::{Playback, PlaybackError, Setup};
use crate::replay::run::{BATCH_RECORDS, Report, Settings, executor, run as run_replay};
use crate::replay::summary::Summary;
use crate::replay::{InputError, InputSet, JournalFile, Order};
use crate::ruleset::types::RuleSet;

const EXAMPLES: &str = "\
Examples:
  Replay a story and see what is flagged:
    lockkeeper replay --rules rules/wallet fixtures/wrong-passwords/events.jsonl

  Every decision, to a file that appears when it is complete:
    lockkeeper replay --rules rules/wallet --emit all --out decisions.jsonl day1.jsonl.zst day2.jsonl.zst

  Only the numbers, for a program:
    lockkeeper replay --rules rules/wallet --emit none --summary json events.csv

  The lines that the service wrote, once more:
    lockkeeper replay --rules rules/wallet --journal journal.jsonl.zst

Exit codes: 0 done, 1 failed (an input could not be read to its end, the output could not be written), 2 usage,
3 records were rejected and --strict was given, 78 invalid rules or --max-future, 130 interrupted.";

/// How far ahead of its record's timestamp an event may be where nobody says it, ms, and the rules allow as much.
const MAX_FUTURE: i64 = 5 * 60_000;
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

impl EmitArg {
    fn emit(self) -> Emit {
        match self {
            EmitArg::Flagged => Emit::Flagged,
            EmitArg::All => Emit::All,
            EmitArg::None => Emit::None,
        }
    }
}

/// How to summarise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SummaryArg {
    /// Tables for people.
    Table,
    /// One JSON object.
    Json,
}

/// Replay files of events, or a journal, through a rule set.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES, group(ArgGroup::new("input").args(["files", "journal"]).required(true)))]
pub struct ReplayArgs {
    /// Rule files or directories of them.
    #[arg(short, long, env = "LOCKKEEPER_RULES", value_name = "PATH", required = true, num_args = 1)]
    #[arg(value_delimiter = ',')]
    rules: Vec<PathBuf>,

    /// Which decisions to write [default: flagged; of a journal, those that were written live].
    #[arg(long, env = "LOCKKEEPER_EMIT", value_enum)]
    emit: Option<EmitArg>,

    /// Where to write them; `-` is stdout. A file appears at the end of the run, never half written; if an input was
    /// damaged it holds what came before the damage.
    #[arg(short, long, env = "LOCKKEEPER_OUT", value_name = "FILE", default_value = "-")]
    out: PathBuf,

    /// Worker threads; the output is the same for any number. A journal is read and written by one of them, the others
    /// help with what is counted [default: the processor's].
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

    /// A journal that the service exported, instead of files: its lines come out as they were written live; plain, gzip
    /// or zstd, `-` is stdin.
    #[arg(long, env = "LOCKKEEPER_JOURNAL", value_name = "FILE")]
    journal: Option<String>,

    /// How far ahead of its record's timestamp an event may be, until a start in the journal says it; at most the rule
    /// set's `lateness` [default: 5m, or `lateness` if that is less].
    #[arg(long, env = "LOCKKEEPER_MAX_FUTURE", value_name = "DURATION", conflicts_with = "files")]
    #[arg(value_parser = parse_duration)]
    max_future: Option<i64>,

    /// How far behind the newest event of all partitions an event may be, until a start in the journal says it.
    #[arg(long, env = "LOCKKEEPER_MAX_SKEW", value_name = "DURATION", default_value = "1h")]
    #[arg(value_parser = parse_duration, conflicts_with = "files")]
    max_skew: i64,

    /// Records per batch; the output is the same for any number.
    #[arg(long, env = "LOCKKEEPER_BATCH", value_name = "N", hide = true)]
    batch: Option<NonZeroUsize>,

    /// Event files: JSON Lines or CSV, plain, gzip or zstd; `-` is stdin.
    #[arg(value_name = "FILE")]
    files: Vec<String>,
}

impl ReplayArgs {
    /// The input or rule file that is also the output.
    fn overwritten(&self) -> Option<String> {
        let out = self.out.canonicalize().ok().filter(|out| out.is_file())?;
        let rules = self.rules.iter().map(|path| path.to_string_lossy().into_owned());
        let mut read = self.files.iter().chain(&self.journal).cloned().chain(rules);
        read.find(|path| std::path::Path::new(path).canonicalize().is_ok_and(|path| path == out))
    }

    fn settings(&self) -> Settings {
        Settings {
            emit: self.emit.map_or(Emit::Flagged, EmitArg::emit),
            threads: self.threads(),
            batch_records: self.batch_records(),
        }
    }

    fn threads(&self) -> usize {
        let processors = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        self.threads.map_or_else(processors, |threads| threads as usize)
    }

    fn batch_records(&self) -> usize {
        self.batch.map_or(BATCH_RECORDS, NonZeroUsize::get)
    }

    /// How to play a journal; a bound beyond what the rules allow is said on stderr, and there is no setup then.
    fn setup(&self, rules: &RuleSet) -> Option<Setup> {
        let max_future = self.max_future.unwrap_or(MAX_FUTURE.min(rules.lateness));
        if max_future > rules.lateness {
            let (future, lateness) = (duration_text(max_future), duration_text(rules.lateness));
            anstream::eprintln!(
                "error: --max-future is {future}, expected at most {lateness}, the rule set's `lateness`: one clock that is \
                 ahead by more would make the events of all others late"
            );
            return None;
        }
        let options = Options { max_future: Some(max_future), max_skew: Some(self.max_skew), ..Options::default() };
        Some(Setup { emit: self.emit.map(EmitArg::emit), options, batch_records: self.batch_records() })
    }
}

/// Replays; see the exit codes in the help.
pub fn run(args: &ReplayArgs) -> Result<Exit> {
    if let Some(input) = args.overwritten() {
        anstream::eprintln!("error: `{input}` is read and would be overwritten by --out; name another file");
        return Ok(Exit::Usage);
    }
    if args.files.iter().filter(|file| *file == "-").count() > 1 {
        anstream::eprintln!("error: stdin (`-`) can be read only once");
        return Ok(Exit::Usage);
    }
    if args.merge && args.journal.is_some() {
        anstream::eprintln!("error: --merge cannot be used with --journal: a journal has its own order");
        return Ok(Exit::Usage);
    }
    let Some(rules) = super::load_rules(&args.rules)? else { return Ok(Exit::Config) };
    match &args.journal {
        Some(journal) => replay_journal(args, rules, journal),
        None => replay_files(args, rules),
    }
}

fn replay_files(args: &ReplayArgs, rules: RuleSet) -> Result<Exit> {
    let stop = stop_on_signal()?;
    let order = if args.merge { Order::Merged } else { Order::Given };
    let schema = rules.schema.clone();
    let mut inputs = InputSet::open(&args.files, order, &schema)?;
    let mut engine = Engine::new(rules, Options::default());
    let mut out = open_out(args)?;
    let bar = Bar::start(inputs.progress(), &args.out);
    let mut after_batch = |facts: &Facts, active: u64| bar.show(facts, active);
    let ran = run_replay(&mut engine, &mut inputs, &args.settings(), &mut out, &stop, &mut after_batch);
    conclude(args, out, &bar, ran.map(|report| (report, engine)), inputs.failure())
}

fn replay_journal(args: &ReplayArgs, rules: RuleSet, path: &str) -> Result<Exit> {
    let Some(setup) = args.setup(&rules) else { return Ok(Exit::Config) };
    let stop = stop_on_signal()?;
    let mut journal = JournalFile::open(path)?;
    let executor = executor(args.threads()).context("cannot start threads")?;
    let playback = Playback::new(rules, setup, executor.as_ref());
    let mut out = open_out(args)?;
    let bar = Bar::start(journal.progress(), &args.out);
    let played = playback.play(&mut journal, &mut out, &stop, &mut |facts, active| bar.show(facts, active));
    let ran = match played {
        Ok(end) => Ok((end.report, end.engine)),
        Err(PlaybackError::Write(fault)) => Err(fault),
        Err(fault @ PlaybackError::Settings(_)) => return Err(fault.into()),
    };
    conclude(args, out, &bar, ran, journal.failure())
}

fn open_out(args: &ReplayArgs) -> Result<BufWriter<Output>> {
    Ok(BufWriter::with_capacity(1 << 16, Output::open(&args.out)?))
}

/// The summary and the exit code; `failure` is why an input was not read to its end.
fn conclude(
    args: &ReplayArgs,
    mut out: BufWriter<Output>,
    bar: &Bar,
    ran: io::Result<(Report, Engine)>,
    failure: Option<&InputError>,
) -> Result<Exit> {
    // Before the summary, so that on a terminal the numbers come last.
    let ran = ran.and_then(|ran| out.flush().map(|()| ran));
    bar.clear();
    let (report, engine) = match ran {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
            // The reader has seen enough. What is buffered goes nowhere.
            let _ = out.into_parts();
            return Ok(Exit::Fine);
        }
        ran => ran.with_context(|| format!("cannot write to {}", args.out.display()))?,
    };
    summarise(args, &Summary { rules: engine.rules(), report: &report, elapsed: bar.elapsed() });
    finish(args, out, &report, failure)
}

/// The file is given its name unless the run was interrupted; then the exit code.
fn finish(args: &ReplayArgs, out: BufWriter<Output>, report: &Report, failure: Option<&InputError>) -> Result<Exit> {
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

fn summarise(args: &ReplayArgs, summary: &Summary) {
    match args.summary {
        SummaryArg::Json => anstream::eprintln!("{}", summary.json()),
        SummaryArg::Table => {
            anstream::eprint!("{}", summary.table());
            summary.warnings().iter().for_each(|warning| anstream::eprintln!("warning: {warning}"));
        }
    }
}

//! `lockkeeper generate`: seeded wallet traffic to a file or a pipe.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;
use crate::generate::{Attacks, Late, Options, OptionsError, write_events};

/// Exit code for options that do not fit together.
const USAGE: u8 = 2;
/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;

const ATTACKS_HELP: &str = "\
Attacks to plant, as NAME=COUNT,...

  password_guessing  20 to 40 wrong passwords for one account, from abroad
  stuffing           one device tries 60 to 120 accounts and gets into the last
  takeover           new device, new password, new payee, large transfer
  card_testing       many payments below one yuan, then a large one
  velocity_burst     25 to 50 payments within minutes
  lost_phone         the owner freezes, a thief is refused, an operator unlocks";

const EXAMPLES: &str = "\
Examples:
  A day of ten thousand accounts, with three accounts taken over:
    lockkeeper generate --attacks takeover=3 --out events.jsonl

  Straight into the engine:
    lockkeeper generate --attacks stuffing=2,card_testing=5 | lockkeeper replay --rules rules -

  A month of a million accounts, a few of them very busy, 5 in 1000 events up to 2 minutes late:
    lockkeeper generate --accounts 1000000 --events 20000000 --days 30 --flatten 0 --late 5 --late-seconds 120

The same options give the same bytes, on every machine. All addresses are of private and documentation networks.";

/// Seeded wallet traffic with planted attacks, one JSON event per line.
#[derive(Debug, Clone, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct GenerateArgs {
    /// Number of accounts.
    #[arg(long, env = "LOCKKEEPER_ACCOUNTS", value_name = "N", default_value_t = 10_000)]
    accounts: u32,

    /// Number of events, those of attacks included.
    #[arg(long, env = "LOCKKEEPER_EVENTS", value_name = "N", default_value_t = 100_000)]
    events: u64,

    /// Another seed gives other people and other stories.
    #[arg(long, env = "LOCKKEEPER_SEED", value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Attacks to plant, as NAME=COUNT,...
    #[arg(long, env = "LOCKKEEPER_ATTACKS", value_name = "LIST", default_value = "", long_help = ATTACKS_HELP)]
    attacks: Attacks,

    /// Beginning of the period: RFC 3339, a date (midnight in Shanghai) or epoch milliseconds.
    #[arg(long, env = "LOCKKEEPER_START", value_name = "TIME", default_value = "2026-01-05")]
    #[arg(value_parser = parse_start, allow_negative_numbers = true)]
    start: i64,

    /// Length of the period in days; fractions are fine.
    #[arg(long, env = "LOCKKEEPER_DAYS", value_name = "DAYS", default_value = "1", value_parser = parse_days)]
    days: i64,

    /// How many of the busiest accounts are about equally busy; 0 is Zipf's pure law [default: a hundredth].
    #[arg(long, env = "LOCKKEEPER_FLATTEN", value_name = "N")]
    flatten: Option<u32>,

    /// How many of a thousand events arrive after later ones.
    #[arg(long, env = "LOCKKEEPER_LATE", value_name = "PER_MILLE", default_value_t = 0)]
    late: u32,

    /// How late those arrive at most, in seconds.
    #[arg(long, env = "LOCKKEEPER_LATE_SECONDS", value_name = "SECONDS", default_value_t = 300)]
    late_seconds: u32,

    /// File to write, complete or not at all; `-` is stdout.
    #[arg(short, long, env = "LOCKKEEPER_OUT", value_name = "FILE", default_value = "-")]
    out: PathBuf,
}

impl GenerateArgs {
    fn options(&self) -> Options {
        Options {
            accounts: self.accounts,
            events: self.events,
            seed: self.seed,
            after: 0,
            start: self.start,
            length: self.days,
            attacks: self.attacks.clone(),
            attacks_begin: Options::default().attacks_begin,
            flatten: self.flatten,
            late: Late { per_mille: self.late, by: i64::from(self.late_seconds) * 1000 },
        }
    }
}

/// Why a run ended early.
enum Stopped {
    Options(OptionsError),
    Output(io::Error),
}

impl From<OptionsError> for Stopped {
    fn from(error: OptionsError) -> Self {
        Stopped::Options(error)
    }
}

/// Writes the traffic. Options that do not fit together exit with 2; a reader that has seen enough is no error.
pub fn run(args: &GenerateArgs) -> Result<ExitCode> {
    let options = args.options();
    let mut output = Output::open(&args.out)?;
    let progress = progress(options.events, &output);
    let written = write_events(&options, |chunk, events| {
        progress.set_position(events);
        output.write_all(chunk).map_err(Stopped::Output)
    });
    progress.finish_and_clear();
    match written {
        Ok(_) => quiet(output.finish()),
        Err(Stopped::Options(error)) => {
            anstream::eprintln!("error: {error}");
            Ok(ExitCode::from(USAGE))
        }
        Err(Stopped::Output(error)) => {
            quiet(Err(error).with_context(|| format!("cannot write to {}", args.out.display())))
        }
    }
}

/// Success, and also when the reader of a pipe has gone.
fn quiet(result: Result<()>) -> Result<ExitCode> {
    let is_broken_pipe = |error: &anyhow::Error| {
        error.root_cause().downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    match result {
        Err(error) if !is_broken_pipe(&error) => Err(error),
        _ => Ok(ExitCode::SUCCESS),
    }
}

/// A bar on stderr if that is a terminal and the events do not go to one.
fn progress(events: u64, output: &Output) -> ProgressBar {
    if matches!(output, Output::Stdout(_)) && io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} events, {per_sec}, {eta} left");
    ProgressBar::new(events).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

fn parse_start(text: &str) -> Result<i64, String> {
    if let Ok(millis) = text.parse() {
        return Ok(millis);
    }
    let full = if text.len() == "2026-01-05".len() { format!("{text}T00:00:00+08:00") } else { text.to_owned() };
    let time = chrono::DateTime::parse_from_rfc3339(&full);
    time.map(|time| time.timestamp_millis()).map_err(|_| {
        "expected RFC 3339 such as 2026-01-05T08:00:00+08:00, a date such as 2026-01-05, or epoch milliseconds".into()
    })
}

/// Days as milliseconds.
fn parse_days(text: &str) -> Result<i64, String> {
    let days: f64 = text.parse().map_err(|_| "expected a number of days such as 7 or 0.5".to_owned())?;
    // A hundred centuries: more than all years there are. NaN is in no range.
    if !(0.0..=3_652_500.0).contains(&days) {
        return Err("expected a number of days from a second's part to some thousand years".to_owned());
    }
    Ok((days * DAY).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        args: GenerateArgs,
    }

    fn parse(words: &[&str]) -> Result<Options, String> {
        let words = std::iter::once("generate").chain(words.iter().copied());
        Command::try_parse_from(words).map(|command| command.args.options()).map_err(|error| error.to_string())
    }

    #[test]
    fn without_flags_the_defaults_hold() {
        assert_eq!(parse(&[]), Ok(Options::default()));
    }

    #[test]
    fn every_flag_has_an_environment_twin_and_help() {
        use clap::CommandFactory;
        for flag in Command::command().get_arguments() {
            let name = flag.get_long().expect("a long name").replace('-', "_").to_uppercase();
            assert_eq!(flag.get_env().and_then(|env| env.to_str()), Some(format!("LOCKKEEPER_{name}").as_str()));
            assert!(flag.get_help().is_some());
        }
    }

    #[test]
    fn flags_are_read() {
        let words = "--accounts 7 --events 9 --seed 3 --attacks takeover=1 --start -5 --days 0.5 --flatten 0 --late 2";
        let options = parse(&words.split(' ').collect::<Vec<_>>());
        let expected = Options {
            accounts: 7,
            events: 9,
            seed: 3,
            after: 0,
            start: -5,
            length: 43_200_000,
            attacks: "takeover=1".parse().expect("a list"),
            attacks_begin: (50, 900),
            flatten: Some(0),
            late: Late { per_mille: 2, by: 300_000 },
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn wrong_flags_are_explained() {
        let check = |words: &[&str], expected: &str| {
            let message = parse(words).err().unwrap_or_default();
            assert!(message.contains(expected), "{words:?}: {message}");
        };
        check(&["--attacks", "takover=1"], "did you mean `takeover`?");
        check(&["--start", "tomorrow"], "expected RFC 3339");
        check(&["--days=-1"], "expected a number of days from");
        check(&["--days", "NaN"], "expected a number of days");
        check(&["--days", "x"], "expected a number of days such as");
    }

    #[test]
    fn a_file_is_written_whole() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("events.jsonl");
        let words = ["generate", "--events", "50", "--out", path.to_str().expect("UTF-8")];
        run(&Command::try_parse_from(words)?.args)?;
        assert_eq!(std::fs::read_to_string(&path)?.lines().count(), 50);
        Ok(())
    }

    #[test]
    fn attacks_that_do_not_fit_leave_no_file() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("events.jsonl");
        let words = ["generate", "--events", "5", "--attacks", "stuffing=1", "--out", path.to_str().expect("UTF-8")];
        let code = run(&Command::try_parse_from(words)?.args)?;
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(USAGE)));
        assert_eq!(std::fs::read_dir(directory.path())?.count(), 0);
        Ok(())
    }
}

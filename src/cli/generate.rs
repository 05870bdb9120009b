//! `lockkeeper generate`: seeded wallet traffic to a file or a pipe.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::output::Output;
use crate::generate::{Attacks, Format, Labels, Late, Options, OptionsError, Stream, Wallets, write_all};
use crate::model::time::parse_duration;

/// Exit code for options that do not fit together.
const USAGE: u8 = 2;
/// Milliseconds of a day.
const DAY: f64 = 86_400_000.0;

const ATTACKS_HELP: &str = "\
Attacks to plant, as NAME=COUNT,...; without a list one of each

  all                every kind that is not named itself
  password_guessing  20 to 40 wrong passwords for one account
  stuffing           one device tries 60 to 120 accounts and gets into the last
  takeover           new device, new password, new payee, large transfers
  card_testing       many payments below one yuan, then large ones
  velocity_burst     25 to 50 payments within minutes
  lost_phone         the owner freezes, a thief is refused, an operator unlocks
  device_farm        one device logs in to 8 to 20 accounts, then empties them
  structuring        5 to 10 transfers a little below 50000 yuan
  refund_abuse       6 to 12 orders, each asked back and refunded
  code_fatigue       6 to 20 second factors declined, one granted, large transfers
  impossible_travel  the owner at home, and minutes later somebody overseas who pays
  back_dating        a login and payments stamped four to nine minutes into the past
  mule_accounts      5 to 10 people send to one account, which sends it on at once";

const LABELS_HELP: &str = "\
File to write labels to, in the format of the events; `-` is stdout

A label is an event of type `label` that says `fraud` of an attacker's event, or `genuine`
of one honest payment in a hundred; it also names the attack. Without --labels and
--label-delay there are none.";

const EXAMPLES: &str = "\
Examples:
  A day of ten thousand accounts, with three accounts taken over:
    lockkeeper generate --attacks takeover=3 --out events.jsonl

  Straight into the engine:
    lockkeeper generate --attacks stuffing=2,card_testing=5 | lockkeeper replay --rules rules -

  Thirty days with twenty attacks of each kind, and a file that says which events are whose:
    lockkeeper generate --days 30 --attacks all=20 --labels labels.jsonl --out events.jsonl

  Cards only, as a table, with what turned out to be fraud among the events:
    lockkeeper generate --wallets apple_pay=2,google_pay=1 --format csv --attacks card_testing=9

  A month of a million accounts, a few of them very busy, 5 in 1000 events late:
    lockkeeper generate --accounts 1000000 --events 20000000 --days 30 --flatten 0 --late 5

The same options give the same bytes, on every machine. All addresses are of private and documentation networks.";

/// Seeded wallet traffic with planted attacks, one event per line.
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

    /// Attacks to plant, as NAME=COUNT,...; without a list one of each.
    #[arg(long, env = "LOCKKEEPER_ATTACKS", value_name = "LIST", default_value = "", long_help = ATTACKS_HELP)]
    #[arg(num_args = 0..=1, default_missing_value = "all")]
    attacks: Attacks,

    /// Wallets the accounts belong to, as NAME=SHARE,... [default: alipay=3,wechat_pay=3,apple_pay=1,google_pay=1]
    #[arg(long, env = "LOCKKEEPER_WALLETS", value_name = "LIST")]
    wallets: Option<Wallets>,

    /// Beginning of the period: RFC 3339, a date (midnight in Shanghai) or epoch milliseconds.
    #[arg(long, env = "LOCKKEEPER_START", value_name = "TIME", default_value = "2026-01-05")]
    #[arg(value_parser = parse_start, allow_negative_numbers = true)]
    start: i64,

    /// Length of the period in days; fractions are fine.
    #[arg(long, env = "LOCKKEEPER_DAYS", value_name = "DAYS", default_value = "1", value_parser = parse_days)]
    days: i64,

    /// How many of the busiest accounts are about equally busy; 0 is Zipf's pure law [default: a tenth].
    #[arg(long, env = "LOCKKEEPER_FLATTEN", value_name = "N")]
    flatten: Option<u32>,

    /// How many of a thousand events arrive after later ones.
    #[arg(long, env = "LOCKKEEPER_LATE", value_name = "PER_MILLE", default_value_t = 0)]
    late: u32,

    /// How late those arrive at most, in seconds.
    #[arg(long, env = "LOCKKEEPER_LATE_SECONDS", value_name = "SECONDS", default_value_t = 300)]
    late_seconds: u32,

    /// How events are written.
    #[arg(long, env = "LOCKKEEPER_FORMAT", value_enum, default_value_t = FormatArg::Jsonl)]
    format: FormatArg,

    /// File to write labels to, in the format of the events.
    #[arg(long, env = "LOCKKEEPER_LABELS", value_name = "FILE", long_help = LABELS_HELP)]
    labels: Option<PathBuf>,

    /// How long after its event a label comes, such as 7d; without --labels they come among the events.
    #[arg(long, env = "LOCKKEEPER_LABEL_DELAY", value_name = "DURATION", value_parser = parse_delay)]
    label_delay: Option<i64>,

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
            wallets: self.wallets.unwrap_or_default(),
            labels: match (&self.labels, self.label_delay) {
                (Some(_), delay) => Labels::Aside { delay: delay.unwrap_or(0) },
                (None, Some(delay)) => Labels::Among { delay },
                (None, None) => Labels::None,
            },
            format: match self.format {
                FormatArg::Jsonl => Format::Jsonl,
                FormatArg::Csv => Format::Csv,
            },
        }
    }
}

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// One JSON object per line.
    Jsonl,
    /// A header line and one row per event.
    Csv,
}

/// Why a run ended early.
enum Stopped {
    Options(OptionsError),
    Output(io::Error),
    Labels(io::Error),
}

impl From<OptionsError> for Stopped {
    fn from(error: OptionsError) -> Self {
        Stopped::Options(error)
    }
}

/// Writes the traffic. Options that do not fit together exit with 2; a reader that has seen enough is no error.
pub fn run(args: &GenerateArgs) -> Result<ExitCode> {
    if args.labels.as_ref() == Some(&args.out) {
        anstream::eprintln!("error: --labels and --out name the same place; give the labels one of their own");
        return Ok(ExitCode::from(USAGE));
    }
    let options = args.options();
    let mut output = Output::open(&args.out)?;
    let mut labels = args.labels.as_deref().map(Output::open).transpose()?;
    let progress = progress(options.events, &output);
    let written = write_all(&options, |stream, chunk, events| {
        progress.set_position(events);
        match (stream, &mut labels) {
            (Stream::Labels, Some(labels)) => labels.write_all(chunk).map_err(Stopped::Labels),
            _ => output.write_all(chunk).map_err(Stopped::Output),
        }
    });
    progress.finish_and_clear();
    match written {
        Ok(_) => quiet(output.finish().and_then(|()| labels.map_or(Ok(()), Output::finish))),
        Err(Stopped::Options(error)) => {
            anstream::eprintln!("error: {error}");
            Ok(ExitCode::from(USAGE))
        }
        Err(Stopped::Output(error)) => failed(error, &args.out),
        Err(Stopped::Labels(error)) => failed(error, args.labels.as_deref().unwrap_or(&args.out)),
    }
}

fn failed(error: io::Error, place: &Path) -> Result<ExitCode> {
    quiet(Err(error).with_context(|| format!("cannot write to {}", place.display())))
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

/// A delay as milliseconds.
fn parse_delay(text: &str) -> Result<i64, String> {
    parse_duration(text).map_err(|fault| format!("{fault}; expected a duration such as 12h or 7d"))
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
            ..Options::default()
        };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn attacks_without_a_list_are_one_of_each() {
        let attacks = |words: &[&str]| parse(words).map(|options| options.attacks);
        assert_eq!(attacks(&["--attacks"]), Ok(Attacks::each(1)));
        assert_eq!(attacks(&["--attacks", "--days", "2"]), Ok(Attacks::each(1)));
        assert_eq!(attacks(&["--attacks", "all=3"]), Ok(Attacks::each(3)));
    }

    #[test]
    fn labels_go_among_the_events_or_aside() {
        let labels = |words: &[&str]| parse(words).map(|options| options.labels);
        assert_eq!(labels(&["--label-delay", "7d"]), Ok(Labels::Among { delay: 604_800_000 }));
        assert_eq!(labels(&["--labels", "l.jsonl"]), Ok(Labels::Aside { delay: 0 }));
        assert_eq!(labels(&["--labels", "l.jsonl", "--label-delay", "1h"]), Ok(Labels::Aside { delay: 3_600_000 }));
        let wallets = parse(&["--wallets", "apple_pay", "--format", "csv"]).map(|o| (o.wallets, o.format));
        assert_eq!(wallets, Ok(("apple_pay".parse().expect("a wallet"), Format::Csv)));
    }

    #[test]
    fn wrong_flags_are_explained() {
        let check = |words: &[&str], expected: &str| {
            let message = parse(words).err().unwrap_or_default();
            assert!(message.contains(expected), "{words:?}: {message}");
        };
        check(&["--attacks", "takover=1"], "did you mean `takeover`?");
        check(&["--wallets", "alipai"], "did you mean `alipay`?");
        check(&["--label-delay", "soon"], "expected a duration such as 12h");
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
    fn labels_have_a_file_of_their_own() -> Result<()> {
        let directory = tempfile::tempdir()?;
        let (events, labels) = (directory.path().join("events.csv"), directory.path().join("labels.csv"));
        let (out, aside) = (events.to_str().expect("UTF-8"), labels.to_str().expect("UTF-8"));
        let words = "generate --events 500 --attacks takeover=1 --format csv".split(' ');
        let words: Vec<&str> = words.chain(["--out", out, "--labels", aside]).collect();
        run(&Command::try_parse_from(words)?.args)?;
        let (events, labels) = (std::fs::read_to_string(&events)?, std::fs::read_to_string(&labels)?);
        assert_eq!(events.lines().count(), 501);
        assert!(labels.lines().filter(|line| line.contains(",fraud,")).count() >= 9, "{labels}");
        assert_eq!(events.lines().next(), labels.lines().next());
        let both = ["generate", "--out", out, "--labels", out];
        let code = run(&Command::try_parse_from(both)?.args)?;
        assert_eq!(format!("{code:?}"), format!("{:?}", ExitCode::from(USAGE)));
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

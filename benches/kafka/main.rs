//! The streaming service against a real Kafka broker, which is started for it on the same machine.
//!
//! What is claimed is a ratio of two things measured in turns within one run: the service beside a **bare loop** (same
//! consumer, producer, commit interval and size of output, no scoring) and beside the service without transactions.
//! All of them are processes of their own, so that what they cost is theirs alone; the broker's cost stands apart.
//! Without `--bench`, which `cargo bench` passes, sizes are tiny and what comes out is checked.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a benchmark measures and prints its figures"
)]

#[path = "../../tests/support/broker.rs"]
mod broker;
#[path = "../replay/clock.rs"]
#[allow(dead_code, reason = "the benchmark of replays uses the rest")]
mod clock;
#[path = "../../tests/service/process.rs"]
#[allow(dead_code, reason = "the tests of the service use the rest")]
mod process;
#[path = "../support/mod.rs"]
mod support;

mod backlog;
mod bare;
mod child;
mod latency;
mod pace;
mod reader;
mod recovery;
mod replayed;
mod report;
mod sampling;
mod snapshot;
mod stage;
mod throughput;

use broker::Broker;
use clap::Parser;
use report::Report;

/// The streaming service as ratios within one run, on a real Kafka broker.
#[derive(Debug, Clone, Parser)]
struct Args {
    /// Events of the backlog.
    #[arg(long, default_value_t = 1_000_000)]
    events: u64,

    /// Repetitions of each measurement, in turns; medians are shown.
    #[arg(long, default_value_t = 3)]
    repetitions: usize,

    /// Seconds of traffic at each rate.
    #[arg(long, default_value_t = 20)]
    seconds: u64,

    /// Events per second at which latency is measured.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000, 50_000])]
    rates: Vec<u64>,

    /// Accounts that have paid before latency during snapshots is measured.
    #[arg(long, default_value_t = 1_000_000)]
    accounts: u64,

    /// Only these parts, by name: throughput, latency, recovery, snapshot.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// Passed by `cargo bench`; without it sizes are tiny and all is checked.
    #[arg(long, hide = true)]
    bench: bool,

    /// What a process of this benchmark is to be instead.
    #[command(flatten)]
    child: child::ChildArgs,
}

impl Args {
    fn sized(mut self) -> Args {
        if !self.bench {
            (self.events, self.repetitions, self.seconds) = (5_000, 1, 2);
            (self.rates, self.accounts) = (vec![500], 1_000);
        }
        self
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == part)
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse().sized();
    if args.child.is_wanted() {
        return args.child.run();
    }
    // Says itself that there is none.
    let Some(broker) = Broker::start() else { return Ok(()) };
    let mut report = Report::default();
    if args.wants("throughput") {
        throughput::measure(&args, &broker, &mut report)?;
    }
    if args.wants("latency") {
        latency::measure(&args, &broker, &mut report)?;
    }
    if args.wants("recovery") {
        recovery::measure(&args, &broker, &mut report)?;
    }
    if args.wants("snapshot") {
        snapshot::measure(&args, &broker, &mut report)?;
    }
    let note = if args.bench {
        ""
    } else {
        "Sizes were tiny: everything runs and comes out right, but figures mean nothing.\n"
    };
    print!("{}{note}", report.text());
    Ok(())
}

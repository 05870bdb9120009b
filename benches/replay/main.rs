//! Whole replays, each claim as a ratio of two things measured in turns within one run, so that a busy machine slows
//! both. Not criterion: a replay takes seconds and its state grows as it goes.
//!
//! `throughput` compares with the plain reference engine, and small with large numbers of accounts; `scoring` leaves
//! decoding and writing out, and compares thread counts; `order` looks at late events and hot keys; `pack` takes the
//! shipped rules. Without `--bench`, which `cargo bench` passes, it runs in smoke size: seconds, and all outputs are
//! checked to agree.
#![allow(clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark measures and prints its figures")]

#[path = "../reference/mod.rs"]
mod reference;
#[path = "../support/mod.rs"]
mod support;

mod clock;
mod engines;
mod order;
mod pack;
mod process;
mod report;
mod scoring;
mod throughput;

use clap::Parser;
use report::Report;

/// Whole replays as ratios within one run.
#[derive(Debug, Clone, Parser)]
struct Args {
    /// Numbers of accounts; the first is what the others are compared with.
    #[arg(long, value_delimiter = ',', default_values_t = [20_000, 1_000_000, 10_000_000])]
    accounts: Vec<u32>,

    /// Measured events per repetition.
    #[arg(long, default_value_t = 500_000)]
    events: u64,

    /// Repetitions of each measurement, in turns.
    #[arg(long, default_value_t = 5)]
    repetitions: usize,

    /// Entries in the windows of the hot key.
    #[arg(long, default_value_t = 1_000_000)]
    hot_entries: u64,

    /// Only these parts, by name: throughput, scoring, order, pack.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,

    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,

    /// Tiny sizes: does everything run, and do all outputs agree?
    #[arg(long)]
    smoke: bool,

    /// Passed by `cargo bench`; without it the sizes are those of `--smoke`.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Args {
    fn sized(mut self) -> Args {
        if self.smoke || !self.bench {
            self.accounts = vec![500, 2000];
            (self.events, self.repetitions, self.hot_entries) = (5000, 2, 5000);
        }
        self
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| wanted == part)
    }
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse().sized();
    let mut report = Report::default();
    if args.wants("throughput") {
        throughput::measure(&args, &mut report)?;
    }
    if args.wants("scoring") {
        scoring::measure(&args, &mut report)?;
    }
    if args.wants("order") {
        order::measure(&args, &mut report)?;
    }
    if args.wants("pack") {
        pack::measure(&args, &mut report)?;
    }
    report.number("peak_rss", "peak resident memory of this run", process::status_kib("VmHWM")? as f64 / 1024.0, "MiB");
    print!("{}", if args.json { report.json()? } else { report.table() });
    Ok(())
}

//! From produce to visible: a paced producer, the service or the bare loop, and a `read_committed` reader of decisions.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use lockkeeper::engine::Emit;

use super::Args;
use super::broker::Broker;
use super::pace::Events;
use super::process::Service;
use super::reader::{Reader, Seen};
use super::replayed::median;
use super::report::{Claim, Report, Row};
use super::sampling::{Committed, cpu_seconds};
use super::stage::{Output, Setup, Stage, Who};

/// Traffic that is not counted: connections are made, and code is compiled.
pub const WARM_UP: Duration = Duration::from_secs(3);
const START: Duration = Duration::from_secs(2);
/// Between two commits, ms.
pub const INTERVAL: u64 = 5;
/// Accounts of the traffic.
const ACCOUNTS: u32 = 1_000_000;
/// About the size of a decision.
const OUTPUT: Output = Output { share: 1.0, bytes: 230 };
/// The rate that goals are of.
const GOAL_RATE: u64 = 10_000;

/// What a run at one rate came to: latency in ms, processors kept busy.
#[derive(Debug, Clone, Copy)]
struct Run {
    cells: [f64; 6],
}

/// Measures all rates.
pub fn measure(args: &Args, broker: &Broker, report: &mut Report) -> Result<()> {
    let events = Events::generate(ACCOUNTS)?;
    let whos = [Who::Service, Who::Bare(OUTPUT), Who::Plain];
    // The broker compiles what it runs often; until then it is several times as slow.
    for rate in args.rates.iter().take(1).chain(args.rates.last()) {
        measure_one(args, broker, &events, Who::Service, *rate)?;
    }
    for &rate in &args.rates {
        let mut runs = whos.map(|_| Vec::new());
        for _ in 0..args.repetitions {
            for (who, runs) in whos.iter().zip(&mut runs) {
                runs.push(measure_one(args, broker, &events, *who, rate)?);
            }
        }
        let medians =
            runs.map(|runs| std::array::from_fn(|cell| median(runs.iter().map(|run: &Run| run.cells[cell]).collect())));
        say(report, rate, &whos, &medians);
    }
    Ok(())
}

fn measure_one(args: &Args, broker: &Broker, events: &Events, who: Who, rate: u64) -> Result<Run> {
    let stage = stage(broker, 86_400)?;
    let mut service = stage.start(who)?;
    // None of them takes longer to be ready, and two have no way to say so.
    sleep(START);
    let traffic = Traffic { rate, length: WARM_UP + Duration::from_secs(args.seconds) };
    let (start, before) = (Instant::now(), busy(&stage, &service)?);
    let seen = traffic.run(&stage, start, events).with_context(|| service.log())?;
    let (took, after) = (start.elapsed().as_secs_f64(), busy(&stage, &service)?);
    let counted = seen.iter().filter(|seen| seen.sent > WARM_UP.as_micros() as u64).map(Seen::latency);
    let [p50, p99, p999, max] = percentiles(counted.collect());
    service.kill();
    let [ours, brokers] = [0, 1].map(|index: usize| (after[index] - before[index]) / took);
    Ok(Run { cells: [p50, p99, p999, max, ours, brokers] })
}

/// A place for paced traffic: input of its own, all decisions.
pub fn stage(broker: &Broker, snapshots: u64) -> Result<Stage> {
    static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let input = format!("paced{}", COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    Stage::new(broker, Setup { input, emit: Emit::All, interval: INTERVAL, snapshots })
}

fn busy(stage: &Stage, service: &Service) -> Result<[f64; 2]> {
    Ok([cpu_seconds(service.id())?, cpu_seconds(stage.broker)?])
}

/// Traffic at a steady rate.
pub struct Traffic {
    /// Events per second.
    pub rate: u64,
    /// How long.
    pub length: Duration,
}

impl Traffic {
    /// Sends it and reads what comes of it: one decision for each event.
    pub fn run(&self, stage: &Stage, beginning: Instant, events: &Events) -> Result<Vec<Seen>> {
        let before = Committed::of(stage)?.records()?;
        let reader = Reader::start(stage, beginning)?;
        let sent = events.send(stage, self.rate, self.length, beginning)?;
        wait_until_committed(stage, before + sent)?;
        let seen = reader.end();
        let mut numbers: Vec<u64> = seen.iter().map(|seen| seen.number).collect();
        numbers.sort_unstable();
        ensure!(numbers.iter().copied().eq(0..sent), "{} decisions of {sent} events were seen", seen.len());
        Ok(seen)
    }
}

fn wait_until_committed(stage: &Stage, total: u64) -> Result<()> {
    let (committed, start) = (Committed::of(stage)?, Instant::now());
    loop {
        let records = committed.records()?;
        if records >= total {
            return Ok(());
        }
        ensure!(start.elapsed() < Duration::from_secs(120), "{records} of {total} records are committed");
        sleep(Duration::from_millis(20));
    }
}

impl Seen {
    /// From produce to visible, ms.
    pub fn latency(&self) -> f64 {
        self.seen.saturating_sub(self.sent) as f64 / 1000.0
    }
}

/// The 50th, 99th and 99.9th percentile and the greatest.
pub fn percentiles(mut values: Vec<f64>) -> [f64; 4] {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let index = (values.len() as f64 * share) as usize;
        values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    };
    [at(0.5), at(0.99), at(0.999), at(1.0)]
}

fn say(report: &mut Report, rate: u64, whos: &[Who; 3], medians: &[[f64; 6]; 3]) {
    for (who, cells) in whos.iter().zip(medians) {
        report.latency(Row { what: format!("{rate} events/s: {}", who.name()), cells: cells.map(Some) });
    }
    let [[p50, p99, ..], [_, bare, ..], _] = medians;
    let what = [format!("{rate} events/s: p50"), format!("{rate} events/s: p99 of service : bare loop")];
    if rate == GOAL_RATE {
        let [first, second] = what;
        report.claim(Claim::at_most(first, *p50, 10.0, "ms"));
        report.claim(Claim::at_most(second, p99 / bare, 1.3, "times"));
    } else {
        let [_, second] = what;
        report.claim(Claim::figure(second, p99 / bare, "times"));
    }
}

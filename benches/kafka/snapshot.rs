//! What the stream feels of a snapshot: latency at a steady rate while one is made, and while none is.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use super::Args;
use super::backlog::{Backlog, now};
use super::broker::Broker;
use super::latency::{Traffic, WARM_UP, percentiles, stage};
use super::pace::Events;
use super::process::Service;
use super::reader::Seen;
use super::report::{Claim, Report, Row};
use super::sampling::watch;
use super::stage::Who;
use super::support::lines::Payment;

/// Between two snapshots, s.
const INTERVAL: u64 = 4;
const RATE: u64 = 10_000;
/// Accounts in one piece of text.
const PIECE: u64 = 100_000;
const LOOK: Duration = Duration::from_millis(10);

/// One payment of each account within the last hours, in pieces of text with times.
pub fn payments(accounts: u64) -> impl Iterator<Item = (Vec<u8>, Vec<i64>)> {
    let (length, start) = (12 * 3_600_000, now() - 13 * 3_600_000);
    (0..accounts).step_by(PIECE as usize).map(move |first| {
        let (mut text, mut times) = (Vec::new(), Vec::new());
        for number in first..accounts.min(first + PIECE) {
            let time = start + (number as i64 * length) / accounts as i64;
            Payment { number, time, account: number, device: number }.write(&mut text);
            times.push(time);
        }
        (text, times)
    })
}

/// Measures.
pub fn measure(args: &Args, broker: &Broker, report: &mut Report) -> Result<()> {
    let stage = stage(broker, INTERVAL)?;
    for (text, times) in payments(args.accounts) {
        Backlog::of(&stage.input, text, times).produce(broker)?;
    }
    let mut service = stage.start(Who::Service)?;
    watch(&stage, &mut service, args.accounts)?;
    // The first one has to replay all of that.
    while made(&service)?.0 == 0 {
        sleep(LOOK);
    }
    let rate = RATE.min(args.rates.iter().copied().max().unwrap_or(RATE));
    let length = WARM_UP + Duration::from_secs(args.seconds.max(2 * INTERVAL));
    let events = Events::generate(args.accounts as u32)?;
    let (ended, beginning) = (AtomicBool::new(false), Instant::now());
    let (seen, snapshots) = scope(|scope| {
        let watcher = scope.spawn(|| watch_snapshots(&service, beginning, &ended));
        let seen = Traffic { rate, length }.run(&stage, beginning, &events);
        ended.store(true, Ordering::Relaxed);
        (seen, watcher.join())
    });
    let snapshots = snapshots.map_err(|_| anyhow::anyhow!("the watcher has panicked"))??;
    ensure!(!snapshots.is_empty(), "no snapshot was made meanwhile:\n{}", service.log());
    say(report, (rate, args.accounts), &seen?, &snapshots);
    service.stop();
    Ok(())
}

/// When snapshots were made, from and to in us after the beginning.
fn watch_snapshots(service: &Service, beginning: Instant, ended: &AtomicBool) -> Result<Vec<(u64, u64)>> {
    let (mut found, mut last) = (Vec::new(), made(service)?);
    while !ended.load(Ordering::Relaxed) {
        sleep(LOOK);
        let next = made(service)?;
        if next.0 > last.0 {
            let end = beginning.elapsed().as_micros() as u64;
            found.push((end.saturating_sub(((next.1 - last.1) * 1e6) as u64), end));
            last = next;
        }
    }
    Ok(found)
}

/// How many snapshots were made, and how long they took in all, s.
fn made(service: &Service) -> Result<(u64, f64)> {
    let (_, page) = service.get("/metrics").context("no metrics")?;
    let value = |name: &str| -> Result<f64> {
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line.with_context(|| format!("no {name}"))?.parse()?)
    };
    Ok((
        value("lockkeeper_snapshot_duration_seconds_count")? as u64,
        value("lockkeeper_snapshot_duration_seconds_sum")?,
    ))
}

fn say(report: &mut Report, (rate, accounts): (u64, u64), seen: &[Seen], snapshots: &[(u64, u64)]) {
    let counted = seen.iter().filter(|seen| seen.sent > WARM_UP.as_micros() as u64);
    let meets = |seen: &&Seen| snapshots.iter().any(|(from, to)| seen.seen >= *from && seen.sent <= *to);
    let (during, between): (Vec<&Seen>, Vec<&Seen>) = counted.partition(meets);
    let [during, between] = [during, between].map(|seen| percentiles(seen.iter().map(|seen| seen.latency()).collect()));
    let took = snapshots.iter().map(|(from, to)| (to - from) as f64 / 1e6).sum::<f64>() / snapshots.len() as f64;
    for (what, [p50, p99, p999, max]) in [("while a snapshot is made", during), ("between snapshots", between)] {
        let cells = [Some(p50), Some(p99), Some(p999), Some(max), None, None];
        report.latency(Row { what: format!("{rate} events/s, {accounts} accounts, {what}"), cells });
    }
    report.claim(Claim::figure(format!("snapshot of {accounts} accounts: time to make it"), took, "s"));
    let what = "snapshot: p99 of latency while it is made, less that of between".to_owned();
    report.claim(Claim::at_most(what, during[1] - between[1], 10.0, "ms"));
}

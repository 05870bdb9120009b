//! Hard cases: events that come late, and a key with very many entries. Both against the ordinary case.

use anyhow::{Result, ensure};
use lockkeeper::engine::Emit;
use lockkeeper::generate::{Late, Options};

use super::Args;
use super::clock::{CPU, Series, measure as timed};
use super::engines::Lockkeeper;
use super::report::Report;
use super::support::lines::{Payment, START, generate};
use super::support::{VELOCITY, rule_set};

/// Accounts of the ordinary case.
const ACCOUNTS: u64 = 20_000;
/// The time that the hot key's entries are spread over, ms; what is measured comes right behind, at the same pace.
const SPREAD: i64 = 12 * 3_600_000;

/// Measures both.
pub fn measure(args: &Args, report: &mut Report) -> Result<()> {
    late(args, report)?;
    hot(args, report)
}

/// One event in a hundred late by up to `lateness`, against none.
fn late(args: &Args, report: &mut Report) -> Result<()> {
    let rules = rule_set(VELOCITY);
    let in_order = Options { accounts: args.accounts[0], events: args.events, ..Options::default() };
    let late = Options { late: Late { per_mille: 10, by: rules.lateness }, ..in_order.clone() };
    let texts = [generate(&in_order), generate(&late)];
    let mut series = [Series::default(), Series::default()];
    let mut out = Vec::new();
    for _ in 0..args.repetitions {
        for (text, series) in texts.iter().zip(&mut series) {
            let mut engine = Lockkeeper::new(rules.clone());
            out.clear();
            series.push(timed(|| engine.replay(text, Emit::All, &mut out)).0);
            ensure!(engine.accepted == args.events, "no event should be too late");
        }
    }
    report.speed("in_order", "events in order", &series[0], args.events, CPU);
    report.speed("late", "1 % of events late by up to `lateness`", &series[1], args.events, CPU);
    report.ratio("late_to_in_order", "late : in order, CPU time", [&series[1], &series[0]], CPU);
    Ok(())
}

/// All events at one account, device and address, against the same number at many.
fn hot(args: &Args, report: &mut Report) -> Result<()> {
    let mut engines = [ACCOUNTS, 1].map(|keys| (keys, Lockkeeper::new(rule_set(VELOCITY)), Series::default()));
    let step = SPREAD as f64 / args.hot_entries as f64;
    let mut out = Vec::new();
    for (keys, engine, _) in &mut engines {
        let text = payments(0..args.hot_entries, *keys, step);
        engine.replay(&text, Emit::None, &mut out);
    }
    // What is measured must not push the first entries out of the day.
    let events = args.events.min(args.hot_entries / args.repetitions.max(1) as u64);
    for repetition in 0..args.repetitions as u64 {
        let first = args.hot_entries + repetition * events;
        for (keys, engine, series) in &mut engines {
            let text = payments(first..first + events, *keys, step);
            out.clear();
            series.push(timed(|| engine.replay(&text, Emit::All, &mut out)).0);
            ensure!(engine.accepted == first + events, "every event should be accepted");
        }
    }
    let [(_, _, many), (_, _, one)] = &engines;
    let what = format!("one key, {} entries in 24 h", args.hot_entries);
    report.speed("many_keys", &format!("{ACCOUNTS} keys, as many entries in all"), many, events, CPU);
    report.speed("one_key", &what, one, events, CPU);
    report.ratio("one_to_many_keys", "one : many keys, CPU time", [one, many], CPU);
    Ok(())
}

fn payments(numbers: std::ops::Range<u64>, keys: u64, step: f64) -> Vec<u8> {
    let mut text = Vec::new();
    for number in numbers {
        let key = number * 7919 % keys;
        let time = START + (number as f64 * step) as i64;
        Payment { number, time, account: key, device: key }.write(&mut text);
    }
    text
}

//! Scoring alone, with batches decoded before and nothing written; and whole replays of a file on one and two threads.

use std::sync::atomic::AtomicBool;

use anyhow::{Result, ensure};
use lockkeeper::engine::{Emit, Engine};
use lockkeeper::generate::Options;
use lockkeeper::replay::run::{Settings, run};
use lockkeeper::replay::{InputSet, Order};

use super::Args;
use super::clock::{CPU, Series, WALL, measure as timed};
use super::engines::Lockkeeper;
use super::report::Report;
use super::support::lines::{batches, generate};
use super::support::{VELOCITY, rule_set};

/// Measures both.
pub fn measure(args: &Args, report: &mut Report) -> Result<()> {
    let options = Options { accounts: args.accounts[0], events: args.events, ..Options::default() };
    let text = generate(&options);
    let rules = rule_set(VELOCITY);
    let decoded = batches(&text, &rules.schema);
    let file = tempfile::Builder::new().suffix(".jsonl").tempfile()?;
    std::fs::write(file.path(), &text)?;
    let path = file.path().to_string_lossy().into_owned();
    let (mut scoring, mut whole) = (Series::default(), [Series::default(), Series::default()]);
    for _ in 0..args.repetitions {
        let mut engine = Lockkeeper::new(rules.clone());
        scoring.push(timed(|| engine.score(&decoded)).0);
        ensure!(engine.accepted == args.events, "every event should be scored");
        let mut said = Vec::new();
        for (index, series) in whole.iter_mut().enumerate() {
            let (cost, out) = timed(|| replay(&path, index + 1));
            series.push(cost);
            said.push(out?);
        }
        ensure!(said[0] == said[1], "any number of threads should say the same");
    }
    report.speed("scoring", "scoring alone, one thread", &scoring, args.events, CPU);
    report.speed("file_1_thread", "file to decisions, 1 thread", &whole[0], args.events, WALL);
    report.speed("file_2_threads", "file to decisions, 2 threads", &whole[1], args.events, WALL);
    report.ratio("threads", "1 : 2 threads, wall time", [&whole[0], &whole[1]], WALL);
    Ok(())
}

fn replay(path: &str, threads: usize) -> Result<Vec<u8>> {
    let rules = rule_set(VELOCITY);
    let schema = rules.schema.clone();
    let mut engine = Engine::new(rules, Default::default());
    let mut inputs = InputSet::open(&[path.to_owned()], Order::Given, &schema)?;
    let mut out = Vec::new();
    let settings = Settings { emit: Emit::All, threads, ..Settings::default() };
    run(&mut engine, &mut inputs, &settings, &mut out, &AtomicBool::new(false), &mut |_, _| ())?;
    Ok(out)
}

//! A backlog from topic to topic: how fast, and what an event costs our process and the broker.

use anyhow::{Result, ensure};
use lockkeeper::engine::Emit;

use super::Args;
use super::backlog::Backlog;
use super::broker::Broker;
use super::reader::{Counts, count};
use super::replayed::{Replayed, median, micros, replay};
use super::report::{Claim, Report, Row};
use super::sampling::{Paid, watch};
use super::stage::{Setup, Stage, Who};

/// Which decisions are written and how often is committed, ms.
const CASES: [(Emit, u64); 4] = [(Emit::Flagged, 20), (Emit::Flagged, 5), (Emit::All, 20), (Emit::All, 5)];

/// What was measured of one of them, by repetition.
struct Measured {
    who: Who,
    paid: Vec<Paid>,
}

/// Measures all cases.
pub fn measure(args: &Args, broker: &Broker, report: &mut Report) -> Result<()> {
    let backlog = Backlog::generate("backlog", args.events)?;
    backlog.produce(broker)?;
    // A broker that was just started works slowly at first.
    measure_one(broker, &backlog, CASES[0], Who::Service)?;
    for case in CASES {
        measure_case(args, broker, &backlog, case, report)?;
    }
    Ok(())
}

fn measure_case(args: &Args, broker: &Broker, backlog: &Backlog, case: (Emit, u64), report: &mut Report) -> Result<()> {
    let expected = replay(&backlog.text, case.0)?;
    let whos = [Who::Service, Who::Bare(expected.output), Who::Plain];
    let mut measured = whos.map(|who| Measured { who, paid: Vec::new() });
    let mut replays = Vec::new();
    for repetition in 0..args.repetitions {
        for Measured { who, paid } in &mut measured {
            let (stage, cost) = measure_one(broker, backlog, case, *who)?;
            paid.push(cost);
            if repetition == 0 {
                check(&stage, *who, backlog, case.0, &expected)?;
            }
        }
        replays.push(micros(replay(&backlog.text, case.0)?.cost.cpu, backlog.events));
    }
    say(report, case, &measured, median(replays));
    Ok(())
}

fn measure_one(broker: &Broker, backlog: &Backlog, (emit, interval): (Emit, u64), who: Who) -> Result<(Stage, Paid)> {
    let setup = Setup { input: backlog.topic.clone(), emit, interval, snapshots: 86_400 };
    let stage = Stage::new(broker, setup)?;
    let mut service = stage.start(who)?;
    let paid = watch(&stage, &mut service, backlog.events)?;
    service.kill();
    Ok((stage, paid))
}

/// All output must be there: one decision for each event that was not rejected, and as many of them as in a replay.
fn check(stage: &Stage, who: Who, backlog: &Backlog, emit: Emit, expected: &Replayed) -> Result<()> {
    let [decisions, dead, locks] = ["decisions", "dead", "lock-events"].map(|topic| count(stage, &stage.topic(topic)));
    let (Counts { records: decisions, .. }, dead, locks) = (decisions?, dead?.records, locks?.records);
    let events = backlog.events;
    match who {
        Who::Bare(output) => {
            let due = (events as f64 * output.share) as u64;
            ensure!(decisions.abs_diff(due) <= 1, "the bare loop wrote {decisions} records of {due}");
        }
        _ if emit == Emit::All => {
            ensure!(decisions + dead == events, "{decisions} decisions and {dead} dead letters of {events} events");
        }
        _ => {
            // Ends of locks are written by partition, a few sooner or later than in a replay of one file.
            let (found, due) = (decisions + dead + locks, expected.lines);
            ensure!(found.abs_diff(due) <= due / 50 + 10, "{found} lines of output; a replay has {due}");
        }
    }
    Ok(())
}

fn say(report: &mut Report, (emit, interval): (Emit, u64), measured: &[Measured; 3], replay: f64) {
    let emit_name = if emit == Emit::All { "all" } else { "flagged" };
    let of = |paid: &[Paid], seconds: fn(&Paid) -> f64| {
        median(paid.iter().map(|paid| seconds(paid) * 1e6 / paid.records as f64).collect())
    };
    let ours = measured.each_ref().map(|Measured { paid, .. }| of(paid, |paid| paid.ours));
    for (Measured { who, paid }, ours) in measured.iter().zip(ours) {
        let (wall, broker) = (of(paid, |paid| paid.wall), of(paid, |paid| paid.broker));
        let cells = [1e6 / wall, ours, broker, 1e6 / ours].map(Some);
        report.speed(Row { what: format!("emit {emit_name}, {interval} ms: {}", who.name()), cells });
    }
    report.speed(Row {
        what: format!("emit {emit_name}: replay"),
        cells: [None, Some(replay), None, Some(1e6 / replay)],
    });
    let [service, bare, _] = ours;
    let what = format!("emit {emit_name}, {interval} ms: CPU of service : bare loop + replay");
    report.claim(Claim::at_most(what, service / (bare + replay), 1.0, "times"));
    let least = if emit == Emit::All { 250_000.0 } else { 400_000.0 };
    let what = format!("emit {emit_name}, {interval} ms: events per second of our CPU");
    report.claim(Claim::at_least(what, 1e6 / service, least, "events/s"));
}

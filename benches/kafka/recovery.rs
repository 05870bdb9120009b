//! How long a restart takes: silent replay of what came after the newest state, and reading a state.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chrono::DateTime;
use lockkeeper::engine::{Emit, Engine, Options};

use super::Args;
use super::backlog::Backlog;
use super::broker::Broker;
use super::process::Service;
use super::replayed::{Replay, median, replay, wallet};
use super::report::{Claim, Report};
use super::sampling::{cpu_seconds, watch};
use super::snapshot::payments;
use super::stage::{Setup, Stage, Who};

/// Measures both.
pub fn measure(args: &Args, broker: &Broker, report: &mut Report) -> Result<()> {
    let backlog = Backlog::generate("recovered", args.events)?;
    backlog.produce(broker)?;
    let setup = Setup { input: backlog.topic.clone(), emit: Emit::All, interval: 20, snapshots: 86_400 };
    let stage = Stage::new(broker, setup)?;
    let mut service = stage.start(Who::Service)?;
    watch(&stage, &mut service, backlog.events)?;
    service.kill();
    let (mut walls, mut cpus, mut replays) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..args.repetitions {
        let (wall, cpu) = recover(&stage)?;
        walls.push(wall);
        cpus.push(cpu);
        replays.push(replay(&backlog.text, Emit::All)?.cost.wall.as_secs_f64());
    }
    let per_million = 1e6 / backlog.events as f64;
    let [wall, cpu, replay] = [walls, cpus, replays].map(|seconds| median(seconds) * per_million);
    report.claim(Claim::figure("recovery: wall time per million events".to_owned(), wall, "s"));
    report.claim(Claim::figure("recovery: our CPU per million events, start included".to_owned(), cpu, "s"));
    let what = "recovery: wall time : replay on one thread".to_owned();
    report.claim(Claim::at_most(what, wall / replay, 1.0, "times"));
    measure_state(args, report)
}

/// Restarts after a kill; seconds from the opened state to being live, and CPU seconds since the start.
fn recover(stage: &Stage) -> Result<(f64, f64)> {
    let mut service = stage.start(Who::Service)?;
    service.wait_until_live();
    let cpu = cpu_seconds(service.id())?;
    let wall = moment(&service, "recovered")? - moment(&service, "goes on from a state")?;
    service.kill();
    ensure!(wall >= 0.0, "time runs backwards");
    Ok((wall, cpu))
}

/// When the service logged something, s.
fn moment(service: &Service, message: &str) -> Result<f64> {
    let log = service.log();
    let line = log.lines().find(|line| line.contains(&format!("\"message\":\"{message}\"")));
    let line: serde_json::Value = serde_json::from_str(line.with_context(|| format!("no `{message}` in {log}"))?)?;
    let time = DateTime::parse_from_rfc3339(line["timestamp"].as_str().context("no timestamp")?)?;
    Ok(time.timestamp_micros() as f64 / 1e6)
}

/// Writing and reading the state of many accounts, in memory.
fn measure_state(args: &Args, report: &mut Report) -> Result<()> {
    let mut replay = Replay::new()?;
    for (text, _) in payments(args.accounts) {
        replay.run(&text, Emit::None);
    }
    let mut engine = replay.into_engine();
    let (mut encoded, mut decoded, mut bytes) = (Vec::new(), Vec::new(), 0);
    for _ in 0..args.repetitions {
        let (took, state) = timed(|| engine.encode());
        let state = state?;
        encoded.push(took.as_secs_f64());
        bytes = state.len();
        let rules = wallet()?;
        let (took, again) = timed(|| Engine::decode(rules, Options::default(), &state));
        decoded.push(took.as_secs_f64());
        ensure!(again?.encode()? == state, "a state that was read is another one");
    }
    let gib = bytes as f64 / f64::from(1 << 30);
    let accounts = args.accounts;
    report.claim(Claim::figure(format!("state of {accounts} accounts"), gib * 1024.0, "MiB"));
    report.claim(Claim::figure("state: encode".to_owned(), median(encoded) / gib, "s/GiB"));
    report.claim(Claim::figure("state: decode".to_owned(), median(decoded) / gib, "s/GiB"));
    Ok(())
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

//! The promise under fire: killed at random and at the worst moments, its broker restarted, a second instance started
//! with its name, and still every line is there once, as a replay of the journal writes it.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::process::Service;
use crate::stage::{Input, Stage};
use crate::traffic::traffic;

const EVENTS: u64 = 100_000;
const PARTITIONS: i32 = 4;
/// Records written at a time, and the pause after them: long enough in all for what happens meanwhile.
const CHUNK: usize = 1000;
const PAUSE: Duration = Duration::from_millis(220);
/// A moment that does not come makes the test fail.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn nothing_is_lost_or_doubled_whatever_is_killed() {
    let Some(mut broker) = Broker::start() else { return };
    let stage = Stage::new(&broker, "kills", PARTITIONS).set("LOCKKEEPER_STATE_SNAPSHOT_INTERVAL", "1s");
    let inputs = traffic(EVENTS, 11, PARTITIONS);
    assert!(inputs.len() as u64 > EVENTS);
    thread::scope(|scope| {
        let writer = scope.spawn(|| write_slowly(&stage, &inputs));
        let mut kills = 0;
        for round in 0..12 {
            kills += usize::from(kill_at_random(&stage, round));
        }
        assert!(kills >= 10, "only {kills} of the random kills met a running service");
        kill_in_a_transaction(&stage);
        kill_in_recovery(&stage);
        kill_in_a_snapshot(&stage);
        restart_broker(&stage, &mut broker);
        second_instance(&stage);
        writer.join().expect("all was written");
    });
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    service.stop();
    let lines = stage.assert_output_is_the_replay();
    assert!(lines as u64 > EVENTS, "every event has a decision: {lines}");
    assert!(left_behind(&stage) > 0, "no kill met an open transaction");
}

fn write_slowly(stage: &Stage, inputs: &[Input]) {
    for chunk in inputs.chunks(CHUNK) {
        stage.produce(chunk);
        thread::sleep(PAUSE);
    }
}

/// Between a tenth of a second and two and a half: while it starts, recovers, or works.
fn kill_at_random(stage: &Stage, round: u64) -> bool {
    let interval = if round.is_multiple_of(2) { "5ms" } else { "400ms" };
    let mut service = stage.start_with(&[], &[("LOCKKEEPER_LIMITS_COMMIT_INTERVAL", interval)]);
    // Spread evenly, in no order.
    let after = 100 + (round * 7919 + 3) % 12 * 200;
    thread::sleep(Duration::from_millis(after));
    let was_running = service.has_ended().is_none();
    service.kill();
    was_running
}

/// While records of a transaction are in the log, and it has not ended.
fn kill_in_a_transaction(stage: &Stage) {
    let mut service = stage.start_with(&[], &[("LOCKKEEPER_LIMITS_COMMIT_INTERVAL", "2s")]);
    service.wait_until_live();
    wait_closely("an open transaction", stage.open_transactions("decisions"));
    service.kill();
}

/// Once it has taken up a state, and before it is live.
fn kill_in_recovery(stage: &Stage) {
    let mut service = stage.start();
    wait_closely("recovery", || service.log().contains("goes on from a state"));
    service.kill();
    assert!(!service.log().contains("\"message\":\"live\""), "it was live before it was killed");
}

/// While a snapshot has no name yet.
fn kill_in_a_snapshot(stage: &Stage) {
    let mut service = stage.start();
    service.wait_until_live();
    wait_closely("a snapshot", || has_unfinished(&stage.states()));
    service.kill();
    assert!(has_unfinished(&stage.states()), "the snapshot was finished before the kill");
}

fn has_unfinished(states: &Path) -> bool {
    let mut names = fs::read_dir(states).expect("a directory").flatten().map(|entry| entry.file_name());
    names.any(|name| name.to_string_lossy().starts_with(".unfinished-"))
}

/// The service lives through it.
fn restart_broker(stage: &Stage, broker: &mut Broker) {
    let mut service = stage.start();
    service.wait_until_live();
    broker.kill();
    thread::sleep(Duration::from_secs(1));
    broker.restart();
    let before: i64 = stage.committed().iter().sum();
    wait_closely("commits after the restart", || stage.committed().iter().sum::<i64>() > before);
    assert!(service.has_ended().is_none(), "{}", service.log());
    service.kill();
}

/// The second one takes over, the first one ends and says why.
fn second_instance(stage: &Stage) {
    let mut first = stage.start();
    first.wait_until_live();
    let mut second: Service = stage.start();
    second.wait_until_live();
    let status = first.wait();
    assert_eq!(status.code(), Some(1), "{}", first.log());
    assert!(first.log().contains("Another instance has taken over"), "{}", first.log());
    second.kill();
}

fn wait_closely(what: &str, mut is_there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_there() {
        assert!(start.elapsed() < PATIENCE, "{what} did not come");
        thread::sleep(Duration::from_micros(500));
    }
}

/// Records of aborted transactions: in the log, and seen by nobody who reads what is committed.
fn left_behind(stage: &Stage) -> usize {
    let topic = stage.topic("decisions");
    stage.read_with(&topic, "read_uncommitted").len() - stage.read(&topic).len()
}

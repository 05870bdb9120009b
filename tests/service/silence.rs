//! Streams in which nothing happens for a long time: neither the broker nor the service may forget about them.

use std::thread;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::stage::Stage;
use crate::traffic::traffic;

/// A broker that forgets offsets as soon as it may: after a minute, and it looks every second.
const FORGETFUL: &str = "offsets.retention.minutes=1\noffsets.retention.check.interval.ms=1000\n";

#[test]
fn offsets_of_silent_partitions_are_not_forgotten() {
    let Some(broker) = Broker::start_with(FORGETFUL) else { return };
    let stage = Stage::new(&broker, "silent", 2);
    let inputs = traffic(200, 31, 2);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    let (before, start) = (stage.committed(), Instant::now());
    while start.elapsed() < Duration::from_secs(75) {
        thread::sleep(Duration::from_secs(3));
        assert_eq!(stage.committed(), before, "{}", service.log());
    }
    assert_eq!(service.get("/readyz").map(|(status, _)| status), Some(200));
    service.stop();
    let mut again = stage.start();
    again.wait_until_live();
    again.stop();
}

#[test]
fn a_broker_that_is_back_is_seen_though_nothing_arrives() {
    let Some(mut broker) = Broker::start() else { return };
    let stage = Stage::new(&broker, "back", 2);
    let mut service = stage.start();
    service.wait_until_live();
    broker.kill();
    service.wait_for("/readyz", "stalled");
    broker.restart();
    service.wait_until_live();
    service.stop();
}

/// Signals a process by its number.
fn signal(process: u32, signal: rustix::process::Signal) {
    let process = rustix::process::Pid::from_raw(process.cast_signed()).expect("a number");
    rustix::process::kill_process(process, signal).expect("it is there");
}

/// Its connections stay open, and nothing fails for a minute.
#[test]
fn a_broker_that_hangs_is_seen() {
    let Some(broker) = Broker::start() else { return };
    let stage = Stage::new(&broker, "hangs", 1);
    let mut service = stage.start();
    service.wait_until_live();
    let process = broker.process_id().expect("it runs");
    signal(process, rustix::process::Signal::STOP);
    service.wait_for("/readyz", "stalled: reading committed offsets");
    signal(process, rustix::process::Signal::CONT);
    service.wait_until_live();
    let inputs = traffic(100, 12, 1);
    stage.produce(&inputs);
    stage.wait_until_done(inputs.len());
    service.stop();
    stage.assert_output_is_the_replay();
}

//! How far a group has come and what two processes have paid for it, looked at every now and then from outside.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::process::Service;
use super::stage::Stage;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);
/// Nothing may take longer.
const PATIENCE: Duration = Duration::from_secs(600);
const ANSWER: Duration = Duration::from_secs(30);

/// What records cost, without the start of the process that took them.
#[derive(Debug, Clone, Copy, Default)]
pub struct Paid {
    /// Records.
    pub records: u64,
    /// Time on the wall, s.
    pub wall: f64,
    /// CPU time of our process, s.
    pub ours: f64,
    /// CPU time of the broker, s.
    pub broker: f64,
}

/// A moment.
#[derive(Debug, Clone, Copy)]
struct Look {
    records: u64,
    at: Instant,
    ours: f64,
    broker: f64,
}

/// CPU time of a process so far, all its threads, s.
pub fn cpu_seconds(process: u32) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let line = std::fs::read_to_string(&path).with_context(|| path.clone())?;
    // The name before it may hold anything.
    let (_, rest) = line.rsplit_once(')').context("no name")?;
    let mut fields = rest.split_whitespace().skip(11).map(str::parse::<u64>);
    let mut next = || fields.next().context("too few fields")?.context("not a number");
    let ticks: u64 = next()? + next()?;
    Ok(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Asks what a group has committed.
pub struct Committed {
    client: BaseConsumer,
    list: TopicPartitionList,
}

impl Committed {
    /// Of a stage's group.
    pub fn of(stage: &Stage) -> Result<Committed> {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &stage.bootstrap).set("group.id", stage.group());
        // Otherwise the answer would wait for the end of the transaction under way.
        config.set("isolation.level", "read_uncommitted").set("enable.auto.commit", "false");
        let mut list = TopicPartitionList::new();
        for partition in 0..stage.partitions {
            list.add_partition(&stage.input, partition);
        }
        Ok(Committed { client: config.create()?, list })
    }

    /// Records up to the committed offsets.
    pub fn records(&self) -> Result<u64> {
        let start = Instant::now();
        let found = loop {
            match self.client.committed_offsets(self.list.clone(), ANSWER) {
                Ok(found) => break found,
                // The group's coordinator is not ready.
                Err(_) if start.elapsed() < ANSWER => sleep(LOOK),
                Err(error) => return Err(error.into()),
            }
        };
        let offset = |offset| if let Offset::Offset(offset) = offset { offset.max(0) as u64 } else { 0 };
        Ok(found.elements().iter().map(|element| offset(element.offset())).sum())
    }
}

/// Waits until so many records are committed, and says what all but the first tenth of them cost.
pub fn watch(stage: &Stage, service: &mut Service, total: u64) -> Result<Paid> {
    let (committed, start) = (Committed::of(stage)?, Instant::now());
    let look = || -> Result<Look> {
        let records = committed.records()?;
        let (ours, broker) = (cpu_seconds(service.id())?, cpu_seconds(stage.broker)?);
        Ok(Look { records, at: Instant::now(), ours, broker })
    };
    let (mut first, mut last) = (look()?, look()?);
    while last.records < total {
        if first.records < total / 10 {
            first = last;
        }
        sleep(LOOK);
        last = look().with_context(|| service.log())?;
        ensure!(start.elapsed() < PATIENCE, "{} of {total} records:\n{}", last.records, service.log());
    }
    ensure!(last.records == total, "{} records are committed of {total}", last.records);
    Ok(Paid {
        records: last.records - first.records,
        wall: (last.at - first.at).as_secs_f64(),
        ours: last.ours - first.ours,
        broker: last.broker - first.broker,
    })
}

//! Topics and a configuration of its own for each measurement, and what is started on it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use lockkeeper::engine::Emit;
use lockkeeper::kafka::{Consumer, PlainProducer, Settings};
use tempfile::TempDir;

use super::broker::Broker;
use super::process::Service;

/// Partitions of input and decisions.
pub const PARTITIONS: i32 = 4;
const PROGRAM: &str = env!("CARGO_BIN_EXE_lockkeeper");
/// For ever: events may be a day old, and nothing may be deleted meanwhile.
const KEPT: [(&str, &str); 2] = [("message.timestamp.type", "CreateTime"), ("retention.ms", "-1")];

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Who {
    /// `lockkeeper run`.
    Service,
    /// The service without transactions.
    Plain,
    /// The bare loop, with so many records of output per record of input, of so many bytes.
    Bare(Output),
}

/// How much is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Output {
    /// Records of output per record of input.
    pub share: f64,
    /// Bytes of a record of output.
    pub bytes: usize,
}

impl Who {
    /// As it stands in tables.
    pub fn name(self) -> &'static str {
        match self {
            Who::Service => "service",
            Who::Plain => "service, no transactions",
            Who::Bare(_) => "bare loop",
        }
    }
}

/// What differs between measurements.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The topic that is read; it may be shared.
    pub input: String,
    /// Which decisions are written.
    pub emit: Emit,
    /// Between two commits, ms.
    pub interval: u64,
    /// Between two snapshots, s.
    pub snapshots: u64,
}

/// A place for one measurement.
pub struct Stage {
    /// The topic that is read.
    pub input: String,
    /// `host:port`
    pub bootstrap: String,
    /// The broker's process.
    pub broker: u32,
    /// Of input and decisions.
    pub partitions: i32,
    /// For files.
    pub folder: TempDir,
    setup: Setup,
    name: String,
}

impl Stage {
    /// New topics for what comes out; the input is made where it is not there.
    pub fn new(broker: &Broker, setup: Setup) -> Result<Stage> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let stage = Stage {
            input: setup.input.clone(),
            bootstrap: broker.bootstrap(),
            broker: broker.process_id().context("the broker does not run")?,
            partitions: PARTITIONS,
            folder: tempfile::tempdir()?,
            name: format!("stage{}", COUNT.fetch_add(1, Ordering::Relaxed)),
            setup,
        };
        make_input(broker, &stage.input);
        for (topic, partitions) in
            [("decisions", PARTITIONS), ("lock-events", 2), ("locks", 2), ("dead", 1), ("journal", 1)]
        {
            broker.create_topic(&stage.topic(topic), partitions, &KEPT[1..]);
        }
        stage.write_config()?;
        Ok(stage)
    }

    /// A topic of this stage.
    pub fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// The consumer group.
    pub fn group(&self) -> String {
        format!("{}-group", self.name)
    }

    /// The configuration file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("lockkeeper.yaml")
    }

    fn write_config(&self) -> Result<()> {
        let Setup { emit, interval, snapshots, .. } = self.setup;
        let emit = if emit == Emit::All { "all" } else { "flagged" };
        let topic = |name| self.topic(name);
        let text = format!(
            "kafka: {{ bootstrap_servers: [\"{}\"], group_id: {} }}
topics: {{ input: [{}], decisions: {}, lock_events: {}, locks: {}, dead_letters: {}, journal: {} }}
rules: [{}]
emit: {emit}
state: {{ directory: states, snapshot_interval: {snapshots}s }}
limits: {{ commit_interval: {interval}ms }}
http: {{ listen: 127.0.0.1:0 }}
logging: {{ format: json }}
",
            self.bootstrap,
            self.group(),
            self.input,
            topic("decisions"),
            topic("lock-events"),
            topic("locks"),
            topic("dead"),
            topic("journal"),
            concat!(env!("CARGO_MANIFEST_DIR"), "/rules/wallet"),
        );
        fs::write(self.config(), text).context("the configuration")
    }

    /// Starts what is to be measured.
    pub fn start(&self, who: Who) -> Result<Service> {
        let config = self.config().to_string_lossy().into_owned();
        let command = match who {
            Who::Service => {
                let mut command = Command::new(PROGRAM);
                command.args(["run", "--config", &config]);
                command
            }
            Who::Plain => ourselves(&["--child", "plain", "--config", &config])?,
            Who::Bare(Output { share, bytes }) => {
                let (share, bytes) = (share.to_string(), bytes.to_string());
                ourselves(&["--child", "bare", "--config", &config, "--share", &share, "--bytes", &bytes])?
            }
        };
        Ok(Service::start(command, self.folder.path()))
    }

    /// How this benchmark itself reaches the broker.
    pub fn settings(&self) -> Settings {
        settings(&self.bootstrap)
    }
}

fn ourselves(words: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words);
    Ok(command)
}

fn settings(bootstrap: &str) -> Settings {
    let properties = [("linger.ms", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    Settings {
        bootstrap_servers: bootstrap.to_owned(),
        group_id: "benchmark".to_owned(),
        transactional_id: String::new(),
        properties: properties.into(),
    }
}

/// A topic for events.
pub fn make_input(broker: &Broker, name: &str) {
    broker.create_topic(name, PARTITIONS, &KEPT);
}

/// A producer for events.
pub fn producer(bootstrap: &str) -> Result<PlainProducer> {
    let settings = settings(bootstrap);
    Ok(PlainProducer::connect(&settings, Consumer::connect(&settings)?.group())?)
}

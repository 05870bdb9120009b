//! What a test of the service needs around it: topics, a configuration, records in, records out, a replay to compare.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use tempfile::TempDir;

use crate::broker::{Broker, wait_for};
use crate::process::Service;

pub const WAIT: Duration = Duration::from_secs(120);
pub const PROGRAM: &str = env!("CARGO_BIN_EXE_lockkeeper");

/// A record on its way in.
#[derive(Clone, Debug)]
pub struct Input {
    /// Whether it goes to the control topic.
    pub control: bool,
    pub partition: i32,
    pub key: String,
    pub value: Option<Vec<u8>>,
    pub timestamp: i64,
}

/// A record as any consumer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub topic: String,
    pub key: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub value: Option<String>,
}

impl Seen {
    pub fn sequence(&self) -> u64 {
        self.headers["sequence"].parse().expect("a number")
    }
}

/// Topics and a configuration of its own for each test.
pub struct Stage {
    pub name: String,
    pub folder: TempDir,
    pub partitions: i32,
    bootstrap: String,
    settings: BTreeMap<String, String>,
}

impl Stage {
    pub fn new(broker: &Broker, name: &str, partitions: i32) -> Stage {
        let stage = Stage {
            name: name.to_owned(),
            folder: tempfile::tempdir().expect("a directory"),
            partitions,
            bootstrap: broker.bootstrap(),
            settings: BTreeMap::new(),
        };
        let appended = [("message.timestamp.type", "CreateTime")];
        for (topic, partitions) in [("events", partitions), ("control", partitions), ("decisions", 2)] {
            broker.create_topic(&stage.topic(topic), partitions, &appended);
        }
        for topic in ["lock-events", "locks"].map(|topic| stage.topic(topic)) {
            broker.create_topic(&topic, 2, &[]);
        }
        for topic in ["events", "control"].map(|topic| format!("dlq.{}", stage.topic(topic))) {
            broker.create_topic(&topic, 1, &[]);
        }
        broker.create_topic(&stage.topic("journal"), 1, &[]);
        stage
    }

    /// Sets a key by its variable.
    pub fn set(mut self, variable: &str, value: &str) -> Stage {
        self.settings.insert(variable.to_owned(), value.to_owned());
        self
    }

    pub fn topic(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    pub fn group(&self) -> String {
        format!("{}-group", self.name)
    }

    pub fn states(&self) -> PathBuf {
        self.folder.path().join("states")
    }

    /// The configuration file, written anew.
    pub fn config(&self) -> PathBuf {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/wallet");
        let topic = |name| self.topic(name);
        let text = format!(
            "kafka: {{ bootstrap_servers: [\"{}\"], group_id: {} }}
topics:
  input: [{}]
  control: [{}]
  decisions: {}
  lock_events: {}
  locks: {}
  dead_letters: dlq.{{topic}}
  journal: {}
rules: [{}]
state: {{ directory: states }}
http: {{ listen: 127.0.0.1:0 }}
logging: {{ format: json }}
",
            self.bootstrap,
            self.group(),
            topic("events"),
            topic("control"),
            topic("decisions"),
            topic("lock-events"),
            topic("locks"),
            topic("journal"),
            rules.display()
        );
        let path = self.folder.path().join("lockkeeper.yaml");
        fs::write(&path, text).expect("written");
        path
    }

    /// A command of the program under the test's settings.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM);
        command.args(words).envs(&self.settings).current_dir(self.folder.path());
        command
    }

    pub fn start(&self) -> Service {
        self.start_with(&[], &[])
    }

    /// With further words on the command line, and variables.
    pub fn start_with(&self, words: &[&str], variables: &[(&str, &str)]) -> Service {
        let config = self.config();
        let mut all = vec!["run", "--config", config.to_str().expect("UTF-8")];
        all.extend(words);
        let mut command = self.command(&all);
        command.envs(variables.iter().copied());
        Service::start(command, self.folder.path())
    }

    fn producer(&self, compression: &str) -> BaseProducer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("linger.ms", "5").set("enable.idempotence", "true");
        config.set("message.max.bytes", "2000000").set("queue.buffering.max.messages", "1000000");
        config.set("compression.type", compression).create().expect("a producer")
    }

    /// Writes records and waits until the broker has them.
    pub fn produce(&self, inputs: &[Input]) {
        self.produce_with(inputs, "lz4");
    }

    /// Compressed in a way.
    pub fn produce_with(&self, inputs: &[Input], compression: &str) {
        let producer = self.producer(compression);
        for input in inputs {
            let topic = self.topic(if input.control { "control" } else { "events" });
            let mut record = BaseRecord::<str, [u8]>::to(&topic)
                .partition(input.partition)
                .key(&input.key)
                .timestamp(input.timestamp);
            if let Some(value) = &input.value {
                record = record.payload(value);
            }
            producer.send(record).map_err(|(error, _)| error).expect("queued");
            producer.poll(Duration::ZERO);
        }
        producer.flush(WAIT).expect("written");
    }

    fn consumer(&self, group: &str, isolation: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.bootstrap).set("group.id", group).set("enable.auto.commit", "false");
        config.set("enable.partition.eof", "true").set("isolation.level", isolation);
        config.create().expect("a consumer")
    }

    /// Everything committed in a topic.
    pub fn read(&self, topic: &str) -> Vec<Seen> {
        self.read_with(topic, "read_committed")
    }

    /// Everything in a topic as seen with an isolation level.
    pub fn read_with(&self, topic: &str, isolation: &str) -> Vec<Seen> {
        let consumer = self.consumer("reader", isolation);
        let metadata = consumer.fetch_metadata(Some(topic), WAIT).expect("metadata");
        let partitions = metadata.topics()[0].partitions().len();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions as i32 {
            list.add_partition_offset(topic, partition, Offset::Beginning).expect("added");
        }
        consumer.assign(&list).expect("assigned");
        let (mut seen, mut ended) = (Vec::new(), 0);
        while ended < partitions {
            match consumer.poll(WAIT).expect("a record or an end") {
                Ok(message) => seen.push(look_at(&message)),
                Err(KafkaError::PartitionEOF(_)) => ended += 1,
                Err(error) => panic!("reading {topic}: {error}"),
            }
        }
        seen
    }

    /// All output that is numbered, in the order of its numbers, which are dense.
    pub fn output(&self) -> Vec<Seen> {
        let dead = ["events", "control"].map(|topic| format!("dlq.{}", self.topic(topic)));
        let topics = ["decisions", "lock-events"].map(|topic| self.topic(topic));
        let mut all: Vec<Seen> = topics.iter().chain(&dead).flat_map(|topic| self.read(topic)).collect();
        all.sort_by_key(Seen::sequence);
        for (index, record) in all.iter().enumerate() {
            assert_eq!(record.sequence(), index as u64 + 1, "a number is missing or there twice: {record:?}");
        }
        all
    }

    /// All output as lines.
    pub fn lines(&self) -> String {
        self.output().iter().map(|record| record.value.clone().expect("a line") + "\n").collect()
    }

    /// Next offsets that the group has committed, by topic and partition; -1 for none.
    pub fn committed(&self) -> Vec<i64> {
        let consumer = self.consumer(&self.group(), "read_committed");
        let mut list = TopicPartitionList::new();
        for topic in ["events", "control"] {
            for partition in 0..self.partitions {
                list.add_partition(&self.topic(topic), partition);
            }
        }
        // After a restart the broker has to find out first who answers for the group.
        let committed = wait_for("committed offsets", || consumer.committed_offsets(list.clone(), WAIT).ok());
        let offset = |offset| if let Offset::Offset(offset) = offset { offset } else { -1 };
        committed.elements().iter().map(|element| offset(element.offset())).collect()
    }

    /// Moves the group's offset of an input partition, as an operator's tool does: without metadata.
    pub fn move_offset(&self, partition: i32, offset: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic("events"), partition, Offset::Offset(offset)).expect("added");
        let consumer = self.consumer(&self.group(), "read_committed");
        consumer.commit(&list, rdkafka::consumer::CommitMode::Sync).expect("committed");
    }

    /// How many records were written to the source topics.
    pub fn written(&self) -> i64 {
        let consumer = self.consumer("reader", "read_committed");
        let end = |topic: &str, partition| consumer.fetch_watermarks(topic, partition, WAIT).expect("an answer").1;
        ["events", "control"]
            .iter()
            .flat_map(|topic| (0..self.partitions).map(|partition| (self.topic(topic), partition)))
            .map(|(topic, partition)| end(&topic, partition))
            .sum()
    }

    /// Asks whether a topic holds records of a transaction that has not ended.
    pub fn open_transactions(&self, topic: &str) -> impl Fn() -> bool {
        let [all, committed] =
            ["read_uncommitted", "read_committed"].map(|isolation| self.consumer("reader", isolation));
        let topic = self.topic(topic);
        let partitions = all.fetch_metadata(Some(&topic), WAIT).expect("metadata").topics()[0].partitions().len();
        let end = move |consumer: &BaseConsumer, partition| {
            consumer.fetch_watermarks(&topic, partition, WAIT).expect("an answer").1
        };
        // The committed end is asked for last: what has ended in between is not open.
        move || (0..partitions as i32).any(|partition| end(&all, partition) > end(&committed, partition))
    }

    /// Waits until everything there is was consumed and committed.
    pub fn wait_until_done(&self, inputs: usize) {
        wait_for("all input to be committed", || {
            let done: i64 = self.committed().iter().map(|offset| (*offset).max(0)).sum();
            (done >= inputs as i64).then_some(())
        });
    }

    /// Exports the journal to a file, from its beginning or an offset on; the file, and the offset where it ends.
    pub fn export(&self, name: &str, from: Option<i64>) -> (PathBuf, i64) {
        let (path, config) = (self.folder.path().join(name), self.config());
        let mut command = self.command(&["journal", "export", "--config"]);
        command.arg(config).arg("--out").arg(&path);
        command.args(from.map(|from| format!("--from-offset={from}")));
        let exported = command.output().expect("it runs");
        let said = String::from_utf8_lossy(&exported.stderr);
        assert!(exported.status.success(), "{said}");
        let next = said.trim().rsplit_once(' ').and_then(|(_, next)| next.parse().ok());
        (path, next.expect("an offset at the end"))
    }

    /// What a replay of a journal writes.
    pub fn replay(&self, journal: &Path) -> String {
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/wallet");
        let mut command = self.command(&["replay", "--rules"]);
        let replayed = command.arg(rules).arg("--journal").arg(journal).output().expect("it runs");
        assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
        String::from_utf8(replayed.stdout).expect("UTF-8")
    }

    /// The promise: what consumers see is what a replay of the journal writes.
    pub fn assert_output_is_the_replay(&self) -> usize {
        self.assert_output_is_the_replay_of(&self.export("journal.jsonl", None).0)
    }

    /// The same with a journal at hand.
    pub fn assert_output_is_the_replay_of(&self, journal: &Path) -> usize {
        let (live, replayed) = (self.lines(), self.replay(journal));
        let (mut live_lines, mut replayed_lines) = (live.lines(), replayed.lines());
        for number in 1.. {
            let (live, replayed) = (live_lines.next(), replayed_lines.next());
            assert_eq!(live, replayed, "line {number}");
            if live.is_none() {
                return number - 1;
            }
        }
        unreachable!("one of them ends")
    }
}

fn look_at(message: &impl Message) -> Seen {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let header =
        |header: rdkafka::message::Header<'_, &[u8]>| (header.key.to_string(), text(header.value).unwrap_or_default());
    Seen {
        topic: message.topic().to_owned(),
        key: text(message.key()),
        headers: message.headers().into_iter().flat_map(|headers| headers.iter().map(header)).collect(),
        value: text(message.payload()),
    }
}

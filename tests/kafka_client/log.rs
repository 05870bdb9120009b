//! What the tests share: settings, producers, and a reader of its own making that shows what is really in a log.

use std::collections::BTreeMap;
use std::time::Duration;

use lockkeeper::kafka::{Consumer, Outgoing, Settings, TransactionalProducer, Watchdog};
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

/// For calls that end by themselves; only a machine in trouble needs all of it.
pub const WAIT: Duration = Duration::from_secs(60);

/// A record as any consumer sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub partition: i32,
    pub key: Option<String>,
    pub headers: Vec<(String, String)>,
    pub value: Option<String>,
}

/// Settings with names of their own for each test.
pub fn settings(bootstrap: &str, name: &str) -> Settings {
    Settings {
        bootstrap_servers: bootstrap.to_string(),
        group_id: format!("{name}-group"),
        transactional_id: format!("{name}-producer"),
        properties: BTreeMap::new(),
    }
}

/// The same settings with one more property.
pub fn with(mut settings: Settings, name: &str, value: &str) -> Settings {
    settings.properties.insert(name.to_string(), value.to_string());
    settings
}

pub fn watchdog() -> Watchdog {
    Watchdog::new(Duration::from_secs(300))
}

pub fn producer(settings: &Settings, consumer: &Consumer) -> TransactionalProducer {
    TransactionalProducer::init(settings, consumer.group(), watchdog(), WAIT).expect("a producer")
}

/// A record with a value and nothing else.
pub fn bare<'a>(topic: &'a str, value: &'a str) -> Outgoing<'a> {
    Outgoing { topic, partition: Some(0), key: None, headers: &[], payload: Some(value.as_bytes()), timestamp: None }
}

/// Everything in a topic, partition by partition, as seen with an isolation level.
pub fn read_all(bootstrap: &str, topic: &str, partitions: i32, isolation: &str) -> Vec<Seen> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", "reader")
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("isolation.level", isolation)
        .create()
        .expect("a consumer");
    let mut list = TopicPartitionList::new();
    for partition in 0..partitions {
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
    seen.sort_by_key(|record| record.partition);
    seen
}

/// Only the values of what is committed in a topic of one partition.
pub fn committed_values(bootstrap: &str, topic: &str) -> Vec<String> {
    let seen = read_all(bootstrap, topic, 1, "read_committed");
    seen.into_iter().filter_map(|record| record.value).collect()
}

fn look_at(message: &impl Message) -> Seen {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let header =
        |header: rdkafka::message::Header<'_, &[u8]>| (header.key.to_string(), text(header.value).unwrap_or_default());
    Seen {
        partition: message.partition(),
        key: text(message.key()),
        headers: message.headers().into_iter().flat_map(|headers| headers.iter().map(header)).collect(),
        value: text(message.payload()),
    }
}

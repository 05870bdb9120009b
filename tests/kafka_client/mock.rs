//! The in-process cluster with the producer without transactions: what the demonstration stands on.

use std::time::Duration;

use lockkeeper::kafka::{Commit, Committed, Consumer, Error, Event, Fetched, Mock, PlainProducer, Position, Producer};

use crate::log::{WAIT, bare, settings};

#[test]
fn records_go_round_and_offsets_are_kept() {
    let mock = Mock::start(&[("events", 2), ("decisions", 1)]).expect("a cluster");
    let settings = settings(&mock.bootstrap_servers(), "mock");
    let mut consumer = Consumer::connect(&settings).expect("a consumer");
    assert_eq!(consumer.partition_count("events", WAIT), Ok(2));
    let mut producer = PlainProducer::connect(&settings, consumer.group()).expect("a producer");
    producer.begin().expect("begun");
    for value in ["one", "two"] {
        producer.send(&bare("decisions", value)).expect("sent");
    }
    let commit = Commit { topic: "events", partition: 1, next_offset: 9, metadata: "seq=2" };
    producer.commit(&[commit]).expect("committed");

    consumer.assign(&[Position { topic: "decisions", partition: 0, offset: 0 }]).expect("assigned");
    let (mut fetched, mut values, mut end) = (Fetched::new(100, 10_000), Vec::new(), None);
    while end.is_none() {
        consumer.fetch(&mut fetched, WAIT);
        values.extend(fetched.records().filter_map(|record| record.value.map(<[u8]>::to_vec)));
        end = fetched.events().iter().find_map(|event| match event {
            Event::End { offset, .. } => Some(*offset),
            _ => None,
        });
    }
    assert_eq!((values, end), (vec![b"one".to_vec(), b"two".to_vec()], Some(2)));
    assert_eq!((consumer.known_end("decisions", 0), consumer.known_end("events", 0)), (Some(2), None));
    let partitions = [("events", 0), ("events", 1)];
    let committed = consumer.committed(&partitions, WAIT).expect("an answer");
    assert_eq!(committed, [None, Some(Committed { next_offset: 9, metadata: "seq=2".to_string() })]);
    let group = consumer.group();
    let asked = std::thread::spawn(move || group.committed(&partitions, WAIT)).join().expect("no panic");
    assert_eq!(asked, Ok(committed), "from another thread");
}

#[test]
fn an_idle_fetch_waits_no_longer_than_asked() {
    let mock = Mock::start(&[("quiet", 1)]).expect("a cluster");
    let mut consumer = Consumer::connect(&settings(&mock.bootstrap_servers(), "quiet")).expect("a consumer");
    consumer.assign(&[Position { topic: "quiet", partition: 0, offset: 0 }]).expect("assigned");
    let mut fetched = Fetched::new(100, 10_000);
    consumer.fetch(&mut fetched, WAIT);
    assert_eq!(fetched.events(), [Event::End { topic: 0, partition: 0, offset: 0 }]);
    consumer.fetch(&mut fetched, Duration::from_millis(50));
    assert!(fetched.is_empty() && fetched.events().is_empty());
}

#[test]
fn a_record_for_a_missing_topic_is_refused_by_the_plain_producer_too() {
    let mock = Mock::start(&[("events", 1)]).expect("a cluster");
    let settings = settings(&mock.bootstrap_servers(), "mock-faults");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let mut producer = PlainProducer::connect(&settings, consumer.group()).expect("a producer");
    let negative = Commit { topic: "events", partition: 0, next_offset: -1, metadata: "" };
    producer.begin().expect("begun");
    assert!(producer.commit(&[negative]).is_err(), "offsets start at 0");
    assert!(matches!(Mock::start(&[("no topic", 1)]).err(), Some(Error::TopicName { .. })));
}

//! What a fetch brings: records in order, within its caps, with the ends of partitions; whatever they are packed in.

use lockkeeper::kafka::admin::time_kind;
use lockkeeper::kafka::{
    Consumer, Event, Fetched, Outgoing, PartitionFault, PlainProducer, Position, Producer, Settings, TimeKind,
    Watermarks,
};

use crate::broker;
use crate::log::{WAIT, bare, producer, settings, with};

/// Writes values to partition 0, with their own place as key and time.
fn write(settings: &Settings, topic: &str, values: &[String]) {
    let consumer = Consumer::connect(settings).expect("a consumer");
    let mut producer = PlainProducer::connect(settings, consumer.group()).expect("a producer");
    producer.begin().expect("begun");
    for (place, value) in values.iter().enumerate() {
        let (key, time) = (place.to_string(), 1_000 + i64::try_from(place).expect("small"));
        let (key, payload) = (Some(key.as_bytes()), Some(value.as_bytes()));
        let record = Outgoing { topic, partition: Some(0), key, headers: &[], payload, timestamp: Some(time) };
        producer.send(&record).expect("sent");
    }
    producer.commit(&[]).expect("written");
}

fn reader(settings: &Settings, topic: &str, offset: i64) -> Consumer {
    let mut consumer = Consumer::connect(settings).expect("a consumer");
    consumer.assign(&[Position { topic, partition: 0, offset }]).expect("assigned");
    consumer
}

/// Fetches until the end of the partition and hands each batch to `look`.
fn fetch_to_end(consumer: &mut Consumer, fetched: &mut Fetched, mut look: impl FnMut(&Fetched)) -> i64 {
    loop {
        consumer.fetch(fetched, WAIT);
        look(fetched);
        for event in fetched.events() {
            match event {
                Event::End { offset, .. } => return *offset,
                Event::Client { fatal: false, .. } => {}
                other => panic!("{other:?}"),
            }
        }
        assert!(!fetched.is_empty() || !fetched.events().is_empty(), "nothing came");
    }
}

#[test]
fn batches_are_in_order_and_keep_their_caps() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("caps", 1, &[]);
    let settings = settings(&broker.bootstrap(), "caps");
    let values: Vec<String> = (0..3_000).map(|place| format!("{place:>0$}", 1 + place % 90)).collect();
    write(&settings, "caps", &values);
    for (records, bytes) in [(100, 1 << 20), (100_000, 1_000), (1, 1), (100_000, 1 << 20)] {
        let (mut consumer, mut fetched) = (reader(&settings, "caps", 0), Fetched::new(records, bytes));
        let mut next = 0;
        let end = fetch_to_end(&mut consumer, &mut fetched, |batch| {
            assert!(batch.len() <= records && (batch.bytes() <= bytes || batch.len() == 1));
            for record in batch.records() {
                let key = next.to_string();
                assert_eq!((record.topic, record.partition, record.offset), (0, 0, next));
                assert_eq!((record.time, record.time_kind), (1_000 + next, TimeKind::Created));
                assert_eq!(record.key, Some(key.as_bytes()));
                assert_eq!(record.value, Some(values[usize::try_from(next).expect("positive")].as_bytes()));
                next += 1;
            }
        });
        assert_eq!((next, end), (3_000, 3_000), "caps of {records} records and {bytes} bytes");
    }
}

#[test]
fn every_compression_is_readable() {
    let Some(broker) = broker::shared() else { return };
    let plain = settings(&broker.bootstrap(), "packed");
    for compression in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = format!("packed-{compression}");
        broker.create_topic(&topic, 1, &[]);
        let values: Vec<String> = (0..500).map(|place| format!("a value that repeats itself {place}")).collect();
        write(&with(plain.clone(), "compression.type", compression), &topic, &values);
        let mut read = Vec::new();
        fetch_to_end(&mut reader(&plain, &topic, 0), &mut Fetched::new(10_000, 1 << 20), |batch| {
            let values = batch.records().map(|record| record.value.expect("no tombstone").to_vec());
            read.extend(values.map(|value| String::from_utf8(value).expect("text")));
        });
        assert_eq!(read, values, "{compression}");
    }
}

#[test]
fn a_paused_partition_is_silent_until_resumed_and_loses_nothing() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("paused", 2, &[]);
    let settings = settings(&broker.bootstrap(), "paused");
    let mut consumer = Consumer::connect(&settings).expect("a consumer");
    let position = |partition| Position { topic: "paused", partition, offset: 0 };
    consumer.assign(&[position(0), position(1)]).expect("assigned");
    assert_eq!(consumer.topics(), ["paused"]);
    let (mut fetched, mut ended) = (Fetched::new(100, 10_000), Vec::new());
    while ended.len() < 2 {
        consumer.fetch(&mut fetched, WAIT);
        ended.extend(fetched.events().iter().map(|event| format!("{event:?}")));
    }
    consumer.pause(&[("paused", 0)]).expect("paused");
    write(&settings, "paused", &["held back".to_string()]);
    consumer.fetch(&mut fetched, std::time::Duration::from_millis(500));
    assert_eq!(fetched.len(), 0);
    consumer.resume(&[("paused", 0)]).expect("resumed");
    broker::wait_for("the record of the resumed partition", || {
        consumer.fetch(&mut fetched, std::time::Duration::from_secs(1));
        (fetched.len() == 1).then_some(())
    });
    let record = fetched.record(0);
    assert_eq!((record.offset, record.value), (0, Some(b"held back".as_slice())), "the first after the end");
    assert!(consumer.pause(&[("paused", 7)]).is_err(), "not assigned");
}

#[test]
fn a_position_outside_the_log_is_an_event_and_not_a_new_position() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("outside", 1, &[]);
    let settings = settings(&broker.bootstrap(), "outside");
    write(&settings, "outside", &["only".to_string()]);
    let mut consumer = reader(&settings, "outside", 1_000);
    let mut fetched = Fetched::new(100, 10_000);
    let event = broker::wait_for("an event", || {
        consumer.fetch(&mut fetched, std::time::Duration::from_secs(1));
        assert!(fetched.is_empty(), "nothing is there to be read");
        fetched.events().first().cloned()
    });
    assert!(
        matches!(event, Event::Partition { topic: 0, partition: 0, fault: PartitionFault::OutOfRange, .. }),
        "{event:?}"
    );
    let watermarks = consumer.watermarks("outside", 0, WAIT).expect("an answer");
    assert_eq!(watermarks, Watermarks { start: 0, end: 1 });
}

#[test]
fn where_a_partition_ends_is_known_from_what_was_fetched() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("ends", 2, &[]);
    let settings = settings(&broker.bootstrap(), "ends");
    write(&settings, "ends", &["one", "two", "three"].map(str::to_string));
    let mut consumer = Consumer::connect(&settings).expect("a consumer");
    assert_eq!(consumer.known_end("ends", 0), None, "not assigned");
    consumer.assign(&[Position { topic: "ends", partition: 0, offset: 0 }]).expect("assigned");
    let mut fetched = Fetched::new(1, 1_000);
    consumer.fetch(&mut fetched, WAIT);
    assert_eq!((fetched.len(), consumer.known_end("ends", 0)), (1, Some(3)), "also beyond what was handed out");

    let mut producer = producer(&settings, &consumer);
    producer.begin().expect("begun");
    producer.send(&bare("ends", "open")).expect("sent");
    let seen = || {
        consumer.fetch(&mut fetched, std::time::Duration::from_millis(100));
        consumer.known_end("ends", 0).filter(|end| *end > 3)
    };
    assert_eq!(broker::wait_for("the record of the open transaction", seen), 4);
    producer.abort().expect("aborted");
    for (topic, partition) in [("ends", 1), ("other", 0), ("no\0topic", 0), ("ends", -1)] {
        assert_eq!(consumer.known_end(topic, partition), None, "{topic:?}/{partition}");
    }
}

#[test]
fn who_sets_the_time_is_known() {
    let Some(broker) = broker::shared() else { return };
    let settings = settings(&broker.bootstrap(), "times");
    for (topic, kind, expected) in
        [("times-created", "CreateTime", TimeKind::Created), ("times-appended", "LogAppendTime", TimeKind::Appended)]
    {
        broker.create_topic(topic, 1, &[("message.timestamp.type", kind)]);
        assert_eq!(time_kind(&settings, topic, WAIT), Ok(expected));
        write(&settings, topic, &["value".to_string()]);
        let mut kinds = Vec::new();
        fetch_to_end(&mut reader(&settings, topic, 0), &mut Fetched::new(10, 1_000), |batch| {
            kinds.extend(batch.records().map(|record| record.time_kind));
        });
        assert_eq!(kinds, [expected], "{topic}");
    }
}

//! Records and offsets become visible together or not at all, quickly, and from one producer only.

use std::time::{Duration, Instant};

use lockkeeper::kafka::{Commit, Committed, Consumer, Failure, Outgoing, Producer, TransactionalProducer};

use crate::broker;
use crate::log::{Seen, WAIT, bare, committed_values, producer, read_all, settings, with};

#[test]
fn records_headers_and_offsets_of_a_transaction_come_back() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("round-trip", 2, &[]);
    let settings = settings(&broker.bootstrap(), "round-trip");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let partitions = [("round-trip", 0), ("round-trip", 1)];
    assert_eq!(consumer.committed(&partitions, WAIT).expect("an answer"), [None, None], "nothing is committed yet");

    let mut producer = producer(&settings, &consumer);
    let headers: [(&str, &[u8]); 3] = [("sequence", b"17"), ("empty", b""), ("sequence", b"again")];
    producer.begin().expect("begun");
    for (partition, key, payload) in [(1, Some("a1"), Some("value")), (0, None, Some("")), (1, Some("lock"), None)] {
        let [key, payload] = [key, payload].map(|text| text.map(str::as_bytes));
        let record = Outgoing {
            topic: "round-trip",
            partition: Some(partition),
            key,
            headers: &headers,
            payload,
            timestamp: None,
        };
        producer.send(&record).expect("sent");
    }
    let commits = [
        Commit { topic: "round-trip", partition: 0, next_offset: 7, metadata: "seq=17 hash=00ff" },
        Commit { topic: "round-trip", partition: 1, next_offset: 0, metadata: "" },
    ];
    producer.commit(&commits).expect("committed");

    let headers = [("sequence", "17"), ("empty", ""), ("sequence", "again")];
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_string())).to_vec();
    let seen = |partition, key: Option<&str>, value: Option<&str>| Seen {
        partition,
        key: key.map(str::to_string),
        headers: headers.clone(),
        value: value.map(str::to_string),
    };
    assert_eq!(
        read_all(&broker.bootstrap(), "round-trip", 2, "read_committed"),
        [seen(0, None, Some("")), seen(1, Some("a1"), Some("value")), seen(1, Some("lock"), None)]
    );
    let committed = |next_offset, metadata: &str| Some(Committed { next_offset, metadata: metadata.to_string() });
    assert_eq!(
        consumer.committed(&partitions, WAIT).expect("an answer"),
        [committed(7, "seq=17 hash=00ff"), committed(0, "")]
    );
}

#[test]
fn aborted_records_are_never_seen() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("aborted", 1, &[]);
    let settings = settings(&broker.bootstrap(), "aborted");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let mut producer = producer(&settings, &consumer);
    for (value, keep) in [("one", true), ("two", false), ("three", true)] {
        producer.begin().expect("begun");
        producer.send(&bare("aborted", value)).expect("sent");
        if keep {
            producer.commit(&[]).expect("committed");
        } else {
            // Long enough on its way to be in the log: an unsent record would prove nothing.
            std::thread::sleep(Duration::from_millis(300));
            producer.abort().expect("aborted");
        }
    }
    assert_eq!(committed_values(&broker.bootstrap(), "aborted"), ["one", "three"]);
    assert_eq!(read_all(&broker.bootstrap(), "aborted", 1, "read_uncommitted").len(), 3, "it was in the log");
    assert_eq!(consumer.committed(&[("aborted", 0)], WAIT).expect("an answer"), [None], "nor were its offsets");
}

#[test]
fn a_newer_producer_fences_the_older() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("fenced", 1, &[]);
    let settings = settings(&broker.bootstrap(), "fenced");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let commits = |next_offset| [Commit { topic: "fenced", partition: 0, next_offset, metadata: "" }];

    let mut older = producer(&settings, &consumer);
    older.begin().expect("begun");
    older.send(&bare("fenced", "from the older")).expect("sent");
    let mut newer = producer(&settings, &consumer);
    let failure = older.commit(&commits(1)).expect_err("fenced");
    assert!(matches!(failure, Failure::Fenced(_)), "{failure:?}");
    let failure = older.abort().expect_err("fenced for good");
    assert!(matches!(failure, Failure::Fenced(_)), "{failure:?}");

    newer.begin().expect("begun");
    newer.send(&bare("fenced", "from the newer")).expect("sent");
    newer.commit(&commits(2)).expect("committed");
    assert_eq!(committed_values(&broker.bootstrap(), "fenced"), ["from the newer"]);
    let committed = consumer.committed(&[("fenced", 0)], WAIT).expect("an answer");
    assert_eq!(committed[0].as_ref().map(|committed| committed.next_offset), Some(2));
}

/// A flush or commit that looks again every 100 ms makes every one of them take that long, however idle the machine.
#[test]
fn commits_do_not_tick() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("ticks", 1, &[]);
    let settings = settings(&broker.bootstrap(), "ticks");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let mut producer = producer(&settings, &consumer);
    let mut times: Vec<Duration> = (1..=51)
        .map(|round| {
            let start = Instant::now();
            producer.begin().expect("begun");
            for _ in 0..20 {
                producer.send(&bare("ticks", "value")).expect("sent");
            }
            producer
                .commit(&[Commit { topic: "ticks", partition: 0, next_offset: round, metadata: "" }])
                .expect("committed");
            start.elapsed()
        })
        .collect();
    times.sort();
    // The faster ones: a busy machine slows some, a tick slows all.
    assert!(times[12] < Duration::from_millis(90), "three quarters of all commits took longer than {:?}", times[12]);
    assert_eq!(committed_values(&broker.bootstrap(), "ticks").len(), 51 * 20);
}

#[test]
fn a_transaction_left_open_too_long_is_fenced_and_replaced() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("expired", 1, &[]);
    let settings = with(settings(&broker.bootstrap(), "expired"), "transaction.timeout.ms", "1000");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let mut slow = producer(&settings, &consumer);
    slow.begin().expect("begun");
    slow.send(&bare("expired", "too late")).expect("sent");
    // Readers see the end of the log again once the broker has aborted it.
    broker::wait_for("the broker's abort", || {
        let seen = read_all(&broker.bootstrap(), "expired", 1, "read_uncommitted");
        let ended = consumer.watermarks("expired", 0, WAIT).expect("an answer").end;
        (seen.len() == 1 && ended > 1).then_some(())
    });
    let failure = slow.commit(&[]).expect_err("too late");
    assert!(matches!(failure, Failure::Fenced(_)), "{failure:?}");
    let mut next = producer(&settings, &consumer);
    next.begin().expect("begun");
    next.send(&bare("expired", "in time")).expect("sent");
    next.commit(&[]).expect("committed");
    assert_eq!(committed_values(&broker.bootstrap(), "expired"), ["in time"]);
}

#[test]
fn a_record_that_never_fits_is_refused_and_the_next_transaction_works() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("narrow", 1, &[("max.message.bytes", "2000")]);
    let settings = with(settings(&broker.bootstrap(), "narrow"), "compression.type", "none");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    let mut producer = producer(&settings, &consumer);
    // Too large for the library, which says so at once, and for the topic, which only the broker knows.
    for (length, sent) in [(2_000_000, false), (5_000, true)] {
        producer.begin().expect("begun");
        let value = "x".repeat(length);
        let result = producer.send(&bare("narrow", &value));
        assert_eq!(result.is_ok(), sent, "{result:?}");
        let failure = result.and_then(|()| producer.commit(&[])).expect_err("too large");
        assert!(matches!(failure, Failure::Refused(_)), "{failure:?}");
        producer.abort().expect("aborted");
    }
    // The library numbers records, and may want one more round to close the gap that the lost one left.
    let fits = |producer: &mut TransactionalProducer| {
        producer.begin()?;
        producer.send(&bare("narrow", "fits"))?;
        producer.commit(&[])
    };
    if let Err(failure) = fits(&mut producer) {
        assert!(matches!(failure, Failure::Abortable(_)), "{failure:?}");
        producer.abort().expect("aborted");
        fits(&mut producer).expect("committed");
    }
    assert_eq!(committed_values(&broker.bootstrap(), "narrow"), ["fits"]);
}

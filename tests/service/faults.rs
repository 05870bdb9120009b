//! What the service says and does when something around it is not as it should be.

use std::collections::BTreeMap;
use std::fs;

use crate::broker;
use crate::operator::Operator;
use crate::process::Service;
use crate::stage::Stage;
use crate::traffic::traffic;

/// It ends with exit code 1 and says why, in the log and at `/readyz`.
pub fn assert_refused(mut service: Service, reason: &str) {
    let body = service.wait_for("/readyz", "refused");
    assert!(body.contains(reason), "{body}");
    let status = service.wait();
    assert_eq!(status.code(), Some(1), "{}", service.log());
    assert!(service.log().contains(reason), "{}", service.log());
}

#[test]
fn what_is_missing_at_the_start_is_waited_for() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "missing", 1).set("LOCKKEEPER_TOPICS_DECISIONS", "missing-come-later");
    let mut service = stage.start();
    service.wait_for("/readyz", "topic `missing-come-later` does not exist; create it or correct the name");
    assert_eq!(service.get("/livez").map(|(status, _)| status), Some(200));
    broker.create_topic("missing-come-later", 1, &[]);
    service.wait_until_live();
    service.stop();
}

#[test]
fn nobody_at_the_address_and_wrong_credentials_are_told_apart() {
    let Some(broker) = broker::shared() else { return };
    let nobody = Stage::new(&broker, "nobody", 1).set("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1");
    nobody.start().wait_for("/readyz", "no broker answers at 127.0.0.1:1");
    let stranger = Stage::new(&broker, "stranger", 1)
        .set("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", &broker.guarded_bootstrap())
        .set("LOCKKEEPER_KAFKA_PROPERTIES_SECURITY_PROTOCOL", "SASL_PLAINTEXT")
        .set("LOCKKEEPER_KAFKA_PROPERTIES_SASL_MECHANISM", "PLAIN")
        .set("LOCKKEEPER_KAFKA_PROPERTIES_SASL_USERNAME", "alice")
        .set("LOCKKEEPER_KAFKA_PROPERTIES_SASL_PASSWORD", "hunter2");
    let service = stranger.start();
    service.wait_for("/readyz", "refuses the credentials");
    assert!(!service.log().contains("hunter2"), "a secret is in the log");
}

#[test]
fn topics_that_do_not_go_together_are_refused() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("uneven-other", 3, &[]);
    let uneven = Stage::new(&broker, "uneven", 2).set("LOCKKEEPER_TOPICS_CONTROL", "uneven-other");
    broker.create_topic("dlq.uneven-other", 1, &[]);
    assert_refused(uneven.start(), "topic `uneven-other` has 3 partitions and `uneven-events` has 2");
    broker.create_topic("two-journals-other", 2, &[]);
    let journal = Stage::new(&broker, "two-journals", 2).set("LOCKKEEPER_TOPICS_JOURNAL", "two-journals-other");
    assert_refused(journal.start(), "the journal needs exactly one");
}

#[test]
fn a_state_directory_that_cannot_be_written_ends_the_start() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "no-directory", 1);
    fs::write(stage.states(), "a file").expect("written");
    let mut service = stage.start();
    assert_eq!(service.wait().code(), Some(1));
    assert!(service.log().contains("name a directory as `state.directory`"), "{}", service.log());
}

#[test]
fn moved_offsets_are_refused_and_can_be_accepted() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "moved", 2);
    let inputs = traffic(3000, 5, 2);
    stage.produce(&inputs[..2000]);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(2000);
    service.stop();
    stage.move_offset(0, 10);
    assert_refused(stage.start(), "offset 10 of moved-events/0 was not committed by this service");
    let before = stage.output().len();
    let mut service = stage.start_with(&["--accept-state-loss"], &[]);
    service.wait_until_live();
    stage.produce(&inputs[2000..]);
    // What lies between the moved offset and the old one is decided a second time.
    stage.wait_until_done(inputs.len());
    service.stop();
    assert!(stage.output().len() > before, "numbers go on where they were");
    assert!(service.log().contains("the state is given up"), "{}", service.log());
    let mut again = stage.start();
    again.wait_until_live();
    again.stop();
    // The export goes back where the second beginning did.
    assert_eq!(stage.assert_output_is_the_replay(), stage.output().len());
}

#[test]
fn more_partitions_are_refused() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "grown", 1);
    stage.produce(&traffic(100, 6, 1));
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(100);
    service.stop();
    for topic in ["events", "control"] {
        Operator::new(&broker).add_partitions(&stage.topic(topic), 2);
    }
    assert_refused(stage.start(), "the number of partitions or the topics have changed");
}

#[test]
fn a_log_that_does_not_reach_back_is_refused() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "cut-off", 1);
    let inputs = traffic(2000, 7, 1);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    // Killed: the only state is the one of the beginning.
    service.kill();
    Operator::new(&broker).delete_records(&stage.topic("events"), 0, 1000);
    assert_refused(stage.start(), "cut-off-events/0 at offset 0 is not in the log (the log begins at 1000)");
    let mut service = stage.start_with(&["--accept-state-loss"], &[]);
    service.wait_until_live();
    service.stop();
}

#[test]
fn a_damaged_state_is_passed_over_and_a_lost_one_replayed() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "damaged", 2);
    let inputs = traffic(6000, 8, 2);
    for part in inputs.chunks(2100) {
        stage.produce(part);
        let mut service = stage.start();
        service.wait_until_live();
        let written: i64 = stage.written();
        stage.wait_until_done(written as usize);
        service.stop();
    }
    let newest = states(&stage).pop_last().expect("a state").1;
    let mut bytes = fs::read(&newest).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&newest, bytes).expect("written");
    let mut service = stage.start();
    service.wait_until_live();
    assert!(service.log().contains("is damaged"), "{}", service.log());
    assert!(service.log().contains("an older state is looked for"), "{}", service.log());
    service.stop();
    fs::remove_dir_all(stage.states()).expect("removed");
    let mut service = stage.start();
    service.wait_until_live();
    assert!(service.log().contains("the whole journal is replayed"), "{}", service.log());
    service.stop();
    assert!(stage.assert_output_is_the_replay() > 6000);
}

fn states(stage: &Stage) -> BTreeMap<String, std::path::PathBuf> {
    let files = fs::read_dir(stage.states()).expect("a directory").flatten();
    files.map(|file| (file.file_name().to_string_lossy().into_owned(), file.path())).collect()
}

#[test]
fn a_narrow_queue_and_small_batches_change_nothing() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "narrow-queue", 4)
        .set("LOCKKEEPER_LIMITS_QUEUE_BYTES", "64KiB")
        .set("LOCKKEEPER_LIMITS_BATCH_BYTES", "64KiB")
        .set("LOCKKEEPER_LIMITS_BATCH_RECORDS", "50");
    let inputs = traffic(5_000, 9, 4);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    service.kill();
    let mut service = stage.start();
    service.wait_until_live();
    service.stop();
    assert!(stage.assert_output_is_the_replay() > 5_000);
}

#[test]
fn a_refused_record_stops_the_output_until_somebody_acts() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "refused", 1).set("LOCKKEEPER_KAFKA_PROPERTIES_COMPRESSION_TYPE", "none");
    Operator::new(&broker).set_property(&stage.topic("decisions"), "max.message.bytes", "300");
    let mut service = stage.start();
    service.wait_until_live();
    let inputs = traffic(50, 10, 1);
    stage.produce(&inputs);
    service.wait_for("/readyz", "kafka refuses the records");
    Operator::new(&broker).set_property(&stage.topic("decisions"), "max.message.bytes", "1000000");
    stage.wait_until_done(inputs.len());
    service.wait_until_live();
    service.stop();
    assert!(stage.assert_output_is_the_replay() >= 50);
}

#[test]
fn offsets_moved_under_a_running_service_end_it() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "moved-live", 1);
    let inputs = traffic(500, 16, 1);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    stage.move_offset(0, 3);
    assert_eq!(service.wait().code(), Some(1));
    let expected = "the committed offset of moved-live-events/0 is 3, and this service had committed";
    assert!(service.log().contains(expected), "{}", service.log());
}

/// Other values than ours of a topic, and of compression.
#[test]
fn all_compressions_are_read_and_the_broker_may_set_the_time() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "compressed", 1).set("LOCKKEEPER_LIMITS_MAX_FUTURE", "0s");
    let operator = Operator::new(&broker);
    operator.set_property(&stage.topic("events"), "message.timestamp.type", "LogAppendTime");
    let inputs = traffic(400, 17, 1);
    let mut written = 0;
    for (codec, part) in ["none", "gzip", "snappy", "lz4", "zstd"].into_iter().zip(inputs.chunks(inputs.len() / 4)) {
        stage.produce_with(part, codec);
        written += part.len();
    }
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(written);
    service.wait_for("/metrics", "lockkeeper_topic_producer_clock{topic=\"compressed-events\"} 0\n");
    assert!(!service.log().contains("producers' clocks"), "{}", service.log());
    service.stop();
    assert!(stage.assert_output_is_the_replay() >= written);
}

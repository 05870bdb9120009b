//! What is not there, not reachable or not allowed is said as such, and never waited for beyond the time given.

use std::time::Duration;

use lockkeeper::kafka::admin::time_kind;
use lockkeeper::kafka::{Consumer, Error, Position, Settings, TransactionalProducer};

use crate::broker;
use crate::log::{WAIT, settings, watchdog, with};

fn login(settings: Settings, name: &str, password: &str) -> Settings {
    let settings = with(settings, "security.protocol", "sasl_plaintext");
    let settings = with(settings, "sasl.mechanisms", "PLAIN");
    with(with(settings, "sasl.username", name), "sasl.password", password)
}

#[test]
fn a_missing_topic_is_missing() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("there", 3, &[]);
    let settings = settings(&broker.bootstrap(), "missing");
    let consumer = Consumer::connect(&settings).expect("a consumer");
    assert_eq!(consumer.partition_count("there", WAIT), Ok(3));
    let missing = Error::MissingTopic { topic: "not-there".to_string() };
    assert_eq!(consumer.partition_count("not-there", WAIT), Err(missing));
    let error = time_kind(&settings, "not-there", WAIT).expect_err("nothing to describe");
    assert!(error.to_string().contains("`not-there`") && error.may_pass(), "{error}");
    let error = consumer.partition_count("no topic", WAIT).expect_err("no name");
    assert_eq!(error, Error::TopicName { topic: "no topic".to_string() });
}

#[test]
fn an_unreachable_broker_is_unreachable() {
    // Bound and never listened to: nobody answers, and nobody else can.
    let nobody = std::net::TcpListener::bind(("127.0.0.1", 0)).map(|listener| listener.local_addr());
    let nobody = nobody.expect("bound").expect("an address");
    let settings = settings(&nobody.to_string(), "unreachable");
    let mut consumer = Consumer::connect(&settings).expect("a consumer");
    consumer.assign(&[Position { topic: "events", partition: 0, offset: 0 }]).expect("assigned");
    assert_eq!(consumer.known_end("events", 0), None, "nobody has said");
    let wait = Duration::from_millis(1500);
    let errors = [
        consumer.partition_count("events", wait).expect_err("nobody there"),
        consumer.watermarks("events", 0, wait).expect_err("nobody there"),
        consumer.committed(&[("events", 0)], wait).expect_err("nobody there"),
        consumer.group().committed(&[("events", 0)], wait).expect_err("nobody there"),
        TransactionalProducer::init(&settings, consumer.group(), watchdog(), wait).err().expect("nobody there"),
    ];
    for error in errors {
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
        assert!(error.to_string().contains(&nobody.to_string()) && error.may_pass(), "{error}");
    }
}

#[test]
fn wrong_credentials_are_told_from_silence() {
    let Some(broker) = broker::shared() else { return };
    broker.create_topic("guarded", 1, &[]);
    let (name, password) = broker::CREDENTIALS;
    let settings = settings(&broker.guarded_bootstrap(), "guarded");
    let right = Consumer::connect(&login(settings.clone(), name, password)).expect("a consumer");
    assert_eq!(right.partition_count("guarded", WAIT), Ok(1));
    let wrong = login(settings, name, "hunter2");
    let consumer = Consumer::connect(&wrong).expect("a consumer");
    let wait = Duration::from_secs(5);
    let errors = [
        consumer.partition_count("guarded", wait).expect_err("refused"),
        TransactionalProducer::init(&wrong, consumer.group(), watchdog(), wait).err().expect("refused"),
    ];
    for error in errors {
        assert!(matches!(error, Error::Credentials { .. }), "{error:?}");
        assert!(!error.to_string().contains("hunter2") && error.may_pass(), "{error}");
    }
}

#[test]
fn properties_that_cannot_be_used_stop_every_client() {
    let refused = with(settings("127.0.0.1:1", "refused"), "enable.auto.commit", "true");
    let unknown = with(settings("127.0.0.1:1", "unknown"), "linger.millis", "1");
    for settings in [refused, unknown] {
        let error = Consumer::connect(&settings).err().expect("not accepted");
        assert!(matches!(error, Error::Refused { .. } | Error::Property { .. }), "{error:?}");
        assert!(!error.may_pass());
        assert_eq!(settings.check(), Err(error));
    }
}

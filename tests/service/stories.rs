//! What a service does when nothing goes wrong: output, headers, locks, shutdown, restart.

use std::collections::BTreeMap;

use crate::broker;
use crate::stage::{Seen, Stage};
use crate::traffic::{now, traffic, traffic_from};

#[test]
fn output_is_what_a_replay_of_the_journal_writes() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "plain", 4);
    let inputs = traffic(20_000, 3, 4);
    stage.produce(&inputs[..12_000]);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(12_000);
    stage.produce(&inputs[12_000..]);
    stage.wait_until_done(inputs.len());
    service.stop();
    let lines = stage.assert_output_is_the_replay();
    assert!(lines > 20_000, "every event has a decision: {lines}");
    let output = stage.output();
    check_headers(&stage, &output);
    check_kinds(&output);
}

fn check_headers(stage: &Stage, output: &[Seen]) {
    for record in output {
        assert_eq!(record.headers["content-type"], "application/json");
        assert!(record.headers["ruleset"].starts_with("wallet-default@"), "{record:?}");
        let value: serde_json::Value = serde_json::from_str(record.value.as_deref().expect("a line")).expect("JSON");
        if record.topic == stage.topic("decisions") {
            assert_eq!(record.key.as_deref(), value["account"].as_str());
        }
        if record.topic.starts_with("dlq.") {
            let [topic, partition, offset, code] =
                ["topic", "partition", "offset", "code"].map(|name| &record.headers[&format!("__dlq.errors.{name}")]);
            assert_eq!(value["position"], format!("{topic}/{partition}/{offset}"));
            assert_eq!((value["code"].as_str(), value["kind"].as_str()), (Some(code.as_str()), Some("rejected")));
            assert_eq!(value["detail"].as_str(), Some(record.headers["__dlq.errors.message"].as_str()));
            assert_eq!((topic, offset), (&record.headers["source.topic"], &record.headers["source.offset"]));
            assert_eq!(record.topic, format!("dlq.{topic}"));
        }
    }
}

/// All that can happen has happened, or the comparison shows little.
fn check_kinds(output: &[Seen]) {
    let text: String = output.iter().filter_map(|record| record.value.clone()).collect();
    for expected in [
        "\"transition\":\"locked\"",
        "\"transition\":\"expired\"",
        "\"transition\":\"unlocked\"",
        "\"code\":\"malformed\"",
        "\"code\":\"too_large\"",
        "\"code\":\"invalid_field\"",
        "\"code\":\"late\"",
        "\"code\":\"future\"",
        "\"code\":\"duplicate\"",
        "\"code\":\"not_allowed\"",
    ] {
        assert!(text.contains(expected), "nothing has {expected}");
    }
}

#[test]
fn settings_may_change_between_two_runs() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "settings", 2);
    let inputs = traffic(9000, 12, 2);
    let variables: [&[(&str, &str)]; 3] = [
        &[("LOCKKEEPER_EMIT", "flagged")],
        &[("LOCKKEEPER_EMIT", "all"), ("LOCKKEEPER_LIMITS_MAX_SKEW", "2m")],
        &[("LOCKKEEPER_LIMITS_RECORD_SIZE", "2KiB"), ("LOCKKEEPER_LIMITS_MAX_FUTURE", "1m")],
    ];
    let mut written = 0;
    for (part, variables) in inputs.chunks(inputs.len().div_ceil(3)).zip(variables) {
        stage.produce(part);
        written += part.len();
        let mut service = stage.start_with(&[], variables);
        service.wait_until_live();
        stage.wait_until_done(written);
        service.stop();
    }
    let lines = stage.assert_output_is_the_replay();
    assert!((6000..9000).contains(&lines), "the first third shows only what is flagged: {lines}");
}

#[test]
fn an_orderly_end_leaves_nothing_to_replay() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "orderly", 2);
    let inputs = traffic(2000, 13, 2);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    service.stop();
    let mut service = stage.start();
    service.wait_until_live();
    assert!(service.log().contains("\"message\":\"recovered\",\"records\":0"), "{}", service.log());
    service.signal("TERM");
    service.signal("TERM");
    let code = service.wait().code();
    assert!(code == Some(130) || code == Some(0), "a second signal ends at once: {code:?}");
    assert_eq!(stage.output().len(), stage.lines().lines().count());
}

/// A gateway that begins with the compacted topic knows the locks that all lock events together leave.
#[test]
fn the_topic_of_locks_holds_their_current_state() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "current", 2);
    let mut inputs = traffic(10_000, 14, 2);
    // By then the locks of the day before that have no longer ones after them are of no matter.
    inputs.extend(traffic_from(now() - 3 * 3_600_000, 1000, 15, 2));
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    service.stop();
    let key = |line: &serde_json::Value| format!("{{\"rule\":{},\"target\":{}}}", line["rule"], line["target"]);
    let mut expected: BTreeMap<String, Option<String>> = BTreeMap::new();
    let mut starts: BTreeMap<String, String> = BTreeMap::new();
    for record in stage.output().iter().filter(|record| record.topic == stage.topic("lock-events")) {
        let line: serde_json::Value = serde_json::from_str(record.value.as_deref().expect("a line")).expect("JSON");
        assert_eq!(record.key, Some(line["target"].to_string()));
        let start = line["start"].as_str().expect("a start").to_owned();
        // The end of an older lock may come after the newest one was set.
        let is_newest = starts.get(&key(&line)).is_none_or(|newest| *newest <= start);
        if line["transition"] != "unlock_refused" && is_newest {
            starts.insert(key(&line), start);
            expected.insert(key(&line), record.value.clone());
        }
    }
    let (mut current, mut forgotten) = (BTreeMap::new(), 0);
    for record in stage.read(&stage.topic("locks")) {
        let key = record.key.expect("a key");
        if record.value.is_none() {
            forgotten += 1;
            expected.remove(&key);
            current.remove(&key);
        } else {
            current.insert(key, record.value);
        }
    }
    assert!(!current.is_empty() && forgotten > 0, "{} locks, {forgotten} forgotten", current.len());
    assert_eq!(current, expected);
}

#[test]
fn metrics_and_status_tell_what_happened() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "told", 2);
    let inputs = traffic(5000, 15, 2);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    // Lag is looked at a few times a second.
    service.wait_for("/metrics", "lockkeeper_consumer_lag_records{partition=\"1\",topic=\"told-events\"} 0\n");
    let metrics = service.get("/metrics").expect("an answer").1;
    let sum = |name: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.starts_with(name) && !line.starts_with('#'));
        lines.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
    };
    assert_eq!(sum("lockkeeper_events_total"), inputs.len() as f64);
    let decisions = stage.read(&stage.topic("decisions")).len();
    assert_eq!(sum("lockkeeper_decisions_total"), decisions as f64);
    assert_eq!(sum("lockkeeper_rejected_total"), (inputs.len() - decisions) as f64);
    assert!(sum("lockkeeper_locks_set_total") > 0.0 && sum("lockkeeper_state_keys") > 0.0);
    assert!(sum("lockkeeper_transaction_duration_seconds_count") > 0.0);
    assert!(sum("lockkeeper_end_to_end_latency_seconds_count") > 0.0);
    assert_eq!(sum("lockkeeper_recovery_progress_ratio"), 1.0);
    assert!(!metrics.contains(&inputs[0].key), "an account is in the metrics");
    let status: serde_json::Value =
        serde_json::from_str(&service.get("/status.json").expect("an answer").1).expect("JSON");
    assert_eq!((status["state"].as_str(), status["records"].as_u64()), (Some("live"), Some(inputs.len() as u64)));
    service.stop();
}

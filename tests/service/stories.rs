//! What a service does when nothing goes wrong: output, headers, locks, shutdown, restart.

use crate::broker;
use crate::stage::{Seen, Stage};
use crate::traffic::traffic;

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

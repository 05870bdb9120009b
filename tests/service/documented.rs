//! What `docs/kafka.md` says of topics and headers, held against a broker and a service.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker;
use crate::process::Service;
use crate::stage::{PROGRAM, Seen, Stage};
use crate::traffic::traffic;

fn page(name: &str) -> String {
    fs::read_to_string(root().join("docs").join(name)).expect("a page")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// What follows a flag, each time that it stands in a command.
fn flags<'a>(command: &'a str, flag: &str) -> Vec<&'a str> {
    let words: Vec<&str> = command.split_whitespace().collect();
    words.windows(2).filter(|pair| pair[0] == flag).map(|pair| pair[1]).collect()
}

#[test]
fn topics_made_as_documented_serve_the_example() {
    let Some(broker) = broker::shared() else { return };
    let page = page("kafka.md");
    let block = page.split("```sh topics\n").nth(1).and_then(|rest| rest.split("```").next()).expect("commands");
    for command in block.lines() {
        assert!(command.starts_with("kafka-topics.sh "), "{command}");
        let (topic, partitions) = (flags(command, "--topic")[0], flags(command, "--partitions")[0]);
        let properties: Vec<(&str, &str)> = flags(command, "--config")
            .into_iter()
            .map(|property| property.split_once('=').expect("a value"))
            // One broker alone is never in sync with another.
            .filter(|(name, _)| *name != "min.insync.replicas")
            .collect();
        assert!(properties.iter().any(|(name, _)| *name == "cleanup.policy"), "{command}");
        broker.create_topic(topic, partitions.parse().expect("a number"), &properties);
    }
    let folder = tempfile::tempdir().expect("a directory");
    let mut command = Command::new(PROGRAM);
    command.args(["run", "--config"]).arg(root().join("docs/lockkeeper.example.yaml")).envs([
        ("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", broker.bootstrap()),
        ("LOCKKEEPER_STATE_DIRECTORY", folder.path().display().to_string()),
        ("LOCKKEEPER_HTTP_LISTEN", "127.0.0.1:0".to_owned()),
    ]);
    let mut service = Service::start(command, folder.path());
    service.wait_until_live();
    assert!(!service.log().contains("LogAppendTime"), "{}", service.log());
    service.stop();
}

/// By kind of topic the headers that the page lists for it.
fn documented() -> BTreeMap<String, BTreeSet<String>> {
    let page = page("kafka.md");
    let table = page.split("\n## Headers\n").nth(1).and_then(|rest| rest.split("\n## ").next()).expect("a table");
    let mut headers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in table.lines().filter(|row| row.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        for kind in cells[2].split(", ") {
            headers.entry(kind.to_owned()).or_default().insert(cells[1].trim_matches('`').to_owned());
        }
    }
    headers
}

#[test]
fn headers_are_those_that_are_documented() {
    let Some(broker) = broker::shared() else { return };
    let stage = Stage::new(&broker, "documented", 2);
    let inputs = traffic(4000, 32, 2);
    stage.produce(&inputs);
    let mut service = stage.start();
    service.wait_until_live();
    stage.wait_until_done(inputs.len());
    service.stop();
    let names = |records: &[Seen]| records.iter().flat_map(|record| record.headers.keys().cloned()).collect();
    let seen: BTreeMap<String, BTreeSet<String>> = [
        ("decisions", stage.topic("decisions")),
        ("lock events", stage.topic("lock-events")),
        ("locks", stage.topic("locks")),
        ("dead letters", format!("dlq.{}", stage.topic("events"))),
        ("journal", stage.topic("journal")),
    ]
    .into_iter()
    .map(|(kind, topic)| (kind.to_owned(), names(&stage.read(&topic))))
    .collect();
    assert_eq!(seen, documented());
    let locks = stage.read(&stage.topic("locks"));
    for tombstone in locks.iter().filter(|record| record.value.is_none()) {
        assert!(!tombstone.headers.contains_key("source.topic"), "{tombstone:?}");
    }
    for record in locks.iter().filter(|record| record.value.is_some()) {
        let line: serde_json::Value = serde_json::from_str(record.value.as_deref().expect("a line")).expect("JSON");
        let key: serde_json::Value = serde_json::from_str(record.key.as_deref().expect("a key")).expect("JSON");
        assert_eq!((&key["rule"], &key["target"]), (&line["rule"], &line["target"]));
    }
}

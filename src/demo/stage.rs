//! What the demonstration needs around it: a cluster in this process, topics, a directory for the state, and a
//! configuration as a file would give it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};

use crate::config::{Config, parse};
use crate::kafka::{Mock, Settings};
use crate::ruleset::render::render_human;

/// Partitions of the topics with events.
const PARTITIONS: i32 = 4;
/// Events, keyed by account.
pub const INPUT: &str = "wallet-events";
/// Events that only trusted senders may write.
pub const CONTROL: &str = "wallet-control";
/// Decisions.
pub const DECISIONS: &str = "decisions";
/// Lock transitions.
pub const LOCK_EVENTS: &str = "lock-events";
/// Rejected records.
pub const DEAD_LETTERS: [&str; 2] = ["dlq.wallet-events", "dlq.wallet-control"];

/// All topics with their numbers of partitions.
const TOPICS: [(&str, i32); 8] = [
    (INPUT, PARTITIONS),
    (CONTROL, PARTITIONS),
    (DECISIONS, 1),
    (LOCK_EVENTS, 1),
    ("locks", 1),
    (DEAD_LETTERS[0], 1),
    (DEAD_LETTERS[1], 1),
    ("journal", 1),
];

/// What the service would read from a file. A fetch that finds nothing ends soon, because the in-process cluster does
/// not end it when something arrives. A day passes in minutes, so partitions that are milliseconds apart are hours
/// apart in time.
const CONFIG: &str = r#"
kafka:
  bootstrap_servers: "127.0.0.1:9092"
  group_id: lockkeeper-demo
  properties: { fetch.wait.max.ms: "5" }
topics: { input: [wallet-events], control: [wallet-control], journal: journal }
rules: [rules/wallet]
state: { directory: state }
limits: { max_skew: 30d }
"#;

/// Nothing is kept, so a state is written only at the beginning and at the end.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the service is told, but for the cluster: the state goes into `directory`, and pages are served at `listen`.
///
/// # Errors
/// None; a test holds that the configuration is valid.
pub fn configure(directory: &Path, listen: SocketAddr) -> Result<Config> {
    let no_secret = |_: &Path| Err("there are no secrets here".to_owned());
    let parsed = parse("demo.yaml", CONFIG, directory, &BTreeMap::new(), &no_secret);
    let faults = |faults: Vec<_>| anyhow!("{}", render_human(&faults, false));
    let mut config = parsed.map_err(faults).context("the demonstration's configuration")?.config;
    config.http.listen = listen;
    config.state.snapshot_interval = NEVER;
    Ok(config)
}

/// The surroundings; the cluster ends with it.
pub struct Stage {
    /// Where clients find the cluster.
    pub servers: String,
    /// What the service is told.
    pub config: Config,
    _mock: Mock,
}

impl Stage {
    /// Starts the cluster that the configuration is to name.
    ///
    /// # Errors
    /// When there is no port for the cluster.
    pub fn build(mut config: Config) -> Result<Stage> {
        let mock = Mock::start(&TOPICS)?;
        let servers = mock.bootstrap_servers();
        config.kafka.bootstrap_servers = vec![servers.clone()];
        Ok(Stage { servers, config, _mock: mock })
    }

    /// How a client of the demonstration's own reaches the cluster.
    pub fn settings(&self, group: &str) -> Settings {
        let properties = [("fetch.wait.max.ms".to_owned(), "5".to_owned())].into();
        Settings {
            bootstrap_servers: self.servers.clone(),
            group_id: group.to_owned(),
            properties,
            ..Settings::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_names_the_topics_there_are() {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let config = configure(Path::new("/somewhere"), listen).expect("a valid configuration");
        let stage = Stage::build(config).expect("a stage");
        let topics = &stage.config.topics;
        let dead_letters: Vec<String> = topics.sources().map(|topic| topics.dead_letters_of(topic)).collect();
        assert_eq!(
            (topics.input.as_slice(), topics.control.as_slice()),
            (&[INPUT.to_owned()][..], &[CONTROL.to_owned()][..])
        );
        assert_eq!(dead_letters, DEAD_LETTERS);
        let named = [&topics.decisions, &topics.lock_events, &topics.locks, &topics.journal];
        assert!(named.iter().all(|name| TOPICS.iter().any(|(topic, _)| topic == name)), "{named:?}");
        assert_eq!(
            (stage.config.http.listen, stage.config.state.directory.as_path()),
            (listen, Path::new("/somewhere/state"))
        );
        assert_eq!(stage.config.kafka.bootstrap_servers.join(","), stage.servers);
    }
}

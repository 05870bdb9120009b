//! What a state belongs to: its rules, its topics, and how far the work had come.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::Unusable;
use crate::engine::snapshot::VERSION;
use crate::journal::Settings;

/// Whose state it is: a state serves only where both are the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Id of the rule set, `name@hash`.
    pub ruleset: String,
    /// The topics that are consumed, control topics included, with their numbers of partitions.
    pub topics: BTreeMap<String, u32>,
}

/// How far the work had come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// By topic and partition: the next offset to consume. As many partitions as the topic has.
    pub next_offsets: BTreeMap<String, Vec<i64>>,
    /// Sequence number of the output so far.
    pub sequence: u64,
    /// Running hash of the output so far.
    pub output_hash: u128,
}

impl Progress {
    /// The topics and their numbers of partitions.
    pub fn topics(&self) -> BTreeMap<String, u32> {
        self.next_offsets.iter().map(|(topic, offsets)| (topic.clone(), offsets.len() as u32)).collect()
    }
}

/// A state to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Id of the rule set, `name@hash`.
    pub ruleset: String,
    /// What the owner was told that matters to its output.
    pub settings: Settings,
    /// How far the work had come.
    pub progress: Progress,
    /// What [`crate::engine::Engine::encode`] gave.
    pub state: Vec<u8>,
}

/// What a state file says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the program that wrote it; for people.
    pub program: String,
    /// Version of the layout of the engine's state.
    pub layout: u32,
    /// Id of the rule set, `name@hash`.
    pub ruleset: String,
    /// What the owner was told that matters to its output.
    pub settings: Settings,
    /// How far the work had come.
    pub progress: Progress,
    /// Size of the engine's state in bytes, as it is in memory.
    pub state_bytes: u64,
}

impl Header {
    /// The header of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Header {
        Header {
            program: env!("CARGO_PKG_VERSION").to_owned(),
            layout: VERSION,
            ruleset: snapshot.ruleset.clone(),
            settings: snapshot.settings,
            progress: snapshot.progress.clone(),
            state_bytes: snapshot.state.len() as u64,
        }
    }

    /// Whether the state serves an owner: the same layout, rule set, topics and numbers of partitions.
    ///
    /// # Errors
    /// What is different.
    pub fn fits(&self, identity: &Identity) -> Result<(), Unusable> {
        if self.layout != VERSION {
            return Err(Unusable::Layout { found: self.layout });
        }
        if self.ruleset != identity.ruleset {
            let (found, expected) = (self.ruleset.clone(), identity.ruleset.clone());
            return Err(Unusable::RuleSet { found, expected });
        }
        let topics = self.progress.topics();
        if topics != identity.topics {
            return Err(Unusable::Topics { found: list(&topics), expected: list(&identity.topics) });
        }
        Ok(())
    }
}

/// Topics with their numbers of partitions, for people.
fn list(topics: &BTreeMap<String, u32>) -> String {
    let topics: Vec<String> = topics.iter().map(|(topic, partitions)| format!("{topic} ({partitions})")).collect();
    if topics.is_empty() { "no topic".to_owned() } else { topics.join(", ") }
}

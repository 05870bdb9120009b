//! The whole state of an engine as bytes, and back: run through, or encode, decode at any event and continue, the
//! output is the same. Plain values in a fixed order, in the wire format of `postcard`: a head, the windows, the locks.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::lockbook::{Chain, Lock, LockBook, retain_needed};
use super::recent::{Recent, Seen};
use super::{Engine, Options};
use crate::expr::format;
use crate::feature::keys;
use crate::feature::upkeep::Floor;
use crate::model::outcome::Target;
use crate::ruleset::types::RuleSet;

/// Version of the layout of the state; another one is not read.
pub const VERSION: u32 = 1;

/// Why a state cannot be taken over.
#[derive(Debug, Error)]
pub enum SnapshotError {
    /// Not a state, or cut off.
    #[error("the state is damaged or not one of lockkeeper: {0}")]
    Damaged(#[from] postcard::Error),
    /// Of another version of this program.
    #[error("the state has layout version {found}, this program reads {VERSION}; rebuild it from the events")]
    Version {
        /// What it has.
        found: u32,
    },
    /// Of another rule set.
    #[error("the state belongs to rule set {found}, not {expected}; rebuild it from the events")]
    RuleSet {
        /// What it belongs to.
        found: String,
        /// What is loaded.
        expected: String,
    },
    /// Its parts do not fit the rule set it names.
    #[error("the state does not fit the rule set it names; rebuild it from the events")]
    Misfit,
}

#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    ruleset: String,
    sequence: u64,
    highest: Vec<Option<i64>>,
    recent: Vec<(u128, i64, u64)>,
}

#[derive(Serialize, Deserialize)]
struct ChainValue {
    rule: String,
    key: Vec<u8>,
    locks: Vec<Lock>,
    relaxed: bool,
}

impl Engine {
    /// The state as bytes. Takes `&mut self` because what can no longer be read is dropped on the way.
    pub fn encode(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let floor = self.current_floor();
        self.book.purge(floor.time, &self.rules.rules);
        let horizon = floor.time.saturating_sub(self.limits.dedup);
        let recent = self.intake.recent.sorted(horizon);
        let head = Head {
            version: VERSION,
            ruleset: self.rules.id.clone(),
            sequence: self.sequence,
            highest: self.intake.highest.clone(),
            recent: recent.iter().map(|seen| (seen.identity, seen.time, seen.fingerprint)).collect(),
        };
        let bytes = self.store.encode(&floor, postcard::to_stdvec(&head)?)?;
        Ok(postcard::to_extend(&chain_values(&self.book, &self.rules, floor.time), bytes)?)
    }

    /// An engine with the state in `bytes`.
    ///
    /// # Errors
    /// When the bytes are damaged, of another version, or of another rule set.
    pub fn decode(rules: RuleSet, options: Options, bytes: &[u8]) -> Result<Engine, SnapshotError> {
        let (version, _) = postcard::take_from_bytes::<u32>(bytes)?;
        if version != VERSION {
            return Err(SnapshotError::Version { found: version });
        }
        let (head, windows) = postcard::take_from_bytes::<Head>(bytes)?;
        if head.ruleset != rules.id {
            return Err(SnapshotError::RuleSet { found: head.ruleset, expected: rules.id });
        }
        let mut engine = Engine::new(rules, options);
        engine.sequence = head.sequence;
        engine.intake.highest = head.highest;
        restore_recent(&mut engine.intake.recent, &head.recent);
        let chains = engine.store.decode(windows)?.ok_or(SnapshotError::Misfit)?;
        for value in postcard::from_bytes::<Vec<ChainValue>>(chains)? {
            restore_chain(&mut engine.book, &engine.rules, value).ok_or(SnapshotError::Misfit)?;
        }
        Ok(engine)
    }

    /// The same state under other options. What no event could read any more under the old ones is gone, so that the
    /// result does not depend on how much of it had been swept.
    ///
    /// # Errors
    /// As [`Engine::encode`] and [`Engine::decode`], which a state of its own does not give.
    pub fn with_options(mut self, options: Options) -> Result<Engine, SnapshotError> {
        let state = self.encode()?;
        Engine::decode(self.into_rules(), options, &state)
    }

    /// The rule set; the state's memory is free then.
    fn into_rules(self) -> RuleSet {
        self.rules
    }

    /// The highest event time accepted from a partition, ms.
    pub fn watermark(&self, partition: u32) -> Option<i64> {
        self.intake.highest.get(partition as usize).copied().flatten()
    }

    fn current_floor(&mut self) -> Floor {
        let time = self.intake.floor(&self.limits);
        let mut starts = [i64::MIN; 4];
        for (period, calendar) in &mut self.calendars {
            starts[*period as usize] = calendar.period_start(time);
        }
        Floor { time, starts }
    }
}

fn restore_recent(recent: &mut Recent, seen: &[(u128, i64, u64)]) {
    for &(identity, time, fingerprint) in seen {
        recent.insert(Seen { identity, time, fingerprint }, i64::MIN);
    }
}

/// All chains by rule and key, without locks that no longer matter.
fn chain_values(book: &LockBook, rules: &RuleSet, floor: i64) -> Vec<ChainValue> {
    let mut chains: Vec<Chain> = book.chains.iter().cloned().collect();
    chains.sort_unstable_by(|a, b| (a.rule, &a.key).cmp(&(b.rule, &b.key)));
    let value = |mut chain: Chain| {
        retain_needed(&mut chain, floor);
        ChainValue {
            rule: rules.rules[chain.rule].id.clone(),
            key: chain.key,
            locks: chain.locks,
            relaxed: chain.relaxed,
        }
    };
    chains.into_iter().map(value).collect()
}

fn restore_chain(book: &mut LockBook, rules: &RuleSet, value: ChainValue) -> Option<()> {
    let rule = rules.rules.iter().position(|rule| rule.id == value.rule)?;
    let lock = rules.rules[rule].lock.as_ref()?;
    let hash = keys::hash(&value.key);
    let target = Arc::new(target(rules, rule, &keys::decode(&lock.target, &value.key)));
    book.restore(
        Chain { rule, key: value.key, hash, target, locks: value.locks, relaxed: value.relaxed },
        &rules.rules,
    );
    Some(())
}

/// What the output says of a target.
pub fn target(rules: &RuleSet, rule: usize, values: &[crate::model::value::Value]) -> Target {
    let parts = rules.rules[rule].lock.iter().flat_map(|lock| &lock.target);
    Target {
        rule: rules.rules[rule].id.clone(),
        parts: parts.map(|part| part.name.clone()).zip(values.iter().cloned()).collect(),
        texts: values.iter().map(|value| format::text(value, rules.currency)).collect(),
    }
}

//! The locks: which are set, whom they cover, and how they end.
//!
//! Locks of one rule on one target form a *chain*: each starts at or after the end of the one before, so only the
//! newest decides about new locks and levels, while older ones still cover back-dated events. Chains are found by
//! *watch*: a list of key parts under which events may meet them. Most events meet none, which costs one look-up.

use std::collections::{BTreeSet, HashMap};
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::backoff;
use super::identity_hash::IdentityHasher;
use crate::feature::slab::Slab;
use crate::model::outcome::Target;
use crate::ruleset::types::{Lock as LockRule, Named, Rule};

/// The last instant of year 9999, ms: no lock ends later.
pub const LATEST_END: i64 = crate::model::time::MAX_TIME;

/// One lock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Lock {
    /// Start, ms.
    pub start: i64,
    /// End, ms; `None` for a lock without end.
    pub end: Option<i64>,
    /// Level of escalation.
    pub level: u32,
    /// Whether its end was written.
    pub closed: bool,
    /// Number of the event that set it.
    pub set_by: u64,
    /// Source partition of that event.
    pub partition: u32,
}

impl Lock {
    /// Whether a time lies before the end.
    pub fn ends_after(&self, time: i64) -> bool {
        self.end.is_none_or(|end| time < end)
    }
}

/// The locks of one rule on one target.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Index of the rule.
    pub rule: usize,
    /// The target's key bytes.
    pub key: Vec<u8>,
    /// Hash of the key bytes.
    pub hash: u64,
    /// Rule and values for the output.
    pub target: Arc<Target>,
    /// Locks by start; the last is the newest.
    pub locks: Vec<Lock>,
    /// Whether the next level is 0 again.
    pub relaxed: bool,
}

/// An end that is to be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Due {
    /// When, ms.
    pub end: i64,
    /// Index of the rule; rules are sorted by id.
    pub rule: usize,
    /// The target's values.
    pub texts: Vec<String>,
    /// The chain.
    pub chain: usize,
    /// Number of the event that set the lock.
    pub set_by: u64,
}

/// Key parts under which events meet locks.
#[derive(Debug)]
pub struct Watch {
    /// The parts.
    pub parts: Vec<Named>,
    /// Chains by hash of the key.
    pub chains: HashMap<u64, Vec<usize>, BuildHasherDefault<IdentityHasher>>,
}

/// Which watches lead to the locks of a rule.
#[derive(Debug, Clone)]
pub struct Watched {
    /// By the target's own parts.
    pub target: usize,
    /// By the fields whose value it covers.
    pub covers: Vec<usize>,
}

/// All locks.
#[derive(Debug)]
pub struct LockBook {
    /// Where events look.
    pub watches: Vec<Watch>,
    /// Per rule: its watches, if it locks.
    pub watched: Vec<Option<Watched>>,
    /// The chains.
    pub chains: Slab<Chain>,
    /// Ends to be written, per partition.
    pub due: Vec<BTreeSet<Due>>,
    /// When chains may be forgotten.
    stale: BTreeSet<(i64, usize)>,
    /// Locks not closed.
    pub active: u64,
    /// Whose chains were dropped of late.
    forgotten: Vec<Arc<Target>>,
}

impl LockBook {
    /// No locks.
    pub fn new(rules: &[Rule]) -> LockBook {
        let mut watches = Vec::new();
        let watched = rules.iter().map(|rule| rule.lock.as_ref().map(|lock| watch(&mut watches, lock))).collect();
        let (due, stale, forgotten) = Default::default();
        LockBook { watches, watched, chains: Slab::default(), due, stale, active: 0, forgotten }
    }

    /// Locks not closed, per rule.
    pub fn active_by_rule(&self) -> Vec<u64> {
        let mut active = vec![0; self.watched.len()];
        for chain in self.chains.iter() {
            active[chain.rule] += chain.locks.iter().filter(|lock| !lock.closed).count() as u64;
        }
        active
    }

    /// Begins a list of what is forgotten.
    pub fn start_forgetting(&mut self) {
        self.forgotten.clear();
    }

    /// The targets whose chains were dropped since [`LockBook::start_forgetting`], by rule and values.
    pub fn forgotten(&self) -> &[Arc<Target>] {
        &self.forgotten
    }

    /// The index of a chain's newest lock.
    pub fn newest(&self, id: usize) -> usize {
        self.chains.get(id).locks.len().saturating_sub(1)
    }

    /// The chain of a rule on a target.
    pub fn find(&self, rule: usize, hash: u64, key: &[u8]) -> Option<usize> {
        let watch = &self.watches[self.watched[rule].as_ref()?.target];
        let is_it = |&&id: &&usize| {
            let chain = self.chains.get(id);
            chain.rule == rule && chain.key == key
        };
        watch.chains.get(&hash)?.iter().find(is_it).copied()
    }

    /// Starts a chain.
    pub fn start_chain(&mut self, chain: Chain) -> usize {
        let (rule, hash) = (chain.rule, chain.hash);
        let id = self.chains.insert(chain);
        for watch in self.watches_of(rule) {
            self.watches[watch].chains.entry(hash).or_default().push(id);
        }
        id
    }

    /// Takes over a chain with its locks.
    pub fn restore(&mut self, chain: Chain, rules: &[Rule]) {
        let locks = chain.locks.clone();
        let stale = stale_from(&chain, rules);
        let id = self.start_chain(chain);
        for lock in locks.iter().filter(|lock| !lock.closed) {
            self.active += 1;
            self.schedule(id, lock);
        }
        if locks.last().is_none_or(|newest| newest.closed) {
            self.stale.insert((stale, id));
        }
    }

    fn watches_of(&self, rule: usize) -> BTreeSet<usize> {
        let watched = self.watched[rule].iter();
        watched.flat_map(|watched| watched.covers.iter().copied().chain([watched.target])).collect()
    }

    /// Adds a lock to its chain.
    pub fn set(&mut self, id: usize, lock: Lock) {
        self.active += 1;
        let chain = self.chains.get_mut(id);
        chain.relaxed = false;
        chain.locks.push(lock.clone());
        self.schedule(id, &lock);
    }

    /// Notes when the end of a lock is to be written.
    pub fn schedule(&mut self, id: usize, lock: &Lock) {
        if let Some(due) = self.due_of(id, lock) {
            self.due_in(lock.partition).insert(due);
        }
    }

    fn due_in(&mut self, partition: u32) -> &mut BTreeSet<Due> {
        let partition = partition as usize;
        if self.due.len() <= partition {
            self.due.resize_with(partition + 1, BTreeSet::new);
        }
        &mut self.due[partition]
    }

    fn due_of(&self, id: usize, lock: &Lock) -> Option<Due> {
        let chain = self.chains.get(id);
        let texts = chain.target.texts.clone();
        lock.end.map(|end| Due { end, rule: chain.rule, texts, chain: id, set_by: lock.set_by })
    }

    /// Moves the end of an open lock.
    pub fn move_end(&mut self, id: usize, index: usize, end: i64) {
        let old = self.chains.get(id).locks[index].clone();
        if let Some(due) = self.due_of(id, &old) {
            self.due_in(old.partition).remove(&due);
        }
        let lock = &mut self.chains.get_mut(id).locks[index];
        lock.end = Some(end);
        let lock = lock.clone();
        self.schedule(id, &lock);
    }

    /// Writes the end of an open lock.
    pub fn close(&mut self, id: usize, index: usize, end: i64, rules: &[Rule]) {
        let old = self.chains.get(id).locks[index].clone();
        if let Some(due) = self.due_of(id, &old) {
            self.due_in(old.partition).remove(&due);
        }
        let chain = self.chains.get_mut(id);
        chain.locks[index].end = Some(end);
        chain.locks[index].closed = true;
        self.active -= 1;
        self.stale.insert((stale_from(chain, rules), id));
    }

    /// The next end to be written in a partition at or before a time, taken out of the schedule.
    pub fn next_due(&mut self, partition: u32, time: i64) -> Option<Due> {
        let due = self.due.get_mut(partition as usize)?;
        if due.first()?.end <= time { due.pop_first() } else { None }
    }

    /// Forgets chains and locks that no event at or after the floor can meet or build on.
    pub fn purge(&mut self, floor: i64, rules: &[Rule]) {
        while let Some(&(time, id)) = self.stale.first().filter(|&&(time, _)| time < floor) {
            self.stale.remove(&(time, id));
            self.purge_chain(id, floor, rules);
        }
        // Chains are numbered anew when a state is decoded, so their numbers order nothing that is seen.
        self.forgotten.sort_by(|a, b| (&a.rule, &a.texts).cmp(&(&b.rule, &b.texts)));
    }

    fn purge_chain(&mut self, id: usize, floor: i64, rules: &[Rule]) {
        let Some(chain) = self.chains.find_mut(id) else { return };
        retain_needed(chain, floor);
        // An older lock can be open beside a newer one that is not: its end is written at an event or a tick of its own
        // partition. Closing it brings the chain here again.
        if chain.locks.iter().any(|lock| !lock.closed) {
            return;
        }
        let from = stale_from(chain, rules);
        if from < floor {
            self.drop_chain(id);
        } else {
            self.stale.insert((from, id));
        }
    }

    fn drop_chain(&mut self, id: usize) {
        let Some(chain) = self.chains.remove(id) else { return };
        for watch in self.watches_of(chain.rule) {
            if let Some(ids) = self.watches[watch].chains.get_mut(&chain.hash) {
                ids.retain(|&other| other != id);
                if ids.is_empty() {
                    self.watches[watch].chains.remove(&chain.hash);
                }
            }
        }
        self.forgotten.push(chain.target);
    }
}

/// Drops locks that cover no acceptable event and are not the newest.
pub fn retain_needed(chain: &mut Chain, floor: i64) {
    let newest = chain.locks.len().saturating_sub(1);
    let mut index = 0;
    chain.locks.retain(|lock| {
        index += 1;
        index - 1 == newest || !lock.closed || lock.ends_after(floor)
    });
}

/// From when on (floor, ms) a chain whose newest lock is closed has no effect.
pub fn stale_from(chain: &Chain, rules: &[Rule]) -> i64 {
    let end = chain.locks.last().and_then(|lock| lock.end).unwrap_or(i64::MAX);
    let memory = rules[chain.rule].lock.as_ref().and_then(|lock| lock.backoff.as_ref());
    end.saturating_add(memory.map_or(0, backoff::memory))
}

fn watch(watches: &mut Vec<Watch>, lock: &LockRule) -> Watched {
    let target = watch_for(watches, &lock.target);
    let covers = match lock.covers_by.as_slice() {
        // Several parts are met together or not at all.
        [] => vec![target],
        _ if lock.target.len() != 1 => vec![target],
        fields => fields.iter().map(|field| watch_for(watches, std::slice::from_ref(field))).collect(),
    };
    Watched { target, covers }
}

fn watch_for(watches: &mut Vec<Watch>, parts: &[Named]) -> usize {
    let nodes = |parts: &[Named]| parts.iter().map(|part| (part.node, part.kind)).collect::<Vec<_>>();
    let known = watches.iter().position(|watch| nodes(&watch.parts) == nodes(parts));
    known.unwrap_or_else(|| {
        watches.push(Watch { parts: parts.to_vec(), chains: HashMap::default() });
        watches.len() - 1
    })
}

//! Bounds on state: when a dimension holds more keys or entries than configured, the key with the oldest last event
//! goes (ties by key bytes). A bounded dimension has one shard, so what is counted does not depend on the machine.

use std::collections::BTreeSet;

use super::keys;
use super::open::Shape;
use super::record;
use super::shard::{Columns, Role, Shard, Visit};
use super::upkeep::Floor;
use crate::ruleset::types::{Bounds, Named};

/// What the bytes of a key take where they are allocated.
const KEY_BYTES: usize = 32;

/// A key whose state was given up because a bound was reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evicted {
    /// The row whose event made it necessary.
    pub row: usize,
    /// The parts of the key.
    pub by: Vec<Named>,
    /// The key's bytes.
    pub key: Vec<u8>,
    /// Time of the key's last event, ms.
    pub last: i64,
}

/// The keys of a bounded dimension in the order in which they would go.
#[derive(Debug)]
pub struct Order {
    bounds: Bounds,
    keys: BTreeSet<(i64, Vec<u8>)>,
}

impl Order {
    /// No keys.
    pub fn new(bounds: Bounds) -> Self {
        Order { bounds, keys: BTreeSet::new() }
    }

    /// About how many bytes are held: a place in a sorted set, and the key's bytes.
    pub fn bytes(&self) -> usize {
        self.keys.len() * (size_of::<(i64, Vec<u8>)>() * 3 / 2 + KEY_BYTES)
    }

    /// Notes a key that was restored.
    pub fn restore(&mut self, newest: i64, key: Vec<u8>) {
        self.keys.insert((newest, key));
    }

    /// Visits a key and then keeps the bounds.
    pub fn visit(
        &mut self,
        shard: &mut Shard,
        shapes: &[Shape],
        visit: Visit,
        columns: Columns,
        evicted: &mut Vec<Evicted>,
    ) {
        let newest = |shard: &Shard, position| {
            shard.table.at(position).map(|handle| record::newest(shard.memory.pool.from(handle)))
        };
        let before = shard.find(shapes.len(), visit.hash, visit.key).and_then(|position| newest(shard, position));
        let position = shard.visit(shapes, visit, columns);
        if visit.role != Role::Own {
            return;
        }
        let after = position.and_then(|position| newest(shard, position));
        if before != after {
            before.map(|time| self.keys.remove(&(time, visit.key.to_vec())));
            after.map(|time| self.keys.insert((time, visit.key.to_vec())));
        }
        let floor = Floor::of(columns.rows, visit.row);
        while self.exceeded(shard) && self.evict(shard, shapes, &floor, visit.row, evicted) {}
    }

    fn exceeded(&self, shard: &Shard) -> bool {
        self.bounds.keys.is_some_and(|keys| self.keys.len() as u64 > keys)
            || self.bounds.entries.is_some_and(|entries| shard.memory.entries > entries)
    }

    /// Lets the oldest key go; one that nothing can read any more goes without a word.
    fn evict(
        &mut self,
        shard: &mut Shard,
        shapes: &[Shape],
        floor: &Floor,
        row: usize,
        out: &mut Vec<Evicted>,
    ) -> bool {
        let Some((last, key)) = self.keys.pop_first() else { return false };
        let hash = keys::hash(&key);
        if let Some(position) = shard.find(shapes.len(), hash, &key) {
            shard.tidy(position, shapes, floor);
        }
        if let Some(position) = shard.find(shapes.len(), hash, &key) {
            shard.remove(position, shapes);
            out.push(Evicted { row, by: Vec::new(), key, last });
        }
        true
    }
}

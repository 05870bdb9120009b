//! A hash table from key hash to record handle, with slots that can be prefetched.
//!
//! Open addressing with linear probing and backward-shift deletion; an entry is eight bytes: 32 bits of the hash and
//! the handle of the record, which holds the key itself. `hashbrown` would do, but it does not let one fetch a
//! slot ahead of its use, and at millions of keys waiting for memory is most of the cost of a lookup.

use super::prefetch::prefetch;
use super::words::Handle;

#[derive(Debug, Clone, Copy)]
struct Slot {
    tag: u32,
    handle: u32,
}

const EMPTY: Slot = Slot { tag: 0, handle: u32::MAX };

impl Slot {
    #[inline]
    fn is_empty(self) -> bool {
        self.handle == u32::MAX
    }
}

/// Key hash to handle. Whether a candidate's key is the one sought is for the caller to say.
#[derive(Debug)]
pub struct Table {
    slots: Vec<Slot>,
    len: usize,
}

impl Default for Table {
    fn default() -> Self {
        Table { slots: vec![EMPTY; 16], len: 0 }
    }
}

impl Table {
    /// Number of keys.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Number of slots, for sweeping.
    pub fn slots(&self) -> usize {
        self.slots.len()
    }

    #[inline]
    fn mask(&self) -> usize {
        self.slots.len() - 1
    }

    /// Asks for the slot of a hash to be brought into cache.
    #[inline]
    pub fn prefetch(&self, hash: u64) {
        prefetch(&self.slots, tag(hash) as usize & self.mask());
    }

    /// The first candidate of a hash, unverified: good enough to prefetch its record.
    #[inline]
    pub fn candidate(&self, hash: u64) -> Option<Handle> {
        let tag = tag(hash);
        let mut at = tag as usize & self.mask();
        loop {
            let slot = self.slots[at];
            if slot.is_empty() {
                return None;
            }
            if slot.tag == tag {
                return Some(Handle(slot.handle));
            }
            at = (at + 1) & self.mask();
        }
    }

    /// The position of the key's slot; `is_key` compares a candidate's key with the one sought.
    #[inline]
    pub fn find(&self, hash: u64, mut is_key: impl FnMut(Handle) -> bool) -> Option<usize> {
        let tag = tag(hash);
        let mut at = tag as usize & self.mask();
        loop {
            let slot = self.slots[at];
            if slot.is_empty() {
                return None;
            }
            if slot.tag == tag && is_key(Handle(slot.handle)) {
                return Some(at);
            }
            at = (at + 1) & self.mask();
        }
    }

    /// The handle in a slot, `None` where the slot is empty.
    #[inline]
    pub fn at(&self, position: usize) -> Option<Handle> {
        let slot = self.slots[position];
        if slot.is_empty() { None } else { Some(Handle(slot.handle)) }
    }

    /// Replaces the handle in an occupied slot.
    pub fn replace(&mut self, position: usize, handle: Handle) {
        self.slots[position].handle = handle.0;
    }

    /// Adds a key that is not there; returns the position of its slot.
    pub fn insert(&mut self, hash: u64, handle: Handle) -> usize {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.len += 1;
        self.place(Slot { tag: tag(hash), handle: handle.0 })
    }

    fn place(&mut self, slot: Slot) -> usize {
        let mut at = slot.tag as usize & self.mask();
        while !self.slots[at].is_empty() {
            at = (at + 1) & self.mask();
        }
        self.slots[at] = slot;
        at
    }

    fn grow(&mut self) {
        let doubled = vec![EMPTY; self.slots.len() * 2];
        let old = std::mem::replace(&mut self.slots, doubled);
        for slot in old.into_iter().filter(|slot| !slot.is_empty()) {
            self.place(slot);
        }
    }

    /// Removes the entry of a slot, closing the gap.
    pub fn remove(&mut self, position: usize) {
        let mask = self.mask();
        let mut hole = position;
        let mut at = (hole + 1) & mask;
        while !self.slots[at].is_empty() {
            let home = self.slots[at].tag as usize & mask;
            // The entry may move to the hole unless its home lies cyclically after the hole.
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.slots[hole] = self.slots[at];
                hole = at;
            }
            at = (at + 1) & mask;
        }
        self.slots[hole] = EMPTY;
        self.len -= 1;
    }

    /// Bytes held.
    pub fn bytes(&self) -> usize {
        self.slots.len() * size_of::<Slot>()
    }
}

fn tag(hash: u64) -> u32 {
    hash as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn behaves_like_a_map_under_insertions_and_removals() {
        let mut table = Table::default();
        let mut model: BTreeMap<u32, u64> = BTreeMap::new();
        let mut state = 1u64;
        for step in 0..20_000u32 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let key = (state >> 40) as u32 % 500;
            let hash = u64::from(key % 97) * 7; // many collisions on purpose
            match (model.contains_key(&key), step % 3) {
                (false, _) => {
                    table.insert(hash, Handle(key));
                    model.insert(key, hash);
                }
                (true, 0) => {
                    let position = table.find(hash, |handle| handle.0 == key).expect("present");
                    table.remove(position);
                    model.remove(&key);
                }
                (true, _) => {
                    let position = table.find(hash, |handle| handle.0 == key).expect("present");
                    assert_eq!(table.at(position), Some(Handle(key)));
                }
            }
            assert_eq!(table.len(), model.len());
        }
        for (&key, &hash) in &model {
            assert!(table.find(hash, |handle| handle.0 == key).is_some());
        }
    }
}

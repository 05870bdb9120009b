//! The inner nodes: children with what is known of each, so that most questions are answered without going down.

use super::leaves::in_reach;
use super::summary::Part;

/// One inner node.
#[derive(Clone, Debug)]
pub(super) struct Branch<const FAN: usize> {
    pub len: usize,
    pub children: [u32; FAN],
    pub parts: [Part; FAN],
}

impl<const FAN: usize> Branch<FAN> {
    pub fn new() -> Self {
        Branch { len: 0, children: [0; FAN], parts: [Part::default(); FAN] }
    }

    pub fn is_full(&self) -> bool {
        self.len == FAN
    }

    /// The parts in use.
    pub fn parts(&self) -> &[Part] {
        &self.parts[..self.len]
    }

    /// The fold of all parts.
    pub fn part(&self) -> Part {
        let mut whole = Part::default();
        self.parts().iter().for_each(|part| whole.append(part));
        whole
    }

    /// Slot of the child that holds a rank, and the rank at which that child starts.
    pub fn holding(&self, rank: usize) -> (usize, usize) {
        let mut start = 0;
        for (slot, part) in self.parts().iter().enumerate() {
            if rank < start + part.entries {
                return (slot, start);
            }
            start += part.entries;
        }
        let last = self.len - 1;
        (last, start - self.parts[last].entries)
    }

    /// Slot of the child that should take a new entry, and the rank at which that child starts.
    /// Between two children the left one, unless the entry is out of its reach: then the right one may be nearer.
    pub fn taking(&self, rank: usize, time: i64) -> (usize, usize) {
        let mut start = 0;
        for (slot, part) in self.parts().iter().enumerate() {
            let end = start + part.entries;
            let left = rank < end || (rank == end && in_reach(part.first, time));
            if left || slot + 1 == self.len {
                return (slot, start);
            }
            start = end;
        }
        (0, 0)
    }

    /// Puts a child into a node that is not full.
    pub fn insert(&mut self, slot: usize, child: u32, part: Part) {
        self.children.copy_within(slot..self.len, slot + 1);
        self.parts.copy_within(slot..self.len, slot + 1);
        self.children[slot] = child;
        self.parts[slot] = part;
        self.len += 1;
    }

    /// Takes a child out.
    pub fn remove(&mut self, slot: usize) {
        self.children.copy_within(slot + 1..self.len, slot);
        self.parts.copy_within(slot + 1..self.len, slot);
        self.len -= 1;
    }

    /// Moves the children from `slot` on to the end of another node, which must have room.
    pub fn transfer(&mut self, slot: usize, to: &mut Self) {
        for source in slot..self.len {
            to.insert(to.len, self.children[source], self.parts[source]);
        }
        self.len = self.len.min(slot);
    }
}

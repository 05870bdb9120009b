//! The window entries of one hot key: a counted, augmented B+tree.
//!
//! Entries lie in order of (time, arrival) and are addressed by rank. Every node keeps what its children come to,
//! so a read of any closed interval costs O(log n) whatever has come late, and the hot read (everything since a
//! time) is one descent. An entry appended in time order touches the last part of each level only, and leaves
//! full nodes behind. The oldest entries leave by counting: the first leaf keeps them until it is all gone.
//! Nodes live in arenas with free lists; once a window has its size, nothing is allocated.

mod branch;
mod leaves;
mod read;
mod removal;
mod summary;
#[cfg(test)]
mod tests;

use branch::Branch;
use leaves::{Leaves, reserve};
pub use read::Entries;
use summary::Part;
pub use summary::Summary;

/// One entry of a window.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
pub struct Entry {
    /// Event time, ms.
    pub time: i64,
    /// Marks a place that hides what is before it; is in no summary.
    pub barrier: bool,
    /// The aggregated number, or an order-preserving key of it.
    pub value: i64,
    /// Hashed value, place or wide value; 0 if unused.
    pub extra: u128,
    /// A newer entry has the same value.
    pub superseded: bool,
}

/// Which columns are stored; one that is not reads as 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Layout {
    /// Keep [`Entry::value`].
    pub values: bool,
    /// Keep [`Entry::extra`].
    pub extra: bool,
}

/// A tree of the size that suits the machine: leaves of a few cache lines, nodes of 16 children.
pub type Tree = SizedTree<64, 16>;

/// Entries sorted by (time, arrival), `LEAF` to a leaf (at most 64) and `FAN` children to a node.
#[derive(Clone, Debug)]
pub struct SizedTree<const LEAF: usize, const FAN: usize> {
    layout: Layout,
    leaves: Leaves<LEAF>,
    branches: Vec<Branch<FAN>>,
    free: Vec<u32>,
    root: u32,
    /// Levels of inner nodes; 0 when the root is a leaf.
    height: usize,
    /// Entries in the leaves.
    stored: usize,
    /// So many of the first leaf's entries are gone, always fewer than it has unless nothing is stored.
    dropped: usize,
    /// How often entries changed their leaf or their position in it.
    moves: u64,
}

impl<const LEAF: usize, const FAN: usize> SizedTree<LEAF, FAN> {
    /// An empty tree with the columns of `layout`.
    pub fn new(layout: Layout) -> Self {
        assert!(FAN >= 4, "a node must be divisible");
        let mut leaves = Leaves::new(layout);
        let root = leaves.allocate();
        SizedTree {
            layout,
            leaves,
            branches: Vec::new(),
            free: Vec::new(),
            root,
            height: 0,
            stored: 0,
            dropped: 0,
            moves: 0,
        }
    }

    /// Entries held, barriers included.
    pub fn len(&self) -> usize {
        self.stored - self.dropped
    }

    /// Whether nothing is held.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory held, bytes.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.leaves.bytes()
            + self.branches.capacity() * size_of::<Branch<FAN>>()
            + self.free.capacity() * size_of::<u32>()
    }

    /// Puts an entry after all with its time or an earlier one; its rank.
    pub fn insert(&mut self, entry: Entry) -> usize {
        let entry = self.stripped(entry);
        if self.append(&entry) {
            return self.len() - 1;
        }
        self.moves += 1;
        let rank = self.upper_bound(entry.time);
        self.settle_before(rank);
        let place = rank + self.dropped;
        if let Some(right) = self.insert_below(self.root, self.height, place, &entry, true) {
            self.raise(right);
        }
        self.stored += 1;
        rank
    }

    /// Marks whether a newer entry has the same value; beyond `len` there is none.
    pub fn set_superseded(&mut self, rank: usize, value: bool) {
        if rank >= self.len() {
            return;
        }
        let (leaf, position) = self.locate(rank + self.dropped);
        let entry = self.leaves.get(leaf, position);
        if entry.superseded == value {
            return;
        }
        self.leaves.set_superseded(leaf, position, value);
        if !entry.barrier {
            self.count_live(rank + self.dropped, value);
        }
    }

    /// The entry as it will be read: without what has no column.
    fn stripped(&self, mut entry: Entry) -> Entry {
        if !self.layout.values {
            entry.value = 0;
        }
        if !self.layout.extra {
            entry.extra = 0;
        }
        entry
    }

    /// The fast way in: behind everything, where the last leaf has room. Whether it was taken.
    fn append(&mut self, entry: &Entry) -> bool {
        let leaf = self.last_leaf();
        let len = self.leaves.len(leaf);
        let behind = len == 0 || self.leaves.time(leaf, len - 1) <= entry.time;
        if !behind || !self.leaves.has_room(leaf, entry.time) {
            return false;
        }
        self.leaves.insert(leaf, len, entry);
        let mut node = self.root;
        for _ in 0..self.height {
            let branch = &mut self.branches[node as usize];
            branch.parts[branch.len - 1].push(entry);
            node = branch.children[branch.len - 1];
        }
        self.stored += 1;
        true
    }

    /// Inserts below a node; the new right sibling if it had to be split. `tail`: the node ends the tree.
    fn insert_below(&mut self, node: u32, level: usize, place: usize, entry: &Entry, tail: bool) -> Option<u32> {
        if level == 0 {
            return self.insert_into_leaf(node, place, entry, tail);
        }
        let branch = &self.branches[node as usize];
        let (slot, start) = branch.taking(place, entry.time);
        let (child, tail) = (branch.children[slot], tail && slot + 1 == branch.len);
        let split = self.insert_below(child, level - 1, place - start, entry, tail);
        self.refresh(node, level, slot);
        split.and_then(|right| self.adopt(node, level, slot + 1, right, tail))
    }

    fn insert_into_leaf(&mut self, leaf: u32, position: usize, entry: &Entry, tail: bool) -> Option<u32> {
        if self.leaves.has_room(leaf, entry.time) {
            self.leaves.insert(leaf, position, entry);
            return None;
        }
        let len = self.leaves.len(leaf);
        // What ends the tree is left as full as can be, since more is likely to come behind it.
        let cut = if self.leaves.is_out_of_reach(leaf, entry.time) {
            position
        } else if tail {
            position.max(len / 2)
        } else {
            len / 2
        };
        let right = self.leaves.split(leaf, cut);
        if position <= cut && self.leaves.has_room(leaf, entry.time) {
            self.leaves.insert(leaf, position, entry);
        } else {
            self.leaves.insert(right, position - cut, entry);
        }
        Some(right)
    }

    /// Puts a new child into a node; the node's new right sibling if it had to be split.
    fn adopt(&mut self, node: u32, level: usize, slot: usize, child: u32, tail: bool) -> Option<u32> {
        let part = self.part(child, level - 1);
        let branch = &mut self.branches[node as usize];
        if !branch.is_full() {
            branch.insert(slot, child, part);
            return None;
        }
        let cut = if tail && slot == FAN { FAN } else { FAN / 2 };
        let mut upper = Branch::new();
        branch.transfer(cut, &mut upper);
        if slot < cut {
            branch.insert(slot, child, part)
        } else {
            upper.insert(slot - cut, child, part)
        }
        Some(self.allocate(upper))
    }

    /// Puts a new root above the old one and its right sibling.
    fn raise(&mut self, right: u32) {
        let mut top = Branch::new();
        top.insert(0, self.root, self.part(self.root, self.height));
        top.insert(1, right, self.part(right, self.height));
        self.root = self.allocate(top);
        self.height += 1;
    }

    /// Carries a change of one entry's mark up to the root.
    fn count_live(&mut self, mut place: usize, superseded: bool) {
        let mut node = self.root;
        for _ in 0..self.height {
            let branch = &mut self.branches[node as usize];
            let (slot, start) = branch.holding(place);
            let live = &mut branch.parts[slot].summary.live;
            *live = if superseded { *live - 1 } else { *live + 1 };
            (node, place) = (branch.children[slot], place - start);
        }
    }

    /// Computes again what a node keeps of one child.
    fn refresh(&mut self, node: u32, level: usize, slot: usize) {
        let part = self.part(self.branches[node as usize].children[slot], level - 1);
        self.branches[node as usize].parts[slot] = part;
    }

    fn part(&self, node: u32, level: usize) -> Part {
        if level == 0 { self.leaves.part(node) } else { self.branches[node as usize].part() }
    }

    fn fan(&self, node: u32) -> usize {
        self.branches[node as usize].len
    }

    fn first_leaf(&self) -> u32 {
        (0..self.height).fold(self.root, |node, _| self.branches[node as usize].children[0])
    }

    fn last_leaf(&self) -> u32 {
        (0..self.height).fold(self.root, |node, _| {
            let branch = &self.branches[node as usize];
            branch.children[branch.len - 1]
        })
    }

    fn allocate(&mut self, branch: Branch<FAN>) -> u32 {
        if let Some(node) = self.free.pop() {
            self.branches[node as usize] = branch;
            return node;
        }
        reserve(&mut self.branches, 1);
        self.branches.push(branch);
        (self.branches.len() - 1) as u32
    }

    fn release(&mut self, node: u32, level: usize) {
        if level == 0 { self.leaves.release(node) } else { self.free.push(node) }
    }
}

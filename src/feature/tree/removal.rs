//! Taking entries out of a tree: the oldest by counting, any other one by rank.
//!
//! A window loses its oldest entries all the time, so these are only counted as dropped until their leaf can go
//! as a whole. Single removals are rare; they first take the dropped entries out, which keeps them simple.

use super::SizedTree;
use super::branch::Branch;

impl<const LEAF: usize, const FAN: usize> SizedTree<LEAF, FAN> {
    /// Drops the `count` oldest entries (all, if there are fewer).
    pub fn remove_front(&mut self, count: usize) {
        let mut left = count.min(self.len());
        while left > 0 {
            let held = self.leaves.len(self.first_leaf()) - self.dropped;
            let taken = left.min(held);
            left -= taken;
            self.dropped += taken;
            if taken == held {
                self.drop_first_leaf();
            }
        }
    }

    /// Drops one entry; beyond `len` there is none.
    pub fn remove(&mut self, rank: usize) {
        if rank >= self.len() {
            return;
        }
        self.moves += 1;
        self.settle();
        self.remove_below(self.root, self.height, rank);
        self.stored -= 1;
        self.lower();
    }

    /// Takes roots away that have one child only.
    fn lower(&mut self) {
        while self.height > 0 && self.branches[self.root as usize].len == 1 {
            self.free.push(self.root);
            self.root = self.branches[self.root as usize].children[0];
            self.height -= 1;
        }
    }

    fn remove_below(&mut self, node: u32, level: usize, place: usize) {
        if level == 0 {
            return self.leaves.remove(node, place..place + 1);
        }
        let (slot, start) = self.branches[node as usize].holding(place);
        self.remove_below(self.branches[node as usize].children[slot], level - 1, place - start);
        self.refresh(node, level, slot);
        self.tidy(node, level, slot);
    }

    /// After a removal: an empty child goes, one that has become sparse is joined with a neighbour.
    fn tidy(&mut self, node: u32, level: usize, slot: usize) {
        let branch = &self.branches[node as usize];
        let child = branch.children[slot];
        if branch.parts[slot].entries == 0 {
            self.release(child, level - 1);
            return self.branches[node as usize].remove(slot);
        }
        let sparse = if level == 1 { self.leaves.len(child) <= LEAF / 4 } else { self.fan(child) <= FAN / 4 };
        if sparse && slot > 0 && self.join(node, level, slot - 1) {
            return;
        }
        if sparse && slot + 1 < self.fan(node) {
            self.join(node, level, slot);
        }
    }

    /// Joins the child in a slot with the next one, if they fit into one node; whether they did.
    fn join(&mut self, node: u32, level: usize, slot: usize) -> bool {
        let branch = &self.branches[node as usize];
        let (left, right) = (branch.children[slot], branch.children[slot + 1]);
        let joined = if level == 1 { self.leaves.join(left, right) } else { self.join_branches(left, right) };
        if joined {
            self.release(right, level - 1);
            self.branches[node as usize].remove(slot + 1);
            self.refresh(node, level, slot);
        }
        joined
    }

    fn join_branches(&mut self, left: u32, right: u32) -> bool {
        if self.fan(left) + self.fan(right) > FAN {
            return false;
        }
        let mut from = std::mem::replace(&mut self.branches[right as usize], Branch::new());
        from.transfer(0, &mut self.branches[left as usize]);
        true
    }

    /// Frees the first leaf, all of whose entries are dropped, and every node that it leaves empty.
    fn drop_first_leaf(&mut self) {
        self.stored -= self.dropped;
        self.dropped = 0;
        if self.height == 0 {
            let len = self.leaves.len(self.root);
            return self.leaves.remove(self.root, 0..len);
        }
        self.drop_first_below(self.root, self.height);
        self.lower();
    }

    fn drop_first_below(&mut self, node: u32, level: usize) {
        let child = self.branches[node as usize].children[0];
        if level > 1 {
            self.drop_first_below(child, level - 1);
        }
        if level == 1 || self.fan(child) == 0 {
            self.release(child, level - 1);
            self.branches[node as usize].remove(0);
        } else {
            self.refresh(node, level, 0);
        }
    }

    /// Takes the dropped entries out of the first leaf if an entry at this rank would go there.
    pub(super) fn settle_before(&mut self, rank: usize) {
        if self.dropped > 0 && rank + self.dropped <= self.leaves.len(self.first_leaf()) {
            self.settle();
        }
    }

    /// Takes the dropped entries out of the first leaf.
    fn settle(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            self.leaves.remove(self.first_leaf(), 0..dropped);
            self.stored -= dropped;
            self.refresh_first(self.root, self.height);
        }
    }

    fn refresh_first(&mut self, node: u32, level: usize) {
        if level > 0 {
            self.refresh_first(self.branches[node as usize].children[0], level - 1);
            self.refresh(node, level, 0);
        }
    }
}

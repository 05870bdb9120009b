//! Reading a tree: by rank, by time, over ranges, backwards to a barrier or a silence.
//!
//! Inside, a place counts the dropped entries of the first leaf too; outside, ranks do not. Since their times
//! are not after those of the entries held, a search by time only has to be cut off at the first one held.

use std::ops::Range;

use super::summary::{Part, Summary};
use super::{Entry, SizedTree};

impl<const LEAF: usize, const FAN: usize> SizedTree<LEAF, FAN> {
    /// The entry of a rank, which must be below `len`.
    pub fn get(&self, rank: usize) -> Entry {
        let (leaf, position) = self.locate(rank + self.dropped);
        self.leaves.get(leaf, position)
    }

    /// Changes whenever entries change their leaf or their position in it: not by appending where there is room, nor
    /// by dropping the oldest.
    pub fn moves(&self) -> u64 {
        self.moves
    }

    /// The leaf of the entry of a rank below `len`, its position there, and how many entries the leaf has.
    pub fn leaf_of(&self, rank: usize) -> (u32, usize, usize) {
        let (leaf, position) = self.locate(rank + self.dropped);
        (leaf, position, self.leaves.len(leaf))
    }

    /// The entry at a position of a leaf.
    pub fn in_leaf(&self, leaf: u32, position: usize) -> Entry {
        self.leaves.get(leaf, position)
    }

    /// First rank with a time of at least `time`, else `len`.
    pub fn lower_bound(&self, time: i64) -> usize {
        self.first_rank(|other| other >= time)
    }

    /// First rank with a time after `time`, else `len`.
    pub fn upper_bound(&self, time: i64) -> usize {
        self.first_rank(|other| other > time)
    }

    /// What the entries of a range of ranks come to; ranks beyond `len` count for nothing.
    pub fn summary(&self, range: Range<usize>) -> Summary {
        let mut summary = Summary::default();
        let places = self.places(range);
        if !places.is_empty() {
            self.summarize(self.root, self.height, places, &mut summary);
        }
        summary
    }

    /// Rank of the first entry at or after `time`, and the summary from there to the end, in one descent.
    pub fn summary_from(&self, time: i64) -> (usize, Summary) {
        let mut summary = Summary::default();
        let (mut node, mut behind, mut first) = (self.root, 0, true);
        for _ in 0..self.height {
            let branch = &self.branches[node as usize];
            let mut slot = branch.len - 1;
            // A whole child is taken only if nothing in it is dropped, which is so behind the first one.
            while slot > 0 && branch.parts[slot - 1].last >= time {
                summary.merge(&branch.parts[slot].summary);
                behind += branch.parts[slot].entries;
                slot -= 1;
            }
            (node, first) = (branch.children[slot], first && slot == 0);
        }
        let end = self.leaves.len(node);
        let dropped = if first { self.dropped } else { 0 };
        let start = self.leaves.position(node, |other| other >= time).max(dropped);
        summary.merge(&self.leaves.summary(node, start..end));
        (self.len() - behind - (end - start), summary)
    }

    /// Greatest rank below `before` that is a barrier.
    pub fn last_barrier(&self, before: usize) -> Option<usize> {
        let places = self.places(0..before);
        self.barrier_in(self.root, self.height, places.end)?.checked_sub(self.dropped)
    }

    /// Greatest rank strictly inside the range whose entry comes more than `gap` ms after the one before it.
    pub fn last_gap(&self, range: Range<usize>, gap: i64) -> Option<usize> {
        let places = self.places(range);
        let place = self.gap_in(self.root, self.height, places, gap)?;
        Some(place - self.dropped)
    }

    /// The entries of a range of ranks, in order; also from the back.
    pub fn iter(&self, range: Range<usize>) -> Entries<'_, LEAF, FAN> {
        let places = self.places(range);
        Entries { tree: self, places, front: Run::default(), back: Run::default() }
    }

    /// Leaf and position of a place.
    pub(super) fn locate(&self, mut place: usize) -> (u32, usize) {
        let mut node = self.root;
        for _ in 0..self.height {
            let branch = &self.branches[node as usize];
            let (slot, start) = branch.holding(place);
            (node, place) = (branch.children[slot], place - start);
        }
        (node, place)
    }

    /// The places of a range of ranks, cut to what is held.
    fn places(&self, range: Range<usize>) -> Range<usize> {
        let place = |rank: usize| rank.min(self.len()) + self.dropped;
        place(range.start)..place(range.end.max(range.start))
    }

    /// First rank whose time satisfies a condition that stays true once it is.
    fn first_rank(&self, reached: impl Fn(i64) -> bool) -> usize {
        let (mut node, mut place) = (self.root, 0);
        for _ in 0..self.height {
            let branch = &self.branches[node as usize];
            let last = branch.len - 1;
            let slot = branch.parts[..last].partition_point(|part| !reached(part.last));
            place += branch.parts[..slot].iter().map(|part| part.entries).sum::<usize>();
            node = branch.children[slot];
        }
        (place + self.leaves.position(node, reached)).saturating_sub(self.dropped)
    }

    fn summarize(&self, node: u32, level: usize, places: Range<usize>, summary: &mut Summary) {
        if level == 0 {
            return summary.merge(&self.leaves.summary(node, places));
        }
        let branch = &self.branches[node as usize];
        for (slot, span) in spans(branch.parts()) {
            let inside = overlap(&span, &places);
            if inside.len() == branch.parts[slot].entries {
                summary.merge(&branch.parts[slot].summary);
            } else if !inside.is_empty() {
                self.summarize(branch.children[slot], level - 1, inside, summary);
            }
        }
    }

    /// Last place below a node, counted from its start and before `end`, that is a barrier.
    fn barrier_in(&self, node: u32, level: usize, end: usize) -> Option<usize> {
        if level == 0 {
            return self.leaves.last_barrier(node, end);
        }
        let branch = &self.branches[node as usize];
        let mut start: usize = branch.parts().iter().map(|part| part.entries).sum();
        for (part, child) in branch.parts().iter().zip(branch.children).rev() {
            start -= part.entries;
            if start < end && part.has_barrier() {
                let found = self.barrier_in(child, level - 1, part.entries.min(end - start));
                if found.is_some() {
                    return found.map(|place| start + place);
                }
            }
        }
        None
    }

    /// Last place strictly inside a range, counted from a node's start, that comes after a silence.
    fn gap_in(&self, node: u32, level: usize, places: Range<usize>, gap: i64) -> Option<usize> {
        if level == 0 {
            return self.leaves.last_gap(node, places, gap);
        }
        let branch = &self.branches[node as usize];
        let mut end: usize = branch.parts().iter().map(|part| part.entries).sum();
        for (slot, part) in branch.parts().iter().enumerate().rev() {
            let start = end - part.entries;
            let inside = overlap(&(start..end), &places);
            if part.gap > gap && inside.len() > 1 {
                let found = self.gap_in(branch.children[slot], level - 1, inside, gap);
                if found.is_some() {
                    return found.map(|place| start + place);
                }
            }
            let edge = slot > 0 && places.start < start && start < places.end;
            if edge && part.first.saturating_sub(branch.parts[slot - 1].last) > gap {
                return Some(start);
            }
            end = start;
        }
        None
    }
}

/// Slots with the places that they span.
fn spans(parts: &[Part]) -> impl Iterator<Item = (usize, Range<usize>)> {
    parts.iter().enumerate().scan(0, |start, (slot, part)| {
        let span = *start..*start + part.entries;
        *start = span.end;
        Some((slot, span))
    })
}

/// What two ranges share, counted from the start of the first.
fn overlap(span: &Range<usize>, places: &Range<usize>) -> Range<usize> {
    let clamp = |place: usize| place.clamp(span.start, span.end) - span.start;
    clamp(places.start)..clamp(places.end)
}

/// Places in one leaf, from `start` on.
#[derive(Clone, Copy, Debug, Default)]
struct Run {
    leaf: u32,
    start: usize,
    len: usize,
}

/// The entries of a range, in order.
#[derive(Clone, Debug)]
pub struct Entries<'a, const LEAF: usize, const FAN: usize> {
    tree: &'a SizedTree<LEAF, FAN>,
    places: Range<usize>,
    front: Run,
    back: Run,
}

impl<const LEAF: usize, const FAN: usize> Entries<'_, LEAF, FAN> {
    /// The entry of a place, from the remembered leaf where it holds it: one descent per leaf, not per entry.
    fn entry(&self, run: &mut Run, place: usize) -> Entry {
        if !(run.start..run.start + run.len).contains(&place) {
            let (leaf, position) = self.tree.locate(place);
            *run = Run { leaf, start: place - position, len: self.tree.leaves.len(leaf) };
        }
        self.tree.leaves.get(run.leaf, place - run.start)
    }
}

impl<const LEAF: usize, const FAN: usize> Iterator for Entries<'_, LEAF, FAN> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let (place, mut run) = (self.places.next()?, self.front);
        let entry = self.entry(&mut run, place);
        self.front = run;
        Some(entry)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl<const LEAF: usize, const FAN: usize> DoubleEndedIterator for Entries<'_, LEAF, FAN> {
    fn next_back(&mut self) -> Option<Entry> {
        let (place, mut run) = (self.places.next_back()?, self.back);
        let entry = self.entry(&mut run, place);
        self.back = run;
        Some(entry)
    }
}

impl<const LEAF: usize, const FAN: usize> ExactSizeIterator for Entries<'_, LEAF, FAN> {}

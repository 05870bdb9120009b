//! The tree against a plain vector, with nodes so small that every split, join and drop happens often.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// The same interface over a sorted vector, without any cleverness.
#[derive(Default)]
struct Model(Vec<Entry>);

impl Model {
    fn insert(&mut self, entry: Entry) -> usize {
        let rank = self.0.partition_point(|other| other.time <= entry.time);
        self.0.insert(rank, entry);
        rank
    }

    fn summary(&self, range: Range<usize>) -> Summary {
        let mut summary = Summary::default();
        self.0[range].iter().for_each(|entry| summary.include(entry));
        summary
    }

    fn last_barrier(&self, before: usize) -> Option<usize> {
        self.0[..before].iter().rposition(|entry| entry.barrier)
    }

    fn last_gap(&self, range: Range<usize>, gap: i64) -> Option<usize> {
        let silent = |rank: &usize| self.0[*rank].time.saturating_sub(self.0[*rank - 1].time) > gap;
        (range.start + 1..range.end).rev().find(silent)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Append { after: i64, barrier: bool, value: i64 },
    Late { before: i64, barrier: bool, value: i64 },
    Far { time: i64, value: i64 },
    Drop { count: usize },
    Remove { at: usize },
    RemoveMany { at: usize, count: usize },
    Supersede { at: usize, value: bool },
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![8 => -100i64..100, 1 => any::<i64>(), 1 => Just(i64::MIN)]
}

fn step() -> impl Strategy<Value = Step> {
    let barrier = || prop::bool::weighted(0.1);
    let after = prop_oneof![Just(0), 0i64..50, 0i64..10_000_000_000];
    prop_oneof![
        12 => (after, barrier(), value()).prop_map(|(after, barrier, value)| Step::Append { after, barrier, value }),
        8 => (0i64..300, barrier(), value()).prop_map(|(before, barrier, value)| Step::Late { before, barrier, value }),
        2 => (-60_000_000_000i64..60_000_000_000, value()).prop_map(|(time, value)| Step::Far { time, value }),
        3 => (0usize..9).prop_map(|count| Step::Drop { count }),
        3 => any::<usize>().prop_map(|at| Step::Remove { at }),
        1 => (any::<usize>(), 0usize..30).prop_map(|(at, count)| Step::RemoveMany { at, count }),
        4 => (any::<usize>(), any::<bool>()).prop_map(|(at, value)| Step::Supersede { at, value }),
    ]
}

/// Both sides of the comparison, and the newest time so far.
struct Pair<const LEAF: usize, const FAN: usize> {
    tree: SizedTree<LEAF, FAN>,
    model: Model,
    newest: i64,
}

impl<const LEAF: usize, const FAN: usize> Pair<LEAF, FAN> {
    fn new() -> Self {
        let tree = SizedTree::new(Layout { values: true, extra: true });
        Pair { tree, model: Model::default(), newest: 0 }
    }

    fn insert(&mut self, time: i64, barrier: bool, value: i64) {
        let extra = self.tree.stored as u128 * 7 + value.unsigned_abs() as u128;
        let entry = Entry { time, barrier, value, extra, superseded: value % 3 == 0 };
        assert_eq!(self.tree.insert(entry), self.model.insert(entry));
        self.newest = self.newest.max(time);
    }

    fn remove(&mut self, at: usize) {
        if !self.model.0.is_empty() {
            let rank = at % self.model.0.len();
            self.model.0.remove(rank);
            self.tree.remove(rank);
        }
    }

    fn apply(&mut self, step: &Step) {
        let len = self.model.0.len();
        match *step {
            Step::Append { after, barrier, value } => self.insert(self.newest + after, barrier, value),
            Step::Late { before, barrier, value } => self.insert(self.newest - before, barrier, value),
            Step::Far { time, value } => self.insert(time, false, value),
            Step::Drop { count } => {
                self.tree.remove_front(count);
                self.model.0.drain(..count.min(len));
            }
            Step::Remove { at } => self.remove(at),
            Step::RemoveMany { at, count } => (0..count).for_each(|_| self.remove(at)),
            Step::Supersede { at, value } if len > 0 => {
                self.tree.set_superseded(at % len, value);
                self.model.0[at % len].superseded = value;
            }
            Step::Supersede { .. } => {}
        }
    }

    /// All questions, at places taken from `seed`.
    fn compare(&self, seed: usize) {
        let len = self.model.0.len();
        assert_eq!(self.tree.len(), len);
        assert_eq!(self.tree.is_empty(), len == 0);
        let (one, other) = (seed % (len + 1), seed / 1000 % (len + 1));
        let range = one.min(other)..one.max(other);
        assert_eq!(self.tree.summary(range.clone()), self.model.summary(range.clone()));
        assert_eq!(self.tree.last_barrier(one), self.model.last_barrier(one));
        for gap in [0, 1, 20, 5_000_000_000] {
            assert_eq!(self.tree.last_gap(range.clone(), gap), self.model.last_gap(range.clone(), gap));
        }
        if one < len {
            let entry = self.model.0[one];
            assert_eq!(self.tree.get(one), entry);
            (-1..=1).for_each(|aside| self.compare_time(entry.time + aside));
        }
        self.compare_time(i64::MIN);
        self.compare_time(i64::MAX);
    }

    fn compare_time(&self, time: i64) {
        let lower = self.model.0.partition_point(|entry| entry.time < time);
        let upper = self.model.0.partition_point(|entry| entry.time <= time);
        assert_eq!((self.tree.lower_bound(time), self.tree.upper_bound(time)), (lower, upper));
        assert_eq!(self.tree.summary_from(time), (lower, self.model.summary(lower..self.model.0.len())));
    }

    fn compare_entries(&self, seed: usize) {
        let len = self.model.0.len();
        let range = seed % (len + 1)..len;
        let expected = &self.model.0[range.clone()];
        assert!(self.tree.iter(range.clone()).eq(expected.iter().copied()));
        assert!(self.tree.iter(range).rev().eq(expected.iter().rev().copied()));
    }

    /// Every part says what is below it, and nothing is empty.
    fn audit(&self, node: u32, level: usize) -> Part {
        if level == 0 {
            return self.tree.leaves.part(node);
        }
        let branch = &self.tree.branches[node as usize];
        let mut whole = Part::default();
        for (slot, part) in branch.parts().iter().enumerate() {
            assert_eq!(*part, self.audit(branch.children[slot], level - 1));
            assert!(part.entries > 0);
            whole.append(part);
        }
        whole
    }
}

fn check<const LEAF: usize, const FAN: usize>(steps: &[(Step, usize)]) {
    let mut pair = Pair::<LEAF, FAN>::new();
    for (index, (step, seed)) in steps.iter().enumerate() {
        pair.apply(step);
        pair.compare(*seed);
        if index % 16 == 0 {
            pair.compare_entries(*seed);
            assert_eq!(pair.audit(pair.tree.root, pair.tree.height).entries, pair.tree.stored);
        }
    }
    pair.compare_entries(0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn equals_a_vector_with_the_smallest_nodes(steps in vec((step(), any::<usize>()), 0..400)) {
        check::<2, 4>(&steps);
    }

    #[test]
    fn equals_a_vector_with_small_nodes(steps in vec((step(), any::<usize>()), 0..400)) {
        check::<5, 4>(&steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20))]

    #[test]
    fn equals_a_vector_with_real_nodes(steps in vec((step(), any::<usize>()), 1000..2500)) {
        check::<64, 16>(&steps);
    }
}

fn filled(layout: Layout, count: i64) -> Tree {
    let mut tree = Tree::new(layout);
    for time in 0..count {
        tree.insert(Entry { time: time * 1000, value: time, ..Entry::default() });
    }
    tree
}

#[test]
fn an_entry_in_order_is_small() {
    for (values, most) in [(false, 8.0), (true, 16.0)] {
        for count in [10_000, 50_000, 200_000] {
            let bytes = filled(Layout { values, extra: false }, count).bytes() as f64 / count as f64;
            assert!(bytes <= most, "{bytes} bytes per entry, values {values}, {count} entries");
        }
    }
}

#[test]
fn a_sliding_window_stops_growing() {
    let mut tree = filled(Layout { values: true, extra: false }, 20_000);
    let step = |tree: &mut Tree, time: i64| {
        tree.insert(Entry { time: time * 1000, ..Entry::default() });
        tree.remove_front(1);
    };
    (20_000..45_000).for_each(|time| step(&mut tree, time));
    let bytes = tree.bytes();
    (45_000..200_000).for_each(|time| step(&mut tree, time));
    assert_eq!((tree.bytes(), tree.len()), (bytes, 20_000));
}

#[test]
fn entries_out_of_each_others_reach_share_leaves_where_they_can() {
    let month = 30 * 86_400_000;
    let mut tree = Tree::new(Layout::default());
    tree.insert(Entry { time: 0, ..Entry::default() });
    tree.insert(Entry { time: 100 * month, ..Entry::default() });
    for time in 0..6_000 {
        tree.insert(Entry { time: 50 * month - time, ..Entry::default() });
    }
    assert_eq!((tree.len(), tree.lower_bound(50 * month - 10)), (6_002, 5_990));
    // Half-full leaves, not a leaf of its own for each.
    assert!(tree.bytes() < 6_000 * 24, "{}", tree.bytes());
}

#[test]
fn a_missing_column_reads_as_zero() {
    let mut tree = Tree::new(Layout::default());
    tree.insert(Entry { time: 5, value: 7, extra: 9, ..Entry::default() });
    assert_eq!(tree.get(0), Entry { time: 5, ..Entry::default() });
    let expected = Summary { count: 1, live: 1, min: 0, max: 0, ..Summary::default() };
    assert_eq!(tree.summary(0..1), expected);
    assert_eq!(tree.summary_from(6), (1, Summary::default()));
}

#[test]
fn a_rank_beyond_the_end_changes_nothing() {
    let mut tree = filled(Layout { values: true, extra: false }, 100);
    let before = tree.summary(0..100);
    tree.remove(100);
    tree.set_superseded(100, true);
    assert_eq!((tree.summary(0..usize::MAX), tree.last_barrier(usize::MAX)), (before, None));
    tree.remove_front(usize::MAX);
    assert_eq!((tree.len(), tree.summary(0..1)), (0, Summary::default()));
}

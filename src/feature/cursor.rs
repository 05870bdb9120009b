//! Windows of a hot series that slide along with it.
//!
//! While a key's events come in order, each window only gains the new entry and loses its oldest ones. A cursor keeps
//! where a window starts and what its entries come to, so a read costs what has left since the last one, however many
//! entries there are. Whatever is not an append or a removal from the front forgets the cursors, and the next read
//! finds its place in the tree again. Cursors follow from the entries and are in no snapshot.

use super::hot::HotSeries;
use super::tree::Entry;

/// The start of one window.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cursor {
    /// Where the window started, ms.
    start: i64,
    /// Number of the window's first entry, counted from the series' very first.
    from: u64,
    /// What the entries from there on come to.
    sum: i128,
    live: u64,
    leaf: LeafSpan,
}

/// The leaf looked at last, by the numbers of its entries.
#[derive(Debug, Clone, Copy, Default)]
struct LeafSpan {
    leaf: u32,
    start: u64,
    len: u64,
    /// How the tree was when it was looked at.
    moves: u64,
}

/// What a window holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sliding {
    /// Entries.
    pub count: u64,
    /// Sum of their numbers.
    pub sum: i128,
    /// Entries that no later one repeats.
    pub live: u64,
}

impl Cursor {
    /// Notes that an entry was appended; `repeats` is the number of the entry whose value it has.
    pub fn append(&mut self, entry: &Entry, repeats: Option<u64>) {
        self.sum += i128::from(entry.value);
        self.live += 1;
        self.live -= u64::from(repeats.is_some_and(|number| number >= self.from));
    }
}

impl HotSeries {
    /// What the window from `start` (ms) on holds, where windows are read by the same number `index` of `windows` each
    /// time, and mostly in order. The series has no barriers.
    pub fn slide(&mut self, index: usize, windows: usize, start: i64) -> Sliding {
        if self.cursors.len() != windows {
            self.cursors = vec![None; windows];
        }
        let end = self.gone + self.tree.len() as u64;
        let known = self.cursors[index].filter(|cursor| cursor.from >= self.gone && cursor.start <= start);
        let cursor = match known {
            Some(cursor) => self.advance(cursor, end, start),
            None => self.find(start),
        };
        self.cursors[index] = Some(cursor);
        Sliding { count: end - cursor.from, sum: cursor.sum, live: cursor.live }
    }

    fn find(&self, start: i64) -> Cursor {
        let rank = self.tree.lower_bound(start);
        let summary = self.tree.summary(rank..self.tree.len());
        let from = self.gone + rank as u64;
        Cursor { start, from, sum: summary.sum, live: summary.live, leaf: LeafSpan::default() }
    }

    fn advance(&self, mut cursor: Cursor, end: u64, start: i64) -> Cursor {
        cursor.start = start;
        while cursor.from < end {
            if cursor.from - cursor.leaf.start >= cursor.leaf.len || cursor.leaf.moves != self.tree.moves() {
                let (leaf, position, len) = self.tree.leaf_of((cursor.from - self.gone) as usize);
                cursor.leaf =
                    LeafSpan { leaf, start: cursor.from - position as u64, len: len as u64, moves: self.tree.moves() };
            }
            let entry = self.tree.in_leaf(cursor.leaf.leaf, (cursor.from - cursor.leaf.start) as usize);
            if entry.time >= start {
                break;
            }
            cursor.from += 1;
            cursor.sum -= i128::from(entry.value);
            cursor.live -= u64::from(!entry.superseded);
        }
        cursor
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::hot::HotSeries;
    use crate::feature::series::Series;
    use proptest::prelude::*;

    proptest! {
        /// Whatever happens between reads, a window holds what a fresh search finds.
        #[test]
        fn a_cursor_says_what_the_tree_says(steps in prop::collection::vec((0..40_i64, 0..6_u128, 0..10_u8), 1..400)) {
            let mut series = HotSeries::of_hashes();
            let mut now = 0;
            for (step, value, kind) in steps {
                match kind {
                    0 if series.len() > 0 => series.remove_front(1 + value as usize % series.len()),
                    1 if series.len() > 0 => series.remove(value as usize % series.len()),
                    2 => series.insert(Entry { time: now - step, value: step, extra: value, ..Entry::default() }),
                    3 => {}
                    _ => {
                        now += step;
                        series.insert(Entry { time: now, value: step, extra: value, ..Entry::default() });
                    }
                }
                for (index, length) in [10, 100, 1000].into_iter().enumerate() {
                    // An event that only reads may be followed by an earlier one.
                    let start = now - length + if kind == 3 { step } else { 0 };
                    let found = series.slide(index, 3, start);
                    let rank = series.lower_bound(start);
                    let summary = series.tree.summary(rank..series.len());
                    let expected = Sliding { count: (series.len() - rank) as u64, sum: summary.sum, live: summary.live };
                    prop_assert_eq!(found, expected);
                }
            }
        }
    }
}

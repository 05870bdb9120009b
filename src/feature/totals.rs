//! Running totals of the entries that every future read of a calendar or lifetime window will hold.
//!
//! An entry older than any event that can still be accepted is in the window of each later event of the same period.
//! So it need not be kept: it is added here, and a lifetime count costs a few words however many events it counted.

use super::exact::U256;
use super::record::{join, split};
use super::series::Needs;
use super::tree::Summary;

/// Totals of one period.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// First instant of the period, ms; `i64::MIN` for a lifetime.
    pub start: i64,
    /// What was added up; `live` is unused.
    pub summary: Summary,
}

impl Totals {
    /// Adds the totals of further entries.
    pub fn add(&mut self, more: &Summary) {
        self.summary.merge(more);
    }

    /// Words these totals take, given what has to be kept.
    pub fn words(needs: Needs) -> usize {
        4 + 4 * usize::from(needs.sum) + 8 * usize::from(needs.squares) + 4 * usize::from(needs.extremes)
    }

    /// Reads totals from the head of a region.
    pub fn read(words: &[u32], needs: Needs) -> Totals {
        let mut take = Reader { words };
        let start = take.long() as i64;
        let mut summary = Summary { count: take.long(), ..Summary::default() };
        if summary.count == 0 {
            return Totals { start, summary };
        }
        if needs.sum {
            summary.sum = take.wide() as i128;
        }
        if needs.squares {
            summary.squares = U256 { low: take.wide(), high: take.wide() };
        }
        if needs.extremes {
            (summary.min, summary.max) = (take.long() as i64, take.long() as i64);
        }
        Totals { start, summary }
    }

    /// Writes totals to the head of a region.
    pub fn write(&self, words: &mut [u32], needs: Needs) {
        let mut put = Writer { words };
        put.long(self.start as u64);
        put.long(self.summary.count);
        if needs.sum {
            put.wide(self.summary.sum as u128);
        }
        if needs.squares {
            put.wide(self.summary.squares.low);
            put.wide(self.summary.squares.high);
        }
        if needs.extremes {
            put.long(self.summary.min as u64);
            put.long(self.summary.max as u64);
        }
    }
}

struct Reader<'a> {
    words: &'a [u32],
}

impl Reader<'_> {
    fn long(&mut self) -> u64 {
        let value = join(self.words[0], self.words[1]);
        self.words = &self.words[2..];
        value
    }

    fn wide(&mut self) -> u128 {
        u128::from(self.long()) | u128::from(self.long()) << 64
    }
}

struct Writer<'a> {
    words: &'a mut [u32],
}

impl Writer<'_> {
    fn long(&mut self, value: u64) {
        let (head, rest) = std::mem::take(&mut self.words).split_at_mut(2);
        head.copy_from_slice(&split(value));
        self.words = rest;
    }

    fn wide(&mut self, value: u128) {
        self.long(value as u64);
        self.long((value >> 64) as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_survive_being_written() {
        let summary =
            Summary { count: 3, sum: -7, squares: U256 { high: 1, low: u128::MAX }, min: i64::MIN, max: 9, live: 0 };
        let totals = Totals { start: -1, summary };
        let needs = Needs { sum: true, squares: true, extremes: true };
        let mut words = vec![0; Totals::words(needs)];
        totals.write(&mut words, needs);
        assert_eq!(Totals::read(&words, needs), totals);
    }
}

//! What can be asked of a time-ordered series of entries, and the small representation that most keys use.
//!
//! Entries are sorted by time and, among equals, by arrival. Some are *barriers*: they hide what lies before them.
//! A [`Flat`] series is a slice of words scanned directly: at the few dozen entries a key usually holds, a scan beats
//! running counters, needs no bookkeeping when windows slide, and treats late events like all others.
//! A key that outgrows it continues as a [`super::hot::HotSeries`], which answers the same questions in O(log n).

use std::ops::Range;

use super::exact::U256;
use super::plan::{Cell, Stream};
use super::record::join;
use super::tree::Summary;

/// A time-ordered series of entries, addressed by rank.
#[expect(clippy::len_without_is_empty, reason = "nobody asks")]
pub trait Series {
    /// Number of entries, barriers included.
    fn len(&self) -> usize;
    /// Time of an entry, ms.
    fn time(&self, rank: usize) -> i64;
    /// First rank with a time at or after `time`.
    fn lower_bound(&self, time: i64) -> usize;
    /// First rank with a time after `time`.
    fn upper_bound(&self, time: i64) -> usize;
    /// The newest barrier below a rank.
    fn last_barrier(&self, before: usize) -> Option<usize>;
    /// The greatest rank in the range, its start excepted, that follows a silence longer than `gap`.
    fn last_gap(&self, range: Range<usize>, gap: i64) -> Option<usize>;
    /// Totals over a range without barriers.
    fn summary(&self, range: Range<usize>, needs: Needs) -> Summary;
    /// The number of an entry.
    fn number(&self, rank: usize) -> i64;
    /// The hash, place, address or text handle of an entry.
    fn extra(&self, rank: usize) -> u128;
    /// Number of distinct values in a range without barriers.
    fn distinct(&self, range: Range<usize>) -> u64;
    /// Whether an entry of the range has this value.
    fn contains(&self, range: Range<usize>, value: u128) -> bool;
}

/// Which totals a read needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Needs {
    /// Sum.
    pub sum: bool,
    /// Sum of squares.
    pub squares: bool,
    /// Smallest and greatest.
    pub extremes: bool,
}

/// How the entries of a stream lie in words: time first (barrier in its lowest bit), then the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Words of the time: 1 (31 bits, relative) or 2.
    pub time_words: usize,
    /// Words of an entry.
    pub stride: usize,
    /// 2^16 / stride, rounded up.
    reciprocal: usize,
}

/// The bit of a hash that says that a later entry has the same value.
pub const SUPERSEDED: u128 = 1 << 127;

/// The same bit in the last word of the hash.
pub const SUPERSEDED_WORD: u32 = (SUPERSEDED >> 96) as u32;

/// Narrow times are kept in these bits of a word, next to the bit that marks barriers.
pub const NARROW: u32 = (1 << 31) - 1;

impl Layout {
    /// The layout of a stream's entries.
    pub fn of(stream: &Stream) -> Layout {
        let time_words = if stream.wide { 2 } else { 1 };
        let value_words = match stream.cell {
            Cell::Unit => 0,
            Cell::Text => 1,
            Cell::Number(_) => 2,
            Cell::Hash | Cell::Place | Cell::Address => 4,
        };
        Layout::new(time_words, value_words)
    }

    /// A layout of so many words.
    pub fn new(time_words: usize, value_words: usize) -> Layout {
        let stride = time_words + value_words;
        Layout { time_words, stride, reciprocal: (1_usize << 16).div_ceil(stride) }
    }

    /// Writes an entry.
    #[inline]
    pub fn write(self, words: &mut [u32], time: i64, barrier: bool, number: i64, extra: u128) {
        if self.time_words == 1 {
            words[0] = (time as u32) << 1 | u32::from(barrier);
        } else {
            let stamp = (time as u64) << 1 | u64::from(barrier);
            [words[0], words[1]] = super::record::split(stamp);
        }
        match &mut words[self.time_words..self.stride] {
            [] => {}
            [handle] => *handle = extra as u32,
            [low, high] => [*low, *high] = super::record::split(number as u64),
            value => write_extra(value, extra),
        }
    }

    /// Writes an entry that is its extra value alone.
    pub fn write_extra(self, words: &mut [u32], extra: u128) {
        write_extra(&mut words[self.time_words..self.stride], extra);
    }
}

fn square(value: i64) -> U256 {
    let size = u128::from(value.unsigned_abs());
    U256::from(size * size)
}

#[inline]
fn write_extra(words: &mut [u32], extra: u128) {
    if let [a, b, c, d] = words {
        [*a, *b] = super::record::split(extra as u64);
        [*c, *d] = super::record::split((extra >> 64) as u64);
    }
}

/// Entries in a slice of words.
#[derive(Debug, Clone, Copy)]
pub struct Flat<'a> {
    words: &'a [u32],
    layout: Layout,
    /// The key's newest time: narrow times lie less than 2^31 ms below it.
    newest: i64,
    len: usize,
}

impl<'a> Flat<'a> {
    /// A view of the entries in `words`.
    #[inline(always)]
    pub fn new(words: &'a [u32], layout: Layout, newest: i64) -> Self {
        // Division by multiplication: exact, as regions have less than 2^15 words and strides are at most 6.
        let len = (words.len() * layout.reciprocal) >> 16;
        Flat { words, layout, newest, len }
    }

    /// Whether the entry is a barrier.
    #[inline(always)]
    pub fn is_barrier(&self, rank: usize) -> bool {
        self.words[rank * self.layout.stride] & 1 != 0
    }

    #[inline(always)]
    fn age(&self, rank: usize) -> i64 {
        let word = self.words[rank * self.layout.stride];
        i64::from((self.newest as u32).wrapping_sub(word >> 1) & NARROW)
    }

    /// Whether no later entry has the same value; the flag is the highest bit of an entry's last word.
    #[inline(always)]
    fn is_live(&self, rank: usize) -> bool {
        self.words[(rank + 1) * self.layout.stride - 1] >> 31 == 0
    }

    /// The newest entry of the range with a hashed value.
    #[inline]
    pub fn find(&self, range: Range<usize>, value: u128) -> Option<usize> {
        // The low word tells nearly all apart.
        let low = value as u32;
        let same = |&rank: &usize| {
            self.words[self.value_at(rank)] == low && self.extra(rank) & !SUPERSEDED == value && !self.is_barrier(rank)
        };
        range.rev().find(same)
    }

    #[inline(always)]
    fn value_at(&self, rank: usize) -> usize {
        rank * self.layout.stride + self.layout.time_words
    }
}

impl Series for Flat<'_> {
    #[inline]
    fn len(&self) -> usize {
        self.len
    }

    #[inline(always)]
    fn time(&self, rank: usize) -> i64 {
        if self.layout.time_words == 1 {
            return self.newest - self.age(rank);
        }
        let at = rank * self.layout.stride;
        join(self.words[at], self.words[at + 1]) as i64 >> 1
    }

    #[inline]
    fn lower_bound(&self, time: i64) -> usize {
        // From the old end: windows often hold all that is kept.
        let (mut low, mut high) = (0, self.len);
        if high == 0 || self.time(0) >= time {
            return 0;
        }
        while low < high {
            let middle = (low + high) / 2;
            if self.time(middle) < time {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    #[inline(always)]
    fn upper_bound(&self, time: i64) -> usize {
        if time >= self.newest {
            return self.len;
        }
        let mut rank = self.len;
        while rank > 0 && self.time(rank - 1) > time {
            rank -= 1;
        }
        rank
    }

    fn last_barrier(&self, before: usize) -> Option<usize> {
        (0..before).rev().find(|&rank| self.is_barrier(rank))
    }

    fn last_gap(&self, range: Range<usize>, gap: i64) -> Option<usize> {
        (range.start + 1..range.end).rev().find(|&rank| self.time(rank) - self.time(rank - 1) > gap)
    }

    #[inline]
    fn summary(&self, range: Range<usize>, needs: Needs) -> Summary {
        let mut total = Summary { count: (range.end - range.start) as u64, ..Summary::default() };
        if needs.sum {
            for rank in range.clone() {
                total.sum += i128::from(self.number(rank));
            }
        }
        if needs.squares {
            for rank in range.clone() {
                total.squares = total.squares.wrapping_add(square(self.number(rank)));
            }
        }
        if needs.extremes {
            for rank in range {
                total.min = total.min.min(self.number(rank));
                total.max = total.max.max(self.number(rank));
            }
        }
        total
    }

    #[inline(always)]
    fn number(&self, rank: usize) -> i64 {
        let at = self.value_at(rank);
        join(self.words[at], self.words[at + 1]) as i64
    }

    #[inline(always)]
    fn extra(&self, rank: usize) -> u128 {
        let at = self.value_at(rank);
        match self.words.get(at..at + self.layout.stride - self.layout.time_words) {
            Some(&[a, b, c, d]) => u128::from(join(a, b)) | u128::from(join(c, d)) << 64,
            Some(&[handle]) => u128::from(handle),
            _ => 0,
        }
    }

    fn distinct(&self, range: Range<usize>) -> u64 {
        if range.end == self.len {
            return range.filter(|&rank| self.is_live(rank)).count() as u64;
        }
        let seen_before = |rank: usize| self.contains(range.start..rank, self.extra(rank) & !SUPERSEDED);
        range.clone().filter(|&rank| !seen_before(rank)).count() as u64
    }

    fn contains(&self, range: Range<usize>, value: u128) -> bool {
        self.find(range, value).is_some()
    }
}

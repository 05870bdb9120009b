//! The token bucket (`leaky_bucket`): state per key that is not a window.
//!
//! Level and time are whole milliseconds: one token is worth `leak` ms of credit, so refilling is adding the elapsed
//! time, and nothing is ever rounded. A bucket without state is full.
//!
//! ```text
//! 0..2   greatest entry time of this life, i64 ms
//! 2..4   credit, i64 ms
//! ...    hashes of the values seen in this life (with `distinct`), or the index of a set of them
//! ```

use std::collections::BTreeSet;

use super::hot::Hot;
use super::open::{Open, Shape};
use super::record::{self, join, split};
use super::series::Series;

/// Words before the seen values.
pub const PREFIX: usize = 4;

/// Capacity and leak of a bucket.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    /// Tokens.
    pub capacity: i64,
    /// One token comes back per so many ms.
    pub leak: i64,
}

impl Bucket {
    fn full(self) -> i64 {
        self.capacity.saturating_mul(self.leak)
    }

    /// Silence after which a life has ended, ms.
    fn lifetime(self) -> i64 {
        self.capacity.saturating_add(1).saturating_mul(self.leak)
    }
}

/// Takes an entry at `time`; `value` is its distinct value, if the bucket looks at one. Returns whether it overflowed.
pub fn enter(open: &mut Open, stream: usize, shape: &Shape, bucket: Bucket, time: i64, value: Option<u128>) -> bool {
    let mut state = state(open, stream);
    if state.is_some_and(|(newest, _)| time.saturating_sub(newest) > bucket.lifetime()) {
        open.clear(stream, shape);
        state = None;
    }
    if value.is_some_and(|value| seen(open, stream, shape, value)) {
        return false;
    }
    let (newest, credit) = state.unwrap_or((time, bucket.full()));
    let elapsed = time.saturating_sub(newest).max(0);
    let credit = credit.saturating_add(elapsed).min(bucket.full());
    if credit < bucket.leak {
        open.clear(stream, shape);
        return true;
    }
    set_state(open, stream, shape, newest.max(time), credit - bucket.leak);
    if let Some(value) = value {
        see(open, stream, shape, value);
    }
    false
}

/// Frees a bucket that every later event would find in a new life.
pub fn trim(open: &mut Open, stream: usize, shape: &Shape, bucket: Bucket, floor: i64) {
    if state(open, stream).is_some_and(|(newest, _)| floor.saturating_sub(newest) > bucket.lifetime()) {
        open.clear(stream, shape);
    }
}

/// Greatest entry time and credit, both ms; `None` for a full bucket without a life.
pub fn state(open: &Open, stream: usize) -> Option<(i64, i64)> {
    match open.region_words(stream) {
        [a, b, c, d, ..] => Some((join(*a, *b) as i64, join(*c, *d) as i64)),
        _ => None,
    }
}

/// Sets the state.
pub fn set_state(open: &mut Open, stream: usize, shape: &Shape, newest: i64, credit: i64) {
    open.ensure_prefix(stream, shape);
    let start = open.region(stream).start;
    let words = open.words_mut();
    words[start..start + 2].copy_from_slice(&split(newest as u64));
    words[start + 2..start + 4].copy_from_slice(&split(credit as u64));
}

/// The values seen in this life, sorted.
pub fn seen_values(open: &mut Open, stream: usize, shape: &Shape) -> BTreeSet<u128> {
    if open.region(stream).hot {
        let index = open.hot_index(stream);
        return match open.memory.hot.get(index) {
            Hot::Seen(seen) => seen.values.clone(),
            Hot::Series(_) => BTreeSet::new(),
        };
    }
    let flat = open.flat(stream, shape);
    (0..flat.len()).map(|rank| flat.extra(rank)).collect()
}

fn seen(open: &mut Open, stream: usize, shape: &Shape, value: u128) -> bool {
    if open.region(stream).hot {
        let index = open.hot_index(stream);
        return matches!(open.memory.hot.get(index), Hot::Seen(seen) if seen.values.contains(&value));
    }
    let flat = open.flat(stream, shape);
    (0..flat.len()).any(|rank| flat.extra(rank) == value)
}

/// Adds a value to those seen.
pub fn see(open: &mut Open, stream: usize, shape: &Shape, value: u128) {
    if open.region(stream).hot {
        let index = open.hot_index(stream);
        if let Hot::Seen(seen) = open.memory.hot.get_mut(index) {
            seen.values.insert(value);
        }
        open.memory.recount(index);
        return;
    }
    if open.flat(stream, shape).len() >= shape.scanned || record::used(open.words()) >= record::LARGE_RECORD {
        let mut values = seen_values(open, stream, shape);
        values.insert(value);
        let index = open.memory.put_hot(Hot::Seen(values.into()));
        open.become_hot(stream, shape, index);
        return;
    }
    let at = open.region(stream).words;
    open.splice(stream, at, 0, shape.layout.stride);
    let start = open.region(stream).start + at;
    shape.layout.write_extra(&mut open.words_mut()[start..start + shape.layout.stride], value);
}

//! Sliding windows with running counters: a queue of entries, evicted at the front.
//!
//! An entry counts as long as its time is not before the event's time minus the window. A back-dated entry is put in
//! its place, but what has been evicted does not come back.

use std::collections::{HashMap, VecDeque};

/// Entries of the last `span` ms, oldest first.
#[derive(Debug)]
struct Window<T> {
    span: i64,
    entries: VecDeque<(i64, T)>,
}

impl<T> Window<T> {
    fn new(span: i64) -> Self {
        Window { span, entries: VecDeque::new() }
    }

    fn push(&mut self, time: i64, value: T) {
        let place = match self.entries.back() {
            Some((newest, _)) if *newest > time => self.entries.partition_point(|(other, _)| *other <= time),
            _ => self.entries.len(),
        };
        self.entries.insert(place, (time, value));
    }

    /// Takes out the oldest entry if it is no longer in the window at `now`.
    fn pop_expired(&mut self, now: i64) -> Option<T> {
        let (oldest, _) = self.entries.front()?;
        if *oldest >= now - self.span {
            return None;
        }
        self.entries.pop_front().map(|(_, value)| value)
    }
}

/// Number of entries.
#[derive(Debug)]
pub struct Count {
    window: Window<()>,
}

impl Count {
    pub fn new(span: i64) -> Self {
        Count { window: Window::new(span) }
    }

    pub fn push(&mut self, time: i64) {
        self.window.push(time, ());
    }

    pub fn read(&mut self, now: i64) -> i64 {
        while self.window.pop_expired(now).is_some() {}
        self.window.entries.len() as i64
    }
}

/// Sum and mean of amounts in fen.
#[derive(Debug)]
pub struct Total {
    window: Window<i64>,
    sum: i128,
}

impl Total {
    pub fn new(span: i64) -> Self {
        Total { window: Window::new(span), sum: 0 }
    }

    pub fn push(&mut self, time: i64, amount: i64) {
        self.window.push(time, amount);
        self.sum += i128::from(amount);
    }

    /// The sum; `None` beyond i64.
    pub fn sum(&mut self, now: i64) -> Option<i64> {
        self.evict(now);
        i64::try_from(self.sum).ok()
    }

    /// The mean in yuan; `None` without entries. Rounded once while the sum is below 2^53 fen.
    pub fn mean(&mut self, now: i64) -> Option<f64> {
        self.evict(now);
        let entries = self.window.entries.len();
        (entries > 0).then(|| self.sum as f64 / (entries * 100) as f64)
    }

    fn evict(&mut self, now: i64) {
        while let Some(amount) = self.window.pop_expired(now) {
            self.sum -= i128::from(amount);
        }
    }
}

/// Number of distinct texts.
#[derive(Debug)]
pub struct Distinct {
    window: Window<String>,
    counts: HashMap<String, u32>,
}

impl Distinct {
    pub fn new(span: i64) -> Self {
        Distinct { window: Window::new(span), counts: HashMap::new() }
    }

    pub fn push(&mut self, time: i64, value: &str) {
        self.window.push(time, value.to_owned());
        match self.counts.get_mut(value) {
            Some(count) => *count += 1,
            None => drop(self.counts.insert(value.to_owned(), 1)),
        }
    }

    pub fn read(&mut self, now: i64) -> i64 {
        while let Some(value) = self.window.pop_expired(now) {
            match self.counts.get_mut(&value) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(self.counts.remove(&value)),
            }
        }
        self.counts.len() as i64
    }
}

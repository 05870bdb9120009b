//! How far the stream has come, for those who only look: by lane what is committed.

use std::sync::atomic::{AtomicI64, Ordering};

/// By source lane the next offset that is committed.
#[derive(Debug)]
pub struct Progress(Vec<AtomicI64>);

impl Progress {
    /// At these positions.
    pub fn new(committed: &[i64]) -> Progress {
        Progress(committed.iter().map(|offset| AtomicI64::new(*offset)).collect())
    }

    /// Moves on.
    pub fn set(&self, committed: &[i64]) {
        self.0.iter().zip(committed).for_each(|(held, offset)| held.store(*offset, Ordering::Relaxed));
    }

    /// What is committed of a lane.
    pub fn committed(&self, lane: usize) -> i64 {
        self.0[lane].load(Ordering::Relaxed)
    }
}

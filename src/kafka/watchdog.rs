//! Notices that a call into Kafka does not come back.
//!
//! Handing offsets to a transaction ignores its time limit while the group's coordinator is away, and then blocks for
//! as long as that lasts. A call cannot be ended from outside, so somebody else has to notice and end the process,
//! which is safe: the transaction was not committed. The thread that makes the calls marks them here; the one that
//! watches asks now and then. This type spawns nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A call that takes longer than allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overrun {
    /// What was called.
    pub doing: &'static str,
    /// For how long it has been going on.
    pub elapsed: Duration,
}

/// Shared between the thread that calls and the one that watches. Clones watch the same calls.
#[derive(Clone, Debug)]
pub struct Watchdog {
    limit: Duration,
    running: Arc<Mutex<Option<(&'static str, Instant)>>>,
}

/// The mark of a running call; gone when dropped.
#[must_use = "the call is watched only while this lives"]
pub struct Watched<'a>(&'a Watchdog);

impl Watchdog {
    /// A watchdog for calls that must come back within `limit`.
    #[must_use]
    pub fn new(limit: Duration) -> Self {
        Self { limit, running: Arc::new(Mutex::new(None)) }
    }

    /// Marks the start of a call; the end is when the mark is dropped. One call at a time.
    pub fn watch(&self, doing: &'static str) -> Watched<'_> {
        #[expect(clippy::disallowed_methods, reason = "how long the broker takes is measured, never decided upon")]
        let now = Instant::now();
        *self.running() = Some((doing, now));
        Watched(self)
    }

    /// The call that has been going on for longer than allowed, if one has.
    #[must_use]
    pub fn overrun(&self) -> Option<Overrun> {
        let (doing, since) = (*self.running())?;
        let elapsed = since.elapsed();
        (elapsed > self.limit).then_some(Overrun { doing, elapsed })
    }

    /// The lock is held for one assignment, so what a panic elsewhere left is whole.
    fn running(&self) -> MutexGuard<'_, Option<(&'static str, Instant)>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        *self.0.running() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_running_call_beyond_its_limit_is_reported() {
        let (patient, strict) = (Watchdog::new(Duration::from_secs(3600)), Watchdog::new(Duration::ZERO));
        assert_eq!(strict.overrun(), None, "nothing runs");
        let (_calm, seen) = (patient.watch("commit"), strict.clone());
        let call = strict.watch("send offsets");
        while strict.overrun().is_none() {
            std::hint::spin_loop();
        }
        assert_eq!(seen.overrun().map(|overrun| overrun.doing), Some("send offsets"), "a clone sees the same");
        assert_eq!(patient.overrun(), None, "within the limit");
        drop(call);
        assert_eq!(strict.overrun(), None, "it came back");
    }
}

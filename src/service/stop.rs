//! The wish to end, shared by all threads: whoever waits is woken by it.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::clock::instant;

/// Asked for once, for good.
#[derive(Debug, Default)]
pub struct Stop {
    since: Mutex<Option<Instant>>,
    asked: Condvar,
}

impl Stop {
    /// Asks all threads to end.
    pub fn request(&self) {
        self.lock().get_or_insert_with(instant);
        self.asked.notify_all();
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.lock().is_some()
    }

    /// How long ago it was asked for.
    pub fn requested_for(&self) -> Option<Duration> {
        self.lock().map(|since| since.elapsed())
    }

    /// Waits so long, or until it is asked for; whether it was.
    pub fn wait(&self, duration: Duration) -> bool {
        let waited = self.asked.wait_timeout_while(self.lock(), duration, |since| since.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_some()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn whoever_waits_is_woken() {
        let stop = Arc::new(Stop::default());
        assert!(!stop.wait(Duration::from_millis(1)) && stop.requested_for().is_none());
        let other = Arc::clone(&stop);
        #[expect(clippy::disallowed_methods, reason = "somebody has to wait meanwhile")]
        let waiting = std::thread::spawn(move || other.wait(Duration::from_secs(3600)));
        stop.request();
        assert!(waiting.join().expect("it ends"));
        assert!(stop.is_requested() && stop.requested_for().is_some());
    }
}

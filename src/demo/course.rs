//! How far the demonstration has come: what was sent, what was decided, when to end. Whoever sends waits here for
//! whoever decides, because the in-process cluster forgets what is more than 5 MiB back.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::service::clock::instant;
use crate::service::stop::Stop;

/// How long a wait lasts before it is looked whether there is anything to wait for.
const SLICE: Duration = Duration::from_millis(50);

/// What was decided, and when the newest of it.
#[derive(Debug, Default)]
struct Decided {
    events: u64,
    newest: Option<Instant>,
}

/// Shared by all threads of the demonstration.
#[derive(Debug, Default)]
pub struct Course {
    sent: AtomicU64,
    /// Time of the newest event sent, epoch ms.
    time: AtomicI64,
    began: OnceLock<Instant>,
    decided: Mutex<Decided>,
    moved: Condvar,
    /// No more events are wanted.
    pub halt: Stop,
    /// Nothing more will be written.
    pub last_call: Stop,
}

impl Course {
    /// The first event is about to be sent.
    pub fn begin(&self) {
        self.began.get_or_init(instant);
    }

    /// From the first event sent to the newest decided.
    pub fn elapsed(&self) -> Duration {
        let newest = self.lock().newest;
        newest.zip(self.began.get()).map_or(Duration::ZERO, |(newest, began)| newest.saturating_duration_since(*began))
    }

    /// Events of up to this time are on their way.
    pub fn send(&self, events: u64, time: i64) {
        self.sent.fetch_add(events, Ordering::Relaxed);
        self.time.store(time, Ordering::Relaxed);
    }

    /// Events were decided or rejected.
    pub fn decide(&self, events: u64) {
        let mut decided = self.lock();
        decided.events += events;
        decided.newest = Some(instant());
        drop(decided);
        self.moved.notify_all();
    }

    /// Events sent.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Time of the newest event sent, epoch ms.
    pub fn time(&self) -> i64 {
        self.time.load(Ordering::Relaxed)
    }

    /// Events sent and not decided yet.
    pub fn under_way(&self) -> u64 {
        self.sent().saturating_sub(self.lock().events)
    }

    /// Waits, but not long, for nothing to be under way; whether that is so.
    pub fn drain(&self) -> bool {
        let is_behind = |decided: &mut Decided| self.sent() > decided.events;
        let waited = self.moved.wait_timeout_while(self.lock(), SLICE, is_behind);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Waits until at most so many events are under way; false when no more are wanted.
    pub fn wait_for(&self, most: u64) -> bool {
        let mut decided = self.lock();
        while self.sent().saturating_sub(decided.events) > most {
            if self.halt.is_requested() {
                return false;
            }
            decided = self.moved.wait_timeout(decided, SLICE).unwrap_or_else(PoisonError::into_inner).0;
        }
        !self.halt.is_requested()
    }

    fn lock(&self) -> MutexGuard<'_, Decided> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_waits_for_who_decides() {
        let course = Course::default();
        course.send(10, 5);
        course.decide(7);
        assert_eq!((course.sent(), course.under_way(), course.time()), (10, 3, 5));
        assert!(course.wait_for(3) && !course.drain());
        #[expect(clippy::disallowed_methods, reason = "somebody has to decide meanwhile")]
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| course.wait_for(0));
            course.decide(3);
            assert!(waiting.join().expect("it ends"));
        });
        assert!(course.drain());
        course.send(1, 6);
        course.halt.request();
        assert!(!course.wait_for(0) && !course.wait_for(9), "nothing more is wanted");
    }
}

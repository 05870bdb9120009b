//! The thread that plays the wallet's customers and those who attack them: it writes events as fast as was asked for,
//! and never more than a few thousand ahead of what was decided.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::course::Course;
use super::days::Days;
use super::judge::Judge;
use super::stage::{CONTROL, INPUT};
use crate::generate::Told;
use crate::kafka::{Outgoing, PlainProducer, Producer};
use crate::service::clock::instant;
use crate::service::health::Health;

/// Events under way at most: less than 2 MiB, so that the cluster has them all.
const AHEAD: u64 = 5000;
/// Events written together at most.
const TOGETHER: u64 = 1000;
/// The least time between two writes.
const PAUSE: Duration = Duration::from_millis(10);
/// What of a pace may be made up for after a delay, seconds.
const MADE_UP: f64 = 0.5;
/// Events that only trusted senders may write.
const CONTROL_TYPES: [&str; 2] = ["freeze", "unlock"];

/// Events written at a steady pace: a bucket that fills by the clock.
#[derive(Debug)]
pub struct Pace {
    /// Events per second; 0 is no bound.
    rate: u32,
    tokens: f64,
    filled: Instant,
}

impl Pace {
    /// So many events per second; 0 is no bound.
    pub fn new(rate: u32, now: Instant) -> Pace {
        Pace { rate, tokens: 0.0, filled: now }
    }

    /// How many events are due.
    fn due(&mut self, now: Instant) -> u64 {
        if self.rate == 0 {
            return u64::MAX;
        }
        let rate = f64::from(self.rate);
        let new = now.saturating_duration_since(self.filled).as_secs_f64() * rate;
        self.tokens = (self.tokens + new).min((rate * MADE_UP).max(1.0));
        self.filled = now;
        self.tokens as u64
    }

    fn take(&mut self, events: u64) {
        self.tokens -= events as f64;
    }
}

/// Everybody who causes events.
pub struct Crowd {
    /// What happens.
    pub days: Days,
    /// How fast.
    pub pace: Pace,
    /// Who is told what is an attack.
    pub judge: Arc<Mutex<Judge>>,
    /// How far it has come.
    pub course: Arc<Course>,
    /// Writes the events.
    pub producer: PlainProducer,
    /// Whether there is somebody to decide.
    pub health: Arc<Health>,
}

impl Crowd {
    /// Writes until all has happened or no more is wanted.
    ///
    /// # Errors
    /// When the cluster does not take them.
    pub fn run(mut self) -> Result<()> {
        while !self.health.state().is_ready() {
            if self.course.halt.wait(PAUSE) {
                return Ok(());
            }
        }
        self.course.begin();
        let mut line = Vec::new();
        while self.course.wait_for(AHEAD) {
            let room = AHEAD.saturating_sub(self.course.under_way());
            let count = self.pace.due(instant()).min(TOGETHER).min(room);
            if count == 0 {
                self.course.halt.wait(PAUSE);
            } else if !self.write(count, &mut line)? {
                break;
            }
        }
        Ok(())
    }

    /// Writes so many events; false when there are no more, or no more are wanted.
    fn write(&mut self, count: u64, line: &mut Vec<u8>) -> Result<bool> {
        self.producer.begin()?;
        for _ in 0..count {
            let Some((told, is_new_day)) = self.days.next(line)? else {
                self.producer.commit(&[])?;
                return Ok(false);
            };
            self.announce(&told, is_new_day);
            let goes_on = if CONTROL_TYPES.contains(&told.kind) {
                self.write_alone(&told, line)?
            } else {
                self.write_one(INPUT, &told, line)?;
                true
            };
            if !goes_on {
                break;
            }
        }
        self.producer.commit(&[])?;
        Ok(true)
    }

    fn announce(&self, told: &Told, is_new_day: bool) {
        if told.part.is_none() && !is_new_day {
            return;
        }
        let mut judge = self.judge.lock().unwrap_or_else(PoisonError::into_inner);
        if is_new_day {
            judge.begin_day();
        }
        judge.expect(told);
    }

    /// Writes an event to the other topic when all before it are decided, and waits until it is as well: Kafka keeps no
    /// order between topics, and what is milliseconds for it is half an hour of this day.
    fn write_alone(&mut self, told: &Told, line: &[u8]) -> Result<bool> {
        self.producer.commit(&[])?;
        if !self.course.wait_for(0) {
            return Ok(false);
        }
        self.producer.begin()?;
        self.write_one(CONTROL, told, line)?;
        self.producer.commit(&[])?;
        let goes_on = self.course.wait_for(0);
        self.producer.begin()?;
        Ok(goes_on)
    }

    fn write_one(&mut self, topic: &str, told: &Told, line: &[u8]) -> Result<()> {
        let account = told.account_name();
        self.producer.send(&Outgoing {
            topic,
            partition: None,
            key: Some(account.as_bytes()),
            headers: &[],
            payload: Some(line),
            timestamp: Some(told.time),
        })?;
        self.pace.take(1);
        self.course.send(1, told.time);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pace_is_kept_and_little_is_made_up_for() {
        let start = instant();
        let after = |ms: u64| start + Duration::from_millis(ms);
        let mut pace = Pace::new(2000, start);
        assert_eq!((pace.due(start), pace.due(after(10))), (0, 20));
        pace.take(15);
        assert_eq!((pace.due(after(10)), pace.due(after(20))), (5, 25));
        assert_eq!(pace.due(after(60_000)), 1000, "half a second's");
        let mut slow = Pace::new(1, start);
        assert_eq!((slow.due(after(900)), slow.due(after(1100)), slow.due(after(9000))), (0, 1, 1));
        assert_eq!(Pace::new(0, start).due(start), u64::MAX);
    }
}

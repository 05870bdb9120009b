//! How fast it goes of late, from a few looks back.

use std::collections::VecDeque;
use std::time::Duration;

/// Looks over which rates are taken: five seconds at four looks a second.
const LOOKS: usize = 20;

/// The last looks: when it was, events decided by then, time of the newest event (epoch ms).
#[derive(Debug, Clone, Default)]
pub struct Rates(VecDeque<(Duration, u64, i64)>);

impl Rates {
    /// Adds a look; events per second, and how many times faster than the clock the events' time goes.
    pub fn look(&mut self, at: Duration, decided: u64, time: i64) -> (f64, f64) {
        if time > 0 {
            self.0.push_back((at, decided, time));
        }
        if self.0.len() > LOOKS {
            self.0.pop_front();
        }
        let Some((first_at, first_decided, first_time)) = self.0.front() else { return (0.0, 0.0) };
        let seconds = at.saturating_sub(*first_at).as_secs_f64();
        if seconds <= 0.0 {
            return (0.0, 0.0);
        }
        let events = decided.saturating_sub(*first_decided) as f64;
        let passed = time.saturating_sub(*first_time) as f64 / 1000.0;
        (events / seconds, passed / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_late() {
        let mut rates = Rates::default();
        let mut look = |quarter: u32, decided, time| rates.look(Duration::from_millis(250) * quarter, decided, time);
        assert_eq!(look(0, 0, 0), (0.0, 0.0), "nothing has happened");
        assert_eq!(look(1, 0, 1000), (0.0, 0.0));
        assert_eq!(look(5, 200, 61_000), (200.0, 60.0));
        for quarter in 6..60 {
            look(quarter, 200, 61_000);
        }
        assert_eq!(look(60, 200, 61_000), (0.0, 0.0), "that was long ago");
    }
}

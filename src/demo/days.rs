//! Traffic without end: one day after the other of the same people, with attacks planted all over each.
//!
//! The days begin at the next midnight UTC, eight in the morning in Shanghai. They lie ahead of the clock, because they
//! pass faster than it does: where a partition is silent the service ends locks by the clock, and those of a day that
//! lies behind the clock it would end at once.

use crate::generate::{AttackKind, Attacks, Options, OptionsError, Told, Traffic};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Events of a day, at most: at 2000 a second it lasts eight minutes.
const DAY_EVENTS: u64 = 1_000_000;
/// What is planted: as much as a screen has room for.
pub const PLANTED: [AttackKind; 6] = [
    AttackKind::PasswordGuessing,
    AttackKind::Stuffing,
    AttackKind::Takeover,
    AttackKind::CardTesting,
    AttackKind::VelocityBurst,
    AttackKind::LostPhone,
];
/// Events for which each attack is planted once.
const EVENTS_PER_ATTACK: u64 = 10_000;
/// Events of an account on a day.
const EVENTS_PER_ACCOUNT: u64 = 10;
/// Fewest accounts: an attack may roam over a hundred of them.
const LEAST_ACCOUNTS: u64 = 1000;
/// Attacks begin from the first moment on, and so that the longest ends with its day.
const ATTACKS_BEGIN: (u32, u32) = (0, 980);

/// The fewest events that have room for all attacks.
pub const LEAST_EVENTS: u64 = 1000;

/// Day after day of traffic.
#[derive(Debug, Clone)]
pub struct Days {
    /// Of the day that passes.
    options: Options,
    traffic: Traffic,
    /// Days to come; `None` is no end.
    left: Option<u64>,
    /// Events of a day to come; of so many of them one more.
    size: u64,
    longer: u64,
}

impl Days {
    /// So many events (at least [`LEAST_EVENTS`]; `None` is no end) from the first midnight after `now` (epoch ms) on,
    /// spread over as few days as hold them.
    ///
    /// # Errors
    /// What cannot be: too few events, or a clock at the end of time.
    pub fn new(events: Option<u64>, seed: u64, now: i64) -> Result<Days, OptionsError> {
        let count = events.map(|events| events.div_ceil(DAY_EVENTS).max(1));
        let (size, longer) = match (events, count) {
            (Some(events), Some(count)) => (events / count, events % count),
            _ => (DAY_EVENTS, 0),
        };
        // This and the number of attacks are far below 2^32: a day's events are bounded.
        let accounts = (size / EVENTS_PER_ACCOUNT).max(LEAST_ACCOUNTS) as u32;
        let options = Options {
            accounts,
            // Customers, not shops: the busiest have some forty events a day.
            flatten: Some(accounts / 10),
            attacks: Attacks::of(&PLANTED, (size / EVENTS_PER_ATTACK).max(1) as u32),
            attacks_begin: ATTACKS_BEGIN,
            events: size + u64::from(longer > 0),
            seed,
            start: now.saturating_sub(now.rem_euclid(DAY)).saturating_add(DAY),
            length: DAY,
            ..Options::default()
        };
        let traffic = Traffic::new(&options)?;
        let left = count.map(|count| count - 1);
        Ok(Days { options, traffic, left, size, longer: longer.saturating_sub(1) })
    }

    /// Replaces `line` by the next event's, without its end, and says what it is and whether a day begins with it;
    /// `None` when there is none left.
    ///
    /// # Errors
    /// When time itself ends.
    pub fn next(&mut self, line: &mut Vec<u8>) -> Result<Option<(Told, bool)>, OptionsError> {
        line.clear();
        if let Some(told) = self.traffic.append(line) {
            line.pop_if(|last| *last == b'\n');
            return Ok(Some((told, false)));
        }
        if self.left == Some(0) {
            return Ok(None);
        }
        self.begin_day()?;
        Ok(self.next(line)?.map(|(told, _)| (told, true)))
    }

    fn begin_day(&mut self) -> Result<(), OptionsError> {
        self.left = self.left.map(|left| left - 1);
        self.options.after += self.options.events;
        self.options.start += self.options.length;
        self.options.events = self.size + u64::from(self.longer > 0);
        self.longer = self.longer.saturating_sub(1);
        self.traffic = Traffic::new(&self.options)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const NOW: i64 = 1_767_600_000_000;

    /// Number of events, of days that began, of attacks.
    fn count(events: u64) -> (u64, usize, usize) {
        let mut days = Days::new(Some(events), 1, NOW).expect("enough events");
        let (mut line, mut ids, mut days_begun, mut attacks, mut newest) = (Vec::new(), 0, 1, BTreeSet::new(), NOW);
        while let Some((told, is_new_day)) = days.next(&mut line).expect("time goes on") {
            ids += 1;
            assert_eq!(told.number, ids, "ids go on");
            assert!(told.time >= newest && line.ends_with(b"}"), "{told:?}");
            newest = told.time;
            days_begun += usize::from(is_new_day);
            attacks.extend(told.part.map(|part| part.attack));
        }
        (ids, days_begun, attacks.len())
    }

    #[test]
    fn there_are_as_many_events_as_were_asked_for() {
        let kinds = PLANTED.len();
        assert_eq!(count(LEAST_EVENTS), (1000, 1, kinds));
        assert_eq!(count(20_000), (20_000, 1, 2 * kinds));
        assert_eq!(count(1_000_001), (1_000_001, 2, 2 * kinds * 50));
    }

    #[test]
    fn a_seed_gives_a_day_of_its_own() {
        let first = |seed| {
            let mut line = Vec::new();
            Days::new(None, seed, NOW).expect("no end").next(&mut line).expect("time goes on");
            line
        };
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
        assert!(Days::new(Some(10), 1, NOW).is_err());
    }
}

//! What was fetched and not yet scored, one queue per partition, and in which order it is taken: the smallest record
//! timestamp first, as far as there are records.
//!
//! A partition that has nothing at hand although its log goes on is waited for, but only for so long; one that is at
//! the end of its log is not. Pure: the time is given. The order that comes out is an accident of arrival; that is why
//! it is written down in the journal.

use std::collections::VecDeque;

use super::sources::Sources;
use crate::kafka::{Fetched, Record, TimeKind};

/// Where a record waits.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// Index into [`Lanes::held`].
    held: u32,
    /// Index of the record in it.
    at: u32,
    /// Its timestamp; the least of all where it has none.
    time: i64,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<Place>,
    /// Whether the log had nothing more when it was last heard of.
    is_at_end: bool,
    /// Until when (ms) it is waited for while it is empty.
    awaited_until: i64,
    /// One after the last record that arrived.
    next: i64,
    /// Records before this offset are not wanted.
    floor: i64,
}

/// What one fetch brought, until its last record is taken.
#[derive(Debug)]
struct Held {
    fetched: Fetched,
    left: usize,
}

/// The queues.
#[derive(Debug)]
pub struct Lanes {
    queues: Vec<Queue>,
    held: Vec<Option<Held>>,
    /// Fetches whose records are all taken.
    emptied: Vec<Fetched>,
    /// By lane: records taken since somebody asked.
    taken: Vec<usize>,
    max_wait: i64,
}

/// A record to be taken: its lane and timestamp where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken<'a> {
    /// Its lane.
    pub lane: usize,
    /// The record.
    pub record: Record<'a>,
}

impl Taken<'_> {
    /// Its timestamp, ms.
    pub fn timestamp(&self) -> Option<i64> {
        (self.record.time_kind != TimeKind::Missing).then_some(self.record.time)
    }
}

impl Lanes {
    /// Empty lanes at these positions, each of which may be waited for so long (ms) from now on.
    pub fn new(positions: &[i64], max_wait: i64, now: i64) -> Lanes {
        let queue = |&next: &i64| Queue {
            waiting: VecDeque::new(),
            is_at_end: false,
            awaited_until: now.saturating_add(max_wait),
            next,
            floor: next,
        };
        let taken = vec![0; positions.len()];
        Lanes { queues: positions.iter().map(queue).collect(), held: Vec::new(), emptied: Vec::new(), taken, max_wait }
    }

    /// Takes in what has arrived.
    pub fn take_in(&mut self, fetched: Fetched, sources: &Sources) {
        let slot = self.held.iter().position(Option::is_none).unwrap_or_else(|| {
            self.held.push(None);
            self.held.len() - 1
        });
        let mut left = 0;
        for (at, record) in fetched.records().enumerate() {
            let queue = &mut self.queues[sources.lane_of(record.topic, record.partition)];
            queue.next = record.offset + 1;
            queue.is_at_end = false;
            if record.offset >= queue.floor {
                let time = if record.time_kind == TimeKind::Missing { i64::MIN } else { record.time };
                queue.waiting.push_back(Place { held: slot as u32, at: at as u32, time });
                left += 1;
            } else {
                self.taken[sources.lane_of(record.topic, record.partition)] += 1;
            }
        }
        if left == 0 {
            self.emptied.push(fetched);
        } else {
            self.held[slot] = Some(Held { fetched, left });
        }
    }

    /// Goes on at an offset: what comes before it is not wanted.
    pub fn skip_to(&mut self, lane: usize, offset: i64, now: i64) {
        self.queues[lane].floor = offset;
        while self.front(lane).is_some_and(|taken| taken.record.offset < offset) {
            self.advance(lane, now);
        }
    }

    /// All of a lane's log before an offset has been fetched, and there was nothing more.
    pub fn ended_at(&mut self, lane: usize, offset: i64) {
        let queue = &mut self.queues[lane];
        if offset >= queue.next {
            queue.is_at_end = true;
            // Past gaps: what transactions leave behind.
            queue.next = offset;
        }
    }

    /// A lane's log was seen to reach up to an offset; whether all of it has been fetched this does not say.
    pub fn reaches_to(&mut self, lane: usize, offset: i64) {
        let queue = &mut self.queues[lane];
        queue.is_at_end |= queue.next >= offset;
    }

    /// The lane whose turn it is among the first `count`; `None` where there is nothing, or something to wait for.
    pub fn turn(&self, count: usize, now: i64) -> Option<usize> {
        let mut first: Option<(i64, usize)> = None;
        for (lane, queue) in self.queues[..count].iter().enumerate() {
            match queue.waiting.front() {
                Some(place) if first.is_none_or(|(time, _)| place.time < time) => first = Some((place.time, lane)),
                Some(_) => {}
                None if queue.is_awaited(now) => return None,
                None => {}
            }
        }
        first.map(|(_, lane)| lane)
    }

    /// Until when (ms) [`Lanes::turn`] waits although there are records; `None` where it does not.
    pub fn waits_until(&self, count: usize, now: i64) -> Option<i64> {
        let queues = &self.queues[..count];
        let any = queues.iter().any(|queue| !queue.waiting.is_empty());
        let awaited = queues.iter().filter(|queue| queue.waiting.is_empty() && queue.is_awaited(now));
        awaited.map(|queue| queue.awaited_until).max().filter(|_| any)
    }

    /// The next record of a lane.
    pub fn front(&self, lane: usize) -> Option<Taken<'_>> {
        let place = self.queues[lane].waiting.front()?;
        let held = self.held[place.held as usize].as_ref()?;
        Some(Taken { lane, record: held.fetched.record(place.at as usize) })
    }

    /// Takes the next record of a lane away.
    pub fn advance(&mut self, lane: usize, now: i64) {
        let queue = &mut self.queues[lane];
        let Some(place) = queue.waiting.pop_front() else { return };
        self.taken[lane] += 1;
        if queue.waiting.is_empty() {
            queue.awaited_until = now.saturating_add(self.max_wait);
        }
        let slot = &mut self.held[place.held as usize];
        if let Some(held) = slot {
            held.left -= 1;
            if held.left == 0 {
                self.emptied.extend(slot.take().map(|held| held.fetched));
            }
        }
    }

    /// A fetch all of whose records were taken, to be used again.
    pub fn emptied(&mut self) -> Option<Fetched> {
        self.emptied.pop()
    }

    /// By lane: how many records were taken since the last time this was asked.
    pub fn taken(&mut self) -> impl Iterator<Item = (usize, usize)> {
        self.taken.iter_mut().map(std::mem::take).enumerate().filter(|(_, count)| *count > 0)
    }

    /// Whether a lane has nothing and its log had nothing more.
    pub fn is_idle(&self, lane: usize) -> bool {
        let queue = &self.queues[lane];
        queue.waiting.is_empty() && queue.is_at_end
    }

    /// One after the last record of a lane that has arrived.
    pub fn arrived(&self, lane: usize) -> i64 {
        self.queues[lane].next
    }
}

impl Queue {
    fn is_awaited(&self, now: i64) -> bool {
        !self.is_at_end && now < self.awaited_until
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Topics;

    const WAIT: i64 = 200;

    fn sources() -> Sources {
        let topics = Topics {
            input: vec!["events".into()],
            control: Vec::new(),
            decisions: "decisions".into(),
            lock_events: "lock-events".into(),
            locks: "locks".into(),
            dead_letters: "dlq.{topic}".into(),
            journal: "journal".into(),
        };
        Sources::new(&topics, 3)
    }

    /// Records as (partition, offset, time); no time is -1.
    fn fetch(records: &[(i32, i64, i64)]) -> Fetched {
        let mut fetched = Fetched::new(100, 1 << 20);
        for &(partition, offset, time) in records {
            let time_kind = if time < 0 { TimeKind::Missing } else { TimeKind::Created };
            fetched.push(&Record { topic: 0, partition, offset, time, time_kind, key: None, value: Some(b"value") });
        }
        fetched
    }

    /// Takes all whose turn it is, as (lane, offset).
    fn take(lanes: &mut Lanes, now: i64) -> Vec<(usize, i64)> {
        let mut taken = Vec::new();
        while let Some(lane) = lanes.turn(3, now) {
            taken.push((lane, lanes.front(lane).expect("its turn").record.offset));
            lanes.advance(lane, now);
        }
        taken
    }

    #[test]
    fn the_oldest_is_first_and_equals_go_by_lane() {
        let mut lanes = Lanes::new(&[0; 4], WAIT, 0);
        lanes.take_in(fetch(&[(1, 0, 20), (1, 1, 30), (0, 0, 20), (2, 7, 25), (2, 8, -1), (0, 1, 40)]), &sources());
        (0..3).for_each(|lane| lanes.reaches_to(lane, lanes.arrived(lane)));
        assert_eq!(take(&mut lanes, 0), [(0, 0), (1, 0), (2, 7), (2, 8), (1, 1), (0, 1)]);
        assert_eq!(lanes.taken().collect::<Vec<_>>(), [(0, 2), (1, 2), (2, 2)]);
        assert_eq!((lanes.taken().count(), lanes.emptied().is_some(), lanes.emptied().is_none()), (0, true, true));
    }

    #[test]
    fn a_lane_that_goes_on_is_waited_for_but_not_for_ever() {
        let mut lanes = Lanes::new(&[0; 4], WAIT, 1000);
        lanes.take_in(fetch(&[(0, 0, 5), (1, 0, 6), (1, 1, 9)]), &sources());
        assert_eq!(take(&mut lanes, 1000), [], "nothing is known of the third");
        assert_eq!(lanes.waits_until(3, 1000), Some(1200));
        lanes.ended_at(2, 0);
        assert_eq!(take(&mut lanes, 1050), [(0, 0)], "the first may go on before 6");
        assert_eq!(lanes.waits_until(3, 1050), Some(1250));
        assert_eq!(take(&mut lanes, 1249), []);
        assert_eq!(take(&mut lanes, 1250), [(1, 0), (1, 1)], "it has waited long enough");
        lanes.take_in(fetch(&[(1, 2, 10), (0, 1, 8), (0, 2, 11)]), &sources());
        assert_eq!(take(&mut lanes, 1300), [(0, 1), (1, 2)], "and then the second is waited for");
        assert!(!lanes.is_idle(0) && lanes.is_idle(2));
        lanes.reaches_to(1, 3);
        assert_eq!(take(&mut lanes, 1300), [(0, 2)]);
        assert_eq!(lanes.waits_until(3, 1300), None, "nothing has to wait");
    }

    #[test]
    fn what_is_skipped_is_not_taken() {
        let mut lanes = Lanes::new(&[0; 4], WAIT, 0);
        lanes.take_in(fetch(&[(0, 0, 1), (0, 1, 2)]), &sources());
        lanes.skip_to(0, 3, 0);
        lanes.take_in(fetch(&[(0, 2, 3), (0, 3, 4)]), &sources());
        lanes.take_in(fetch(&[]), &sources());
        assert_eq!(lanes.front(0).map(|taken| taken.record.offset), Some(3));
        assert_eq!(lanes.taken().collect::<Vec<_>>(), [(0, 3)]);
        assert_eq!(std::iter::from_fn(|| lanes.emptied()).count(), 2);
    }

    #[test]
    fn an_end_may_lie_behind_the_last_record() {
        let mut lanes = Lanes::new(&[5, 5, 5, 0], WAIT, 0);
        lanes.reaches_to(0, 6);
        assert!(!lanes.is_idle(0), "what is at 5 has not been fetched");
        lanes.take_in(fetch(&[(0, 5, 1)]), &sources());
        lanes.reaches_to(0, 7);
        assert!(!lanes.is_idle(0));
        lanes.ended_at(0, 7);
        assert!(!lanes.is_idle(0), "it waits to be taken");
        lanes.advance(0, 0);
        assert!(lanes.is_idle(0) && lanes.arrived(0) == 7);
        lanes.take_in(fetch(&[(0, 9, 1)]), &sources());
        lanes.ended_at(0, 8);
        lanes.advance(0, 0);
        assert!(!lanes.is_idle(0) && lanes.arrived(0) == 10, "that end is of the past");
        lanes.reaches_to(0, 10);
        assert!(lanes.is_idle(0));
    }
}

//! Which partitions are read, and how far each has been handed out.
//!
//! The library keeps a position of its own, but takes the end of a partition for a record when it serves batches: after
//! that its position is one too far, and a partition that is paused and resumed there skips a record. So positions are
//! kept here, a paused partition is taken out of the library's assignment, and put back at exactly this position.

use super::error::Error;
use super::offsets::Position;
use super::raw::Message;

/// A partition that is read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Slot {
    topic: u16,
    partition: i32,
    /// The next record to come.
    next: i64,
    paused: bool,
}

/// All partitions that are read; topics are numbered by their first mention.
#[derive(Default)]
pub(super) struct Assignment {
    topics: Vec<String>,
    slots: Vec<Slot>,
    /// Where the last record belonged, as the next one mostly does too.
    last: usize,
    /// The library's handles of topics that were seen, each with its place in `topics`.
    seen: Vec<(usize, u16)>,
}

impl Assignment {
    pub(super) fn new(positions: &[Position]) -> Result<Self, Error> {
        let mut assignment = Self::default();
        for position in positions {
            let topic = assignment.topics.iter().position(|topic| topic == position.topic).unwrap_or_else(|| {
                assignment.topics.push(position.topic.to_string());
                assignment.topics.len() - 1
            });
            let topic = u16::try_from(topic).map_err(|_| Error::other("assigning partitions", "too many topics"))?;
            let slot = Slot { topic, partition: position.partition, next: position.offset, paused: false };
            assignment.slots.push(slot);
        }
        Ok(assignment)
    }

    pub(super) fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Whether a partition is read, paused or not.
    pub(super) fn has(&self, topic: &str, partition: i32) -> bool {
        let place = self.topics.iter().position(|known| known == topic);
        self.slots.iter().any(|slot| Some(usize::from(slot.topic)) == place && slot.partition == partition)
    }

    /// The number of a message's topic; `None` where it has none.
    pub(super) fn topic(&mut self, message: &Message) -> Option<u16> {
        if let Some((_, place)) = self.seen.iter().find(|(topic, _)| *topic == message.topic_id) {
            return Some(*place);
        }
        let name = message.topic();
        let place = u16::try_from(self.topics.iter().position(|topic| *topic == name)?).ok()?;
        self.seen.push((message.topic_id, place));
        Some(place)
    }

    /// The slot of a partition that is read at present.
    pub(super) fn open(&mut self, topic: u16, partition: i32) -> Option<&mut Slot> {
        let fits = |slot: &Slot| (slot.topic, slot.partition) == (topic, partition);
        if !self.slots.get(self.last).is_some_and(fits) {
            self.last = self.slots.iter().position(fits)?;
        }
        self.slots.get_mut(self.last).filter(|slot| !slot.paused)
    }

    /// The positions of those partitions that are not yet (not) paused, after all were found.
    pub(super) fn to_change(&self, partitions: &[(&str, i32)], paused: bool) -> Result<Vec<Position<'_>>, Error> {
        let mut positions = Vec::with_capacity(partitions.len());
        for &(topic, partition) in partitions {
            let place = self.topics.iter().position(|known| known == topic);
            let slot =
                self.slots.iter().find(|slot| Some(usize::from(slot.topic)) == place && slot.partition == partition);
            let slot =
                slot.ok_or_else(|| Error::other(format!("pausing {topic}/{partition}"), "it is not assigned"))?;
            if slot.paused != paused {
                let topic = self.topics[usize::from(slot.topic)].as_str();
                positions.push(Position { topic, partition, offset: slot.next });
            }
        }
        Ok(positions)
    }

    /// Marks partitions that were found by [`Self::to_change`].
    pub(super) fn mark(&mut self, partitions: &[(&str, i32)], paused: bool) {
        for &(topic, partition) in partitions {
            let place = self.topics.iter().position(|known| known == topic);
            let same = |slot: &&mut Slot| Some(usize::from(slot.topic)) == place && slot.partition == partition;
            self.slots.iter_mut().filter(same).for_each(|slot| slot.paused = paused);
        }
    }
}

impl Slot {
    /// Whether the record is the next or a later one; what was handed out before is not handed out again.
    pub(super) fn accepts(&mut self, offset: i64) -> bool {
        let fresh = offset >= self.next;
        if fresh {
            self.next = offset + 1;
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn position(topic: &str, partition: i32, offset: i64) -> Position<'_> {
        Position { topic, partition, offset }
    }

    #[test]
    fn a_paused_partition_comes_back_where_it_was() {
        let positions = [position("a", 0, 5), position("b", 0, 7), position("a", 1, 0)];
        let mut assignment = Assignment::new(&positions).expect("few topics");
        assert_eq!(assignment.topics(), ["a", "b"]);
        for (offset, fresh) in [(4, false), (5, true), (5, false), (9, true), (8, false)] {
            assert_eq!(assignment.open(0, 0).map(|slot| slot.accepts(offset)), Some(fresh), "{offset}");
        }
        assert_eq!(
            assignment.to_change(&[("a", 0), ("b", 0)], true),
            Ok(vec![position("a", 0, 10), position("b", 0, 7)])
        );
        assignment.mark(&[("a", 0)], true);
        assert_eq!(assignment.open(0, 0), None);
        assert!(assignment.open(0, 1).is_some() && assignment.open(1, 0).is_some());
        assert_eq!(assignment.to_change(&[("a", 0)], true), Ok(vec![]), "already paused");
        assert_eq!(assignment.to_change(&[("a", 0), ("b", 0)], false), Ok(vec![position("a", 0, 10)]));
        assignment.mark(&[("a", 0)], false);
        assert!(assignment.open(0, 0).is_some());
    }

    #[test]
    fn what_is_not_assigned_is_not_open() {
        let mut assignment = Assignment::new(&[position("a", 0, 0)]).expect("few topics");
        for (topic, partition) in [(0, 1), (1, 0)] {
            assert_eq!(assignment.open(topic, partition), None);
        }
        assert!(assignment.has("a", 0));
        for unknown in [("a", 1), ("b", 0)] {
            assert!(!assignment.has(unknown.0, unknown.1), "{unknown:?}");
            assert!(assignment.to_change(&[("a", 0), unknown], true).is_err(), "{unknown:?}");
        }
    }
}

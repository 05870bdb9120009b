//! The partitions that are read, numbered: everything behind the consumer speaks of lanes, not of names.
//!
//! All source topics have the same number of partitions, so a lane's number is worked out. Behind the sources comes one
//! more lane, the journal's only partition, which is read while the past is replayed.

use std::collections::BTreeMap;

use crate::config::Topics;
use crate::model::batch::Source;

/// The topics that are read, and how many partitions each has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources {
    /// Input topics, then control topics.
    topics: Vec<String>,
    /// How many of them are input.
    inputs: usize,
    journal: String,
    partitions: usize,
}

/// A lane's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lane<'a> {
    /// Name of the topic.
    pub topic: &'a str,
    /// Number of the partition.
    pub partition: i32,
}

impl Sources {
    /// The sources of a configuration, all with so many partitions.
    pub fn new(topics: &Topics, partitions: i32) -> Sources {
        Sources {
            inputs: topics.input.len(),
            topics: topics.sources().map(str::to_owned).collect(),
            journal: topics.journal.clone(),
            // Kafka's topics have at least one.
            partitions: usize::try_from(partitions).unwrap_or(1).max(1),
        }
    }

    /// Names of the source topics.
    pub fn topics(&self) -> &[String] {
        &self.topics
    }

    /// Partitions per topic.
    pub fn partitions(&self) -> usize {
        self.partitions
    }

    /// Number of source lanes; the journal's number as well.
    pub fn count(&self) -> usize {
        self.topics.len() * self.partitions
    }

    /// The lane of the journal.
    pub fn journal(&self) -> usize {
        self.count()
    }

    /// The lane of a record whose topic is numbered in this order, the journal last.
    pub fn lane_of(&self, topic: u16, partition: i32) -> usize {
        usize::from(topic) * self.partitions + usize::try_from(partition).unwrap_or(0)
    }

    /// The lane of a topic by its name.
    pub fn find(&self, topic: &str, partition: i32) -> Option<usize> {
        let topic = self.topics.iter().position(|known| known == topic)?;
        let partition = usize::try_from(partition).ok().filter(|partition| *partition < self.partitions)?;
        Some(topic * self.partitions + partition)
    }

    /// A lane's names.
    pub fn lane(&self, lane: usize) -> Lane<'_> {
        match self.topics.get(lane / self.partitions) {
            Some(topic) => Lane { topic, partition: (lane % self.partitions) as i32 },
            None => Lane { topic: &self.journal, partition: 0 },
        }
    }

    /// All source lanes.
    pub fn lanes(&self) -> impl Iterator<Item = Lane<'_>> {
        (0..self.count()).map(|lane| self.lane(lane))
    }

    /// For decoding: one source per lane.
    pub fn for_batches(&self) -> Vec<Source> {
        let source = |lane: usize| {
            let Lane { topic, partition } = self.lane(lane);
            Source::Partition { topic: topic.to_owned(), partition, control: lane / self.partitions >= self.inputs }
        };
        (0..self.count()).map(source).collect()
    }

    /// Topics with their numbers of partitions, the journal included: what a state belongs to.
    pub fn counts(&self) -> BTreeMap<String, u32> {
        let topics = self.topics.iter().map(|topic| (topic.clone(), self.partitions as u32));
        topics.chain([(self.journal.clone(), 1)]).collect()
    }

    /// Positions by lane, the journal's last, as a state keeps them.
    pub fn to_offsets(&self, positions: &[i64]) -> BTreeMap<String, Vec<i64>> {
        let mut offsets: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        for (lane, position) in positions.iter().enumerate() {
            offsets.entry(self.lane(lane).topic.to_owned()).or_default().push(*position);
        }
        offsets
    }

    /// What [`Sources::to_offsets`] was given; `None` for offsets of other topics.
    pub fn from_offsets(&self, offsets: &BTreeMap<String, Vec<i64>>) -> Option<Vec<i64>> {
        let of = |lane: usize| {
            let Lane { topic, partition } = self.lane(lane);
            offsets.get(topic)?.get(usize::try_from(partition).ok()?).copied()
        };
        (0..=self.count()).map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> Sources {
        let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect();
        let topics = Topics {
            input: names(&["events", "more"]),
            control: names(&["control"]),
            decisions: "decisions".into(),
            lock_events: "lock-events".into(),
            locks: "locks".into(),
            dead_letters: "dlq.{topic}".into(),
            journal: "journal".into(),
        };
        Sources::new(&topics, 2)
    }

    #[test]
    fn lanes_have_names_and_names_have_lanes() {
        let sources = sources();
        assert_eq!((sources.count(), sources.journal()), (6, 6));
        for (lane, topic, partition) in [(0, "events", 0), (1, "events", 1), (3, "more", 1), (4, "control", 0)] {
            assert_eq!(sources.lane(lane), Lane { topic, partition });
            assert_eq!(sources.find(topic, partition), Some(lane));
            assert_eq!(sources.lane_of(lane as u16 / 2, partition), lane);
        }
        assert_eq!(sources.lane(6), Lane { topic: "journal", partition: 0 });
        assert_eq!(sources.lane_of(3, 0), 6);
        assert_eq!(
            (sources.find("events", 2), sources.find("journal", 0), sources.find("events", -1)),
            (None, None, None)
        );
    }

    #[test]
    fn only_control_topics_may_control() {
        let batches = sources().for_batches();
        let control: Vec<bool> = batches.iter().map(Source::may_control).collect();
        assert_eq!(control, [false, false, false, false, true, true]);
    }

    #[test]
    fn positions_are_kept_by_name() {
        let sources = sources();
        let positions = [1, 2, 3, 4, 5, 6, 70];
        let offsets = sources.to_offsets(&positions);
        assert_eq!(offsets["journal"], [70]);
        assert_eq!(offsets["more"], [3, 4]);
        assert_eq!(sources.from_offsets(&offsets), Some(positions.to_vec()));
        assert_eq!(sources.from_offsets(&BTreeMap::new()), None);
        let counts = offsets.iter().map(|(topic, offsets)| (topic.clone(), offsets.len() as u32)).collect();
        assert_eq!(sources.counts(), counts);
    }
}

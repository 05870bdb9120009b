//! A transaction's records as the producer takes them: topics, headers, the journal's record, offsets with metadata.
//!
//! Everything is worked out from parcels, so that sending a second time sends the same bytes.

use super::parcel::{Destination, Outcome, Parcel};
use super::position;
use super::sources::{Lane, Sources};
use crate::config::Topics;
use crate::journal::record::encode;
use crate::journal::{Mark, RecordFault};
use crate::kafka::{Commit, Failure, Outgoing, Producer};

/// Entries in one record of the journal: about half a megabyte when no two of them belong together.
const JOURNAL_ENTRIES: usize = 32_768;
const CONTENT_TYPE: (&str, &[u8]) = ("content-type", b"application/json");
const JOURNAL_CONTENT_TYPE: (&str, &[u8]) = ("content-type", b"application/vnd.lockkeeper.journal");

/// Names of where records go.
pub struct Outbox {
    decisions: String,
    lock_events: String,
    locks: String,
    journal: String,
    /// By lane.
    dead_letters: Vec<String>,
    /// By lane: topic and partition, as texts.
    lanes: Vec<(String, String)>,
    source_topics: Vec<String>,
    rule_set: String,
    group: String,
}

impl Outbox {
    /// For the topics of a configuration.
    pub fn new(topics: &Topics, sources: &Sources, rule_set: &str, group: &str) -> Outbox {
        Outbox {
            decisions: topics.decisions.clone(),
            lock_events: topics.lock_events.clone(),
            locks: topics.locks.clone(),
            journal: topics.journal.clone(),
            dead_letters: sources.lanes().map(|lane| topics.dead_letters_of(lane.topic)).collect(),
            lanes: sources.lanes().map(|lane| (lane.topic.to_owned(), lane.partition.to_string())).collect(),
            source_topics: sources.topics().to_vec(),
            rule_set: rule_set.to_owned(),
            group: group.to_owned(),
        }
    }

    /// Hands over the records of a parcel.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn send(&self, producer: &mut dyn Producer, parcel: &Parcel) -> Result<(), Failure> {
        parcel.outcomes.iter().try_for_each(|outcome| self.send_one(producer, parcel, outcome))
    }

    fn send_one(&self, producer: &mut dyn Producer, parcel: &Parcel, outcome: &Outcome) -> Result<(), Failure> {
        let (mut sequence, mut offset) = (itoa::Buffer::new(), itoa::Buffer::new());
        let mut headers = Headers::default();
        headers.push("sequence", sequence.format(outcome.sequence).as_bytes());
        headers.push("ruleset", self.rule_set.as_bytes());
        headers.push(CONTENT_TYPE.0, CONTENT_TYPE.1);
        let mut lane_names = None;
        if let Some((lane, number)) = outcome.source {
            let (topic, partition) = &self.lanes[lane];
            let offset = offset.format(number).as_bytes();
            headers.push("source.topic", topic.as_bytes());
            headers.push("source.partition", partition.as_bytes());
            headers.push("source.offset", offset);
            lane_names = Some((lane, topic, partition, offset));
        }
        let payload = outcome.line.clone().map(|line| &parcel.lines[line]);
        let topic = match (outcome.destination, lane_names) {
            (Destination::LockEvents, _) => &self.lock_events,
            (Destination::Locks, _) => &self.locks,
            (Destination::DeadLetters { code, detail }, Some((lane, topic, partition, offset))) => {
                headers.push("__dlq.errors.topic", topic.as_bytes());
                headers.push("__dlq.errors.partition", partition.as_bytes());
                headers.push("__dlq.errors.offset", offset);
                headers.push("__dlq.errors.group", self.group.as_bytes());
                headers.push("__dlq.errors.code", code.as_bytes());
                headers.push("__dlq.errors.message", &parcel.keys[detail.0..detail.1]);
                &self.dead_letters[lane]
            }
            // A rejection is always one of a record, so the second does not come about.
            (Destination::Decisions, _) | (Destination::DeadLetters { .. }, None) => &self.decisions,
        };
        let key = outcome.key.clone().map(|key| &parcel.keys[key]);
        producer.send(&Outgoing { topic, partition: None, key, headers: headers.all(), payload, timestamp: None })
    }

    /// Hands over the journal's records of some parcels; none where there are none.
    ///
    /// # Errors
    /// As [`Producer::send`].
    pub fn send_journal(&self, producer: &mut dyn Producer, parcels: &[Parcel]) -> Result<(), Failure> {
        let mark = parcels.last().map(|parcel| parcel.after).unwrap_or_default();
        let mut entries = parcels.iter().flat_map(|parcel| &parcel.entries);
        let mut left: usize = parcels.iter().map(|parcel| parcel.entries.len()).sum();
        while left > 0 {
            // Where the output stood between two records of one transaction nobody needs to know.
            let mark = if left > JOURNAL_ENTRIES { None } else { Some(mark) };
            let payload = encode(&self.source_topics, entries.by_ref().take(JOURNAL_ENTRIES), mark).map_err(refused)?;
            self.send_journal_record(producer, &payload, mark.map_or(0, |mark| mark.sequence))?;
            left = left.saturating_sub(JOURNAL_ENTRIES);
        }
        Ok(())
    }

    fn send_journal_record(&self, producer: &mut dyn Producer, payload: &[u8], sequence: u64) -> Result<(), Failure> {
        let mut number = itoa::Buffer::new();
        let headers: [(&str, &[u8]); 2] = [("sequence", number.format(sequence).as_bytes()), JOURNAL_CONTENT_TYPE];
        producer.send(&Outgoing {
            topic: &self.journal,
            partition: Some(0),
            key: None,
            headers: &headers,
            payload: Some(payload),
            timestamp: None,
        })
    }
}

/// An impossible entry is a bug of ours; nothing of it may be committed.
fn refused(fault: RecordFault) -> Failure {
    Failure::Refused(fault.to_string())
}

/// The most headers a record has.
const MAX_HEADERS: usize = 12;

#[derive(Default)]
struct Headers<'a> {
    pairs: [(&'a str, &'a [u8]); MAX_HEADERS],
    count: usize,
}

impl<'a> Headers<'a> {
    fn push(&mut self, name: &'a str, value: &'a [u8]) {
        self.pairs[self.count] = (name, value);
        self.count += 1;
    }

    fn all(&self) -> &[(&'a str, &'a [u8])] {
        &self.pairs[..self.count]
    }
}

/// By lane what is to be committed after some parcels: the offset and its metadata.
pub struct Offsets(Vec<(usize, i64, String)>);

impl Offsets {
    /// Of parcels that end at a mark. Where they read nothing (a tick), one lane is committed again at `last`, so that
    /// the mark is known; with `all` every lane is, so that the broker forgets none.
    pub fn of(parcels: &[Parcel], last: &[i64], mark: Mark, all: bool) -> Offsets {
        let mut next: Vec<Option<i64>> = vec![None; last.len()];
        for parcel in parcels {
            for (next, of_parcel) in next.iter_mut().zip(&parcel.next) {
                *next = of_parcel.or(*next);
            }
        }
        for (next, last) in next.iter_mut().zip(last).filter(|(next, last)| all && next.is_none() && **last >= 0) {
            *next = Some(*last);
        }
        if next.iter().all(Option::is_none) {
            next[0] = Some(last[0]);
        }
        let known = next.into_iter().enumerate().filter_map(|(lane, next)| Some((lane, next?)));
        Offsets(known.map(|(lane, next)| (lane, next, position::write(mark, next))).collect())
    }

    /// As the producer takes them.
    pub fn commits<'a>(&'a self, sources: &'a Sources) -> Vec<Commit<'a>> {
        let commit = |(lane, next_offset, metadata): &'a (usize, i64, String)| {
            let Lane { topic, partition } = sources.lane(*lane);
            Commit { topic, partition, next_offset: *next_offset, metadata }
        };
        self.0.iter().map(commit).collect()
    }

    /// Takes them over as the last ones.
    pub fn remember(&self, last: &mut [i64]) {
        self.0.iter().for_each(|(lane, next, _)| last[*lane] = *next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lanes_are_committed_now_and_then() {
        let (mut first, mut second) = (Parcel::default(), Parcel::default());
        (first.next, second.next) = (vec![Some(3), None, None, None], vec![Some(5), Some(9), None, None]);
        let check = |parcels: &[Parcel], all: bool, expected: &[(usize, i64)]| {
            let Offsets(offsets) = Offsets::of(parcels, &[2, 7, 8, -1], Mark::default(), all);
            let found: Vec<(usize, i64)> = offsets.iter().map(|(lane, next, _)| (*lane, *next)).collect();
            assert_eq!(found, expected);
        };
        let nothing = Parcel { next: vec![None; 4], ..Parcel::default() };
        check(&[nothing], false, &[(0, 2)]);
        let parcels = [first, second];
        check(&parcels, false, &[(0, 5), (1, 9)]);
        check(&parcels, true, &[(0, 5), (1, 9), (2, 8)]);
    }
}

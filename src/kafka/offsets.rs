//! Positions in partitions, and the lists of them that the client library takes.
//!
//! The library quietly ignores a negative offset, and a list of nothing else is a success that does nothing. So every
//! list is made here, where names and offsets are looked at first.

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::error::Error;
use super::raw;

/// A place to read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// Name of the topic.
    pub topic: &'a str,
    /// Number of the partition, from 0.
    pub partition: i32,
    /// The next record to come.
    pub offset: i64,
}

/// What is to be committed for a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit<'a> {
    /// Name of the topic.
    pub topic: &'a str,
    /// Number of the partition, from 0.
    pub partition: i32,
    /// One after the last record that is done.
    pub next_offset: i64,
    /// Kept beside the offset by the broker, by default up to 4096 bytes.
    pub metadata: &'a str,
}

/// What a group has committed for a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next record to come.
    pub next_offset: i64,
    /// As it was committed; bytes that are not UTF-8 are replaced, since anybody may have committed them.
    pub metadata: String,
}

/// How far a partition reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Watermarks {
    /// The oldest offset that is still there.
    pub start: i64,
    /// One after the newest record that may be read: records of open transactions do not count.
    pub end: i64,
}

/// Refuses what can be no topic, before it gets to a library that would panic or wait for it.
pub(super) fn check_topic(topic: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let valid = (1..=249).contains(&topic.len()) && topic.bytes().all(allowed) && topic != "." && topic != "..";
    if valid { Ok(()) } else { Err(Error::TopicName { topic: topic.to_string() }) }
}

fn check_offset(topic: &str, partition: i32, offset: i64) -> Result<(), Error> {
    check_topic(topic)?;
    if offset < 0 { Err(Error::NegativeOffset { topic: topic.to_string(), partition, offset }) } else { Ok(()) }
}

pub(super) fn partition_list(partitions: &[(&str, i32)]) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for &(topic, partition) in partitions {
        check_topic(topic)?;
        list.add_partition(topic, partition);
    }
    Ok(list)
}

pub(super) fn position_list(positions: &[Position]) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(positions.len());
    for &Position { topic, partition, offset } in positions {
        check_offset(topic, partition, offset)?;
        add(&mut list, topic, partition, offset, "")?;
    }
    Ok(list)
}

pub(super) fn commit_list(commits: &[Commit]) -> Result<TopicPartitionList, Error> {
    let mut list = TopicPartitionList::with_capacity(commits.len());
    for &Commit { topic, partition, next_offset, metadata } in commits {
        check_offset(topic, partition, next_offset)?;
        add(&mut list, topic, partition, next_offset, metadata)?;
    }
    Ok(list)
}

fn add(list: &mut TopicPartitionList, topic: &str, partition: i32, offset: i64, metadata: &str) -> Result<(), Error> {
    let mut element = list.add_partition(topic, partition);
    element.set_offset(Offset::Offset(offset)).map_err(|error| Error::other("setting an offset", error))?;
    if !metadata.is_empty() {
        element.set_metadata(metadata);
    }
    Ok(())
}

/// The answers in a list that was filled in, in its order; `None` where nothing was committed yet.
pub(super) fn read_committed(list: &TopicPartitionList) -> Result<Vec<Option<Committed>>, RDKafkaErrorCode> {
    let answers = list.elements().into_iter().zip(raw::metadata(list));
    answers
        .map(|(element, metadata)| {
            element_error(element.error())?;
            let next_offset = match element.offset() {
                Offset::Offset(offset) if offset >= 0 => offset,
                _ => return Ok(None),
            };
            let metadata = String::from_utf8_lossy(&metadata).into_owned();
            Ok(Some(Committed { next_offset, metadata }))
        })
        .collect()
}

/// The first element that was not done.
pub(super) fn first_error(list: &TopicPartitionList) -> Result<(), RDKafkaErrorCode> {
    list.elements().into_iter().try_for_each(|element| element_error(element.error()))
}

fn element_error(result: rdkafka::error::KafkaResult<()>) -> Result<(), RDKafkaErrorCode> {
    result.map_err(|error| error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_topics() {
        for (topic, valid) in [
            ("events", true),
            ("dlq.events_1-a", true),
            ("", false),
            (".", false),
            ("..", false),
            ("a b", false),
            ("a\0b", false),
            ("ereignisse-ü", false),
            (&"x".repeat(249), true),
            (&"x".repeat(250), false),
        ] {
            assert_eq!(check_topic(topic).is_ok(), valid, "{topic:?}");
            assert_eq!(partition_list(&[(topic, 0)]).is_ok(), valid, "{topic:?}");
        }
    }

    #[test]
    fn offsets_are_not_negative() {
        for (offset, valid) in [(0, true), (i64::MAX, true), (-1, false), (-1001, false), (i64::MIN, false)] {
            let position = Position { topic: "events", partition: 0, offset };
            let commit = Commit { topic: "events", partition: 0, next_offset: offset, metadata: "m" };
            assert_eq!(position_list(&[position]).is_ok(), valid, "{offset}");
            assert_eq!(commit_list(&[commit]).is_ok(), valid, "{offset}");
        }
        let error = position_list(&[Position { topic: "events", partition: 4, offset: -2 }]).expect_err("negative");
        assert_eq!(error.to_string(), "offset -2 of events/4 is negative; offsets start at 0");
    }

    #[test]
    fn a_list_gives_back_what_was_put_in() {
        let commits = [
            Commit { topic: "a", partition: 0, next_offset: 3, metadata: "seq=1" },
            Commit { topic: "a", partition: 1, next_offset: 0, metadata: "" },
        ];
        let mut list = commit_list(&commits).expect("valid");
        list.add_partition("a", 2);
        let committed = read_committed(&list).expect("no errors");
        let expected = |next_offset, metadata: &str| Some(Committed { next_offset, metadata: metadata.to_string() });
        assert_eq!(committed, [expected(3, "seq=1"), expected(0, ""), None]);
    }
}

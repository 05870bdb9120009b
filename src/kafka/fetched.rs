//! What has arrived, as columns over one text buffer, so that a batch costs no allocation once the buffers have grown.
//!
//! Records and what happened to partitions come side by side: the end of a partition is how a recovery knows that it
//! has caught up, and an unreadable batch must halt its partition rather than be skipped.

use rdkafka::error::RDKafkaErrorCode;

/// Who set a record's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeKind {
    /// Nobody; the time is then -1.
    Missing,
    /// The producer, by its own clock.
    Created,
    /// The broker, when it appended the record.
    Appended,
}

/// A place in the text buffer, or nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    const NONE: Self = Self { start: u32::MAX, end: 0 };

    fn of(self, text: &[u8]) -> Option<&[u8]> {
        text.get(self.start as usize..self.end as usize)
    }
}

/// One record of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// The topic's place among the topics of the assignment, in the order of their first mention there.
    pub topic: u16,
    /// Number of the partition, from 0.
    pub partition: i32,
    /// Place in the partition; later records have greater ones, with gaps.
    pub offset: i64,
    /// Milliseconds since 1970.
    pub time: i64,
    /// Who set the time.
    pub time_kind: TimeKind,
    /// `None` is a record without a key.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
}

/// Why a partition gives no more records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartitionFault {
    /// The log does not reach to the position: it was cut off, or the position was moved.
    OutOfRange,
    /// A batch cannot be read: damaged, or compressed in a way this build does not know. Skipping would lose records.
    Unreadable,
    /// No right to read.
    Denied,
    /// The topic or partition is not there (any more).
    Missing,
    /// Something else; the library goes on trying.
    Other,
}

/// What happened beside the records; topics and offsets as in [`Record`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of a record and what each variant names")]
pub enum Event {
    /// All records up to `offset`, the next one to come, have been handed out.
    End { topic: u16, partition: i32, offset: i64 },
    /// The partition has stopped or is in trouble.
    Partition { topic: u16, partition: i32, offset: i64, fault: PartitionFault, reason: String },
    /// The whole client is in trouble, such as no broker being reachable; it goes on trying unless `fatal`.
    Client { fatal: bool, reason: String },
}

/// Records and events of one fetch; used again and again.
#[derive(Debug)]
pub struct Fetched {
    most_records: usize,
    most_bytes: usize,
    topics: Vec<u16>,
    partitions: Vec<i32>,
    offsets: Vec<i64>,
    times: Vec<i64>,
    time_kinds: Vec<TimeKind>,
    keys: Vec<Span>,
    values: Vec<Span>,
    text: Vec<u8>,
    events: Vec<Event>,
}

impl Fetched {
    /// For at most so many records and bytes of keys and values; a single record may exceed the bytes.
    #[must_use]
    pub fn new(most_records: usize, most_bytes: usize) -> Self {
        Self {
            most_records: most_records.max(1),
            // Spans are 32 bits wide; the largest record is far below the other half.
            most_bytes: most_bytes.min(u32::MAX as usize / 2),
            topics: Vec::new(),
            partitions: Vec::new(),
            offsets: Vec::new(),
            times: Vec::new(),
            time_kinds: Vec::new(),
            keys: Vec::new(),
            values: Vec::new(),
            text: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    /// Whether there are no records; there may be events all the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.offsets.is_empty()
    }

    /// Bytes of all keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// What happened beside the records.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The record at a place below [`Self::len`].
    ///
    /// # Panics
    /// Where there is no such record.
    #[must_use]
    pub fn record(&self, at: usize) -> Record<'_> {
        Record {
            topic: self.topics[at],
            partition: self.partitions[at],
            offset: self.offsets[at],
            time: self.times[at],
            time_kind: self.time_kinds[at],
            key: self.keys[at].of(&self.text),
            value: self.values[at].of(&self.text),
        }
    }

    /// All records in the order in which they arrived; within a partition that of their offsets.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        (0..self.len()).map(|at| self.record(at))
    }

    pub(super) fn clear(&mut self) {
        self.topics.clear();
        self.partitions.clear();
        self.offsets.clear();
        self.times.clear();
        self.time_kinds.clear();
        self.keys.clear();
        self.values.clear();
        self.text.clear();
        // One huge record must not hold its memory for ever.
        self.text.shrink_to(self.most_bytes.saturating_mul(2));
        self.events.clear();
    }

    /// How many more records there is room for.
    pub(super) fn room(&self) -> usize {
        self.most_records - self.len()
    }

    /// Whether so many more bytes of a record may come; the first record always may.
    pub(super) fn has_room_for(&self, bytes: usize) -> bool {
        self.is_empty() || (self.room() > 0 && self.text.len() + bytes <= self.most_bytes)
    }

    /// Adds a record behind the others, whatever the caps.
    pub fn push(&mut self, record: &Record<'_>) {
        let (key, value) = (self.keep(record.key), self.keep(record.value));
        self.topics.push(record.topic);
        self.partitions.push(record.partition);
        self.offsets.push(record.offset);
        self.times.push(record.time);
        self.time_kinds.push(record.time_kind);
        self.keys.push(key);
        self.values.push(value);
    }

    pub(super) fn push_event(&mut self, event: Event) {
        self.events.push(event);
    }

    fn keep(&mut self, bytes: Option<&[u8]>) -> Span {
        let Some(bytes) = bytes else { return Span::NONE };
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        // Below 4 GiB: `has_room_for` keeps all but one record to half of that, and the library's limit the last.
        Span { start: start as u32, end: self.text.len() as u32 }
    }
}

/// What one of the library's codes says of a partition.
pub(super) fn partition_fault(code: i32) -> PartitionFault {
    use RDKafkaErrorCode as Code;
    let among = |codes: &[Code]| codes.iter().any(|known| *known as i32 == code);
    if among(&[Code::AutoOffsetReset, Code::OffsetOutOfRange, Code::NoOffset, Code::LogTruncation]) {
        PartitionFault::OutOfRange
    } else if among(&[Code::BadMessage, Code::BadCompression, Code::NotImplemented, Code::InvalidMessage]) {
        PartitionFault::Unreadable
    } else if among(&[Code::TopicAuthorizationFailed, Code::GroupAuthorizationFailed]) {
        PartitionFault::Denied
    } else if among(&[Code::UnknownTopic, Code::UnknownPartition, Code::UnknownTopicOrPartition]) {
        PartitionFault::Missing
    } else {
        PartitionFault::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(offset: i64, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
        Record { topic: 1, partition: 3, offset, time: 7, time_kind: TimeKind::Appended, key, value }
    }

    #[test]
    fn records_come_back_as_they_went_in() {
        let mut fetched = Fetched::new(10, 100);
        let records = [
            record(5, Some(b"k"), Some(b"value")),
            record(6, None, None),
            record(9, Some(b""), Some(b"")),
            record(11, None, Some(b"x")),
        ];
        for _ in 0..2 {
            fetched.clear();
            for record in &records {
                fetched.push(record);
            }
            assert_eq!(fetched.records().collect::<Vec<_>>(), records);
            assert_eq!((fetched.len(), fetched.bytes()), (4, 7));
        }
        fetched.push_event(Event::End { topic: 1, partition: 3, offset: 12 });
        assert_eq!(fetched.events().len(), 1);
        fetched.clear();
        assert!(fetched.is_empty() && fetched.events().is_empty());
    }

    #[test]
    fn both_caps_hold_but_for_the_first_record() {
        let mut fetched = Fetched::new(2, 10);
        assert!(fetched.has_room_for(1_000), "the first always fits");
        fetched.push(&record(0, None, Some(b"1234567")));
        for (bytes, fits) in [(3, true), (4, false)] {
            assert_eq!(fetched.has_room_for(bytes), fits, "{bytes}");
        }
        fetched.push(&record(1, None, None));
        assert!(!fetched.has_room_for(0) && fetched.room() == 0, "two records are the most");
    }

    #[test]
    fn codes_are_sorted_by_what_they_mean() {
        for (code, expected) in [
            (-140, PartitionFault::OutOfRange),
            (1, PartitionFault::OutOfRange),
            (-170, PartitionFault::Unreadable),
            (-198, PartitionFault::Unreadable),
            (-199, PartitionFault::Unreadable),
            (29, PartitionFault::Denied),
            (3, PartitionFault::Missing),
            (-196, PartitionFault::Other),
            (12_345, PartitionFault::Other),
        ] {
            assert_eq!(partition_fault(code), expected, "{code}");
        }
    }
}

//! The value of a record in the journal topic: what one transaction consumed, and where the output stood after it.
//!
//! A version byte, then in the wire format of `postcard` the names of the topics, the entries, which number them, and
//! the mark of the output. So every record can be read by itself, wherever in the journal a reader begins, a batch costs
//! about ten bytes, and whoever replays the journal knows at every record whether it came out as it did then.
//! The records' timestamps are not repeated: they stand in the topics beside the events, and are as immutable.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_PARTITION, Mark, Start, Tick};

/// Version of the layout; another one is not read.
pub const VERSION: u8 = 1;

/// Records of one partition that were consumed one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Index into [`Record::topics`].
    pub topic: u32,
    /// Number of the partition.
    pub partition: u32,
    /// Offset of the first record.
    pub from: i64,
    /// Offset behind the last record; between them are gaps, for instance where transactions ended.
    pub to: i64,
}

/// One thing the owner did, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It began to decide, or went on under other settings. In a box, since most entries are runs and come by the
    /// thousand.
    Start(Box<Start>),
    /// It consumed records.
    Run(Run),
    /// It closed locks of a silent partition.
    Tick(Tick),
    /// From here on it decided by this rule set, `name@hash`.
    RuleSet(String),
}

/// What one transaction consumed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Names of the topics.
    pub topics: Vec<String>,
    /// In order.
    pub entries: Vec<Entry>,
    /// Where the output stood after the last entry; of a transaction with several records, only the last one says so.
    pub mark: Option<Mark>,
}

/// Why a value is no record of the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RecordFault {
    /// Nothing there.
    #[error("the journal record is empty")]
    Empty,
    /// Of another version.
    #[error("the journal record has version {found}, this program reads {VERSION}")]
    Version {
        /// Its version.
        found: u8,
    },
    /// Cut off, or bytes of something else.
    #[error("the journal record is damaged or none of lockkeeper")]
    Damaged,
    /// It names what cannot be: a topic that is not in it, an empty run, an offset or partition out of range.
    #[error("the journal record speaks of a run that cannot be")]
    Impossible,
}

#[derive(Serialize, Deserialize)]
struct Packed<T, E> {
    topics: T,
    entries: E,
    mark: Option<Mark>,
}

/// An entry as it is written; what it says may belong to it or be borrowed.
#[derive(Serialize, Deserialize)]
enum PackedEntry<S, N> {
    Run { topic: u32, partition: u32, from: u64, length: u64 },
    Tick(Tick),
    Start(S),
    RuleSet(N),
}

type Written<'a> = PackedEntry<&'a Start, &'a str>;
type Read = PackedEntry<Box<Start>, String>;

/// The value of a record with these parts.
///
/// # Errors
/// [`RecordFault::Impossible`] for a run that is empty or out of range, or of no topic.
pub fn encode<'a>(
    topics: &[String],
    entries: impl IntoIterator<Item = &'a Entry>,
    mark: Option<Mark>,
) -> Result<Vec<u8>, RecordFault> {
    let entries: Result<Vec<Written>, RecordFault> =
        entries.into_iter().map(|entry| pack(topics.len(), entry)).collect();
    // Writing plain values to memory does not fail.
    postcard::to_extend(&Packed { topics, entries: entries?, mark }, vec![VERSION]).map_err(|_| RecordFault::Damaged)
}

/// Adds that the records from `from` up to before `to` were consumed; a run that continues the last one becomes one
/// with it, an empty one is none.
pub fn push_run(entries: &mut Vec<Entry>, run: Run) {
    match entries.last_mut() {
        Some(Entry::Run(last)) if (last.topic, last.partition, last.to) == (run.topic, run.partition, run.from) => {
            last.to = last.to.max(run.to);
        }
        _ if run.from < run.to => entries.push(Entry::Run(run)),
        _ => {}
    }
}

impl Record {
    /// The value of a record.
    ///
    /// # Errors
    /// As [`encode`].
    pub fn encode(&self) -> Result<Vec<u8>, RecordFault> {
        encode(&self.topics, &self.entries, self.mark)
    }

    /// The record in a value.
    ///
    /// # Errors
    /// When it is not one that [`Record::encode`] wrote.
    pub fn decode(bytes: &[u8]) -> Result<Record, RecordFault> {
        let (&version, rest) = bytes.split_first().ok_or(RecordFault::Empty)?;
        if version != VERSION {
            return Err(RecordFault::Version { found: version });
        }
        let Ok((Packed { topics, entries, mark }, [])) =
            postcard::take_from_bytes::<Packed<Vec<String>, Vec<Read>>>(rest)
        else {
            return Err(RecordFault::Damaged);
        };
        let entries: Result<Vec<Entry>, RecordFault> =
            entries.into_iter().map(|entry| unpack(topics.len(), entry)).collect();
        Ok(Record { entries: entries?, topics, mark })
    }
}

fn pack(topics: usize, entry: &Entry) -> Result<Written<'_>, RecordFault> {
    Ok(match entry {
        Entry::Run(Run { topic, partition, from, to }) => {
            if from >= to || *from < 0 || *partition > MAX_PARTITION || *topic as usize >= topics {
                return Err(RecordFault::Impossible);
            }
            let (from, length) = (*from as u64, (to - from) as u64);
            PackedEntry::Run { topic: *topic, partition: *partition, from, length }
        }
        Entry::Tick(tick) => PackedEntry::Tick(*tick),
        Entry::Start(start) => PackedEntry::Start(start),
        Entry::RuleSet(id) => PackedEntry::RuleSet(id),
    })
}

fn unpack(topics: usize, entry: Read) -> Result<Entry, RecordFault> {
    Ok(match entry {
        PackedEntry::Run { topic, partition, from, length } => {
            let to = from.checked_add(length).and_then(|to| i64::try_from(to).ok()).ok_or(RecordFault::Impossible)?;
            if length == 0 || partition > MAX_PARTITION || topic as usize >= topics {
                return Err(RecordFault::Impossible);
            }
            // Not greater than `to`, which fits.
            Entry::Run(Run { topic, partition, from: from as i64, to })
        }
        PackedEntry::Tick(tick) => Entry::Tick(tick),
        PackedEntry::Start(start) => Entry::Start(start),
        PackedEntry::RuleSet(id) => Entry::RuleSet(id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

    use crate::journal::Settings;

    fn run(topic: u32, partition: u32, from: i64, to: i64) -> Entry {
        Entry::Run(Run { topic, partition, from, to })
    }

    fn record(entries: Vec<Entry>) -> Record {
        Record { topics: vec!["wallet-events".to_owned(), "control".to_owned()], entries, mark: None }
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let range = (0..i64::MAX, 1..=i64::MAX).prop_map(|(from, length)| (from, from.saturating_add(length)));
        let settings = (any::<bool>(), any::<i64>(), any::<i64>(), any::<u32>()).prop_map(
            |(emit_all, max_future, max_skew, record_size)| Settings { emit_all, max_future, max_skew, record_size },
        );
        prop_oneof![
            (0..2_u32, 0..=MAX_PARTITION, range)
                .prop_map(|(topic, partition, (from, to))| run(topic, partition, from, to)),
            (any::<u32>(), any::<i64>()).prop_map(|(partition, time)| Entry::Tick(Tick { partition, time })),
            (any::<bool>(), any::<String>(), settings).prop_map(|(is_fresh, ruleset, settings)| Entry::Start(
                Box::new(Start { is_fresh, ruleset, settings, mark: Mark { sequence: 7, output_hash: 1 << 127 } })
            )),
            any::<String>().prop_map(Entry::RuleSet),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_encoded_is_decoded(entries in prop::collection::vec(entry(), 0..20), mark: Option<(u64, u128)>) {
            let mark = mark.map(|(sequence, output_hash)| Mark { sequence, output_hash });
            let record = Record { mark, ..record(entries) };
            let bytes = record.encode().expect("it is possible");
            prop_assert_eq!(Record::decode(&bytes), Ok(record));
        }

        #[test]
        fn arbitrary_bytes_are_decoded_or_refused(bytes: Vec<u8>, versioned: bool) {
            let bytes = if versioned { [&[VERSION], bytes.as_slice()].concat() } else { bytes };
            if let Ok(record) = Record::decode(&bytes) {
                prop_assert_eq!(record.encode().and_then(|bytes| Record::decode(&bytes)), Ok(record));
            }
        }

        #[test]
        fn damaged_records_do_not_panic(entries in prop::collection::vec(entry(), 0..9), at: usize, with: u8) {
            let record = record(entries);
            let mut bytes = record.encode().expect("it is possible");
            let at = at % bytes.len();
            bytes[at] ^= with;
            let decoded = Record::decode(&bytes);
            prop_assert_eq!(with != 0 || decoded == Ok(record), true);
            assert!(Record::decode(&bytes[..at]).is_err(), "a cut record is read");
        }
    }

    #[test]
    fn a_batch_costs_about_ten_bytes() {
        let two = [run(0, 0, 1 << 33, (1 << 33) + 500), run(0, 1, 1 << 32, (1 << 32) + 500)];
        let length = |entries: &[Entry]| record(entries.to_vec()).encode().expect("possible").len();
        assert_eq!((length(&[]), length(&two[..1]), length(&two)), (26, 36, 46));
    }

    #[test]
    fn runs_that_continue_each_other_are_one() {
        let mut entries = Vec::new();
        let mut push = |partition, from, to| push_run(&mut entries, Run { topic: 0, partition, from, to });
        for (partition, from, to) in [(0, 5, 5), (0, 5, 8), (0, 8, 9), (1, 9, 10), (1, 12, 13)] {
            push(partition, from, to);
        }
        assert_eq!(entries, [run(0, 0, 5, 9), run(0, 1, 9, 10), run(0, 1, 12, 13)]);
        entries.push(Entry::Tick(Tick { partition: 1, time: 7 }));
        push_run(&mut entries, Run { topic: 0, partition: 1, from: 13, to: 14 });
        assert_eq!(entries.len(), 5, "a tick lies between");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for entry in [run(0, 0, 5, 5), run(0, 0, -1, 5), run(0, 0, 6, 5), run(0, 1 << 31, 5, 6), run(2, 0, 5, 6)] {
            assert_eq!(record(vec![entry]).encode(), Err(RecordFault::Impossible));
        }
        for (bytes, fault) in [
            (&[][..], RecordFault::Empty),
            (&[2, 0, 0], RecordFault::Version { found: 2 }),
            (&[1], RecordFault::Damaged),
            (&[1, 0, 0, 0, 0], RecordFault::Damaged),
            (&[1, 0, 1, 0, 0, 0, 0, 1, 0], RecordFault::Impossible),
            (&[1, 1, 1, b'e', 1, 0, 0, 0, 0, 0, 0], RecordFault::Impossible),
        ] {
            assert_eq!(Record::decode(bytes), Err(fault), "{bytes:?}");
        }
        let read = Record::decode(&[1, 1, 1, b'e', 1, 0, 0, 0, 0, 1, 0]).expect("a record");
        assert_eq!((read.entries, read.topics), (vec![run(0, 0, 0, 1)], vec!["e".to_owned()]));
    }
}

//! The value of a record in the journal topic: what one transaction consumed.
//!
//! A version byte, then in the wire format of `postcard` the names of the topics and the entries, which number them.
//! So every record can be read by itself, wherever in the journal a reader begins, and a batch costs about ten bytes.
//! The records' timestamps are not repeated: they stand in the topics beside the events, and are as immutable.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{MAX_PARTITION, Tick};

/// Version of the layout; another one is not read.
pub const VERSION: u8 = 1;

/// Records of one partition that were consumed one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Name of the topic.
    pub topic: String,
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
    /// It consumed records.
    Run(Run),
    /// It closed locks of a silent partition.
    Tick(Tick),
    /// From here on it decided by this rule set, `name@hash`.
    RuleSet(String),
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
struct Packed {
    topics: Vec<String>,
    entries: Vec<PackedEntry>,
}

#[derive(Serialize, Deserialize)]
enum PackedEntry {
    Run { topic: u32, partition: u32, from: u64, length: u64 },
    Tick { partition: u32, time: i64 },
    RuleSet(String),
}

/// Entries in the making; runs that continue each other become one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entries(Vec<Entry>);

impl Entries {
    /// Notes that the records at `from` and up to before `to` were consumed. An empty run is none.
    pub fn run(&mut self, topic: &str, partition: u32, from: i64, to: i64) {
        match self.0.last_mut() {
            Some(Entry::Run(last)) if last.topic == topic && last.partition == partition && last.to == from => {
                last.to = last.to.max(to);
            }
            _ if from < to => self.0.push(Entry::Run(Run { topic: topic.to_owned(), partition, from, to })),
            _ => {}
        }
    }

    /// Notes a tick.
    pub fn tick(&mut self, tick: Tick) {
        self.0.push(Entry::Tick(tick));
    }

    /// Notes that another rule set decides from here on.
    pub fn rule_set(&mut self, id: &str) {
        self.0.push(Entry::RuleSet(id.to_owned()));
    }

    /// What was noted.
    pub fn all(&self) -> &[Entry] {
        &self.0
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// Entries as the value of a record.
///
/// # Errors
/// [`RecordFault::Impossible`] for a run that is empty or out of range.
pub fn encode(entries: &[Entry]) -> Result<Vec<u8>, RecordFault> {
    let mut topics: Vec<String> = Vec::new();
    let packed: Result<Vec<PackedEntry>, RecordFault> = entries.iter().map(|entry| pack(&mut topics, entry)).collect();
    let packed = Packed { entries: packed?, topics };
    // Writing plain values to memory does not fail.
    postcard::to_extend(&packed, vec![VERSION]).map_err(|_| RecordFault::Damaged)
}

/// The entries in the value of a record.
///
/// # Errors
/// When it is not one that [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<Vec<Entry>, RecordFault> {
    let (&version, rest) = bytes.split_first().ok_or(RecordFault::Empty)?;
    if version != VERSION {
        return Err(RecordFault::Version { found: version });
    }
    match postcard::take_from_bytes::<Packed>(rest) {
        Ok((Packed { topics, entries }, [])) => entries.into_iter().map(|entry| unpack(&topics, entry)).collect(),
        _ => Err(RecordFault::Damaged),
    }
}

fn pack(topics: &mut Vec<String>, entry: &Entry) -> Result<PackedEntry, RecordFault> {
    Ok(match entry {
        Entry::Run(Run { topic, partition, from, to }) => {
            if from >= to || *from < 0 || *partition > MAX_PARTITION {
                return Err(RecordFault::Impossible);
            }
            let known = topics.iter().position(|known| known == topic).unwrap_or_else(|| {
                topics.push(topic.clone());
                topics.len() - 1
            });
            PackedEntry::Run {
                topic: known as u32,
                partition: *partition,
                from: *from as u64,
                length: (to - from) as u64,
            }
        }
        Entry::Tick(Tick { partition, time }) => PackedEntry::Tick { partition: *partition, time: *time },
        Entry::RuleSet(id) => PackedEntry::RuleSet(id.clone()),
    })
}

fn unpack(topics: &[String], entry: PackedEntry) -> Result<Entry, RecordFault> {
    Ok(match entry {
        PackedEntry::Run { topic, partition, from, length } => {
            let topic = topics.get(topic as usize).ok_or(RecordFault::Impossible)?.clone();
            let to = from.checked_add(length).and_then(|to| i64::try_from(to).ok()).ok_or(RecordFault::Impossible)?;
            if length == 0 || partition > MAX_PARTITION {
                return Err(RecordFault::Impossible);
            }
            // Not greater than `to`, which fits.
            Entry::Run(Run { topic, partition, from: from as i64, to })
        }
        PackedEntry::Tick { partition, time } => Entry::Tick(Tick { partition, time }),
        PackedEntry::RuleSet(id) => Entry::RuleSet(id),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

    fn run(topic: &str, partition: u32, from: i64, to: i64) -> Entry {
        Entry::Run(Run { topic: topic.to_owned(), partition, from, to })
    }

    fn entry() -> impl Strategy<Value = Entry> {
        let topic = prop_oneof![Just("events"), Just("control"), Just("")];
        let range = (0..i64::MAX, 1..=i64::MAX).prop_map(|(from, length)| (from, from.saturating_add(length)));
        prop_oneof![
            (topic, 0..=MAX_PARTITION, range)
                .prop_map(|(topic, partition, (from, to))| run(topic, partition, from, to)),
            (any::<u32>(), any::<i64>()).prop_map(|(partition, time)| Entry::Tick(Tick { partition, time })),
            any::<String>().prop_map(Entry::RuleSet),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_encoded_is_decoded(entries in prop::collection::vec(entry(), 0..20)) {
            let bytes = encode(&entries).expect("they are possible");
            prop_assert_eq!(decode(&bytes), Ok(entries));
        }

        #[test]
        fn arbitrary_bytes_are_decoded_or_refused(bytes: Vec<u8>, versioned: bool) {
            let bytes = if versioned { [&[VERSION], bytes.as_slice()].concat() } else { bytes };
            if let Ok(entries) = decode(&bytes) {
                prop_assert_eq!(encode(&entries).and_then(|bytes| decode(&bytes)), Ok(entries));
            }
        }

        #[test]
        fn damaged_records_do_not_panic(entries in prop::collection::vec(entry(), 0..9), at: usize, with: u8) {
            let mut bytes = encode(&entries).expect("they are possible");
            let at = at % bytes.len();
            bytes[at] ^= with;
            let decoded = decode(&bytes);
            prop_assert_eq!(with != 0 || decoded == Ok(entries), true);
            assert!(decode(&bytes[..at]).is_err(), "a cut record is read");
        }
    }

    #[test]
    fn a_batch_costs_about_ten_bytes() {
        let two =
            [run("wallet-events", 0, 1 << 33, (1 << 33) + 500), run("wallet-events", 1, 1 << 32, (1 << 32) + 500)];
        let length = |entries: &[Entry]| encode(entries).expect("possible").len();
        assert_eq!((length(&two[..1]), length(&two)), (27, 37));
    }

    #[test]
    fn runs_that_continue_each_other_are_one() {
        let mut entries = Entries::default();
        entries.rule_set("demo@1");
        entries.run("events", 0, 5, 5);
        entries.run("events", 0, 5, 8);
        entries.run("events", 0, 8, 9);
        entries.run("events", 1, 9, 10);
        entries.run("events", 1, 12, 13);
        entries.tick(Tick { partition: 1, time: 7 });
        entries.run("events", 1, 13, 14);
        let expected = [
            Entry::RuleSet("demo@1".to_owned()),
            run("events", 0, 5, 9),
            run("events", 1, 9, 10),
            run("events", 1, 12, 13),
            Entry::Tick(Tick { partition: 1, time: 7 }),
            run("events", 1, 13, 14),
        ];
        assert_eq!(entries.all(), expected);
        entries.clear();
        assert_eq!(entries, Entries::default());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for entry in [run("e", 0, 5, 5), run("e", 0, -1, 5), run("e", 0, 6, 5), run("e", 1 << 31, 5, 6)] {
            assert_eq!(encode(&[entry]), Err(RecordFault::Impossible));
        }
        for (bytes, fault) in [
            (&[][..], RecordFault::Empty),
            (&[2, 0, 0], RecordFault::Version { found: 2 }),
            (&[1], RecordFault::Damaged),
            (&[1, 0, 0, 0], RecordFault::Damaged),
            (&[1, 0, 1, 0, 0, 0, 0, 1], RecordFault::Impossible),
            (&[1, 1, 1, b'e', 1, 0, 0, 0, 0, 0], RecordFault::Impossible),
        ] {
            assert_eq!(decode(bytes), Err(fault), "{bytes:?}");
        }
        assert_eq!(decode(&[1, 1, 1, b'e', 1, 0, 0, 0, 0, 1]), Ok(vec![run("e", 0, 0, 1)]));
    }
}

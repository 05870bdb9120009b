//! What is seen only from inside: where batches are cut, where records are said to be from, and odd numbers.

use super::*;
use crate::feature::store::Serial;
use crate::journal::{MAX_PARTITION, Settings};
use crate::model::time::MAX_DURATION;
use crate::ruleset::load::{SourceFile, load};

const RULES: &str = "
ruleset: { name: small, currency: CNY }
rules:
  freeze: { on: type == 'freeze', when: true, action: lock, lock: { for: 10m } }
";

fn playback(batch_records: usize) -> Playback<'static> {
    let files = [SourceFile { path: "rules.yaml".into(), text: RULES.into() }];
    let rules = load(&files, &|_, list| Err(format!("no list file {list}"))).expect("a valid rule set").rules;
    Playback::new(rules, Setup { emit: None, options: Options::default(), batch_records }, &Serial)
}

/// A record; only partition 1 may carry control events.
fn record(topic: &str, partition: u32, offset: u64, value: &[u8]) -> Consumed {
    let (topic, value) = (topic.to_owned(), Some(value.to_vec()));
    Consumed { topic, partition, offset, timestamp: Some(0), control: partition == 1, value }
}

fn freeze(id: u64) -> Vec<u8> {
    format!(r#"{{"id":"{id}","type":"freeze","time":1000,"account":"a1"}}"#).into_bytes()
}

#[test]
fn batches_are_cut_by_number_and_by_size() {
    let check = |batch_records: usize, value: &[u8], expected: &[u64]| {
        let mut playback = playback(batch_records);
        let full = |offset: &u64| {
            playback.take(Step::Record(record("events", 0, *offset, value)), &mut io::sink()).expect("a sink")
        };
        assert_eq!((0..200).filter(full).collect::<Vec<_>>(), expected, "{batch_records}, {} bytes", value.len());
    };
    check(60, b"{}", &[59, 119, 179]);
    check(1000, b"{}", &[]);
    check(1000, &vec![b' '; 64 * 1024], &[63, 127, 191]);
}

#[test]
fn sources_are_told_apart_by_topic_partition_and_rights() {
    let mut playback = playback(100);
    let mut consumed =
        vec![record("b", 0, 7, b""), record("a", 1, 1, b""), record("b", 1, 5, b""), record("b", 0, 9, b"")];
    consumed.push(Consumed { control: true, ..record("b", 0, 12, b"") });
    consumed.into_iter().for_each(|record| playback.add(record));
    let sources: Vec<u32> = playback.raw.records.iter().map(|record| record.origin.source).collect();
    assert_eq!(sources, [0, 1, 2, 0, 3]);
    let shown: Vec<_> = playback.raw.sources.iter().map(|source| (source.position(1), source.may_control())).collect();
    let expected = [("b/0/1", false), ("a/1/1", true), ("b/1/1", true), ("b/0/1", true)];
    assert_eq!(shown, expected.map(|(position, may)| (position.to_owned(), may)));
    let next = playback.finish(&mut io::sink()).expect("a sink").next_offsets;
    assert_eq!(next["b"], BTreeMap::from([(0, 13), (1, 6)]));
    assert_eq!(next["a"], BTreeMap::from([(1, 2)]));
}

#[test]
fn settings_are_taken_over_with_or_without_history() {
    for (is_fresh, active) in [(true, 0), (false, 1)] {
        let mut playback = playback(100);
        playback.add(record("events", 1, 1, &freeze(1)));
        let settings = Settings { emit_all: true, max_future: 1, max_skew: 2, record_size: 3 };
        let start = Start { is_fresh, ruleset: playback.engine.rules().id.clone(), settings, mark: Mark::default() };
        playback.take(Step::Start(start), &mut io::sink()).expect("a sink");
        assert_eq!(playback.engine.active_locks(), active, "fresh: {is_fresh}");
        let options = playback.setup.options;
        assert_eq!((options.max_future, options.max_skew), (Some(1), Some(2)));
        assert_eq!((playback.raw.max_record, playback.emit()), (3, Emit::All));
    }
}

#[test]
fn odd_numbers_do_no_harm() {
    for number in [i64::MIN, -1, 0, i64::MAX] {
        for (bound, record_size) in [(0, 0), (MAX_DURATION, u32::MAX)] {
            let settings = Settings { emit_all: true, max_future: bound, max_skew: bound, record_size };
            let start =
                |is_fresh| Step::Start(Start { is_fresh, ruleset: String::new(), settings, mark: Mark::default() });
            let record = |offset, partition| {
                let stamped =
                    Consumed { timestamp: Some(number), ..record("events", partition, offset, &freeze(offset)) };
                Step::Record(stamped)
            };
            let tick = |partition| Step::Tick(Tick { partition, time: number });
            let far = MAX_PARTITION;
            let steps = [tick(far), start(true), record(0, 1), tick(1), start(false), record(u64::MAX, far), tick(far)];
            let mut out = Vec::new();
            let mut playback = playback(1);
            for step in steps {
                playback.take(step, &mut out).expect("in memory");
            }
            let end = playback.finish(&mut out).expect("in memory");
            assert_eq!(end.report.facts.records, 2, "{number}");
            assert_eq!(end.mark.sequence as usize, out.split_inclusive(|byte| *byte == b'\n').count());
        }
    }
}

#[test]
fn lines_that_cannot_be_written_end_it() {
    let mut nowhere: &mut [u8] = &mut [];
    let failed = playback(1).take(Step::Record(record("events", 0, 1, b"")), &mut nowhere);
    assert!(matches!(failed, Err(PlaybackError::Write(_))), "{failed:?}");
}

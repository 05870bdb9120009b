//! Replaying a journal writes what the service wrote: each is compared with the engine driven by hand, step by step.

mod by_hand;
mod command;
mod story;

use std::sync::atomic::AtomicBool;

use proptest::prelude::{ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};

use lockkeeper::engine::{Emit, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::journal::{Mark, Settings, Step};
use lockkeeper::replay::playback::{End, Playback, Setup};

use by_hand::by_hand;
use story::{LIVE, MINUTE, Story, rules, start, story, tick};

fn setup(batch_records: usize, emit: Option<Emit>) -> Setup {
    let options = Options { max_future: Some(5 * MINUTE), max_skew: Some(60 * MINUTE), ..Options::default() };
    Setup { emit, options, batch_records }
}

/// For messages: comparing it compares the bytes, as all of them are text.
fn shown(out: &[u8]) -> String {
    std::str::from_utf8(out).expect("UTF-8").to_owned()
}

fn play(steps: &[Step], setup: Setup) -> (Vec<u8>, End) {
    let mut out = Vec::new();
    let playback = Playback::new(rules(), setup, &Serial);
    let (mut steps, stop) = (steps.iter().cloned(), AtomicBool::new(false));
    let end = playback.play(&mut steps, &mut out, &stop, &mut |_, _| {}).expect("in memory");
    (out, end)
}

/// What of a line tells it from others: action, transition or code, and the event.
fn kinds(out: &[u8]) -> Vec<String> {
    let kind = |line: &str| {
        let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let what = ["action", "transition", "code"].into_iter().find_map(|key| line[key].as_str());
        format!("{} {}", what.unwrap_or_default(), line["event"].as_str().unwrap_or("-"))
    };
    std::str::from_utf8(out).expect("UTF-8").lines().map(kind).collect()
}

#[test]
fn the_lines_are_those_of_the_live_service() {
    let steps = story();
    let expected = by_hand(&steps, None);
    let said = [
        "allow 1",
        "lock 2",
        "locked 2",
        "not_allowed 3",
        "allow 4",
        "unlocked 4",
        "malformed -",
        "malformed -",
        "malformed -",
        "too_large -",
        "allow 9",
        "allow 10",
        "future 11",
        "allow 12",
        "lock 13",
        "locked 13",
        "expired -",
        "allow 17",
        "late 18",
        "allow 19",
        "lock 20",
        "locked 20",
        "future 23",
        "too_large -",
        "deny 26",
        "late 27",
        "expired -",
        "allow 31",
        "lock 32",
        "locked 32",
        "allow 34",
        "late 35",
    ];
    assert_eq!(kinds(&expected), said);
    for batch_records in [1, 2, 7, 4096] {
        let (out, _) = play(&steps, setup(batch_records, None));
        assert_eq!(shown(&out), shown(&expected), "batches of {batch_records}");
    }
}

#[test]
fn what_is_written_can_be_asked_for() {
    let steps = story();
    let lines = |emit| {
        let (out, _) = play(&steps, setup(100, Some(emit)));
        assert_eq!(out, by_hand(&steps, Some(emit)));
        out.split_inclusive(|byte| *byte == b'\n').count()
    };
    assert_eq!(lines(Emit::None), 0);
    assert!(0 < lines(Emit::Flagged) && lines(Emit::Flagged) < lines(Emit::All));
}

#[test]
fn the_end_says_how_far_it_came() {
    let (out, end) = play(&story(), setup(3, None));
    // The last start without history says that there was no output before it, and two lines come after it.
    let (lines, mut mark) = (out.split_inclusive(|byte| *byte == b'\n'), Mark::default());
    lines.skip(30).for_each(|line| mark.add(line));
    assert_eq!((end.mark, end.mark.sequence), (mark, 2));
    let offsets = end.next_offsets.iter().flat_map(|(topic, offsets)| {
        offsets.iter().map(move |(partition, offset)| (topic.as_str(), *partition, *offset))
    });
    assert_eq!(offsets.collect::<Vec<_>>(), [("control", 0, 36), ("events", 0, 35)]);
    assert_eq!(end.report.facts.records, 27);
    assert_eq!(end.report.active_locks, 0);
    let [warning] = end.report.warnings.as_slice() else { panic!("{:?}", end.report.warnings) };
    assert!(warning.contains("rule set live@other") && warning.contains(&rules().id), "{warning}");
}

#[test]
fn a_journal_without_beginning_is_played_with_a_warning() {
    let begun = Story::default().event("events", 0, "payment", "a", 0).0;
    for (steps, warned) in [
        (vec![], false),
        ([vec![start(true, LIVE)], begun.clone()].concat(), false),
        ([vec![start(false, LIVE)], begun.clone()].concat(), true),
        (begun.clone(), true),
    ] {
        let (out, end) = play(&steps, setup(3, Some(Emit::All)));
        assert_eq!(out, by_hand(&steps, Some(Emit::All)));
        assert_eq!(!end.report.warnings.is_empty(), warned, "{steps:?}: {:?}", end.report.warnings);
    }
    // Without a start the bounds are those it was given.
    let far = Story::default().ahead(0, 6).0;
    assert_eq!(kinds(&play(&far, setup(1, None)).0), ["future 0"]);
    let options = Options { max_future: Some(6 * MINUTE), ..Options::default() };
    assert_eq!(kinds(&play(&far, Setup { options, ..setup(1, Some(Emit::All)) }).0), ["allow 0"]);
}

/// One of many small things that can be in a journal.
fn some_step() -> impl Strategy<Value = (u8, u32, usize, i64)> {
    (prop_oneof![8 => 0..4_u8, 1 => 4..9_u8], 0..3_u32, 0..3_usize, -20..20_i64)
}

fn journal_of(choices: &[(u8, u32, usize, i64)]) -> Vec<Step> {
    let mut story = Story::default();
    for (index, &(kind, partition, account, jitter)) in choices.iter().enumerate() {
        // Time moves on by a quarter of a minute a step, give or take.
        let minute = index as i64 / 4 + if jitter % 5 == 0 { jitter } else { 0 };
        let account = ["a", "b", "c"][account];
        let settings = Settings { max_skew: (20 + jitter) * MINUTE, emit_all: jitter % 2 == 0, ..LIVE };
        story = match kind {
            0..3 => story.event("events", partition, "login", account, minute),
            3 => story.event("control", partition, "unlock", account, minute),
            4 => story.event("events", partition, "unlock", account, minute),
            5 => story.value("events", partition, minute, None),
            6 => story.step(tick(partition, minute)),
            7 => story.step(start(false, Settings { record_size: 100 + 10 * partition, ..settings })),
            _ => story.step(start(partition == 0, settings)),
        };
    }
    story.0
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn batches_change_nothing(choices in prop::collection::vec(some_step(), 0..200), all in any::<bool>()) {
        let steps = journal_of(&choices);
        let emit = all.then_some(Emit::All);
        let (expected, mut whole) = play(&steps, setup(4096, emit));
        prop_assert_eq!(shown(&expected), shown(&by_hand(&steps, emit)));
        for batch_records in [1, 5] {
            let (out, mut end) = play(&steps, setup(batch_records, emit));
            prop_assert_eq!(shown(&out), shown(&expected));
            prop_assert_eq!((end.mark, &end.next_offsets), (whole.mark, &whole.next_offsets));
            prop_assert_eq!(&end.report.facts, &whole.report.facts);
            prop_assert_eq!(end.engine.encode().expect("a state"), whole.engine.encode().expect("a state"));
        }
    }
}

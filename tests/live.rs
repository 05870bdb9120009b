//! What a live shell asks of the engine beyond lines: each line with its record, control topics, ticks.

use lockkeeper::engine::said::About;
use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::model::batch::{Batch, Origin, RejectCode, Source};
use lockkeeper::model::events::Span;
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::ruleset::types::RuleSet;
use lockkeeper::wire::{RawBatch, RawRecord, decode};

const RULES: &str = "
ruleset: { name: live, currency: CNY, lateness: 1m }
features:
  wrong_5m: { aggregate: count, by: account, where: reason == 'wrong_password', window: 5m }
rules:
  wrong-passwords:
    on: type == 'login'
    when: wrong_5m >= 2
    action: lock
    lock: { target: account, for: 10m, unlock: [operator] }
";

fn rules() -> RuleSet {
    let files = [SourceFile { path: "rules.yaml".into(), text: RULES.into() }];
    load(&files, &|_, list| Err(format!("no list file {list}"))).expect("a valid rule set").rules
}

/// Events of one topic, each with the partition it comes from.
fn batch(rules: &RuleSet, control: bool, lines: &[(u32, &str)]) -> Batch {
    let source = |partition| Source::Partition { topic: "events".into(), partition, control };
    let mut raw = RawBatch { sources: vec![source(0), source(1)], headers: vec![None, None], ..RawBatch::default() };
    for (number, (partition, line)) in lines.iter().enumerate() {
        let span = Span { start: raw.text.len() as u32, len: line.len() as u32 };
        raw.text.extend_from_slice(line.as_bytes());
        let origin = Origin { source: *partition, number: number as u64, partition: *partition, timestamp: None };
        raw.records.push(RawRecord { span, origin });
    }
    let mut batch = Batch::new(&[]);
    decode(&mut raw, &rules.schema, &mut batch);
    batch
}

fn login(id: &str, minute: u32, reason: &str) -> String {
    login_of("a1", id, minute, reason)
}

fn login_of(account: &str, id: &str, minute: u32, reason: &str) -> String {
    format!(
        r#"{{"id":"{id}","type":"login","time":"2026-05-01T10:{minute:02}:00Z","account":"{account}","outcome":"failure","reason":"{reason}"}}"#
    )
}

/// Kind and record of each line, and the lines.
fn said(engine: &mut Engine, batch: &Batch) -> (Vec<(String, Option<u32>)>, String) {
    let (mut kinds, mut out) = (Vec::new(), Vec::new());
    engine.apply_each(batch, &Serial, Emit::All, &mut out, &mut |out, said| {
        assert_eq!(out[said.line.clone()].last(), Some(&b'\n'));
        let kind = match said.about {
            About::Decision { account, .. } => format!("decision about {account}"),
            About::Transition(transition) => transition.kind.name().to_owned(),
            About::Rejected(rejection) => rejection.code.name().to_owned(),
            About::Evicted => "evicted".to_owned(),
        };
        kinds.push((kind, said.record));
    });
    (kinds, String::from_utf8(out).expect("text"))
}

#[test]
fn every_line_comes_with_its_record() {
    let rules = rules();
    let lines = [login("1", 0, "wrong_password"), login("2", 1, "wrong_password"), "{".into(), login("3", 30, "x")];
    let lines: Vec<(u32, &str)> = lines.iter().map(|line| (0, line.as_str())).collect();
    let batch = batch(&rules, false, &lines);
    let mut engine = Engine::new(rules, Options::default());
    let (kinds, text) = said(&mut engine, &batch);
    let expected = [
        ("decision about a1", 0),
        ("decision about a1", 1),
        ("locked", 1),
        ("malformed", 2),
        ("expired", 3),
        ("decision about a1", 3),
    ];
    assert_eq!(kinds, expected.map(|(kind, record)| (kind.to_owned(), Some(record))));
    let mut whole = Vec::new();
    Engine::new(self::rules(), Options::default()).apply(&batch, &Serial, Emit::All, &mut whole);
    assert_eq!(text, String::from_utf8(whole).expect("text"));
}

#[test]
fn control_events_need_a_control_topic() {
    let freeze = r#"{"id":"1","type":"freeze","time":"2026-05-01T10:00:00Z","account":"a1"}"#;
    for (control, expected) in [(false, RejectCode::NotAllowed.name()), (true, "decision about a1")] {
        let rules = rules();
        let batch = batch(&rules, control, &[(0, freeze), (0, &login("2", 1, "x"))]);
        let (kinds, _) = said(&mut Engine::new(rules, Options::default()), &batch);
        assert_eq!(kinds[0], (expected.to_owned(), Some(0)), "control {control}");
        assert_eq!(kinds.len(), 2);
    }
}

#[test]
fn a_tick_ends_the_locks_of_its_partition_and_moves_no_watermark() {
    let rules = rules();
    let batch = batch(&rules, false, &[(1, &login("1", 0, "wrong_password")), (1, &login("2", 1, "wrong_password"))]);
    let mut engine = Engine::new(rules, Options { max_skew: Some(3_600_000), ..Options::default() });
    said(&mut engine, &batch);
    let end = engine.next_end(1).expect("a lock");
    assert_eq!((engine.active_locks(), engine.next_end(0)), (1, None));
    let mut tick = |partition, time| {
        let (mut out, mut count) = (Vec::new(), 0);
        let ended = engine.tick(partition, time, Emit::Flagged, &mut out, &mut |_, said| {
            assert!(matches!(said.about, About::Transition(_)) && said.record.is_none());
            count += 1;
        });
        assert_eq!(ended, count);
        (count, String::from_utf8(out).expect("text"))
    };
    assert_eq!(tick(0, end).0, 0, "another partition");
    assert_eq!(tick(1, end - 1).0, 0, "too early");
    let (count, line) = tick(1, end);
    assert_eq!(count, 1);
    assert!(line.contains("\"transition\":\"expired\""), "{line}");
    assert_eq!(tick(1, end).0, 0, "once");
    assert_eq!((engine.active_locks(), forgotten(&engine).len()), (0, 0));
    // An event that the tick's time would have made late is still accepted.
    let rules = self::rules();
    let (kinds, _) = said(&mut engine, &self::batch(&rules, false, &[(1, &login("3", 2, "x"))]));
    assert_eq!(kinds, [("decision about a1".to_owned(), Some(0))]);
}

/// The accounts whose locks the last batch or tick let the engine forget.
fn forgotten(engine: &Engine) -> Vec<String> {
    engine.forgotten().iter().map(|target| target.texts.join(" ")).collect()
}

#[test]
fn ended_locks_are_forgotten_once_and_in_order() {
    let rules = rules();
    let mut engine = Engine::new(rules.clone(), Options::default());
    let mut wrong = Vec::new();
    for (number, account) in ["c", "b", "a"].into_iter().enumerate() {
        let minute = u32::try_from(number).expect("small");
        wrong.extend([1, 2].map(|time| login_of(account, &format!("{account}{time}"), minute, "wrong_password")));
    }
    let lines: Vec<(u32, &str)> = wrong.iter().map(|line| (0, line.as_str())).collect();
    said(&mut engine, &batch(&rules, false, &lines));
    assert_eq!((engine.locks_by_rule(), forgotten(&engine)), (vec![3], vec![]));
    // The floor is a minute behind: what ended at 10:10 and 10:11 is out of reach, what ends at 10:12 is not.
    said(&mut engine, &batch(&rules, false, &[(0, &login_of("d", "1", 12, "x"))]));
    assert_eq!((engine.locks_by_rule(), forgotten(&engine)), (vec![0], vec!["c".to_owned()]));
    let state = engine.encode().expect("a state");
    let decoded = Engine::decode(rules.clone(), Options::default(), &state).expect("its own state");
    for mut engine in [engine, decoded] {
        said(&mut engine, &batch(&rules, false, &[(0, &login_of("d", "2", 30, "x"))]));
        assert_eq!(forgotten(&engine), ["a", "b"]);
        engine.tick(0, 0, Emit::Flagged, &mut Vec::new(), &mut |_, _| {});
        assert_eq!(forgotten(&engine), [""; 0], "said once");
    }
}

#[test]
fn a_tick_lets_locks_be_forgotten_as_an_event_does() {
    let rules = rules();
    let mut engine = Engine::new(rules.clone(), Options { max_skew: Some(600_000), ..Options::default() });
    let lines = [(1, login("1", 0, "wrong_password")), (1, login("2", 1, "wrong_password")), (0, login("3", 50, "x"))];
    let lines: Vec<(u32, &str)> = lines.iter().map(|(partition, line)| (*partition, line.as_str())).collect();
    said(&mut engine, &batch(&rules, false, &lines));
    let end = engine.next_end(1).expect("a lock");
    assert_eq!(forgotten(&engine), [""; 0], "its end was not written yet");
    engine.tick(1, end, Emit::Flagged, &mut Vec::new(), &mut |_, _| {});
    assert_eq!(forgotten(&engine), ["a1"], "no event to come is older than 10:40");
}

#[test]
fn a_lock_of_a_silent_partition_is_not_forgotten_before_it_ends() {
    let rules = rules();
    let mut engine = Engine::new(rules.clone(), Options { max_skew: Some(600_000), ..Options::default() });
    let events = [(0, 0), (0, 1), (1, 20), (1, 21), (1, 50)];
    let lines = events.map(|(partition, minute)| {
        let reason = if minute < 50 { "wrong_password" } else { "x" };
        (partition, login(&minute.to_string(), minute, reason))
    });
    let lines: Vec<(u32, &str)> = lines.iter().map(|(partition, line)| (*partition, line.as_str())).collect();
    said(&mut engine, &batch(&rules, false, &lines));
    // The second lock is over and out of reach; the end of the first was never written, as its partition is silent.
    assert_eq!((engine.locks_by_rule(), forgotten(&engine).len()), (vec![1], 0));
    let (mut newest, mut out) = (Vec::new(), Vec::new());
    let late = batch(&rules, false, &[(0, &login("late", 45, "x"))]);
    engine.apply_each(&late, &Serial, Emit::All, &mut out, &mut |_, said| {
        if let About::Transition(transition) = said.about {
            newest.push((transition.kind.name(), transition.is_newest));
        }
    });
    assert_eq!(newest, [("expired", false)], "the second lock is the newest");
    assert_eq!((engine.active_locks(), forgotten(&engine)), (0, vec!["a1".to_owned()]));
}

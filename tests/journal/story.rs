//! A journal written by hand: two topics, two partitions, and everything that can become of a record.

use lockkeeper::journal::lines::{Consumed, write_head, write_step};
use lockkeeper::journal::{Mark, Settings, Start, Step, Tick};
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::ruleset::types::RuleSet;
use lockkeeper::wire::MAX_RECORD;

pub const RULES: &str = "
ruleset: { name: live, currency: CNY, lateness: 10m }
features:
  wrong_5m: { aggregate: count, by: account, where: reason == 'wrong_password', window: 5m }
rules:
  wrong-passwords:
    on: type == 'login'
    when: wrong_5m >= 2
    action: lock
    lock: { target: account, for: 10m, unlock: [operator] }
";
/// The time of minute 0, ms.
const BEGIN: i64 = 1_750_000_000_000;
pub const MINUTE: i64 = 60_000;
pub const LIVE: Settings =
    Settings { emit_all: true, max_future: 5 * MINUTE, max_skew: 60 * MINUTE, record_size: MAX_RECORD as u32 };

pub fn rules() -> RuleSet {
    let files = [SourceFile { path: "rules.yaml".into(), text: RULES.into() }];
    load(&files, &|_, list| Err(format!("no list file {list}"))).expect("a valid rule set").rules
}

fn at(minute: i64) -> i64 {
    BEGIN + minute * MINUTE
}

pub fn start(is_fresh: bool, settings: Settings) -> Step {
    Step::Start(Start { is_fresh, ruleset: rules().id, settings, mark: Mark::default() })
}

pub fn tick(partition: u32, minute: i64) -> Step {
    Step::Tick(Tick { partition, time: at(minute) })
}

/// An event of `account` at a minute, as JSON.
fn event(id: u32, kind: &str, account: &str, minute: i64) -> String {
    let reason = if kind == "login" { r#","outcome":"failure","reason":"wrong_password""# } else { "" };
    let proof = if kind == "unlock" { r#","proof":"operator""# } else { "" };
    format!(r#"{{"id":"{id}","type":"{kind}","time":{},"account":"{account}"{reason}{proof}}}"#, at(minute))
}

/// Consumes values one after the other; the offset is the place in the journal, so it always grows.
#[derive(Default)]
pub struct Story(pub Vec<Step>);

impl Story {
    pub fn step(mut self, step: Step) -> Self {
        self.0.push(step);
        self
    }

    /// A record whose timestamp is that minute.
    pub fn value(self, topic: &str, partition: u32, minute: i64, value: Option<&[u8]>) -> Self {
        let offset = self.0.len() as u64;
        let (control, value) = (topic == "control", value.map(<[u8]>::to_vec));
        let (topic, timestamp) = (topic.to_owned(), Some(at(minute)));
        self.step(Step::Record(Consumed { topic, partition, offset, timestamp, control, value }))
    }

    pub fn event(self, topic: &str, partition: u32, kind: &str, account: &str, minute: i64) -> Self {
        let id = self.0.len() as u32;
        self.value(topic, partition, minute, Some(event(id, kind, account, minute).as_bytes()))
    }

    /// An event whose own time is `ahead` minutes after its record's timestamp.
    pub fn ahead(self, minute: i64, ahead: i64) -> Self {
        let id = self.0.len() as u32;
        self.value("events", 0, minute, Some(event(id, "payment", "c", minute + ahead).as_bytes()))
    }

    /// An event padded to a length.
    pub fn padded(self, length: usize, minute: i64) -> Self {
        let event = event(self.0.len() as u32, "payment", "d", minute);
        self.value("events", 1, minute, Some((" ".repeat(length - event.len()) + &event).as_bytes()))
    }
}

/// Two topics, two partitions, and everything that can become of a record.
pub fn story() -> Vec<Step> {
    let strict = Settings { emit_all: false, max_future: MINUTE, max_skew: 5 * MINUTE, record_size: 300 };
    let locked = |story: Story, partition, account, minute| {
        let story = story.event("events", partition, "login", account, minute);
        story.event("events", partition, "login", account, minute + 1)
    };
    let story = Story::default().step(start(true, LIVE));
    let story = locked(story, 0, "a", 0)
        .event("events", 1, "unlock", "a", 2)
        .event("control", 0, "unlock", "a", 2)
        .value("events", 0, 2, None)
        .value("events", 0, 2, Some(b""))
        .value("events", 1, 2, Some(b"\xff\x00\n"))
        .value("events", 1, 2, Some(&[b' '; MAX_RECORD + 1]))
        .padded(MAX_RECORD, 3)
        .ahead(3, 5)
        .ahead(3, 6);
    let story = locked(story, 1, "b", 4).step(tick(0, 40)).step(tick(1, 14)).step(tick(1, 15));
    let story = story.event("events", 1, "payment", "b", 20).event("events", 0, "payment", "a", -30);
    let story = locked(story, 1, "e", 21).step(start(false, strict)).ahead(22, 1).ahead(22, 2).padded(300, 22);
    let story = story.padded(301, 22).event("events", 1, "payment", "e", 23).event("events", 0, "payment", "f", 17);
    let story = story.step(Step::RuleSet("live@other".to_owned())).step(tick(1, 40)).step(start(false, LIVE));
    let story = locked(story, 0, "a", 24).step(start(true, LIVE));
    story.event("events", 0, "login", "a", 26).event("control", 0, "unlock", "a", -300).0
}

pub fn text(steps: &[Step]) -> Vec<u8> {
    let mut out = Vec::new();
    write_head(&mut out);
    steps.iter().for_each(|step| write_step(&mut out, step));
    out
}

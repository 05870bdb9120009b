//! The plain reference engine: the velocity workload of `benches/velocity/rules.yaml`, hard-coded, as a good engineer
//! would write it in an afternoon. serde, the standard hash map, queues with running counters, one event at a time.
//!
//! It is what lockkeeper's speed is measured against, and for events in order of time its output is lockkeeper's, byte
//! for byte. It has no locks, no rule language and no lateness: a back-dated event is entered in its place and judged
//! with what is in the windows by then.

mod decision;
mod dedup;
mod event;
mod features;
pub mod rules;
mod window;

use decision::{Decision, Hit, Rejected, Values};
use dedup::{Dedup, Seen};
use event::Event;
use features::{Features, Row};
use rules::{Action, Rule, action_of};

/// The engine and its state.
#[derive(Debug)]
pub struct Reference {
    ruleset: String,
    rules: [Rule; 20],
    features: Features,
    dedup: Dedup,
    lines: u64,
}

impl Reference {
    /// An engine without history; `ruleset_id` is what decisions show as `ruleset`.
    pub fn new(ruleset_id: &str) -> Self {
        Reference {
            ruleset: ruleset_id.to_owned(),
            rules: rules::all(),
            features: Features::default(),
            dedup: Dedup::default(),
            lines: 0,
        }
    }

    /// Judges one record and appends one line, with its line end, to `out`.
    pub fn process(&mut self, line: &[u8], out: &mut Vec<u8>) {
        self.lines += 1;
        let Ok(event) = serde_json::from_slice::<Event>(line) else {
            return self.reject("malformed", "", "not an event of this workload", out);
        };
        let Some(time) = event.millis() else {
            return self.reject("invalid_field", &event.id, "time is not RFC 3339", out);
        };
        match self.dedup.look(&event.account, &event.id, time, line) {
            Seen::Never => {}
            Seen::Same => return self.reject("duplicate", &event.id, "seen before", out),
            Seen::Different => return self.reject("conflict", &event.id, "seen before, but different", out),
        }
        let row = self.features.update(&event, time);
        self.decide(&event, time, &row, out);
    }

    fn decide(&self, event: &Event, time: i64, row: &Row, out: &mut Vec<u8>) {
        let fired = self.rules.iter().filter(|rule| rule.fires(event, row));
        let hits: Vec<Hit> = fired.map(|rule| hit(rule, row)).collect();
        let score = hits.iter().map(|hit| hit.score).sum::<u32>().min(100);
        let of_rules = hits.iter().map(|hit| hit.action).max().unwrap_or(Action::Allow);
        let time = chrono::DateTime::from_timestamp_millis(time).unwrap_or_default();
        let decision = Decision {
            kind: "decision",
            event: &event.id,
            event_type: &event.kind,
            account: &event.account,
            order: &event.order,
            time: time.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            action: of_rules.max(action_of(score)),
            score,
            hits: &hits,
            covered_by: [],
            ruleset: &self.ruleset,
        };
        write(&decision, out);
    }

    fn reject(&self, code: &'static str, event: &str, detail: &'static str, out: &mut Vec<u8>) {
        let position = format!("-:{}", self.lines);
        write(&Rejected { kind: "rejected", code, position, event, detail }, out);
    }
}

fn hit<'a>(rule: &'a Rule, row: &'a Row) -> Hit<'a> {
    Hit { rule: rule.id, mode: "enforce", action: rule.action, score: rule.score, values: Values { rule, row } }
}

fn write(line: &impl serde::Serialize, out: &mut Vec<u8>) {
    serde_json::to_writer(&mut *out, line).expect("a buffer takes all bytes and every key is a text");
    out.push(b'\n');
}

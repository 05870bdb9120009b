//! Output lines: decisions, transitions, rejections and evictions as JSON, key order fixed.

use super::phrases::Phrases;
use crate::expr::format;
use crate::feature::keys::Expressions;
use crate::model::batch::{Batch, Rejection};
use crate::model::events::TextField;
use crate::model::money::Currency;
use crate::model::outcome::{Cover, Decision, Eviction, Item, Outcome, Target, Transition, TransitionKind};
use crate::model::time::write_timestamp;
use crate::model::value::{Type, Value};
use crate::ruleset::types::{Named, ReasonPart, Rule, RuleSet};
use crate::wire::{write_json_string, write_json_text};

/// Characters of event text that a reason shows.
const REASON_TEXT_MAX: usize = 64;

/// What the lines are written from.
#[derive(Clone, Copy)]
pub struct Encoder<'a> {
    /// The rule set.
    pub rules: &'a RuleSet,
    /// What is the same in all lines.
    pub phrases: &'a Phrases,
    /// The batch.
    pub batch: &'a Batch,
    /// Rejections of intake.
    pub rejections: &'a [Rejection],
    /// What is to be said.
    pub outcome: &'a Outcome,
    /// Expression columns, for values and reasons.
    pub expressions: Expressions<'a>,
}

impl Encoder<'_> {
    /// Writes one line.
    pub fn write(&self, out: &mut Vec<u8>, item: &Item) {
        match item {
            Item::Decision(decision) => return self.decision(out, decision),
            Item::Transition(index) => self.transition(out, &self.outcome.transitions[*index as usize]),
            Item::Rejected(index) => self.rejection(out, *index as usize),
            Item::Evicted(index) => self.eviction(out, &self.outcome.evictions[*index as usize]),
        }
        out.extend_from_slice(b"}\n");
    }

    fn decision(&self, out: &mut Vec<u8>, decision: &Decision) {
        let row = decision.row as usize;
        out.extend_from_slice(b"{\"kind\":\"decision\",\"event\":\"");
        write_json_text(out, self.bytes(TextField::Id, row));
        out.extend_from_slice(b"\",\"type\":\"");
        write_json_text(out, self.bytes(TextField::Type, row));
        out.extend_from_slice(b"\",\"account\":\"");
        write_json_text(out, self.bytes(TextField::Account, row));
        let order = self.bytes(TextField::Order, row);
        if !order.is_empty() {
            out.extend_from_slice(b"\",\"order\":\"");
            write_json_text(out, order);
        }
        out.extend_from_slice(b"\",\"time\":\"");
        write_timestamp(out, self.batch.events.time[row]);
        if decision.is_bare() && decision.score == 0 {
            out.extend_from_slice(&self.phrases.bare_end);
        } else {
            self.grounds(out, decision);
        }
    }

    /// Action, score, the rules that fired and the locks that cover the event, to the end of the line.
    fn grounds(&self, out: &mut Vec<u8>, decision: &Decision) {
        out.extend_from_slice(&self.phrases.actions[decision.action as usize]);
        format::write_int(out, decision.score);
        out.extend_from_slice(b",\"hits\":[");
        for (index, &rule) in slice(&self.outcome.hits, decision.hits).iter().enumerate() {
            separate(out, index);
            self.hit(out, rule as usize, decision.row as usize);
        }
        out.extend_from_slice(b"],\"covered_by\":[");
        for (index, cover) in slice(&self.outcome.covers, decision.covers).iter().enumerate() {
            separate(out, index);
            self.cover(out, cover);
        }
        out.extend_from_slice(&self.phrases.end);
    }

    fn hit(&self, out: &mut Vec<u8>, index: usize, row: usize) {
        let rule = &self.rules.rules[index];
        out.extend_from_slice(&self.phrases.hits[index]);
        let mut written = 0;
        for named in &rule.values {
            if let Some(shown) = self.shown(named, row) {
                separate(out, written);
                written += 1;
                write_json_string(out, &named.name);
                out.push(b':');
                write_shown(out, &shown, self.rules.currency);
            }
        }
        out.push(b'}');
        self.reasons(out, rule, row);
        out.push(b'}');
    }

    fn shown(&self, named: &Named, row: usize) -> Option<Shown<'_>> {
        let Expressions { evaluator, graph, inputs } = self.expressions;
        match named.kind {
            Type::String => evaluator.text_at(graph, named.node, row, inputs).map(Shown::Text),
            _ => evaluator.value(graph, named.node, row, inputs).map(Shown::Value),
        }
    }

    fn reasons(&self, out: &mut Vec<u8>, rule: &Rule, row: usize) {
        if rule.reason.is_empty() {
            return;
        }
        out.extend_from_slice(b",\"reason\":{");
        for (index, (language, parts)) in rule.reason.iter().enumerate() {
            separate(out, index);
            write_json_string(out, language);
            out.extend_from_slice(b":\"");
            parts.iter().for_each(|part| self.reason_part(out, part, row));
            out.push(b'"');
        }
        out.push(b'}');
    }

    fn reason_part(&self, out: &mut Vec<u8>, part: &ReasonPart, row: usize) {
        match part {
            ReasonPart::Text(text) => write_json_text(out, text.as_bytes()),
            ReasonPart::Value(named) => match self.shown(named, row) {
                None => out.push(b'?'),
                Some(Shown::Text(text)) => write_shortened(out, text),
                Some(Shown::Value(value)) => format::write_value(out, &value, self.rules.currency),
            },
        }
    }

    fn cover(&self, out: &mut Vec<u8>, cover: &Cover) {
        out.extend_from_slice(b"{\"rule\":");
        self.target(out, &cover.target);
        out.extend_from_slice(b",\"until\":");
        write_end(out, cover.until);
        out.push(b'}');
    }

    /// Rule id and target.
    fn target(&self, out: &mut Vec<u8>, target: &Target) {
        write_json_string(out, &target.rule);
        out.extend_from_slice(b",\"target\":");
        write_members(out, &target.parts, self.rules.currency);
    }

    fn transition(&self, out: &mut Vec<u8>, transition: &Transition) {
        out.extend_from_slice(b"{\"kind\":\"lock\",\"transition\":\"");
        out.extend_from_slice(transition.kind.name().as_bytes());
        out.extend_from_slice(b"\",\"rule\":");
        self.target(out, &transition.target);
        out.extend_from_slice(b",\"start\":\"");
        write_timestamp(out, transition.start);
        out.extend_from_slice(b"\",\"end\":");
        write_end(out, transition.end);
        out.extend_from_slice(b",\"level\":");
        format::write_int(out, i64::from(transition.level));
        if let Some(row) = transition.row.map(|row| row as usize) {
            self.optional(out, "event", TextField::Id, row);
            if matches!(transition.kind, TransitionKind::Unlocked | TransitionKind::UnlockRefused) {
                self.optional(out, "proof", TextField::Proof, row);
                self.optional(out, "by", TextField::By, row);
                self.optional(out, "case", TextField::Case, row);
            }
        }
    }

    fn rejection(&self, out: &mut Vec<u8>, index: usize) {
        let decoded = self.batch.rejections.len();
        let rejection = if index < decoded { &self.batch.rejections[index] } else { &self.rejections[index - decoded] };
        let origin = &self.batch.origins[rejection.record as usize];
        out.extend_from_slice(b"{\"kind\":\"rejected\",\"code\":\"");
        out.extend_from_slice(rejection.code.name().as_bytes());
        out.push(b'"');
        if let Some(field) = &rejection.field {
            out.extend_from_slice(b",\"field\":");
            write_json_string(out, field);
        }
        out.extend_from_slice(b",\"position\":");
        write_json_string(out, &self.batch.sources[origin.source as usize].position(origin.number));
        if let Some(event) = &rejection.event {
            out.extend_from_slice(b",\"event\":");
            write_json_string(out, event);
        }
        out.extend_from_slice(b",\"detail\":");
        write_json_string(out, &rejection.detail);
    }

    fn eviction(&self, out: &mut Vec<u8>, eviction: &Eviction) {
        out.extend_from_slice(b"{\"kind\":\"evicted\",\"key\":");
        write_members(out, &eviction.key, self.rules.currency);
        out.extend_from_slice(b",\"last\":\"");
        write_timestamp(out, eviction.last);
        out.push(b'"');
    }

    /// The bytes of a text field, none where it is absent.
    fn bytes(&self, field: TextField, row: usize) -> &[u8] {
        let events = &self.batch.events;
        events.texts[field as usize][row].of(&events.text)
    }

    fn optional(&self, out: &mut Vec<u8>, name: &str, field: TextField, row: usize) {
        let text = self.bytes(field, row);
        if !text.is_empty() {
            out.extend_from_slice(b",\"");
            out.extend_from_slice(name.as_bytes());
            out.extend_from_slice(b"\":\"");
            write_json_text(out, text);
            out.push(b'"');
        }
    }
}

/// Writes a target as an object with its members sorted by name, such as `{"account":"a1"}`: the same however the rule
/// lists them.
pub fn write_target(out: &mut Vec<u8>, target: &Target, currency: Currency) {
    let mut members: Vec<&(String, Value)> = target.parts.iter().collect();
    members.sort_by(|a, b| a.0.cmp(&b.0));
    write_members(out, members, currency);
}

/// Writes what names a lock among all: `{"rule":"wrong-password-lock","target":{"account":"a1"}}`.
pub fn write_lock_key(out: &mut Vec<u8>, target: &Target, currency: Currency) {
    out.extend_from_slice(b"{\"rule\":");
    write_json_string(out, &target.rule);
    out.extend_from_slice(b",\"target\":");
    write_target(out, target, currency);
    out.push(b'}');
}

/// A value where it is: texts are not copied.
enum Shown<'a> {
    Text(&'a [u8]),
    /// Anything but a text: nothing in it must be escaped.
    Value(Value),
}

fn write_shown(out: &mut Vec<u8>, shown: &Shown, currency: Currency) {
    match shown {
        Shown::Text(text) => {
            out.push(b'"');
            write_json_text(out, text);
            out.push(b'"');
        }
        Shown::Value(value) => write_json_value(out, value, currency),
    }
}

/// As much of a text as a reason shows.
fn write_shortened(out: &mut Vec<u8>, text: &[u8]) {
    // Texts are UTF-8: decoding accepts nothing else.
    let characters = text.utf8_chunks().flat_map(|chunk| chunk.valid().chars()).take(REASON_TEXT_MAX);
    for character in characters.map(harmless) {
        write_json_text(out, character.encode_utf8(&mut [0; 4]).as_bytes());
    }
}

/// Control characters and those that change the direction of text are not shown to people.
fn harmless(character: char) -> char {
    let bidirectional = matches!(character,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if character.is_control() || bidirectional { char::REPLACEMENT_CHARACTER } else { character }
}

fn slice<T>(all: &[T], (start, end): (u32, u32)) -> &[T] {
    &all[start as usize..end as usize]
}

fn separate(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

fn write_members<'a>(out: &mut Vec<u8>, members: impl IntoIterator<Item = &'a (String, Value)>, currency: Currency) {
    out.push(b'{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        separate(out, index);
        write_member(out, name, value, currency);
    }
    out.push(b'}');
}

fn write_member(out: &mut Vec<u8>, name: &str, value: &Value, currency: Currency) {
    write_json_string(out, name);
    out.push(b':');
    write_json_value(out, value, currency);
}

fn write_json_value(out: &mut Vec<u8>, value: &Value, currency: Currency) {
    match value {
        Value::String(text) => write_json_string(out, text),
        Value::Int(_) | Value::Double(_) | Value::Bool(_) => format::write_value(out, value, currency),
        Value::Money(_) | Value::Duration(_) | Value::Timestamp(_) | Value::Ip(_) => {
            out.push(b'"');
            format::write_value(out, value, currency);
            out.push(b'"');
        }
    }
}

fn write_end(out: &mut Vec<u8>, end: Option<i64>) {
    match end {
        None => out.extend_from_slice(b"null"),
        Some(end) => {
            out.push(b'"');
            write_timestamp(out, end);
            out.push(b'"');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(parts: &[(&str, Value)]) -> Target {
        let parts = parts.iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
        Target { rule: "a \"rule\"".to_owned(), parts, texts: Vec::new() }
    }

    #[test]
    fn a_lock_key_is_the_same_in_whatever_order_the_rule_names_the_target() {
        let text = |text: &str| Value::String(text.to_owned());
        let (account, device) = (("account", text("a1")), ("device", text("d\u{e9}\n")));
        for parts in [[account.clone(), device.clone()], [device, account]] {
            let (mut key, mut members) = (Vec::new(), Vec::new());
            let currency = Currency::parse("CNY").expect("a currency");
            write_lock_key(&mut key, &target(&parts), currency);
            write_target(&mut members, &target(&parts), currency);
            let expected = "{\"account\":\"a1\",\"device\":\"d\u{e9}\\n\"}";
            assert_eq!(String::from_utf8_lossy(&members), expected);
            assert_eq!(String::from_utf8_lossy(&key), format!("{{\"rule\":\"a \\\"rule\\\"\",\"target\":{expected}}}"));
        }
    }

    #[test]
    fn values_are_written_as_in_output_lines() {
        for (value, expected) in [
            (Value::Int(-3), "-3"),
            (Value::Bool(true), "true"),
            (Value::Double(300.0), "300.0"),
            (Value::Timestamp(0), "\"1970-01-01T00:00:00.000Z\""),
            (Value::Duration(90_500), "\"PT90.5S\""),
        ] {
            let mut out = Vec::new();
            write_target(&mut out, &target(&[("v", value)]), Currency::parse("CNY").expect("a currency"));
            assert_eq!(String::from_utf8_lossy(&out), format!("{{\"v\":{expected}}}"));
        }
    }
}

//! The schema of an output line: a decision, a transition of a lock, a rejection or an eviction.

use serde_json::{Map, Value, json};

use super::{described, object, titled};
use crate::model::action::Action;
use crate::model::batch::RejectCode;
use crate::model::outcome::TransitionKind;

const TIME: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$";
const MODES: [&str; 2] = ["enforce", "shadow"];

/// A property of a line: its name, schema and meaning.
type Property = (&'static str, Value, &'static str);

/// The schema of an output line.
pub fn schema() -> Value {
    let lines = [decision(), lock(), rejected(), evicted()];
    titled("lockkeeper output", "One line of the output, told apart by its kind.", json!({ "oneOf": lines }))
}

/// A kind of line, with the properties it always has and those it may have.
fn line(kind: &str, about: &str, always: Vec<Property>, sometimes: Vec<Property>) -> Value {
    let mut required = vec!["kind"];
    required.extend(always.iter().map(|(name, ..)| *name));
    let mut properties = described_all(always.into_iter().chain(sometimes).collect());
    properties.insert("kind".to_owned(), described(json!({ "const": kind }), "What kind of line this is"));
    described(object(properties, required), about)
}

fn described_all(properties: Vec<Property>) -> Map<String, Value> {
    let properties = properties.into_iter();
    properties.map(|(name, schema, about)| (name.to_owned(), described(schema, about))).collect()
}

fn decision() -> Value {
    let always = vec![
        ("event", text(), "Id of the event"),
        ("type", text(), "Type of the event"),
        ("account", text(), "Account of the event"),
        ("time", time(), "Time of the event"),
        ("action", actions(), "What to do; treat lock as a refusal too"),
        ("score", score(), "Sum of the scores of enforcing rules that fired, at most 100"),
        ("hits", json!({ "type": "array", "items": hit() }), "Rules that fired, sorted by id"),
        (
            "covered_by",
            json!({ "type": "array", "items": cover() }),
            "Locks that cover the event, by rule, start, target",
        ),
        ("ruleset", json!({ "type": "string", "pattern": "^.+@[0-9a-f]{12}$" }), "Name and hash of the rule set"),
    ];
    let sometimes = vec![("order", text(), "Order of the event, if it has one")];
    line("decision", "What to do with an accepted event", always, sometimes)
}

fn hit() -> Value {
    let reasons = json!({ "type": "object", "additionalProperties": text() });
    let properties = described_all(vec![
        ("rule", text(), "Id of the rule"),
        ("mode", json!({ "enum": MODES }), "A shadow rule is listed without effect"),
        ("action", actions(), "The rule's action as written"),
        ("score", score(), "The rule's score"),
        ("values", values(), "What the rule's `when` names and that has a value, sorted by name"),
        ("reason", reasons, "Texts for people by language"),
    ]);
    object(properties, ["rule", "mode", "action", "score", "values"])
}

fn cover() -> Value {
    let properties = described_all(vec![
        ("rule", text(), "The rule whose lock it is"),
        ("target", values(), "What is locked"),
        ("until", end(), "Its end; null if it has none"),
    ]);
    object(properties, ["rule", "target", "until"])
}

fn lock() -> Value {
    let kinds: Vec<&str> = TransitionKind::ALL.iter().map(|(_, name)| *name).collect();
    let always = vec![
        ("transition", json!({ "enum": kinds }), "What happened to the lock"),
        ("rule", text(), "The rule whose lock it is"),
        ("target", values(), "What is locked"),
        ("start", time(), "When it began"),
        ("end", end(), "When it ends or ended; null if it has no end"),
        ("level", json!({ "type": "integer", "minimum": 0 }), "How often it has grown; 0 for a first lock"),
    ];
    let sometimes = vec![
        ("event", text(), "The event that caused it; an expiry has none"),
        ("proof", text(), "The proof of an unlock"),
        ("by", text(), "Who unlocked"),
        ("case", text(), "Under which case"),
    ];
    let mut schema = line("lock", "What happened to a lock", always, sometimes);
    let expired = json!({ "properties": { "transition": { "const": TransitionKind::Expired.name() } } });
    let unlock = [TransitionKind::Unlocked.name(), TransitionKind::UnlockRefused.name()];
    let none = json!({ "proof": false, "by": false, "case": false });
    schema["allOf"] = json!([
        { "if": expired, "then": { "properties": { "event": false } }, "else": { "required": ["event"] } },
        { "if": { "properties": { "transition": { "not": { "enum": unlock } } } }, "then": { "properties": none } },
    ]);
    schema
}

fn rejected() -> Value {
    let codes: Vec<&str> = RejectCode::ALL.iter().map(|code| code.name()).collect();
    let always = vec![
        ("code", json!({ "enum": codes }), "Why it was rejected"),
        ("position", text(), "FILE:LINE, or topic/partition/offset"),
        ("detail", text(), "For people; its wording may change between versions"),
    ];
    let sometimes = vec![
        ("field", text(), "The first bad field, with invalid_field"),
        ("event", text(), "Id of the event, where it could be read"),
    ];
    let mut schema = line("rejected", "A record that changed nothing", always, sometimes);
    let code = |name: RejectCode| json!({ "properties": { "code": { "const": name.name() } } });
    schema["allOf"] = json!([
        {
            "if": code(RejectCode::InvalidField),
            "then": { "required": ["field"] },
            "else": { "properties": { "field": false } },
        },
        {
            "if": { "anyOf": [code(RejectCode::Malformed), code(RejectCode::TooLarge)] },
            "then": { "properties": { "event": false } },
        },
    ]);
    schema
}

fn evicted() -> Value {
    let always =
        vec![("key", values(), "The key that was forgotten, by its parts"), ("last", time(), "Time of its last event")];
    line("evicted", "State given up because of a bound of the rule set", always, Vec::new())
}

fn text() -> Value {
    json!({ "type": "string" })
}

fn time() -> Value {
    json!({ "type": "string", "pattern": TIME })
}

fn end() -> Value {
    json!({ "type": ["string", "null"], "pattern": TIME })
}

fn score() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": 100 })
}

fn actions() -> Value {
    let names: Vec<&str> = Action::ALL.iter().map(|(_, name)| *name).collect();
    json!({ "enum": names })
}

/// Values by name: texts, numbers and truth values; money, times and durations are texts.
fn values() -> Value {
    json!({ "type": "object", "additionalProperties": { "type": ["string", "number", "boolean"] } })
}

//! The schema of an event in JSON.
//!
//! What the decoder judges byte by byte (lengths in bytes, fraction digits of a currency, days of a month) is said as
//! far as a schema can. Fields that a rule set declares come on top; others are ignored whatever they hold.

use serde_json::{Map, Value, json};

use super::{described, titled};
use crate::ruleset::keys::KNOWN_TYPES;
use crate::wire::{MAX_ID, MAX_TEXT, required_fields};

const TIME: &str = r"^(000[1-9]|00[1-9][0-9]|0[1-9][0-9]{2}|[1-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[Tt]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$";
/// First and last millisecond of the years 1 to 9999.
const TIMES: (i64, i64) = (-62_135_596_800_000, 253_402_300_799_999);

/// The schema of an event.
pub fn schema() -> Value {
    let schema = json!({
        "type": "object",
        "properties": properties(),
        "required": required_fields().collect::<Vec<_>>(),
        "allOf": [together("amount", "currency"), together("lat", "lon")],
    });
    let about = "What happened to an account: one JSON object per line, or per Kafka record. Null and, in a text, the \
                 empty string are the same as an absent field.";
    titled("lockkeeper event", about, schema)
}

/// Two fields of which neither comes alone.
fn together(first: &str, second: &str) -> Value {
    let needs = |one: &str, other: &str| json!({ "if": given(one), "then": given(other) });
    json!({ "allOf": [needs(first, second), needs(second, first)] })
}

fn given(name: &str) -> Value {
    let mut properties = Map::new();
    properties.insert(name.to_owned(), json!({ "not": { "enum": [null, ""] } }));
    json!({ "required": [name], "properties": properties })
}

fn properties() -> Map<String, Value> {
    let fields = fields().into_iter();
    fields.map(|(name, schema, about)| (name.to_owned(), described(schema, about))).collect()
}

/// All fields in the order of the documentation.
fn fields() -> Vec<(&'static str, Value, &'static str)> {
    let mut fields = required();
    fields.extend(optional());
    fields.extend(of_unlocks_and_labels());
    fields
}

fn required() -> Vec<(&'static str, Value, &'static str)> {
    let id = json!({ "type": "string", "minLength": 1, "maxLength": MAX_ID });
    let kind = json!({ "type": "string", "pattern": "^[a-z][a-z0-9_]{0,31}$", "examples": KNOWN_TYPES });
    let time = json!({ "anyOf": [
        { "type": "string", "pattern": TIME },
        { "type": "integer", "minimum": TIMES.0, "maximum": TIMES.1 },
    ] });
    vec![
        ("id", id.clone(), "Tells the event from all others of the account; 1 to 128 bytes"),
        ("type", kind, "What happened; rule sets may declare further types"),
        ("time", time, "When, as RFC 3339 with offset or epoch milliseconds; to be stamped by a trusted server"),
        ("account", id, "Whose account; 1 to 128 bytes"),
    ]
}

fn optional() -> Vec<(&'static str, Value, &'static str)> {
    let amount = json!({ "type": ["string", "number", "null"], "pattern": r"^([0-9]+(\.[0-9]+)?)?$", "minimum": 0 });
    let degrees = |most: i64| json!({ "type": ["number", "null"], "minimum": -most, "maximum": most });
    let class = |least: i64| json!({ "type": ["integer", "null"], "minimum": least, "maximum": 3 });
    vec![
        ("outcome", words(&["success", "failure"]), "How it ended; an attempt and its result are two events"),
        (
            "reason",
            text(),
            "Why it failed: wrong_password, wrong_code, insufficient_funds, limit_reached, network_error, wrong_payee, locked, ...",
        ),
        (
            "amount",
            amount,
            "In major units, with no more fraction digits than the currency has; together with currency",
        ),
        ("currency", pattern("[A-Z]{3}"), "ISO 4217 code with a minor unit; together with amount"),
        ("order", text(), "Joins an attempt and its result"),
        ("counterparty", text(), "The other side of a payment or transfer"),
        ("merchant_category", text(), "What the merchant sells"),
        ("device", text(), "The device it came from"),
        ("channel", text(), "App, web, terminal, ..."),
        ("wallet", text(), "Which wallet: alipay, wechat_pay, apple_pay, google_pay, ..."),
        ("kyc", class(1), "Identity-check class of the account"),
        ("ip", text(), "IPv4 or IPv6 address without zone id"),
        ("country", pattern("[A-Z]{2}"), "ISO 3166-1 alpha-2 code"),
        ("lat", degrees(90), "Latitude in degrees; together with lon"),
        ("lon", degrees(180), "Longitude in degrees; together with lat"),
        ("factors", class(0), "How many factors authenticated it"),
    ]
}

fn of_unlocks_and_labels() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("proof", text(), "On unlock: what was verified"),
        ("by", text(), "On unlock and freeze: by whom"),
        ("case", text(), "On unlock and freeze: under which case"),
        ("rule", text(), "On unlock: only locks of this rule"),
        ("label", words(&["fraud", "genuine"]), "On label: what the event it speaks of was"),
        ("ref", text(), "On label: the id of that event"),
    ]
}

fn text() -> Value {
    json!({ "type": ["string", "null"], "maxLength": MAX_TEXT })
}

fn pattern(pattern: &str) -> Value {
    json!({ "type": ["string", "null"], "pattern": format!("^({pattern})?$") })
}

fn words(words: &[&str]) -> Value {
    let all: Vec<Value> = words.iter().map(|word| Value::from(*word)).chain(["".into(), Value::Null]).collect();
    json!({ "enum": all })
}

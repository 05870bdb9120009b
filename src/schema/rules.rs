//! The schema of a rule file, written from the loader's own tables of keys and aggregates.
//!
//! One file need not be a whole rule set, so no section is required of it. An empty section is allowed, as in YAML.

use serde_json::{Map, Value, json};

use super::{described, object, titled};
use crate::ruleset::aggregates::{Need, ROWS, Row};
use crate::ruleset::keys::{FEATURE, Form, Key, SECTIONS};

const DURATION: &str = "([0-9]+(ms|s|m|h|d|w))+";
const DECIMAL: &str = r"[0-9]+(\.[0-9]+)?";
/// Most parts of a key.
const MAX_PARTS: u64 = 8;

/// The schema of a rule file.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for section in &SECTIONS {
        let mut schema = form(&section.form);
        if let Some(kind) = schema.get("type").cloned() {
            schema["type"] = json!([kind, "null"]);
        }
        properties.insert(section.name.to_owned(), described(schema, section.about));
    }
    let about = "Rules, features and settings of lockkeeper; several files may together be one rule set.";
    titled("lockkeeper rules", about, object(properties, []))
}

/// What a value may be. A text may stand without quotes even where it looks like another type; only an expression
/// would rarely be a number.
fn form(form_of: &Form) -> Value {
    match form_of {
        Form::Text => json!({ "type": ["string", "number", "boolean"] }),
        Form::Pattern(pattern) => whole(pattern),
        Form::Expression => json!({ "type": ["string", "number", "boolean"], "minLength": 1 }),
        Form::Duration => whole(DURATION),
        Form::Positive => positive(),
        Form::LockDuration => lock_duration(),
        Form::Window => whole(&format!("(day|week|month|year|lifetime|{DURATION})")),
        Form::Decimal => json!({ "type": ["string", "number"], "pattern": format!("^{DECIMAL}$"), "minimum": 0 }),
        Form::Boolean => json!({ "type": "boolean" }),
        Form::Integer(least, i64::MAX) => json!({ "type": "integer", "minimum": least }),
        Form::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Form::Words(words) => json!({ "type": "string", "enum": words() }),
        Form::List(element) => json!({ "type": "array", "items": form(element) }),
        Form::OneOrMany(element, least) => one_or_many(element, *least),
        Form::Mapping(keys) => mapping(keys),
        Form::Entries(name, value) => {
            json!({ "type": "object", "propertyNames": { "pattern": format!("^{name}$") }, "additionalProperties": form(value) })
        }
        Form::Feature => feature(),
        Form::Unsupported => json!({ "type": "object", "maxProperties": 0 }),
    }
}

fn whole(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": format!("^{pattern}$") })
}

fn positive() -> Value {
    json!({ "type": "string", "pattern": format!("^{DURATION}$"), "not": { "pattern": "^[^1-9]*$" } })
}

/// What begins with a digit and has no operator is read as a duration, all else as an expression.
fn lock_duration() -> Value {
    json!({ "type": "string", "minLength": 1, "anyOf": [positive(), { "not": { "pattern": "^[0-9][0-9A-Za-z]*$" } }] })
}

fn one_or_many(element: &Form, least: u64) -> Value {
    let mut list = json!({ "type": "array", "items": form(element), "minItems": least });
    if matches!(element, Form::Pattern(_)) {
        list["maxItems"] = MAX_PARTS.into();
        list["uniqueItems"] = true.into();
    }
    json!({ "anyOf": [form(element), list] })
}

fn properties(keys: &[Key]) -> Map<String, Value> {
    keys.iter().map(|key| (key.name.to_owned(), described(form(&key.form), key.about))).collect()
}

/// A mapping with known keys, and which of them go together.
fn mapping(keys: &[Key]) -> Value {
    let mut schema = object(properties(keys), keys.iter().filter(|key| key.must).map(|key| key.name));
    let has = |name: &str| keys.iter().any(|key| key.name == name);
    if has("when") {
        schema["allOf"] = together_in_rule();
    } else if has("values") {
        schema["oneOf"] = json!([{ "required": ["values"] }, { "required": ["file"] }]);
    } else if has("covers_by") {
        let several = json!({ "type": "array", "minItems": 2 });
        schema["not"] = json!({ "required": ["target", "covers_by"], "properties": { "target": several } });
    }
    schema
}

/// `lock` exactly with `action: lock`, which needs `on`.
fn together_in_rule() -> Value {
    let locks = json!({ "required": ["action"], "properties": { "action": { "const": "lock" } } });
    json!([
        { "if": locks, "then": { "required": ["on", "lock"] } },
        { "if": { "required": ["lock"] }, "then": locks },
    ])
}

/// All options of features, and for each aggregate those that it needs or refuses.
fn feature() -> Value {
    let mut schema = object(properties(&FEATURE), FEATURE.iter().filter(|key| key.must).map(|key| key.name));
    let mut all: Vec<Value> = ROWS.iter().map(options_of).collect();
    for other in ["delay", "read_by"] {
        all.push(json!({ "not": { "required": ["reset_at", other] } }));
    }
    schema["allOf"] = all.into();
    schema
}

fn options_of(row: &Row) -> Value {
    let with = |need: Need| {
        let keys = FEATURE.iter().filter(move |key| row.need(key.name) == Some(need));
        keys.map(|key| key.name)
    };
    let refused: Map<String, Value> = with(Need::Never).map(|name| (name.to_owned(), false.into())).collect();
    let required: Vec<&str> = with(Need::Must).collect();
    json!({
        "if": { "required": ["aggregate"], "properties": { "aggregate": { "const": row.name } } },
        "then": { "required": required, "properties": refused },
    })
}

//! JSON Schemas (draft-07) of what people and programs write and read: rule files, events, output lines.
//!
//! A schema cannot say all that the loader and the decoder judge. It says what it can and refuses nothing that they
//! accept, so that an editor never marks what works.

pub mod decision;
pub mod event;
pub mod rules;

use serde_json::{Map, Value, json};

/// The draft that editors know best.
const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// An object's schema: its properties with those that must be there, and nothing else beside them.
fn object<'a>(properties: Map<String, Value>, required: impl IntoIterator<Item = &'a str>) -> Value {
    let required: Vec<&str> = required.into_iter().collect();
    json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

/// A schema with its draft and title.
fn titled(title: &str, description: &str, mut schema: Value) -> Value {
    schema["$schema"] = DRAFT.into();
    schema["title"] = title.into();
    schema["description"] = description.into();
    schema
}

/// A schema with what it is for.
fn described(mut schema: Value, about: &str) -> Value {
    schema["description"] = about.into();
    schema
}

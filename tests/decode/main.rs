//! Decoding JSON records, as tables: a record, and what becomes of it.

mod fields;
mod records;

use std::collections::BTreeMap;

use lockkeeper::model::batch::{Batch, Origin, RejectCode};
use lockkeeper::model::events::{FieldType, Span};
use lockkeeper::model::money::{Currency, Rate};
use lockkeeper::wire::{JsonDecoder, Schema};

fn schema() -> Schema {
    let fields = [
        ("a_text", FieldType::Text),
        ("b_int", FieldType::Int),
        ("c_double", FieldType::Double),
        ("d_bool", FieldType::Bool),
    ];
    let rates = [("USD", "7.10"), ("JPY", "0.049"), ("KWD", "1000")];
    Schema {
        currency: Currency::parse("CNY").expect("a currency"),
        rates: BTreeMap::from(
            rates.map(|(code, rate)| {
                (Currency::parse(code).expect("a currency").code, Rate::parse(rate).expect("a rate"))
            }),
        ),
        fields: fields.map(|(name, kind)| (name.to_string(), kind)).to_vec(),
    }
}

fn decode(record: &[u8]) -> Batch {
    let schema = schema();
    let kinds: Vec<FieldType> = schema.fields.iter().map(|(_, kind)| *kind).collect();
    let mut batch = Batch::new(&kinds);
    batch.events.text.extend_from_slice(record);
    JsonDecoder::new(&schema).decode(&mut batch, Origin::default(), Span { start: 0, len: record.len() as u32 });
    assert_eq!(batch.events.len() + batch.rejections.len(), 1, "{}", String::from_utf8_lossy(record));
    batch
}

/// A minimal event with some fields set or replaced; a value of `-` removes the field.
fn event(changes: &[(&str, &str)]) -> String {
    let mut fields = vec![("id", "\"e1\""), ("type", "\"payment\""), ("time", "1000"), ("account", "\"a1\"")];
    for &(name, value) in changes {
        fields.retain(|(other, _)| *other != name);
        fields.push((name, value));
    }
    let pairs: Vec<String> =
        fields.iter().filter(|(_, value)| *value != "-").map(|(name, value)| format!("\"{name}\":{value}")).collect();
    format!("{{{}}}", pairs.join(","))
}

/// `None` for an accepted record, else the code and the bad field.
fn fault(record: &str) -> Option<(RejectCode, Option<String>)> {
    decode(record.as_bytes()).rejections.into_iter().next().map(|rejection| (rejection.code, rejection.field))
}

/// The bad field of an event with these changes, `ok` if it is accepted.
fn check(changes: &[(&str, &str)], expected: &str) {
    let record = event(changes);
    match fault(&record) {
        None => assert_eq!(expected, "ok", "{record}"),
        Some((code, field)) => {
            assert_eq!((code, field.as_deref()), (RejectCode::InvalidField, Some(expected)), "{record}");
        }
    }
    // A nested value in a field to ignore forces the strict path, which must decide alike.
    assert_eq!(fault(&record), fault(&record.replacen('{', "{\"~\":[{}],", 1)), "{record}");
}

fn quoted(len: usize) -> String {
    format!("\"{}\"", "x".repeat(len))
}

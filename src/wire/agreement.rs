//! A test: what the fast path accepts, the strict parser and the judge accept with the same values.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::model::day::Day;
use crate::model::events::{FieldType, Span};
use crate::model::money::{Currency, Rate};

use super::Schema;
use super::field::{RawFields, SLOTS};
use super::fingerprint::fingerprint;
use super::judge::{Declared, Row, judge};
use super::parse::parse;
use super::plain::{Keys, OVERRUN, Place, read};

fn schema() -> Schema {
    let fields =
        [("count", FieldType::Int), ("flag", FieldType::Bool), ("risk", FieldType::Text), ("score", FieldType::Double)];
    Schema {
        currency: Currency::parse("CNY").expect("a currency"),
        rates: BTreeMap::from([(*b"USD", Rate::parse("7.10").expect("a rate"))]),
        fields: fields.map(|(name, kind)| (name.to_string(), kind)).to_vec(),
    }
}

type Event = (Row, Vec<Declared>);

fn fast(text: &[u8], span: Span, schema: &Schema, keys: &mut Keys) -> Option<Event> {
    let (mut row, mut declared) = (Row::default(), Vec::new());
    let place = Place { day: &mut Day::default(), row: &mut row, declared: &mut declared };
    read(text, span, schema, keys, place).map(|()| (row, declared))
}

/// The event of a record that is valid to the letter.
fn strict(text: &mut Vec<u8>, span: Span, schema: &Schema) -> Option<Event> {
    std::str::from_utf8(span.of(text)).ok()?;
    let (mut fields, mut row, mut declared) = (RawFields::default(), Row::default(), Vec::new());
    fields.reset(schema.fields.len());
    parse(text, span, &schema.fields, &mut fields).ok()?;
    judge(text, &fields, schema, &mut Day::default(), &mut row, &mut declared).ok()?;
    row.fingerprint = fingerprint(text, &row, &declared);
    Some((row, declared))
}

/// Reads a record on both paths and returns whether the fast one accepts it.
fn agree(record: &[u8]) -> Result<bool, TestCaseError> {
    let schema = schema();
    let prefix = b"before".as_slice();
    // What stands behind could complete a record that is cut off.
    let mut text = [prefix, record, b"\"}", br#","device":"d","factors":1}"#, &[0xff; OVERRUN]].concat();
    let span = Span { start: prefix.len() as u32, len: record.len() as u32 };
    let mut keys = Keys::default();
    // Whatever order of keys came before, the outcome is the same; the second time they are found by guess.
    let other =
        br#"{"currency":"CNY","amount":"1","counterparty":"c","id":"e","x":1,"account":"a","type":"t","time":0}"#;
    let padded = [other.as_slice(), &[0; OVERRUN]].concat();
    let whole = Span { start: 0, len: other.len() as u32 };
    prop_assert!(fast(&padded, whole, &schema, &mut keys).is_some());
    let first = fast(&text, span, &schema, &mut keys);
    prop_assert_eq!(&first, &fast(&text, span, &schema, &mut keys), "{}", String::from_utf8_lossy(record));
    let known = strict(&mut text, span, &schema);
    if first.is_some() {
        prop_assert_eq!(&first, &known, "{}", String::from_utf8_lossy(record));
    }
    if known.is_some() {
        let library = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(record);
        // The library refuses numbers that no double can hold even where nobody reads them.
        let same = library.as_ref().map_or_else(|fault| fault.to_string().contains("out of range"), |_| true);
        prop_assert!(same, "{}", String::from_utf8_lossy(record));
    }
    Ok(first.is_some())
}

/// Values as they should be for some field or other.
fn good() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z0-9 é人:,{}]{1,20}".prop_map(|text| format!("\"{text}\"")),
        2 => "[a-z][a-z0-9_]{0,33}".prop_map(|text| format!("\"{text}\"")),
        1 => "[A-Z]{2,3}".prop_map(|text| format!("\"{text}\"")),
        1 => proptest::sample::select(vec!["success", "failure", "fraud", "genuine", "", "CNY", "USD", "XAU"])
            .prop_map(|text| format!("\"{text}\"")),
        2 => "-?[0-9]{1,4}([.][0-9]{1,9})?",
        1 => "\"[0-9]{1,9}([.][0-9]{1,4})?\"",
        1 => "\"[0-9]{1,3}([.][0-9]{1,3}){3}\"",
        1 => "\"[0-9a-f]{1,4}(:[0-9a-f]{1,4}){7}\"",
        2 => "0|1|2|3|4|-0",
        2 => "\"2026-1[0-3]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]([.][0-9]{3})?Z\"",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => good(),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_map(|number| format!("{number:e}")),
        1 => prop_oneof![Just("true"), Just("false"), Just("null")].prop_map(str::to_string),
        1 => prop_oneof![Just("[]"), Just("{\"a\":[1]}"), Just("\"\\u0041\"")].prop_map(str::to_string),
    ]
}

/// A value that is good for the field of that name.
fn fitting(name: &'static str) -> BoxedStrategy<String> {
    match name {
        "type" => "\"[a-z][a-z0-9_]{0,31}\"".boxed(),
        "time" => prop_oneof![
            "[0-9]{1,14}",
            "\"20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9][.][0-9]{3}Z\"",
            "\"20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9]([.][0-9]{0,5}[0-9])?[+]08:00\"",
        ]
        .boxed(),
        "outcome" => "\"success\"|\"failure\"|\"\"|null".boxed(),
        "label" => "\"fraud\"|\"genuine\"|\"\"|null".boxed(),
        "amount" => "\"?[1-9][0-9]{0,8}([.][0-9]{2})?".prop_map(quotes_closed).boxed(),
        "currency" => "\"CNY\"|\"USD\"|\"EUR\"".boxed(),
        "kyc" => "[123]|null".boxed(),
        "factors" => "[0123]|null|-0".boxed(),
        "ip" => "\"((1?[1-9]?[0-9][.]){3}2[0-5][0-5]|([1-9a-f]{1,4}:){7}[0-9a-f]{1,4}|::1)\"|\"\"|null".boxed(),
        "country" => "\"[A-Z]{2}\"|\"\"|null".boxed(),
        "lat" => "-?[1-8]?[0-9]([.][0-9]{1,12})?".boxed(),
        "lon" => "-?(1[0-7])?[0-9]([.][0-9]{1,12})?".boxed(),
        "count" => "-?[1-9][0-9]{0,17}|null".boxed(),
        "flag" => "true|false|null".boxed(),
        "score" => "-?[1-9][0-9]{0,9}([.][0-9]{1,9})?(e-?[0-9]{1,2})?|null".boxed(),
        "x" => value().boxed(),
        _ => "\"[a-z0-9é人:,{}]{1,40}\"".boxed(),
    }
}

/// Closes the quote that a text may start with.
fn quotes_closed(text: String) -> String {
    if text.starts_with('"') { text + "\"" } else { text }
}

const PAIRS: [(&str, &str); 2] = [("amount", "currency"), ("lat", "lon")];

/// The fields of an event that is good, but for ignored ones of all kinds, in any order.
fn event() -> impl Strategy<Value = String> {
    let mut names: Vec<&str> = SLOTS.map(|(_, name)| name).to_vec();
    names.extend(["count", "flag", "risk", "score", "x"]);
    let fields: Vec<_> = names.into_iter().map(|name| (Just(name), fitting(name), any::<bool>())).collect();
    (fields, any::<[bool; 2]>(), space()).prop_perturb(|(mut fields, pairs, space), mut random| {
        let required = ["id", "type", "time", "account"];
        fields.retain(|&(name, _, kept)| {
            let pair = PAIRS.iter().position(|&(one, other)| [one, other].contains(&name));
            required.contains(&name) || pair.map_or(kept, |pair| pairs[pair])
        });
        for last in (1..fields.len()).rev() {
            fields.swap(last, random.random_range(0..=last));
        }
        let texts: Vec<String> =
            fields.iter().map(|(name, value, _)| format!("{space}\"{name}\":{space}{value}")).collect();
        format!("{{{}}}", texts.join(","))
    })
}

fn space() -> impl Strategy<Value = &'static str> {
    proptest::sample::select(vec!["", "", "", " ", "\t", "\r\n"])
}

/// An object of any fields with any values.
fn object() -> impl Strategy<Value = String> {
    let key = prop_oneof![
        proptest::sample::select(SLOTS.map(|(_, name)| name.to_string()).to_vec()),
        proptest::sample::select(vec!["flag", "risk", "score", "other", "", "é"]).prop_map(str::to_string),
    ];
    let pair = (key, space(), value(), space()).prop_map(|(k, a, v, b)| format!("{a}\"{k}\"{a}:{b}{v}{b}"));
    let start = prop_oneof![
        Just(String::new()),
        Just(r#""id":"e","type":"login","account":"a","time":1,"#.to_string()),
        Just(r#""account":"a","id":"e","time":"2026-11-22T08:00:00.000Z","type":"login","#.to_string()),
    ];
    let pairs = proptest::collection::vec(pair, 0..6);
    (start, pairs).prop_map(|(start, pairs)| format!("{{{start}{}}}", pairs.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn events(record in event()) {
        agree(record.as_bytes())?;
    }

    #[test]
    fn objects(record in object()) {
        agree(record.as_bytes())?;
    }

    #[test]
    fn damaged_events(
        record in prop_oneof![event(), object()], at in any::<proptest::sample::Index>(),
        with in "[\\x00-\\x7f]{0,2}|[é\"{},0-9]", cut in 0..3_usize, byte in any::<Option<u8>>(),
    ) {
        let mut bytes = record.into_bytes();
        let at = at.index(bytes.len());
        let end = (at + cut).min(bytes.len());
        bytes.splice(at..end, byte.into_iter().chain(with.bytes()));
        agree(&bytes)?;
    }
}

#[test]
fn plain_records_take_the_fast_path() {
    let required = r#""id":"e1","type":"second_factor_change","time":"2026-11-22T08:00:00Z","account":"a1""#;
    for rest in [
        "",
        r#","amount":"12.50","currency":"CNY","ip":"10.0.0.255","lat":-30.5944,"lon":104.0487,"kyc":3,"factors":0"#,
        r#","currency":"USD","amount":12.5,"ip":"::1","lat":30.12345678901,"lon":104.04871234567,"country":"CN""#,
        r#","amount":"","currency":null,"ip":"","lat":null,"lon":null,"kyc":null,"outcome":"","country":"","ref":"""#,
        r#", "count" : -7 , "flag":true, "risk":"人","score":-0.5e-3, "x":null,"y":true,"z":false,"w":1e999 "#,
        r#","人":"人","order":"é","a":1,"b":2,"outcome":"failure","label":"genuine","case":"c""#,
    ] {
        let record = format!(" {{{required}{rest}}} ");
        assert!(agree(record.as_bytes()).expect(&record), "{record}");
    }
    let times = ["0", "1795334400000", "\"2026-11-22T08:00:00.000Z\"", "\"2026-11-22T16:00:00.1234567+08:00\""];
    for time in times {
        let record = format!(r#"{{"id":"e1","type":"login","time":{time},"account":"a1"}}"#);
        assert!(agree(record.as_bytes()).expect(&record), "{record}");
    }
}

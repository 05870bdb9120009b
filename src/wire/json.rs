//! One record of bytes -> one row of the batch, or one rejection.

use crate::model::batch::{Batch, Origin, RejectCode, Rejection};
use crate::model::day::Day;
use crate::model::events::{Events, Span};

use super::Schema;
use super::detail::{describe, shorten};
use super::field::RawFields;
use super::judge::{BadField, judge, valid_id, valid_time};
use super::parse::{Malformed, parse};
use super::rows::Rows;
use super::scan::{Keys, scan};

/// The longest record, in bytes without the line end.
pub const MAX_RECORD: usize = 65_536;

/// Decodes JSON records; kept from record to record for its memory.
#[derive(Debug)]
pub struct JsonDecoder<'a> {
    pub(super) row: RowDecoder<'a>,
    keys: Keys,
}

impl<'a> JsonDecoder<'a> {
    /// A decoder for the given rule set.
    pub fn new(schema: &'a Schema) -> Self {
        JsonDecoder { row: RowDecoder::new(schema), keys: Keys::default() }
    }

    /// Decodes the record at `record` in `batch.events.text`: adds its origin, and one event or one rejection.
    pub fn decode(&mut self, batch: &mut Batch, origin: Origin, record: Span) {
        self.read(batch, origin, record);
        self.row.finish(&mut batch.events);
    }

    /// As [`JsonDecoder::decode`], but the event may wait for [`RowDecoder::finish`].
    pub(super) fn read(&mut self, batch: &mut Batch, origin: Origin, record: Span) {
        batch.origins.push(origin);
        let length = batch.events.text.len();
        if record.len as usize > MAX_RECORD {
            return reject_too_large(batch);
        }
        let RowDecoder { schema, fields, .. } = &mut self.row;
        match find(&mut batch.events.text, record, schema, &mut self.keys, fields) {
            Ok(()) => self.row.judge(batch),
            Err(fault) => reject_malformed(batch, format!("byte {}: {}", fault.at + 1, fault.what)),
        }
        forget_unescaped(batch, length);
    }
}

/// Drops what a rejected record had unescaped.
pub(super) fn forget_unescaped(batch: &mut Batch, length: usize) {
    let last = batch.origins.len().wrapping_sub(1) as u32;
    if batch.rejections.last().is_some_and(|rejection| rejection.record == last) {
        batch.events.text.truncate(length);
    }
}

/// The event time of a record, if it can be read; `text` may grow by unescaped strings.
pub(super) fn json_time(text: &mut Vec<u8>, record: Span, schema: &Schema) -> Option<i64> {
    let mut fields = RawFields::default();
    if record.len as usize > MAX_RECORD {
        return None;
    }
    find(text, record, schema, &mut Keys::default(), &mut fields).ok()?;
    valid_time(text, &fields)
}

/// Finds the fields of a record, by the fast path if it is plain.
fn find(
    text: &mut Vec<u8>,
    record: Span,
    schema: &Schema,
    keys: &mut Keys,
    fields: &mut RawFields,
) -> Result<(), Malformed> {
    check_utf8(record.of(text))?;
    fields.reset(schema.fields.len());
    if scan(text, record, &schema.fields, keys, fields).is_some() {
        return Ok(());
    }
    fields.reset(schema.fields.len());
    parse(text, record, &schema.fields, fields)
}

#[inline]
fn check_utf8(record: &[u8]) -> Result<(), Malformed> {
    // Most records are ASCII, which is told faster than UTF-8.
    if is_ascii(record) {
        return Ok(());
    }
    check_other_utf8(record)
}

#[inline(never)]
fn check_other_utf8(record: &[u8]) -> Result<(), Malformed> {
    match std::str::from_utf8(record) {
        Ok(_) => Ok(()),
        Err(fault) => Err(Malformed { at: fault.valid_up_to(), what: "expected UTF-8".to_string() }),
    }
}

/// Whether all bytes are ASCII; false also for texts shorter than a block.
#[inline(always)]
fn is_ascii(text: &[u8]) -> bool {
    let Some(last) = text.last_chunk::<16>() else { return false };
    let (blocks, _) = text.as_chunks::<16>();
    // The last block overlaps the one before, so nothing is left to look at byte by byte.
    let all = blocks.iter().fold(u128::from_le_bytes(*last), |all, block| all | u128::from_le_bytes(*block));
    all & u128::from_le_bytes([0x80; 16]) == 0
}

/// What JSON and CSV share: found values -> a row or a rejection.
#[derive(Debug)]
pub(super) struct RowDecoder<'a> {
    pub(super) schema: &'a Schema,
    pub(super) fields: RawFields,
    rows: Rows,
    day: Day,
}

impl<'a> RowDecoder<'a> {
    pub(super) fn new(schema: &'a Schema) -> Self {
        RowDecoder { schema, fields: RawFields::default(), rows: Rows::default(), day: Day::default() }
    }

    /// Judges the fields found and adds an event or a rejection.
    #[inline]
    pub(super) fn judge(&mut self, batch: &mut Batch) {
        let record = batch.origins.len().wrapping_sub(1) as u32;
        let (row, declared) = self.rows.next();
        row.record = record;
        match judge(&batch.events.text, &self.fields, self.schema, &mut self.day, row, declared) {
            Ok(()) => self.rows.keep(&mut batch.events),
            Err(fault) => self.reject(batch, fault),
        }
    }

    /// Adds the events judged so far to the batch.
    pub(super) fn finish(&mut self, events: &mut Events) {
        self.rows.spread(events);
    }

    #[cold]
    fn reject(&self, batch: &mut Batch, fault: BadField) {
        let text = &batch.events.text;
        let field = fault.field.name(&self.schema.fields);
        let found = describe(text, self.fields.at(fault.field));
        let id = valid_id(text, &self.fields);
        let rejection = Rejection {
            record: batch.origins.len().wrapping_sub(1) as u32,
            code: RejectCode::InvalidField,
            field: Some(field.to_string()),
            event: id.map(|id| String::from_utf8_lossy(id.of(text)).into_owned()),
            detail: format!("{field}: found {found}, expected {}", fault.expected),
        };
        batch.rejections.push(rejection);
    }
}

/// Rejects the last record as malformed.
#[cold]
pub(super) fn reject_malformed(batch: &mut Batch, detail: String) {
    reject_whole(batch, RejectCode::Malformed, shorten(&detail, 200));
}

/// Rejects the last record as too large.
#[cold]
pub(super) fn reject_too_large(batch: &mut Batch) {
    let detail = format!("found more than {MAX_RECORD} bytes, expected at most that many in one record");
    reject_whole(batch, RejectCode::TooLarge, detail);
}

fn reject_whole(batch: &mut Batch, code: RejectCode, detail: String) {
    let record = batch.origins.len().wrapping_sub(1) as u32;
    batch.rejections.push(Rejection { record, code, field: None, event: None, detail });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::events::FieldType;
    use crate::model::money::Currency;
    use proptest::prelude::*;

    fn declared() -> Vec<(String, FieldType)> {
        let fields = [("flag", FieldType::Bool), ("risk_band", FieldType::Text), ("score", FieldType::Double)];
        fields.map(|(name, kind)| (name.to_string(), kind)).to_vec()
    }

    /// What the fast path accepts, the strict path must accept with the same values in the same places.
    fn agree(record: &str) -> Result<bool, TestCaseError> {
        let declared = declared();
        let prefix = "before";
        let mut text = format!("{prefix}{record}\"}}behind").into_bytes();
        let span = Span { start: prefix.len() as u32, len: record.len() as u32 };
        let (mut fast, mut strict) = (RawFields::default(), RawFields::default());
        fast.reset(declared.len());
        strict.reset(declared.len());
        // Whatever order of keys came before, the outcome is the same; the second time they are found by guess.
        let mut keys = Keys::default();
        let other = br#"{"currency":"CNY","counterparty":"c","id":"e","merchant_category":"m","x":1,"account":"a"}"#;
        let whole = Span { start: 0, len: other.len() as u32 };
        prop_assert!(scan(other, whole, &declared, &mut keys, &mut fast).is_some());
        fast.reset(declared.len());
        let first = scan(&text, span, &declared, &mut keys, &mut fast).is_some();
        fast.reset(declared.len());
        let accepted = scan(&text, span, &declared, &mut keys, &mut fast).is_some();
        prop_assert_eq!(first, accepted, "{}", record);
        let parsed = parse(&mut text, span, &declared, &mut strict);
        let known = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(record);
        if accepted {
            prop_assert_eq!(&parsed, &Ok(()), "{}", record);
            prop_assert_eq!(&fast, &strict, "{}", record);
        }
        if parsed.is_ok() && !known.as_ref().is_err_and(|fault| fault.to_string().contains("out of range")) {
            prop_assert!(known.is_ok(), "{}", record);
        }
        Ok(accepted)
    }

    fn value() -> impl Strategy<Value = String> {
        prop_oneof![
            4 => "[a-z0-9 é人:,{}]{0,20}".prop_map(|text| format!("\"{text}\"")),
            2 => any::<i64>().prop_map(|number| number.to_string()),
            1 => any::<f64>().prop_map(|number| format!("{number:e}")),
            2 => Just("12.50".to_string()),
            1 => prop_oneof![Just("true"), Just("false"), Just("null")].prop_map(str::to_string),
            1 => prop_oneof![Just("[]"), Just("{\"a\":[1]}"), Just("\"\\u0041\"")].prop_map(str::to_string),
        ]
    }

    fn object() -> impl Strategy<Value = String> {
        let key = prop_oneof![
            proptest::sample::select(super::super::field::SLOTS.map(|(_, name)| name.to_string()).to_vec()),
            proptest::sample::select(vec!["flag", "risk_band", "score", "other", ""]).prop_map(str::to_string),
        ];
        let space = proptest::sample::select(vec!["", "", "", " ", "\t", "\r\n"]);
        let pair = (key, space.clone(), value(), space).prop_map(|(k, a, v, b)| format!("{a}\"{k}\"{a}:{b}{v}{b}"));
        proptest::collection::vec(pair, 0..12).prop_map(|pairs| format!("{{{}}}", pairs.join(",")))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn the_fast_path_agrees_on_objects(record in object()) {
            agree(&record)?;
        }

        #[test]
        fn the_fast_path_agrees_on_damaged_objects(
            record in object(), at in any::<proptest::sample::Index>(), with in "[\\x00-\\x7f]{0,2}", cut in 0..3_usize,
        ) {
            let characters: Vec<char> = record.chars().collect();
            let at = at.index(characters.len());
            let end = (at + cut).min(characters.len());
            let damaged: String = characters[..at].iter().copied().chain(with.chars())
                .chain(characters[end..].iter().copied()).collect();
            agree(&damaged)?;
        }
    }

    #[test]
    fn plain_records_take_the_fast_path() {
        for record in [
            r#"{"id":"e1","type":"login","time":"2026-11-22T08:00:00Z","account":"a1"}"#,
            r#" { "id" : "e1" , "amount" : 12.50 , "x":null,"y":true,"z":false, "flag":-0.5e-3 } "#,
            r#"{"人":"人","a":1,"b":2}"#,
        ] {
            assert!(agree(record).expect(record), "{record}");
        }
    }

    #[test]
    fn unescaped_text_of_rejected_records_is_dropped() {
        let schema = Schema {
            currency: Currency::parse("CNY").expect("a currency"),
            rates: Default::default(),
            fields: Vec::new(),
        };
        let mut batch = Batch::new(&[]);
        let mut decoder = JsonDecoder::new(&schema);
        let record = br#"{"id":"\u0061","type":"login"}"#;
        batch.events.text.extend_from_slice(record);
        decoder.decode(&mut batch, Origin::default(), Span { start: 0, len: record.len() as u32 });
        assert_eq!(batch.rejections[0].field.as_deref(), Some("time"));
        assert_eq!(batch.rejections[0].event.as_deref(), Some("a"));
        assert_eq!(batch.events.text.len(), record.len());
    }
}

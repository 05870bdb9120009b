//! One record of bytes -> one row of the batch, or one rejection.

use crate::model::batch::{Batch, Origin, RejectCode, Rejection};
use crate::model::day::Day;
use crate::model::events::{Events, Span};

use super::Schema;
use super::detail::{describe, shorten};
use super::field::RawFields;
use super::fingerprint::fingerprint;
use super::judge::{BadField, Row, judge, valid_id, valid_time};
use super::parse::{Malformed, parse};
use super::plain::{self, Keys, OVERRUN, Place};
use super::rows::Rows;

/// The longest record, in bytes without the line end; a shell may allow less.
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
        JsonDecoder::with_limit(schema, MAX_RECORD)
    }

    /// As [`JsonDecoder::new`], for records of at most `max_record` bytes, if that is less than [`MAX_RECORD`].
    pub(super) fn with_limit(schema: &'a Schema, max_record: usize) -> Self {
        JsonDecoder { row: RowDecoder::new(schema, max_record.min(MAX_RECORD)), keys: Keys::default() }
    }

    /// Decodes the record at `record` in `batch.events.text`: adds its origin, and one event or one rejection.
    pub fn decode(&mut self, batch: &mut Batch, origin: Origin, record: Span) {
        self.read(batch, origin, record);
        self.row.finish(&mut batch.events);
    }

    /// As [`JsonDecoder::decode`], but the event may wait for [`RowDecoder::finish`].
    pub(super) fn read(&mut self, batch: &mut Batch, origin: Origin, record: Span) {
        batch.origins.push(origin);
        if self.row.is_too_large(record) {
            return self.row.reject_too_large(batch);
        }
        if self.row.read_plain(batch, record, &mut self.keys) {
            return;
        }
        let length = batch.events.text.len();
        match find(&mut batch.events.text, record, self.row.schema, &mut self.row.fields) {
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
    if record.len as usize > MAX_RECORD {
        return None;
    }
    let mut row = Row::default();
    let place = Place { day: &mut Day::default(), row: &mut row, declared: &mut Vec::new() };
    if read_plain(text, record, schema, &mut Keys::default(), place).is_some() {
        return Some(row.time);
    }
    let mut fields = RawFields::default();
    find(text, record, schema, &mut fields).ok()?;
    valid_time(text, &fields)
}

/// Reads a plain record; words are read past its end, so the text is made longer for as long as that takes.
#[inline(always)]
fn read_plain(text: &mut Vec<u8>, record: Span, schema: &Schema, keys: &mut Keys, place: Place<'_>) -> Option<()> {
    let (length, needed) = (text.len(), record.start as usize + record.len as usize + OVERRUN);
    if needed <= length {
        return plain::read(text, record, schema, keys, place);
    }
    text.resize(needed, 0);
    let found = plain::read(text, record, schema, keys, place);
    text.truncate(length);
    found
}

/// Finds the fields of any record, to the letter.
fn find(text: &mut Vec<u8>, record: Span, schema: &Schema, fields: &mut RawFields) -> Result<(), Malformed> {
    if let Err(fault) = std::str::from_utf8(record.of(text)) {
        return Err(Malformed { at: fault.valid_up_to(), what: "expected UTF-8".to_string() });
    }
    fields.reset(schema.fields.len());
    parse(text, record, &schema.fields, fields)
}

/// What JSON and CSV share: found values -> a row or a rejection.
#[derive(Debug)]
pub(super) struct RowDecoder<'a> {
    pub(super) schema: &'a Schema,
    /// Longest record, bytes.
    max_record: usize,
    pub(super) fields: RawFields,
    rows: Rows,
    day: Day,
}

impl<'a> RowDecoder<'a> {
    fn new(schema: &'a Schema, max_record: usize) -> Self {
        RowDecoder { schema, max_record, fields: RawFields::default(), rows: Rows::default(), day: Day::default() }
    }

    #[inline]
    pub(super) fn is_too_large(&self, record: Span) -> bool {
        record.len as usize > self.max_record
    }

    /// Rejects the last record as too large.
    #[cold]
    pub(super) fn reject_too_large(&self, batch: &mut Batch) {
        let detail = format!("found more than {} bytes, expected at most that many in one record", self.max_record);
        reject_whole(batch, RejectCode::TooLarge, detail);
    }

    /// Adds the event of a record that is plain and good; false if it is not.
    #[inline]
    fn read_plain(&mut self, batch: &mut Batch, record: Span, keys: &mut Keys) -> bool {
        let (row, declared) = self.rows.next();
        row.record = batch.origins.len().wrapping_sub(1) as u32;
        let place = Place { day: &mut self.day, row, declared };
        let found = read_plain(&mut batch.events.text, record, self.schema, keys, place).is_some();
        if found {
            self.rows.keep(&mut batch.events);
        }
        found
    }

    /// Judges the fields found and adds an event or a rejection.
    #[inline]
    pub(super) fn judge(&mut self, batch: &mut Batch) {
        let record = batch.origins.len().wrapping_sub(1) as u32;
        let (row, declared) = self.rows.next();
        row.record = record;
        match judge(&batch.events.text, &self.fields, self.schema, &mut self.day, row, declared) {
            Ok(()) => {
                row.fingerprint = fingerprint(&batch.events.text, row, declared);
                self.rows.keep(&mut batch.events);
            }
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

fn reject_whole(batch: &mut Batch, code: RejectCode, detail: String) {
    let record = batch.origins.len().wrapping_sub(1) as u32;
    batch.rejections.push(Rejection { record, code, field: None, event: None, detail });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::money::Currency;

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

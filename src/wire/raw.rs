//! Records as read, not yet decoded: the seam between reading (one thread, in order) and decoding (any thread).

use std::sync::Arc;

use xxhash_rust::xxh3::{xxh3_64, xxh3_128_with_seed};

use crate::model::batch::{Batch, Origin, Source};
use crate::model::events::{Events, Span, TextField};

use super::Schema;
use super::csv::{self, CsvHeader};
use super::json::{JsonDecoder, MAX_RECORD, json_time};

/// One record as read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RawRecord {
    /// Its bytes in [`RawBatch::text`], without the line end; one over [`MAX_RECORD`] may be cut behind it.
    pub span: Span,
    /// Where it came from.
    pub origin: Origin,
}

/// Records in the order they were read.
#[derive(Debug)]
pub struct RawBatch {
    /// Source names; [`Origin::source`] points here.
    pub sources: Vec<Source>,
    /// By source: the columns of a CSV file, `None` for JSON.
    pub headers: Vec<Option<Arc<CsvHeader>>>,
    /// The bytes of all records; at most 4 GiB.
    pub text: Vec<u8>,
    /// The records.
    pub records: Vec<RawRecord>,
    /// Longer records are rejected, bytes; more than [`MAX_RECORD`] is as good as that.
    pub max_record: usize,
}

impl Default for RawBatch {
    fn default() -> Self {
        let (sources, headers, text, records) = Default::default();
        RawBatch { sources, headers, text, records, max_record: MAX_RECORD }
    }
}

impl RawBatch {
    /// Empties the batch and keeps the memory and the sources.
    pub fn clear(&mut self) {
        self.text.clear();
        self.records.clear();
    }
}

/// Decodes all records of `raw` into `batch`, which is emptied first: one event or rejection per record.
///
/// The texts are swapped, not copied: `raw` is empty afterwards, with the batch's old memory to fill again.
pub fn decode(raw: &mut RawBatch, schema: &Schema, batch: &mut Batch) {
    batch.clear();
    batch.sources.clone_from(&raw.sources);
    std::mem::swap(&mut raw.text, &mut batch.events.text);
    batch.origins.reserve(raw.records.len());
    batch.events.reserve(raw.records.len());
    let mut decoder = JsonDecoder::with_limit(schema, raw.max_record);
    for RawRecord { span, origin } in raw.records.drain(..) {
        match raw.headers.get(origin.source as usize).and_then(Option::as_deref) {
            Some(header) => csv::decode(&mut decoder.row, header, batch, origin, span),
            None => decoder.read(batch, origin, span),
        }
    }
    decoder.row.finish(&mut batch.events);
    identify(&mut batch.events);
}

/// Computes the identities of all events.
fn identify(events: &mut Events) {
    let accounts = &events.texts[TextField::Account as usize];
    let ids = &events.texts[TextField::Id as usize];
    for (account, id) in accounts.iter().zip(ids) {
        let seed = xxh3_64(account.of(&events.text));
        // An empty slot of the duplicate index is 0.
        events.identity.push(xxh3_128_with_seed(id.of(&events.text), seed).max(1));
    }
}

/// The event time of one record, if it can be read; `text` is left as it was.
pub fn record_time(text: &mut Vec<u8>, record: Span, header: Option<&CsvHeader>, schema: &Schema) -> Option<i64> {
    let length = text.len();
    let time = match header {
        Some(header) => csv::time(text, record, header, schema),
        None => json_time(text, record, schema),
    };
    text.truncate(length);
    time
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::batch::RejectCode;
    use crate::model::money::Currency;

    /// What becomes of one record under a limit; the detail names the limit in force.
    fn check(text: &[u8], header: Option<&[u8]>, max_record: usize, expected: Option<usize>) {
        let currency = Currency::parse("CNY").expect("a currency");
        let schema = Schema { currency, rates: Default::default(), fields: Vec::new() };
        let header = header.map(|line| Arc::new(CsvHeader::parse(line, &schema).expect("a header")));
        let span = Span { start: 0, len: text.len() as u32 };
        let records = vec![RawRecord { span, origin: Origin::default() }];
        let mut raw =
            RawBatch { headers: vec![header], text: text.to_vec(), records, max_record, ..RawBatch::default() };
        let mut batch = Batch::new(&[]);
        decode(&mut raw, &schema, &mut batch);
        let found = batch.rejections.first().map(|rejection| (rejection.code, rejection.detail.clone()));
        let detail = |limit| format!("found more than {limit} bytes, expected at most that many in one record");
        assert_eq!(found, expected.map(|limit| (RejectCode::TooLarge, detail(limit))), "{} bytes", text.len());
        assert_eq!((batch.events.len(), raw.max_record), (usize::from(expected.is_none()), max_record));
    }

    #[test]
    fn records_are_as_large_as_they_may_be() {
        let event = br#"{"id":"e1","type":"login","time":1,"account":"a1"}"#;
        let padded = |length: usize| [vec![b' '; length - event.len()], event.to_vec()].concat();
        for (limit, longest) in [(50, 50), (1000, 1000), (MAX_RECORD, MAX_RECORD), (usize::MAX, MAX_RECORD)] {
            check(&padded(longest), None, limit, None);
            check(&padded(longest + 1), None, limit, Some(longest));
        }
        let (header, row): (&[u8], &[u8]) = (b"id,type,time,account", b"e1,login,1,a1");
        check(row, Some(header), row.len(), None);
        check(row, Some(header), row.len() - 1, Some(row.len() - 1));
    }
}

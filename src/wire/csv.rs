//! CSV rows -> the same fields as JSON: a header line of field names, then one record per row.
//!
//! Cells follow RFC 4180: quoted cells may hold commas, line ends and doubled quotes. Reading needs to know where a
//! row ends without decoding it, so both share the one state machine in [`RowEnd`].

use std::collections::BTreeSet;

use thiserror::Error;

use crate::model::batch::{Batch, Origin};
use crate::model::events::Span;

use super::Schema;
use super::field::{Field, REQUIRED, Raw, RawFields};
use super::json::{MAX_RECORD, RowDecoder, forget_unescaped, reject_malformed};
use super::judge::valid_time;

/// Where in a cell the scan of a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// Before the first byte of a cell.
    #[default]
    Start,
    /// In a cell without quotes; a quote here is an ordinary byte.
    Plain,
    /// Between quotes.
    Quoted,
    /// After a closing quote, or between the two of a doubled one.
    Closed,
}

impl State {
    #[inline]
    fn after(self, byte: u8) -> State {
        match (self, byte) {
            (State::Quoted, b'"') => State::Closed,
            (State::Quoted, _) | (State::Start | State::Closed, b'"') => State::Quoted,
            (_, b',') => State::Start,
            _ => State::Plain,
        }
    }
}

/// Tells whether a row goes on behind a line end.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowEnd(State);

impl RowEnd {
    /// Takes the next bytes of the row, line ends left out.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |state, &byte| state.after(byte));
    }

    /// Whether a line end here belongs to a quoted cell.
    pub fn is_open(&self) -> bool {
        self.0 == State::Quoted
    }
}

/// Why a file cannot be read as CSV at all.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CsvHeaderFault {
    /// Not UTF-8, or a broken quote.
    #[error("cannot read the CSV header, expected UTF-8 field names separated by commas")]
    Unreadable,
    /// Two columns of one name.
    #[error("CSV header names `{0}` twice, expected each column once")]
    Repeated(String),
    /// No column for a required field.
    #[error("CSV header has no column `{0}`, expected at least id, type, time and account")]
    Missing(&'static str),
}

/// The columns of one CSV file: which field each one is.
#[derive(Debug, Clone)]
pub struct CsvHeader {
    columns: Vec<Option<Field>>,
}

impl CsvHeader {
    /// Reads a header line (without its line end); a BOM before it is skipped, as spreadsheets write one.
    pub fn parse(line: &[u8], schema: &Schema) -> Result<CsvHeader, CsvHeaderFault> {
        let names = header_names(line).ok_or(CsvHeaderFault::Unreadable)?;
        let mut seen = BTreeSet::new();
        if let Some(name) = names.iter().find(|name| !seen.insert(name.as_str())) {
            return Err(CsvHeaderFault::Repeated(name.clone()));
        }
        if let Some(slot) = REQUIRED.into_iter().find(|slot| !seen.contains(slot.name())) {
            return Err(CsvHeaderFault::Missing(slot.name()));
        }
        let columns = names.iter().map(|name| Field::of_name(name.as_bytes(), &schema.fields)).collect();
        Ok(CsvHeader { columns })
    }

    /// Whether a first line looks like a CSV header: it names the four required fields.
    pub fn is_likely(line: &[u8]) -> bool {
        let names = header_names(line).unwrap_or_default();
        REQUIRED.iter().all(|slot| names.iter().any(|name| name == slot.name()))
    }
}

fn header_names(line: &[u8]) -> Option<Vec<String>> {
    let mut text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line).to_vec();
    let end = text.len();
    let mut cells = Vec::new();
    split(&mut text, 0, end, &mut cells).ok()?;
    cells.iter().map(|cell| String::from_utf8(cell.of(&text).to_vec()).ok()).collect()
}

/// Splits a row into cells without quotes; cells with doubled quotes are appended to `text`.
fn split(text: &mut Vec<u8>, start: usize, end: usize, cells: &mut Vec<Span>) -> Result<(), &'static str> {
    cells.clear();
    let mut at = start;
    loop {
        let (cell, after) = match text.get(at) {
            Some(b'"') if at < end => quoted(text, at + 1, end)?,
            _ => {
                let len = memchr::memchr(b',', &text[at..end]).unwrap_or(end - at);
                (Span { start: at as u32, len: len as u32 }, at + len)
            }
        };
        cells.push(cell);
        match text.get(after) {
            _ if after == end => return Ok(()),
            Some(b',') => at = after + 1,
            _ => return Err("expected a comma or the end of the row after a closing quote"),
        }
    }
}

/// The cell after an opening quote, and the position after its closing quote.
fn quoted(text: &mut Vec<u8>, start: usize, end: usize) -> Result<(Span, usize), &'static str> {
    let mut at = start;
    let mut doubled = false;
    loop {
        let quote = memchr::memchr(b'"', &text[at..end]).ok_or("expected a closing quote")?;
        at += quote + 1;
        if at == end || text[at] != b'"' {
            break;
        }
        doubled = true;
        at += 1;
    }
    let plain = Span { start: start as u32, len: (at - 1 - start) as u32 };
    if !doubled {
        return Ok((plain, at));
    }
    let unescaped = plain.of(text).to_vec();
    let begin = text.len();
    // Every quote inside is doubled here: keep the first of each two.
    let mut keep = false;
    text.extend(unescaped.into_iter().filter(|&byte| {
        keep = byte == b'"' && !keep;
        byte != b'"' || keep
    }));
    Ok((Span { start: begin as u32, len: (text.len() - begin) as u32 }, at))
}

/// Finds the fields of a row; the fault in words if it is not one.
fn find(text: &mut Vec<u8>, record: Span, header: &CsvHeader, fields: &mut RawFields) -> Result<(), String> {
    let (start, end) = (record.start as usize, (record.start + record.len) as usize);
    if std::str::from_utf8(record.of(text)).is_err() {
        return Err("expected UTF-8".to_string());
    }
    let mut cells = Vec::with_capacity(header.columns.len());
    split(text, start, end, &mut cells)?;
    if cells.len() != header.columns.len() {
        return Err(format!("found {} cells, expected {} as in the header", cells.len(), header.columns.len()));
    }
    for (column, cell) in header.columns.iter().zip(cells) {
        if let (Some(field), true) = (column, cell.len > 0) {
            fields.set(*field, Raw::Cell(cell));
        }
    }
    Ok(())
}

/// Decodes the row at `record` in `batch.events.text`: adds its origin, and one event or one rejection.
pub(super) fn decode(row: &mut RowDecoder<'_>, header: &CsvHeader, batch: &mut Batch, origin: Origin, record: Span) {
    batch.origins.push(origin);
    let length = batch.events.text.len();
    if row.is_too_large(record) {
        return row.reject_too_large(batch);
    }
    row.fields.reset(row.schema.fields.len());
    match find(&mut batch.events.text, record, header, &mut row.fields) {
        Ok(()) => row.judge(batch),
        Err(what) => reject_malformed(batch, what),
    }
    forget_unescaped(batch, length);
}

/// The event time of a row, if it can be read; `text` may grow by unescaped cells.
pub(super) fn time(text: &mut Vec<u8>, record: Span, header: &CsvHeader, schema: &Schema) -> Option<i64> {
    if record.len as usize > MAX_RECORD {
        return None;
    }
    let mut fields = RawFields::default();
    fields.reset(schema.fields.len());
    find(text, record, header, &mut fields).ok()?;
    valid_time(text, &fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(row: &str) -> Result<Vec<String>, &'static str> {
        let mut text = row.as_bytes().to_vec();
        let mut cells = Vec::new();
        split(&mut text, 0, row.len(), &mut cells)?;
        Ok(cells.iter().map(|cell| String::from_utf8_lossy(cell.of(&text)).into_owned()).collect())
    }

    #[test]
    fn rows_split_as_rfc_4180_says() {
        let cases: [(&str, &[&str]); 8] = [
            ("", &[""]),
            ("a,b", &["a", "b"]),
            ("a,,", &["a", "", ""]),
            ("\"a,b\",c", &["a,b", "c"]),
            ("\"a\"\"b\",\"\"", &["a\"b", ""]),
            ("\"\"\"\",\"\"\"\"\"\"", &["\"", "\"\""]),
            ("\"a\nb\",c", &["a\nb", "c"]),
            ("a\"b,c", &["a\"b", "c"]),
        ];
        for (row, expected) in cases {
            assert_eq!(cells(row).expect(row), expected, "{row}");
        }
        assert!(cells("\"a").is_err());
        assert!(cells("\"a\"b,c").is_err());
        assert!(cells("x,\"a\"\"").is_err());
    }

    proptest::proptest! {
        #[test]
        fn whatever_the_csv_crate_writes_is_read_back(row in proptest::collection::vec("[a,\"\n\r é]{0,6}", 1..6)) {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(&row).expect("in memory");
            let written = String::from_utf8(writer.into_inner().expect("in memory")).expect("UTF-8");
            let line = written.strip_suffix('\n').expect("a line end");
            let mut end = RowEnd::default();
            for (index, part) in line.split('\n').enumerate() {
                proptest::prop_assert!(index == 0 || end.is_open());
                end.feed(part.as_bytes());
            }
            proptest::prop_assert!(!end.is_open());
            proptest::prop_assert_eq!(cells(line).expect("valid"), row);
        }
    }
}

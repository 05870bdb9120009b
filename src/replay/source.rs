//! One input file as a sequence of records with their line numbers.

use std::io::{self, BufRead};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use memchr::memchr;

use crate::model::batch::Origin;
use crate::model::events::Span;
use crate::wire::{CsvHeader, MAX_RECORD, RawBatch, RawRecord, RowEnd, Schema};

use super::input::{InputError, InputFault};
use super::lines::{LineEnd, read_line};
use super::open::{Stream, open};

/// An open input.
pub(super) struct SourceReader {
    path: String,
    /// Index among the inputs.
    index: u32,
    stream: Stream,
    /// Physical lines read so far.
    lines: u64,
    /// The columns, where the file is CSV.
    pub(super) header: Option<Arc<CsvHeader>>,
    /// The first record, which had to be read to tell CSV from JSON.
    first: Option<(Vec<u8>, u64)>,
    /// A failure met while looking at the first line; reported when the file's turn comes.
    failure: Option<InputError>,
}

impl SourceReader {
    /// Opens a path and looks at its first line: fails if it cannot be opened or is CSV with an unfit header.
    ///
    /// CSV is what is named `.csv` (also `.csv.gz`, `.csv.zst`) or begins with a line naming the required fields.
    pub(super) fn open(path: &str, index: u32, schema: &Schema, count: &Arc<AtomicU64>) -> Result<Self, InputError> {
        let failed = |fault| InputError { path: path.to_string(), line: None, fault };
        let stream = open(path, count).map_err(|fault| failed(InputFault::Open(fault)))?;
        let mut source =
            SourceReader { path: path.to_string(), index, stream, lines: 0, header: None, first: None, failure: None };
        let mut line = Vec::new();
        match source.read_record(&mut line) {
            Ok(None) => {}
            Ok(Some(number)) if is_csv_name(path) || CsvHeader::is_likely(&line) => {
                let header = CsvHeader::parse(&line, schema);
                let failed = |fault| InputError { path: path.to_string(), line: Some(number), fault };
                source.header = Some(Arc::new(header.map_err(|fault| failed(InputFault::Header(fault)))?));
            }
            Ok(Some(number)) => source.first = Some((line, number)),
            Err(fault) => source.failure = Some(fault),
        }
        Ok(source)
    }

    /// Appends the lines that lie whole in the buffer and need no second look, up to `records` in the batch; false if
    /// the next record must be read by [`SourceReader::next`].
    pub(super) fn take_lines(&mut self, raw: &mut RawBatch, records: usize) -> Result<bool, InputError> {
        if self.header.is_some() || self.first.is_some() || self.failure.is_some() {
            return Ok(false);
        }
        let (start, count) = (raw.text.len(), raw.records.len());
        let buffer = match self.stream.fill_buf() {
            Ok(buffer) => buffer,
            Err(fault) if fault.kind() == io::ErrorKind::Interrupted => return Ok(false),
            Err(fault) => return Err(self.failed(fault)),
        };
        let mut at = 0;
        while raw.records.len() < records
            && let Some(len) = memchr(b'\n', &buffer[at..])
            && is_plain(&buffer[at..at + len])
        {
            self.lines += 1;
            let origin = Origin { source: self.index, number: self.lines, partition: 0, timestamp: None };
            raw.records.push(RawRecord { span: Span { start: (start + at) as u32, len: len as u32 }, origin });
            at += len + 1;
        }
        raw.text.extend_from_slice(&buffer[..at]);
        self.stream.consume(at);
        Ok(raw.records.len() > count)
    }

    /// Appends the next record to `text`; `None` at the end of the file.
    pub(super) fn next(&mut self, text: &mut Vec<u8>) -> Result<Option<RawRecord>, InputError> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let start = text.len();
        let number = match self.first.take() {
            Some((line, number)) => {
                text.extend_from_slice(&line);
                Some(number)
            }
            None => self.read_record(text)?,
        };
        let span = Span { start: start as u32, len: (text.len() - start) as u32 };
        let origin = |number| Origin { source: self.index, number, partition: 0, timestamp: None };
        Ok(number.map(|number| RawRecord { span, origin: origin(number) }))
    }

    /// Appends the next record that is not blank and returns its first line's number.
    fn read_record(&mut self, text: &mut Vec<u8>) -> Result<Option<u64>, InputError> {
        let start = text.len();
        loop {
            let number = self.lines + 1;
            let Some(end) = self.read_row(text, start)? else {
                return Ok(None);
            };
            let blank = text[start..].iter().all(u8::is_ascii_whitespace) && text.len() - start <= MAX_RECORD;
            if !blank {
                return Ok(Some(number));
            }
            text.truncate(start);
            if end == LineEnd::Stream {
                return Ok(None);
            }
        }
    }

    /// Appends one line or, in CSV, as many as a row has.
    fn read_row(&mut self, text: &mut Vec<u8>, start: usize) -> Result<Option<LineEnd>, InputError> {
        let mut row = RowEnd::default();
        let is_csv = self.header.is_some();
        let feed = |row: &mut RowEnd, piece: &[u8]| {
            if is_csv {
                row.feed(piece);
            }
        };
        let mut end = self.read_line(text, start, |piece| feed(&mut row, piece))?;
        while let Some(line_end @ (LineEnd::Newline | LineEnd::CarriageReturn)) = end
            && row.is_open()
        {
            text.extend_from_slice(if line_end == LineEnd::Newline { b"\n" } else { b"\r\n" });
            let next = self.read_line(text, start, |piece| feed(&mut row, piece))?;
            text.truncate(start + MAX_RECORD + 1);
            end = Some(next.unwrap_or(LineEnd::Stream));
        }
        Ok(end)
    }

    /// Appends one line; after a failure nothing of the record remains.
    fn read_line(
        &mut self,
        text: &mut Vec<u8>,
        start: usize,
        each: impl FnMut(&[u8]),
    ) -> Result<Option<LineEnd>, InputError> {
        match read_line(&mut self.stream, text, MAX_RECORD, each) {
            Ok(end) => {
                self.lines += u64::from(end.is_some());
                Ok(end)
            }
            Err(fault) => {
                text.truncate(start);
                Err(self.failed(fault))
            }
        }
    }

    fn failed(&self, fault: io::Error) -> InputError {
        InputError { path: self.path.clone(), line: Some(self.lines + 1), fault: InputFault::Read(fault) }
    }
}

/// Whether a line is a record as it stands: not blank, not too long, without a `\r` at its end.
#[inline]
fn is_plain(line: &[u8]) -> bool {
    line.len() <= MAX_RECORD && line.first().is_some_and(|&byte| byte > b' ') && line.last() != Some(&b'\r')
}

fn is_csv_name(path: &str) -> bool {
    let name = path.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(&name);
    name.ends_with(".csv")
}

//! The inputs of a replay as one sequence of records: files one after another, or merged by event time.
//!
//! Reading only cuts records out of bytes; decoding is `wire`'s and can run on other threads meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

use crate::model::batch::Source;
use crate::wire::{CsvHeader, CsvHeaderFault, RawBatch, RawRecord, Schema, record_time};

use super::open::stored_size;
use super::source::SourceReader;

/// Why an input cannot be read (on).
#[derive(Debug, Error)]
pub enum InputFault {
    /// Missing, not permitted, a directory.
    #[error("cannot open: {0}")]
    Open(io::Error),
    /// Damaged compression or a failing device.
    #[error("cannot read on, the file is damaged or incomplete: {0}")]
    Read(io::Error),
    /// CSV without the columns it needs.
    #[error(transparent)]
    Header(CsvHeaderFault),
    /// A line that is none of a journal: what was found, and what was expected.
    #[error("{0}")]
    Journal(String),
}

/// A failure of one input.
#[derive(Debug, Error)]
#[error("{path}{}: {fault}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct InputError {
    /// The path as given.
    pub path: String,
    /// The line that could not be read, from 1.
    pub line: Option<u64>,
    /// What went wrong.
    pub fault: InputFault,
}

/// In which order several files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// One after another, as given.
    Given,
    /// By event time, then as given; a record without a readable time goes with the one before it in its file.
    Merged,
}

/// How far reading is, in stored (compressed) bytes.
#[derive(Debug, Clone)]
pub struct Progress {
    read: Arc<AtomicU64>,
    total: Option<u64>,
}

impl Progress {
    /// Nothing was read yet.
    pub(super) fn new(paths: &[String]) -> Progress {
        Progress { read: Arc::default(), total: paths.iter().map(|path| stored_size(path)).sum() }
    }

    /// Where the bytes read are counted.
    pub(super) fn counter(&self) -> &Arc<AtomicU64> {
        &self.read
    }

    /// Bytes read so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Bytes in all, if every input is a plain file.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

/// The inputs of a replay.
pub struct InputSet<'a> {
    schema: &'a Schema,
    paths: Vec<String>,
    order: Order,
    /// By input; `None` before its turn and after its end.
    readers: Vec<Option<SourceReader>>,
    /// By input: its columns, where it is known to be CSV; kept when the reader is closed.
    headers: Vec<Option<Arc<CsvHeader>>>,
    /// In [`Order::Given`]: the input being read.
    current: usize,
    /// In [`Order::Merged`]: the next record of each input.
    heads: Vec<Head>,
    failure: Option<InputError>,
    progress: Progress,
}

/// The next record of one input in a merge.
#[derive(Default)]
struct Head {
    text: Vec<u8>,
    record: Option<RawRecord>,
    /// Its event time, or that of the record before it.
    time: Option<i64>,
}

impl<'a> InputSet<'a> {
    /// Opens the inputs (`-` is stdin); every missing file or unfit CSV header is reported before anything is read.
    pub fn open(paths: &[String], order: Order, schema: &'a Schema) -> Result<Self, InputError> {
        let progress = Progress::new(paths);
        let (paths, heads) = (paths.to_vec(), paths.iter().map(|_| Head::default()).collect());
        let mut set = InputSet {
            schema,
            readers: Vec::with_capacity(paths.len()),
            headers: vec![None; paths.len()],
            paths,
            order,
            current: 0,
            heads,
            failure: None,
            progress,
        };
        for index in 0..set.paths.len() {
            let reader = set.first_look(index)?;
            set.headers[index] = reader.as_ref().and_then(|reader| reader.header.clone());
            set.readers.push(reader);
        }
        if order == Order::Merged {
            (0..set.heads.len()).for_each(|index| set.advance(index));
        }
        Ok(set)
    }

    /// Opens an input and closes it again if it can be opened once more: thousands of files must not stay open.
    fn first_look(&self, index: usize) -> Result<Option<SourceReader>, InputError> {
        let path = &self.paths[index];
        let reopen = self.order == Order::Given && index > 0 && stored_size(path).is_some();
        let unread = Arc::default();
        let count = if reopen { &unread } else { &self.progress.read };
        let reader = SourceReader::open(path, index as u32, self.schema, count)?;
        Ok((!reopen).then_some(reader))
    }

    /// How far reading is; may be kept and asked from elsewhere.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Why reading ended early, once [`InputSet::fill`] has returned false.
    pub fn failure(&self) -> Option<&InputError> {
        self.failure.as_ref()
    }

    /// Empties `raw` and reads up to `records` records or about `bytes` bytes into it; false when there is no more.
    ///
    /// Reading stops for good where an input is damaged: what was read before is there, then ask for the failure.
    pub fn fill(&mut self, raw: &mut RawBatch, records: usize, bytes: usize) -> bool {
        raw.clear();
        if raw.sources.len() != self.paths.len() {
            raw.sources = self.paths.iter().cloned().map(Source::File).collect();
        }
        while raw.records.len() < records && raw.text.len() < bytes && self.failure.is_none() {
            if self.take_lines(raw, records) {
                continue;
            }
            let record = match self.order {
                _ if self.failure.is_some() => None,
                Order::Given => self.next_given(&mut raw.text),
                Order::Merged => self.next_merged(&mut raw.text),
            };
            match record {
                Some(record) => raw.records.push(record),
                None => break,
            }
        }
        raw.headers.clone_from(&self.headers);
        !raw.records.is_empty()
    }

    /// In [`Order::Given`]: takes what lines the open input has ready; false if there are none, or it failed.
    fn take_lines(&mut self, raw: &mut RawBatch, records: usize) -> bool {
        if self.order == Order::Merged {
            return false;
        }
        let Some(Some(reader)) = self.readers.get_mut(self.current) else { return false };
        reader.take_lines(raw, records).unwrap_or_else(|failure| {
            self.readers[self.current] = None;
            self.failure = Some(failure);
            false
        })
    }

    fn next_given(&mut self, text: &mut Vec<u8>) -> Option<RawRecord> {
        while self.current < self.paths.len() {
            match self.read(self.current, text) {
                Ok(Some(record)) => return Some(record),
                Ok(None) => self.current += 1,
                Err(failure) => {
                    self.failure = Some(failure);
                    return None;
                }
            }
        }
        None
    }

    /// The next record of one input, which is opened if it is not open and closed at its end.
    #[inline]
    fn read(&mut self, index: usize, text: &mut Vec<u8>) -> Result<Option<RawRecord>, InputError> {
        if self.readers[index].is_none() {
            let reader = SourceReader::open(&self.paths[index], index as u32, self.schema, &self.progress.read)?;
            self.headers[index].clone_from(&reader.header);
            self.readers[index] = Some(reader);
        }
        let Some(reader) = &mut self.readers[index] else { return Ok(None) };
        let record = reader.next(text);
        if !matches!(record, Ok(Some(_))) {
            self.readers[index] = None;
        }
        record
    }

    fn next_merged(&mut self, text: &mut Vec<u8>) -> Option<RawRecord> {
        let waiting = (0..self.heads.len()).filter(|&index| self.heads[index].record.is_some());
        // `min_by_key` takes the first of equals, which is the argument order.
        let index = waiting.min_by_key(|&index| self.heads[index].time)?;
        let head = &mut self.heads[index];
        let mut record = head.record.take()?;
        record.span.start = text.len() as u32;
        text.extend_from_slice(&head.text);
        self.advance(index);
        Some(record)
    }

    /// Reads the next record of one input into its head.
    fn advance(&mut self, index: usize) {
        let mut text = std::mem::take(&mut self.heads[index].text);
        text.clear();
        match self.read(index, &mut text) {
            Ok(record) => {
                let header = self.headers[index].as_deref();
                let read = |record: RawRecord| record_time(&mut text, record.span, header, self.schema);
                let time = record.and_then(read).or(self.heads[index].time);
                self.heads[index] = Head { text, record, time };
            }
            Err(failure) => self.failure = self.failure.take().or(Some(failure)),
        }
    }
}

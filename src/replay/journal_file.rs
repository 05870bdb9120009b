//! A journal in a file, step by step.
//!
//! Reading is strict: the first faulty line ends it, because what comes after it might have been decided otherwise.

use std::slice;

use crate::journal::lines::MAX_LINE;
use crate::journal::{LineFault, Reader, Step};

use super::input::{InputError, InputFault, Progress};
use super::lines::read_line;
use super::open::{Stream, open};

/// An open journal; gives its steps until the end or the first fault.
pub struct JournalFile {
    path: String,
    stream: Stream,
    reader: Reader,
    /// Lines read so far.
    lines: u64,
    /// The line under way; kept for its memory.
    line: Vec<u8>,
    failure: Option<InputError>,
    progress: Progress,
}

impl JournalFile {
    /// Opens a journal (`-` is stdin), plain, gzip or zstd, and reads its first line.
    ///
    /// # Errors
    /// When it cannot be opened, or the first line says that it is none, or one of another version.
    pub fn open(path: &str) -> Result<Self, InputError> {
        JournalFile::begin(path, Reader::default(), Progress::new(slice::from_ref(&path.to_owned())))
    }

    /// Opens the first of several journals that continue each other; progress is that of all of them.
    ///
    /// # Errors
    /// As [`JournalFile::open`].
    pub fn open_first(first: &str, all: &[String]) -> Result<Self, InputError> {
        JournalFile::begin(first, Reader::default(), Progress::new(all))
    }

    /// Opens the journal that continues this one: it has a first line of its own, and its offsets do not go back.
    ///
    /// # Errors
    /// As [`JournalFile::open`].
    pub fn follow(self, path: &str) -> Result<Self, InputError> {
        JournalFile::begin(path, self.reader.follow(), self.progress)
    }

    fn begin(path: &str, reader: Reader, progress: Progress) -> Result<Self, InputError> {
        let stream = open(path, progress.counter()).map_err(|fault| InputError {
            path: path.to_owned(),
            line: None,
            fault: InputFault::Open(fault),
        })?;
        let (lines, line) = (0, Vec::new());
        let mut journal = JournalFile { path: path.to_owned(), stream, reader, lines, line, failure: None, progress };
        let head = journal.read()?;
        if head.is_none() {
            journal.reader.finish().map_err(|fault| journal.faulty(fault))?;
        }
        Ok(journal)
    }

    /// Path and line of the last step, for people.
    pub fn place(&self) -> String {
        format!("{}:{}", self.path, self.lines)
    }

    /// How far reading is; may be kept and asked from elsewhere.
    pub fn progress(&self) -> Progress {
        self.progress.clone()
    }

    /// Why there are no more steps, unless the journal ended.
    pub fn failure(&self) -> Option<&InputError> {
        self.failure.as_ref()
    }

    /// As [`JournalFile::failure`], for keeps.
    pub fn take_failure(&mut self) -> Option<InputError> {
        self.failure.take()
    }

    /// Reads the next line: the step in it, which the first one has not; `None` at the end.
    fn read(&mut self) -> Result<Option<Option<Step>>, InputError> {
        self.line.clear();
        let end = read_line(&mut self.stream, &mut self.line, MAX_LINE, |_| ());
        let failed = |fault| self.failed(self.lines + 1, InputFault::Read(fault));
        if end.map_err(failed)?.is_none() {
            return Ok(None);
        }
        self.lines += 1;
        self.reader.read(&self.line).map(Some).map_err(|fault| self.faulty(fault))
    }

    fn faulty(&self, fault: LineFault) -> InputError {
        self.failed(fault.line, InputFault::Journal(fault.fault))
    }

    fn failed(&self, line: u64, fault: InputFault) -> InputError {
        InputError { path: self.path.clone(), line: Some(line), fault }
    }
}

impl Iterator for JournalFile {
    type Item = Step;

    fn next(&mut self) -> Option<Step> {
        if self.failure.is_some() {
            return None;
        }
        self.read().map(Option::flatten).unwrap_or_else(|failure| {
            self.failure = Some(failure);
            None
        })
    }
}

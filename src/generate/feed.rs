//! Traffic and its labels as chunks of lines, in the order and the format asked for.

use super::label::{Labeller, Labels, Pending};
use super::table::{Format, append_row, header};
use super::told::Told;
use super::traffic::Traffic;
use super::{Options, OptionsError};

/// Bytes handed to the caller at a time, at least.
const CHUNK: usize = 256 * 1024;

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// With the events.
    Events,
    /// Beside them: labels, where they are asked for aside.
    Labels,
}

/// Lines of one stream that wait to be handed on.
#[derive(Debug)]
struct Lines {
    format: Format,
    text: Vec<u8>,
    /// A line to be made a row.
    line: Vec<u8>,
}

impl Lines {
    fn new(format: Format) -> Self {
        let text = if format == Format::Csv { header().into_bytes() } else { Vec::new() };
        Lines { format, text, line: Vec::new() }
    }

    /// Appends what `write` writes as JSON.
    fn add<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        if self.format == Format::Jsonl {
            return write(&mut self.text);
        }
        self.line.clear();
        let result = write(&mut self.line);
        if !self.line.is_empty() {
            append_row(&self.line, &mut self.text);
        }
        result
    }
}

/// Everything that writes.
struct Feed<S> {
    events: Lines,
    labels: Lines,
    labeller: Labeller,
    written: u64,
    sink: S,
}

impl<S> Feed<S> {
    fn hand_on<E>(&mut self, least: usize) -> Result<(), E>
    where
        S: FnMut(Stream, &[u8], u64) -> Result<(), E>,
    {
        for (stream, lines) in [(Stream::Events, &mut self.events), (Stream::Labels, &mut self.labels)] {
            if lines.text.len() >= least && !lines.text.is_empty() {
                (self.sink)(stream, &lines.text, self.written)?;
                lines.text.clear();
            }
        }
        Ok(())
    }

    fn label_among(&mut self, told: &Told, delay: i64) {
        self.events.add(|out| self.labeller.write(told, delay, out));
        self.written += 1;
    }

    fn label_aside(&mut self, told: &Told, delay: i64) {
        self.labels.add(|out| self.labeller.write(told, delay, out));
    }
}

/// Writes all events and labels in chunks of whole lines. `sink` takes the stream, a chunk and the number of events so
/// far, labels among them included; its error ends the run. Returns that number, or why the options do not work or the
/// sink failed.
///
/// # Errors
/// The sink's, and what is wrong with the options.
pub fn write_all<E: From<OptionsError>>(
    options: &Options,
    sink: impl FnMut(Stream, &[u8], u64) -> Result<(), E>,
) -> Result<u64, E> {
    let mut traffic = Traffic::new(options)?;
    let (events, labels) = (Lines::new(options.format), Lines::new(options.format));
    let mut feed = Feed { events, labels, labeller: Labeller::default(), written: 0, sink };
    let mut pending = Pending::default();
    loop {
        if let Labels::Among { delay } = options.labels {
            let upcoming = traffic.arrival();
            while let Some(told) = pending.take(upcoming) {
                feed.label_among(&told, delay);
                feed.hand_on(CHUNK)?;
            }
        }
        let Some(told) = feed.events.add(|out| traffic.append(out)) else { break };
        feed.written += 1;
        match options.labels {
            Labels::None => {}
            Labels::Among { delay } => pending.add(&told, delay),
            Labels::Aside { delay } => feed.label_aside(&told, delay),
        }
        feed.hand_on(CHUNK)?;
    }
    if options.labels.delay().is_none() || matches!(options.labels, Labels::Among { .. }) {
        feed.labels.text.clear();
    }
    feed.hand_on(0)?;
    Ok(feed.written)
}

/// Writes what [`write_all`] does, without labels aside.
///
/// # Errors
/// As [`write_all`].
pub fn write_events<E: From<OptionsError>>(
    options: &Options,
    mut sink: impl FnMut(&[u8], u64) -> Result<(), E>,
) -> Result<u64, E> {
    write_all(options, |stream, chunk, events| match stream {
        Stream::Events => sink(chunk, events),
        Stream::Labels => Ok(()),
    })
}

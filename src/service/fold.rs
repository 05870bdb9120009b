//! The engine with what the live stream adds to it: which records came in which order, and where the output stands.
//!
//! The live loop and every replay of the past drive the same fold, so that what was decided is what is decided again.

use std::ops::Range;
use std::sync::Arc;

use super::lanes::Taken;
use super::sources::{Lane, Sources};
use crate::engine::facts::Facts;
use crate::engine::said::{About, Said};
use crate::engine::snapshot::SnapshotError;
use crate::engine::{Emit, Engine, Options};
use crate::feature::store::Serial;
use crate::journal::record::{Run, push_run};
use crate::journal::{Entry, Mark, Settings, Start, Tick};
use crate::model::batch::{Batch, Origin};
use crate::model::events::{FieldType, Span};
use crate::ruleset::types::RuleSet;
use crate::wire::{MAX_RECORD, RawBatch, RawRecord, decode};

/// Longest key of a record that is kept, bytes: of a longer one the beginning.
const MAX_KEY: usize = 4096;

/// One line of output and what there is to know of it.
#[derive(Clone)]
pub struct Heard<'a> {
    /// All lines of this batch so far.
    pub lines: &'a [u8],
    /// Where in it this line lies, its line end included.
    pub line: Range<usize>,
    /// What it is about.
    pub about: About<'a>,
    /// The record at which it is said, as an index into the batch; a tick has none.
    pub record: Option<usize>,
    /// That record's key.
    pub key: Option<&'a [u8]>,
    /// The batch.
    pub batch: &'a Batch,
    /// Where the output stands with this line.
    pub mark: Mark,
}

/// Hears every line of output.
pub trait Sink {
    /// One line.
    fn line(&mut self, heard: &Heard);
}

/// The engine, the batch in the making, and where the output stands.
pub struct Fold {
    engine: Engine,
    settings: Settings,
    sources: Arc<Sources>,
    mark: Mark,
    raw: RawBatch,
    batch: Batch,
    /// Keys of the records of the batch.
    keys: Vec<u8>,
    key_spans: Vec<Option<Span>>,
    entries: Vec<Entry>,
    /// By lane: the next offset, the batch in the making included.
    next: Vec<i64>,
    lines: Vec<u8>,
}

/// The engine's options in a journal's words.
pub fn options(settings: &Settings) -> Options {
    Options { max_future: Some(settings.max_future), max_skew: Some(settings.max_skew), ..Options::default() }
}

impl Fold {
    /// Goes on with an engine at these positions (source lanes).
    pub fn new(engine: Engine, settings: Settings, sources: &Arc<Sources>, next: Vec<i64>, mark: Mark) -> Fold {
        let declared: Vec<FieldType> = engine.rules().schema.fields.iter().map(|(_, kind)| *kind).collect();
        let lanes = sources.count();
        let raw = RawBatch {
            sources: sources.for_batches(),
            headers: vec![None; lanes],
            max_record: settings.record_size as usize,
            ..RawBatch::default()
        };
        Fold {
            engine,
            settings,
            sources: Arc::clone(sources),
            mark,
            raw,
            batch: Batch::new(&declared),
            keys: Vec::new(),
            key_spans: Vec::new(),
            entries: Vec::new(),
            next,
            lines: Vec::new(),
        }
    }

    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The engine, for a snapshot.
    pub fn engine_mut(&mut self) -> &mut Engine {
        &mut self.engine
    }

    /// The rule set.
    pub fn rules(&self) -> &RuleSet {
        self.engine.rules()
    }

    /// What it was told.
    pub fn settings(&self) -> Settings {
        self.settings
    }

    /// Where the output stands.
    pub fn mark(&self) -> Mark {
        self.mark
    }

    /// By source lane: the next offset.
    pub fn next(&self) -> &[i64] {
        &self.next
    }

    /// The owner starts, or goes on under other settings: written down before what comes next.
    ///
    /// # Errors
    /// When the state cannot be taken over.
    pub fn restart(&mut self, start: Start) -> Result<(), SnapshotError> {
        let settings = start.settings;
        let without_history = Engine::new(self.engine.rules().clone(), options(&settings));
        let engine = std::mem::replace(&mut self.engine, without_history);
        if start.is_fresh {
            self.mark = start.mark;
        } else if settings == self.settings {
            self.engine = engine;
        } else {
            self.engine = engine.with_options(options(&settings))?;
        }
        self.settings = settings;
        self.raw.max_record = settings.record_size as usize;
        self.entries.push(Entry::Start(Box::new(start)));
        Ok(())
    }

    /// Goes on at these positions.
    pub fn set_next(&mut self, next: Vec<i64>) {
        self.next = next;
    }

    /// Records of the batch in the making.
    pub fn len(&self) -> usize {
        self.raw.records.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.raw.records.is_empty()
    }

    /// Bytes of the batch in the making.
    pub fn bytes(&self) -> usize {
        self.raw.text.len()
    }

    /// Adds a record to the batch in the making.
    pub fn push(&mut self, taken: &Taken) {
        let Taken { lane, record } = taken;
        let value = record.value.unwrap_or_default();
        let value = &value[..value.len().min(MAX_RECORD + 1)];
        let span = Span { start: self.raw.text.len() as u32, len: value.len() as u32 };
        self.raw.text.extend_from_slice(value);
        let partition = self.sources.lane(*lane).partition.cast_unsigned();
        // Kafka's offsets are not negative.
        let number = record.offset.cast_unsigned();
        let origin = Origin { source: *lane as u32, number, partition, timestamp: taken.timestamp() };
        self.raw.records.push(RawRecord { span, origin });
        self.key_spans.push(record.key.map(|key| {
            let key = &key[..key.len().min(MAX_KEY)];
            let start = self.keys.len() as u32;
            self.keys.extend_from_slice(key);
            Span { start, len: key.len() as u32 }
        }));
        let topic = (*lane / self.sources.partitions()) as u32;
        push_run(&mut self.entries, Run { topic, partition, from: record.offset, to: record.offset + 1 });
        self.next[*lane] = record.offset + 1;
    }

    /// Gives the batch in the making up, and what was noted of it.
    pub fn give_up(&mut self) {
        self.raw.clear();
        self.forget_entries();
    }

    /// The batch that was applied last.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Scores the batch in the making; the sink hears every line.
    pub fn apply(&mut self, sink: &mut dyn Sink) -> Facts {
        decode(&mut self.raw, &self.engine.rules().schema, &mut self.batch);
        self.lines.clear();
        let emit = emit(&self.settings);
        let mut ear = Ear { batch: &self.batch, keys: &self.keys, spans: &self.key_spans, mark: &mut self.mark, sink };
        self.engine.apply_each(&self.batch, &Serial, emit, &mut self.lines, &mut |lines, said| ear.hear(lines, said))
    }

    /// Ends the locks of a silent partition. Between batches only.
    pub fn tick(&mut self, tick: Tick, sink: &mut dyn Sink) -> u64 {
        self.lines.clear();
        self.batch.clear();
        self.entries.push(Entry::Tick(tick));
        let emit = emit(&self.settings);
        let mut ear = Ear { batch: &self.batch, keys: &[], spans: &[], mark: &mut self.mark, sink };
        let each = &mut |lines: &[u8], said: Said| ear.hear(lines, said);
        self.engine.tick(tick.partition, tick.time, emit, &mut self.lines, each)
    }

    /// The lines of the last batch or tick, for whoever wants to keep them rather than copy them.
    pub fn swap_lines(&mut self, lines: &mut Vec<u8>) {
        std::mem::swap(&mut self.lines, lines);
    }

    /// What was consumed since this or [`Fold::forget_entries`] was last called, in order; topics are numbered as the
    /// sources are.
    pub fn swap_entries(&mut self, entries: &mut Vec<Entry>) {
        std::mem::swap(&mut self.entries, entries);
        self.forget_entries();
    }

    /// What was consumed need not be written down.
    pub fn forget_entries(&mut self) {
        self.keys.clear();
        self.key_spans.clear();
        self.entries.clear();
    }

    /// A record's place, for people.
    pub fn place(&self, lane: usize, offset: i64) -> String {
        let Lane { topic, partition } = self.sources.lane(lane);
        format!("{topic}/{partition}/{offset}")
    }
}

/// Counts lines and passes them on.
struct Ear<'a> {
    batch: &'a Batch,
    keys: &'a [u8],
    spans: &'a [Option<Span>],
    mark: &'a mut Mark,
    sink: &'a mut dyn Sink,
}

impl Ear<'_> {
    fn hear(&mut self, lines: &[u8], said: Said) {
        self.mark.add(&lines[said.line.clone()]);
        let record = said.record.map(|record| record as usize);
        let span = record.and_then(|record| self.spans.get(record).copied().flatten());
        self.sink.line(&Heard {
            lines,
            line: said.line,
            about: said.about,
            record,
            key: span.map(|span| span.of(self.keys)),
            batch: self.batch,
            mark: *self.mark,
        });
    }
}

fn emit(settings: &Settings) -> Emit {
    if settings.emit_all { Emit::All } else { Emit::Flagged }
}

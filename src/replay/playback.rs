//! A journal done again: steps in, and out come the lines that the service wrote.
//!
//! It is fed step by step and knows no file, so that whatever reads a journal can have its lines, or the state that they
//! led to. Consecutive records become one batch, as they are cheaper together; where it is cut changes nothing.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;

use super::run::{BATCH_BYTES, Report, field_types};
use crate::engine::facts::Facts;
use crate::engine::snapshot::SnapshotError;
use crate::engine::{Emit, Engine, Options};
use crate::feature::store::Executor;
use crate::journal::lines::Consumed;
use crate::journal::{Mark, Start, Step, Tick};
use crate::model::batch::{Batch, Origin, Source};
use crate::model::events::Span;
use crate::model::outcome::TransitionKind;
use crate::ruleset::types::RuleSet;
use crate::wire::{RawBatch, RawRecord, decode};

/// How to play.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Which decisions are written; `None`: those that were written live, and the flagged ones before the first start.
    pub emit: Option<Emit>,
    /// Bounds of event times until a start names others.
    pub options: Options,
    /// Records per batch, at least 1; the output does not depend on it.
    pub batch_records: usize,
}

/// Why playing cannot go on.
#[derive(Debug, Error)]
pub enum PlaybackError {
    /// The lines cannot be written.
    #[error("cannot write: {0}")]
    Write(#[from] io::Error),
    /// The state cannot be taken over to other settings.
    #[error("cannot go on under other settings: {0}")]
    Settings(#[from] SnapshotError),
}

/// What a journal came to.
#[derive(Debug)]
pub struct End {
    /// The engine, with the state after the last step.
    pub engine: Engine,
    /// By topic and partition: the offset behind the last record since the last start without history.
    pub next_offsets: BTreeMap<String, BTreeMap<u32, u64>>,
    /// How many lines there were, and which: as the service counted them, where [`Setup::emit`] was left to the journal.
    pub mark: Mark,
    /// How it went.
    pub report: Report,
}

/// A journal being played.
pub struct Playback<'a> {
    engine: Engine,
    executor: &'a dyn Executor,
    setup: Setup,
    /// Which decisions were written live.
    live_emit: Emit,
    /// Records that wait to be a batch.
    raw: RawBatch,
    batch: Batch,
    places: BTreeMap<String, BTreeMap<u32, Place>>,
    lines: Vec<u8>,
    mark: Mark,
    report: Report,
    has_begun: bool,
    has_other_rules: bool,
}

/// A partition of a topic.
#[derive(Debug, Default)]
struct Place {
    /// 0 where nothing was consumed since the last start without history.
    next_offset: u64,
    /// Its indices among the sources: as one that may not carry control events, and as one that may.
    sources: [Option<u32>; 2],
}

impl<'a> Playback<'a> {
    /// Begins without history; the executor does the engine's tasks.
    pub fn new(rules: RuleSet, setup: Setup, executor: &'a dyn Executor) -> Self {
        let batch = Batch::new(&field_types(&rules.schema));
        Playback {
            engine: Engine::new(rules, setup.options),
            executor,
            setup,
            live_emit: Emit::Flagged,
            raw: RawBatch::default(),
            batch,
            places: BTreeMap::new(),
            lines: Vec::new(),
            mark: Mark::default(),
            report: Report::default(),
            has_begun: false,
            has_other_rules: false,
        }
    }

    /// Takes the next step; says whether lines were due, so that there is news in the report.
    ///
    /// # Errors
    /// When lines cannot be written, or the state not be taken over to other settings.
    pub fn take(&mut self, step: Step, out: &mut dyn Write) -> Result<bool, PlaybackError> {
        self.note_beginning(&step);
        match step {
            Step::Record(record) => {
                self.add(record);
                if self.raw.records.len() < self.setup.batch_records && self.raw.text.len() < BATCH_BYTES {
                    return Ok(false);
                }
                self.apply(out)?;
            }
            Step::Tick(tick) => {
                self.apply(out)?;
                self.tick(tick, out)?;
            }
            Step::Start(start) => {
                self.apply(out)?;
                self.start(&start)?;
            }
            Step::RuleSet(id) => {
                self.apply(out)?;
                self.note_rule_set(&id);
            }
        }
        Ok(true)
    }

    /// Takes all steps, or those before `stop` is set; `after_batch` hears what happened so far.
    ///
    /// # Errors
    /// As [`Playback::take`].
    pub fn play(
        mut self,
        steps: &mut dyn Iterator<Item = Step>,
        out: &mut dyn Write,
        stop: &AtomicBool,
        after_batch: &mut dyn FnMut(&Facts, u64),
    ) -> Result<End, PlaybackError> {
        for step in steps {
            if stop.load(Ordering::Relaxed) {
                self.report.interrupted = true;
                break;
            }
            if self.take(step, out)? {
                after_batch(&self.report.facts, self.engine.active_locks());
            }
        }
        self.finish(out)
    }

    /// Applies the records that wait, and says what it all came to.
    ///
    /// # Errors
    /// When lines cannot be written.
    pub fn finish(mut self, out: &mut dyn Write) -> Result<End, PlaybackError> {
        self.apply(out)?;
        out.flush()?;
        self.report.active_locks = self.engine.active_locks();
        let next_offsets = next_offsets(self.places);
        Ok(End { engine: self.engine, next_offsets, mark: self.mark, report: self.report })
    }

    /// Adds a record to those that wait; a tombstone is an empty one, which is no event either.
    fn add(&mut self, record: Consumed) {
        let Consumed { topic, partition, offset, timestamp, control, value } = record;
        let value = value.unwrap_or_default();
        let span = Span { start: self.raw.text.len() as u32, len: value.len() as u32 };
        self.raw.text.extend_from_slice(&value);
        let source = self.source(topic, partition, offset, control);
        self.raw.records.push(RawRecord { span, origin: Origin { source, number: offset, partition, timestamp } });
    }

    /// The index of a record's source, which is a new one at its first mention.
    fn source(&mut self, topic: String, partition: u32, offset: u64, control: bool) -> u32 {
        let sources = &mut self.raw.sources;
        let place = self.places.entry(topic.clone()).or_default().entry(partition).or_default();
        place.next_offset = offset.saturating_add(1);
        *place.sources[usize::from(control)].get_or_insert_with(|| {
            sources.push(Source::Partition { topic, partition: partition as i32, control });
            sources.len() as u32 - 1
        })
    }

    fn emit(&self) -> Emit {
        self.setup.emit.unwrap_or(self.live_emit)
    }

    /// Applies the records that wait.
    fn apply(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.raw.records.is_empty() {
            return Ok(());
        }
        let emit = self.emit();
        decode(&mut self.raw, &self.engine.rules().schema, &mut self.batch);
        self.lines.clear();
        let mark = &mut self.mark;
        let facts = self.engine.apply_each(&self.batch, self.executor, emit, &mut self.lines, &mut |lines, said| {
            mark.add(&lines[said.line]);
        });
        self.report.facts.add(&facts);
        out.write_all(&self.lines)
    }

    fn tick(&mut self, tick: Tick, out: &mut dyn Write) -> io::Result<()> {
        let emit = self.emit();
        self.lines.clear();
        let mark = &mut self.mark;
        let ended = self.engine.tick(tick.partition, tick.time, emit, &mut self.lines, &mut |lines, said| {
            mark.add(&lines[said.line]);
        });
        if ended > 0 {
            *self.report.facts.transitions.entry(TransitionKind::Expired).or_default() += ended;
        }
        out.write_all(&self.lines)
    }

    /// Takes over the settings; without history nothing else is taken over.
    fn start(&mut self, start: &Start) -> Result<(), SnapshotError> {
        self.note_rule_set(&start.ruleset);
        let settings = &start.settings;
        let (max_future, max_skew) = (Some(settings.max_future), Some(settings.max_skew));
        let options = Options { max_future, max_skew, ..self.setup.options };
        if start.is_fresh || options != self.setup.options {
            let fresh = Engine::new(self.engine.rules().clone(), options);
            let before = mem::replace(&mut self.engine, fresh);
            if start.is_fresh {
                self.mark = start.mark;
                // Where it goes on from there only its records say.
                self.places.values_mut().flat_map(BTreeMap::values_mut).for_each(|place| place.next_offset = 0);
            } else {
                self.engine = before.with_options(options)?;
            }
        }
        self.setup.options = options;
        self.raw.max_record = settings.record_size as usize;
        self.live_emit = if settings.emit_all { Emit::All } else { Emit::Flagged };
        Ok(())
    }

    fn note_beginning(&mut self, step: &Step) {
        if !mem::replace(&mut self.has_begun, true) && !matches!(step, Step::Start(Start { is_fresh: true, .. })) {
            let warning = "the journal does not begin with a start without history: what came before is not known, and \
                           lines may differ from those that were written live";
            self.report.warnings.push(warning.to_owned());
        }
    }

    /// Another rule set than the loaded one is a question in its own right, but may also be a mistake.
    fn note_rule_set(&mut self, id: &str) {
        let loaded = &self.engine.rules().id;
        if id != loaded && !mem::replace(&mut self.has_other_rules, true) {
            let warning = format!(
                "the journal was decided by rule set {id}; these are the lines that {loaded}, which is loaded, would have \
                 written"
            );
            self.report.warnings.push(warning);
        }
    }
}

/// Where each partition goes on that something was consumed of.
fn next_offsets(places: BTreeMap<String, BTreeMap<u32, Place>>) -> BTreeMap<String, BTreeMap<u32, u64>> {
    let offset = |(partition, place): (u32, Place)| (place.next_offset > 0).then_some((partition, place.next_offset));
    let offsets = |places: BTreeMap<u32, Place>| places.into_iter().filter_map(offset).collect::<BTreeMap<_, _>>();
    let of_topics = places.into_iter().map(|(topic, places)| (topic, offsets(places)));
    of_topics.filter(|(_, offsets)| !offsets.is_empty()).collect()
}

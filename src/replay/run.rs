//! The main job on files: read, decode, apply, write, batch after batch.
//!
//! With one thread all of it happens in turns. With more, one thread reads and cuts records; decoding of later batches
//! and the shards of the current one share the worker threads. The engine sees the batches in order either way.
//!
//! One batch is given out for decoding just before another one is applied: applying begins with what a single thread
//! does, so another one takes the decoding at once. Were it given out later, the applying thread could take it while it
//! waits for the last of its shards, and the others would wait for it.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use rayon::iter::{IndexedParallelIterator, IntoParallelIterator, ParallelIterator};
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};

use super::InputSet;
use crate::engine::facts::Facts;
use crate::engine::{Emit, Engine};
use crate::feature::store::{Executor, Serial};
use crate::model::batch::Batch;
use crate::model::events::FieldType;
use crate::wire::{RawBatch, Schema, decode};

/// Records per batch unless told otherwise.
pub const BATCH_RECORDS: usize = 2048;
/// Bytes of records after which a batch is closed.
pub(super) const BATCH_BYTES: usize = 4 << 20;
/// Batches read ahead.
const READ_AHEAD: usize = 2;
/// Batches decoded ahead.
const DECODE_AHEAD: usize = 2;

/// How to run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Which decisions are written.
    pub emit: Emit,
    /// Worker threads, at least 1.
    pub threads: usize,
    /// Records per batch, at least 1; the output does not depend on it.
    pub batch_records: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { emit: Emit::Flagged, threads: 1, batch_records: BATCH_RECORDS }
    }
}

/// How a run went, as far as it came.
#[derive(Debug, Default)]
pub struct Report {
    /// What happened.
    pub facts: Facts,
    /// Locks open at the end.
    pub active_locks: u64,
    /// Whether it was told to stop before the end of the input.
    pub interrupted: bool,
    /// What is probably not meant, for people.
    pub warnings: Vec<String>,
}

/// Tasks on a thread pool.
struct Pool<P>(P);

impl<P: Borrow<ThreadPool> + Sync> Executor for Pool<P> {
    fn for_each(&self, count: usize, task: &(dyn Fn(usize) + Sync)) {
        self.0.borrow().install(|| (0..count).into_par_iter().with_max_len(1).for_each(task));
    }

    fn threads(&self) -> usize {
        self.0.borrow().current_num_threads()
    }
}

/// That many threads for the engine's tasks.
///
/// # Errors
/// When they cannot be started.
pub fn executor(threads: usize) -> io::Result<Box<dyn Executor>> {
    Ok(if threads > 1 { Box::new(Pool(new_pool(threads)?)) } else { Box::new(Serial) })
}

fn new_pool(threads: usize) -> io::Result<ThreadPool> {
    ThreadPoolBuilder::new().num_threads(threads).build().map_err(io::Error::other)
}

/// Replays the inputs through the engine to `out`.
///
/// `stop` ends it after the current batch; `after_batch` hears what happened so far.
///
/// # Errors
/// Only those of writing; an input that cannot be read on ends the run, and `inputs.failure()` says why.
pub fn run(
    engine: &mut Engine,
    inputs: &mut InputSet,
    settings: &Settings,
    out: &mut dyn Write,
    stop: &AtomicBool,
    after_batch: &mut dyn FnMut(&Facts, u64),
) -> io::Result<Report> {
    let mut sink = Sink { engine, emit: settings.emit, out, lines: Vec::new(), report: Report::default(), after_batch };
    if settings.threads > 1 {
        run_parallel(&mut sink, inputs, settings, stop)?;
    } else {
        run_serial(&mut sink, inputs, settings, stop)?;
    }
    sink.out.flush()?;
    let mut report = sink.report;
    report.active_locks = sink.engine.active_locks();
    Ok(report)
}

/// Where decoded batches go.
struct Sink<'a> {
    engine: &'a mut Engine,
    emit: Emit,
    out: &'a mut dyn Write,
    lines: Vec<u8>,
    report: Report,
    after_batch: &'a mut dyn FnMut(&Facts, u64),
}

impl Sink<'_> {
    fn take(&mut self, batch: &Batch, executor: &dyn Executor) -> io::Result<()> {
        self.lines.clear();
        let facts = self.engine.apply(batch, executor, self.emit, &mut self.lines);
        self.deliver(&facts)
    }

    fn deliver(&mut self, facts: &Facts) -> io::Result<()> {
        self.out.write_all(&self.lines)?;
        self.report.facts.add(facts);
        (self.after_batch)(&self.report.facts, self.engine.active_locks());
        Ok(())
    }
}

/// The types of the declared fields, for [`Batch::new`].
pub(super) fn field_types(schema: &Schema) -> Vec<FieldType> {
    schema.fields.iter().map(|(_, kind)| *kind).collect()
}

fn run_serial(sink: &mut Sink, inputs: &mut InputSet, settings: &Settings, stop: &AtomicBool) -> io::Result<()> {
    let schema = sink.engine.rules().schema.clone();
    let mut raw = RawBatch::default();
    let mut batch = Batch::new(&field_types(&schema));
    while !stop.load(Ordering::Relaxed) {
        if !inputs.fill(&mut raw, settings.batch_records, BATCH_BYTES) {
            return Ok(());
        }
        decode(&mut raw, &schema, &mut batch);
        sink.take(&batch, &Serial)?;
    }
    sink.report.interrupted = true;
    Ok(())
}

/// Memory of a batch on its way round.
struct Carriage {
    raw: RawBatch,
    batch: Batch,
}

/// The stations a batch passes when threads share the work: read, promised, decoded, applied, empty again.
struct Line<'a> {
    pool: &'a ThreadPool,
    schema: &'a Schema,
    settings: &'a Settings,
    stop: &'a AtomicBool,
    interrupted: AtomicBool,
}

#[expect(clippy::disallowed_methods, reason = "reading has a thread of its own, which ends with the run")]
fn run_parallel(sink: &mut Sink, inputs: &mut InputSet, settings: &Settings, stop: &AtomicBool) -> io::Result<()> {
    let pool = &new_pool(settings.threads)?;
    let schema = &sink.engine.rules().schema.clone();
    let line = &Line { pool, schema, settings, stop, interrupted: AtomicBool::new(false) };
    let (empty_out, empty_in) = channel();
    let (filled_out, filled_in) = sync_channel(READ_AHEAD);
    let types = field_types(schema);
    let carriages =
        (0..=READ_AHEAD + DECODE_AHEAD).map(|_| Carriage { raw: RawBatch::default(), batch: Batch::new(&types) });
    carriages.for_each(|carriage| drop(empty_out.send(carriage)));
    std::thread::scope(|scope| {
        scope.spawn(move || line.read(inputs, &empty_in, &filled_out));
        pool.in_place_scope(|tasks| line.apply(sink, filled_in, empty_out, tasks))
    })?;
    sink.report.interrupted = line.interrupted.load(Ordering::Relaxed);
    Ok(())
}

impl<'a> Line<'a> {
    /// Reads batches; ends with the input, the stop, or the applying side.
    fn read(&self, inputs: &mut InputSet, empty: &Receiver<Carriage>, filled: &SyncSender<Carriage>) {
        while let Ok(mut carriage) = empty.recv() {
            if self.stop.load(Ordering::Relaxed) {
                self.interrupted.store(true, Ordering::Relaxed);
                return;
            }
            let any = inputs.fill(&mut carriage.raw, self.settings.batch_records, BATCH_BYTES);
            if !any || filled.send(carriage).is_err() {
                return;
            }
        }
    }

    /// Has the pool decode batches, some ahead, and applies them in order. Both ends it was given are dropped when it
    /// returns, also early: that is how the reader learns that nobody waits any more.
    fn apply(
        &'a self,
        sink: &mut Sink,
        filled: Receiver<Carriage>,
        empty: Sender<Carriage>,
        tasks: &Scope<'a>,
    ) -> io::Result<()> {
        let mut promised: VecDeque<Promise> = VecDeque::with_capacity(DECODE_AHEAD);
        loop {
            if promised.is_empty()
                && let Ok(next) = filled.recv()
            {
                promised.push_back(self.decode(next, tasks));
            }
            let Some(carriage) = promised.pop_front().and_then(|promise| promise.recv().ok()) else {
                return Ok(());
            };
            while promised.len() < DECODE_AHEAD
                && let Ok(next) = filled.try_recv()
            {
                promised.push_back(self.decode(next, tasks));
            }
            // Within the pool, so that its thread works on other tasks while it waits for its own.
            let (engine, emit, lines) = (&mut *sink.engine, sink.emit, &mut sink.lines);
            lines.clear();
            let facts = self.pool.install(|| engine.apply(&carriage.batch, &Pool(self.pool), emit, lines));
            sink.deliver(&facts)?;
            // The reader may have finished already.
            let _ = empty.send(carriage);
        }
    }

    /// Has the pool decode a batch, which is promised.
    fn decode(&'a self, mut carriage: Carriage, tasks: &Scope<'a>) -> Promise {
        let (done, promise) = sync_channel(1);
        tasks.spawn(move |_| {
            decode(&mut carriage.raw, self.schema, &mut carriage.batch);
            // Nobody waits for it once applying has failed.
            let _ = done.send(carriage);
        });
        promise
    }
}

/// Where a decoded batch will come out.
type Promise = Receiver<Carriage>;

//! The engine driven by hand, without any of the code under test.

use lockkeeper::engine::{Emit, Engine, Options};
use lockkeeper::feature::store::Serial;
use lockkeeper::journal::lines::Consumed;
use lockkeeper::journal::{Settings, Start, Step, Tick};
use lockkeeper::model::batch::{Batch, Origin, Source};
use lockkeeper::model::events::Span;
use lockkeeper::wire::{MAX_RECORD, RawBatch, RawRecord, decode};

use super::setup;
use super::story::rules;

/// The engine by hand: one record a batch, its states encoded and decoded where settings change.
pub fn by_hand(steps: &[Step], emit: Option<Emit>) -> Vec<u8> {
    let mut engine = Engine::new(rules(), setup(1, None).options);
    let (mut max_record, mut live, mut out) = (MAX_RECORD, Emit::Flagged, Vec::new());
    for step in steps {
        match step {
            Step::Record(record) => {
                engine.apply(&batch_of(record, max_record), &Serial, emit.unwrap_or(live), &mut out);
            }
            Step::Tick(Tick { partition, time }) => {
                engine.tick(*partition, *time, emit.unwrap_or(live), &mut out, &mut |_, _| {});
            }
            Step::RuleSet(_) => {}
            Step::Start(Start { is_fresh, settings, .. }) => {
                let Settings { emit_all, max_future, max_skew, record_size } = *settings;
                let options = Options { max_future: Some(max_future), max_skew: Some(max_skew), ..Options::default() };
                let state = engine.encode().expect("a state");
                engine = match is_fresh {
                    true => Engine::new(rules(), options),
                    false => Engine::decode(rules(), options, &state).expect("its own state"),
                };
                max_record = record_size as usize;
                live = if emit_all { Emit::All } else { Emit::Flagged };
            }
        }
    }
    out
}

fn batch_of(record: &Consumed, max_record: usize) -> Batch {
    let Consumed { topic, partition, offset, timestamp, control, value } = record.clone();
    let source = Source::Partition { topic, partition: partition as i32, control };
    let text = value.unwrap_or_default();
    let span = Span { start: 0, len: text.len() as u32 };
    let origin = Origin { source: 0, number: offset, partition, timestamp };
    let records = vec![RawRecord { span, origin }];
    let mut raw = RawBatch { sources: vec![source], text, records, max_record, ..RawBatch::default() };
    let mut batch = Batch::new(&[]);
    decode(&mut raw, &rules().schema, &mut batch);
    batch
}

//! A journal as a file: JSON Lines with the events in it, written by `journal export` and read by `replay --journal`.
//!
//! The first line says what the file is; then one line for each record, tick and change of the rule set, in order.
//! Reading is strict, because a journal that is nearly right gives decisions that were never made.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use super::{MAX_PARTITION, Settings, Start, Tick, base64};
use crate::model::time::MAX_DURATION;
use crate::wire::{MAX_RECORD, write_json_string};

/// Version of the file's form; another one is not read.
pub const VERSION: u32 = 1;
/// Longest line in bytes: a record of the greatest size, every byte of it escaped, with room for the rest.
pub const MAX_LINE: usize = 1 << 20;
/// Longest value that is kept: one byte more than a record may have, so that it is still seen to be too large.
pub const MAX_VALUE: usize = MAX_RECORD + 1;

/// A record with the place it was consumed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consumed {
    /// Name of the topic.
    pub topic: String,
    /// Number of the partition.
    pub partition: u32,
    /// Its offset.
    pub offset: u64,
    /// The record's own time in ms, where it has one.
    pub timestamp: Option<i64>,
    /// Whether the topic may carry control events.
    pub control: bool,
    /// The event as it came; `None` is a tombstone. At most [`MAX_VALUE`] bytes are written.
    pub value: Option<Vec<u8>>,
}

/// One line after the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A record was consumed.
    Record(Consumed),
    /// Locks of a silent partition were closed.
    Tick(Tick),
    /// From here on this rule set decided, `name@hash`.
    RuleSet(String),
    /// The owner began to decide, or went on under other settings.
    Start(Start),
}

/// A line that is none of a journal.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {fault}")]
pub struct LineFault {
    /// Its number, from 1.
    pub line: u64,
    /// What was found, and what was expected.
    pub fault: String,
}

/// Appends the first line.
pub fn write_head(out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"lockkeeper_journal\":{VERSION}}}\n").as_bytes());
}

/// Appends the line of a step.
pub fn write_step(out: &mut Vec<u8>, step: &Step) {
    match step {
        Step::Record(record) => write_record(out, record),
        Step::Tick(tick) => write_object(out, "tick", tick),
        Step::Start(start) => write_object(out, "start", start),
        Step::RuleSet(id) => {
            out.extend_from_slice(b"{\"ruleset\":");
            write_json_string(out, id);
            out.push(b'}');
        }
    }
    out.push(b'\n');
}

fn write_object(out: &mut Vec<u8>, name: &str, value: &impl Serialize) {
    out.extend_from_slice(format!("{{\"{name}\":").as_bytes());
    // Plain values, written to memory.
    out.extend_from_slice(&serde_json::to_vec(value).unwrap_or_default());
    out.push(b'}');
}

fn write_record(out: &mut Vec<u8>, record: &Consumed) {
    let Consumed { topic, partition, offset, timestamp, control, value } = record;
    out.extend_from_slice(b"{\"topic\":");
    write_json_string(out, topic);
    let timestamp = timestamp.map_or_else(|| "null".to_owned(), |time| time.to_string());
    let place =
        format!(",\"partition\":{partition},\"offset\":{offset},\"timestamp\":{timestamp},\"control\":{control}");
    out.extend_from_slice(place.as_bytes());
    let value = value.as_deref().map(|value| &value[..value.len().min(MAX_VALUE)]);
    match value.map(|value| (std::str::from_utf8(value), value)) {
        None => out.extend_from_slice(b",\"value\":null}"),
        Some((Ok(text), _)) => {
            out.extend_from_slice(b",\"value\":");
            write_json_string(out, text);
            out.push(b'}');
        }
        Some((Err(_), bytes)) => {
            out.extend_from_slice(b",\"base64\":\"");
            base64::encode(out, bytes);
            out.extend_from_slice(b"\"}");
        }
    }
}

/// Reads lines one after the other.
#[derive(Debug, Default)]
pub struct Reader {
    /// Lines read so far.
    lines: u64,
    /// By topic and partition: the last offset.
    offsets: BTreeMap<(String, u32), u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    lockkeeper_journal: u32,
}

/// All that a line can hold.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    topic: Option<String>,
    partition: Option<u32>,
    offset: Option<u64>,
    timestamp: Option<i64>,
    #[serde(default)]
    control: bool,
    #[serde(default, deserialize_with = "present")]
    value: Option<Option<String>>,
    base64: Option<String>,
    tick: Option<Tick>,
    ruleset: Option<String>,
    start: Option<Start>,
}

/// Tells `null` from nothing.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl Reader {
    /// Reads the next line, without its line end; `None` for the first one, which must be the head.
    ///
    /// # Errors
    /// When the line is none of a journal, or an offset goes back.
    pub fn read(&mut self, line: &[u8]) -> Result<Option<Step>, LineFault> {
        self.lines += 1;
        let step = if line.len() > MAX_LINE {
            Err(format!("the line is longer than {MAX_LINE} bytes"))
        } else if self.lines == 1 {
            read_head(line).map(|()| None)
        } else {
            self.read_step(line).map(Some)
        };
        step.map_err(|fault| LineFault { line: self.lines, fault })
    }

    /// Call at the end of the file.
    ///
    /// # Errors
    /// When there was no line at all.
    pub fn finish(&self) -> Result<(), LineFault> {
        if self.lines > 0 { Ok(()) } else { Err(LineFault { line: 1, fault: no_head() }) }
    }

    /// For a file that continues the one that was read: offsets may not go back to what stands there.
    pub fn follow(&self) -> Reader {
        Reader { lines: 0, offsets: self.offsets.clone() }
    }

    fn read_step(&mut self, line: &[u8]) -> Result<Step, String> {
        let fields: Fields = serde_json::from_slice(line).map_err(|fault| expected(&fault))?;
        match fields {
            Fields {
                topic: Some(topic),
                partition: Some(partition),
                offset: Some(offset),
                timestamp,
                control,
                value,
                base64,
                tick: None,
                ruleset: None,
                start: None,
            } => {
                let value = value_of(value, base64)?;
                self.check_place(&topic, partition, offset)?;
                Ok(Step::Record(Consumed { topic, partition, offset, timestamp, control, value }))
            }
            Fields { topic: None, partition: None, offset: None, timestamp: None, control: false, .. }
                if fields.value.is_none() && fields.base64.is_none() =>
            {
                let step = read_mark(fields.tick, fields.ruleset, fields.start)?;
                if matches!(step, Step::Start(Start { is_fresh: true, .. })) {
                    // An owner without history may begin anywhere.
                    self.offsets.clear();
                }
                Ok(step)
            }
            _ => Err(choices()),
        }
    }

    /// Offsets of a partition grow, from one start without history to the next; there may be gaps.
    fn check_place(&mut self, topic: &str, partition: u32, offset: u64) -> Result<(), String> {
        check_partition(partition)?;
        if i64::try_from(offset).is_err() {
            return Err(format!("offset {offset} is greater than Kafka's can be"));
        }
        let before = self.offsets.insert((topic.to_owned(), partition), offset);
        match before.filter(|before| *before >= offset) {
            Some(before) => {
                Err(format!("offset {offset} of {topic}/{partition} comes after {before}, expected a greater one"))
            }
            None => Ok(()),
        }
    }
}

fn read_head(line: &[u8]) -> Result<(), String> {
    match serde_json::from_slice(line) {
        Ok(Head { lockkeeper_journal: VERSION }) => Ok(()),
        Ok(Head { lockkeeper_journal: found }) => {
            Err(format!("the journal has version {found}, this program reads {VERSION}"))
        }
        Err(_) => Err(no_head()),
    }
}

fn no_head() -> String {
    format!("expected {{\"lockkeeper_journal\":{VERSION}}}; is this a file that `lockkeeper journal export` wrote?")
}

fn read_mark(tick: Option<Tick>, ruleset: Option<String>, start: Option<Start>) -> Result<Step, String> {
    match (tick, ruleset, start) {
        (Some(tick), None, None) => check_partition(tick.partition).map(|()| Step::Tick(tick)),
        (None, Some(id), None) => Ok(Step::RuleSet(id)),
        (None, None, Some(start)) => check_settings(&start.settings).map(|()| Step::Start(start)),
        _ => Err(choices()),
    }
}

fn check_partition(partition: u32) -> Result<(), String> {
    match partition {
        0..=MAX_PARTITION => Ok(()),
        _ => Err(format!("partition {partition} is greater than {MAX_PARTITION}")),
    }
}

fn check_settings(settings: &Settings) -> Result<(), String> {
    for (name, bound) in [("max_future", settings.max_future), ("max_skew", settings.max_skew)] {
        if !(0..=MAX_DURATION).contains(&bound) {
            return Err(format!("`{name}` is {bound}, expected 0 to {MAX_DURATION} ms"));
        }
    }
    Ok(())
}

/// The value of a record; one that is too long keeps one byte more than is allowed.
fn value_of(value: Option<Option<String>>, base64: Option<String>) -> Result<Option<Vec<u8>>, String> {
    let value = match (value, base64) {
        (Some(value), None) => value.map(String::into_bytes),
        (None, Some(text)) => Some(base64::decode(&text).ok_or("`base64` is none, with padding, as RFC 4648 has it")?),
        _ => return Err("expected one of `value` and `base64`".to_owned()),
    };
    Ok(value.map(|mut bytes| {
        bytes.truncate(MAX_VALUE);
        bytes
    }))
}

fn choices() -> String {
    "expected a record (`topic`, `partition`, `offset`, `timestamp`, `control` and `value` or `base64`), a `tick` \
     (`partition` and `time`), a `start` or a `ruleset`"
        .to_owned()
}

/// What `serde_json` says, without the line number it counts for itself.
fn expected(fault: &serde_json::Error) -> String {
    let text = fault.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    format!("{} at column {}; {}", &text[..end], fault.column(), choices())
}

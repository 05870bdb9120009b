//! The fast path: one flat JSON object of plain strings, numbers, `true`, `false` and `null` that breaks no rule.
//!
//! Decoding is the hottest stage, so this reader knows only the shape nearly every record has, and writes each value
//! to the row as soon as it finds it. Whatever else it meets (an escape, a nested value, a repeated key, any fault) it
//! gives up, and the strict parser and the judge start over and decide. It must never accept what they refuse, nor
//! find other values; a property test holds that.
//!
//! A producer writes its keys in one order, so what stands between two values is first compared with what stood
//! there last time. Words are read past the end of the record, but nothing found there is taken: positions only grow,
//! and the last one must be the record's end.

use crate::model::day::Day;
use crate::model::events::Span;

use super::Schema;
use super::field::{Field, Raw};
use super::joint::{Joints, OTHER, START};
use super::judge::{Declared, Row};
use super::number::number_end;
use super::string::{WINDOW, string_end};
use super::values::Values;

/// How many keys that are not built in are remembered to find repeated ones; a record with more is not plain.
const OTHER_KEYS: usize = 16;

/// How far behind the end of a record words are read; the text must have as many bytes there.
pub(super) const OVERRUN: usize = WINDOW;

/// What was learned about keys; kept from record to record.
#[derive(Debug, Default)]
pub(super) struct Keys {
    joints: Joints,
    /// The keys of this record that are not built in, as start and end.
    others: Vec<(usize, usize)>,
}

/// Where a plain record is read to.
pub(super) struct Place<'a> {
    pub(super) day: &'a mut Day,
    /// Must be empty.
    pub(super) row: &'a mut Row,
    pub(super) declared: &'a mut Vec<Declared>,
}

/// Where the reader goes on.
enum Next {
    /// At the value of a built-in field.
    Value { slot: usize, at: usize },
    /// Nowhere: the record is at its end.
    End,
}

/// Reads a record with its fingerprint; `None` if it is not plain and good, with `place` in any state.
#[inline(never)]
pub(super) fn read(text: &[u8], record: Span, schema: &Schema, keys: &mut Keys, place: Place<'_>) -> Option<()> {
    let (mut at, end) = (record.start as usize, record.start as usize + record.len as usize);
    let text = text.get(..end + OVERRUN)?;
    let mut values = Values::new(text, schema, place);
    let (mut before, mut seen) = (START, 0_u32);
    keys.others.clear();
    loop {
        let joint = keys.joints.expected(before);
        let slot = if joint.stands_at(text, at) {
            at += joint.len();
            joint.slot()
        } else if at + 1 == end && text[at] == b'}' && before != START {
            return values.finish(seen);
        } else {
            match unforeseen(text, end, at, before, keys, &mut values)? {
                Next::Value { slot, at: value } => {
                    at = value;
                    slot
                }
                Next::End => return values.finish(seen),
            }
        };
        let bit = 1 << slot;
        if seen & bit != 0 {
            return None;
        }
        (seen, before) = (seen | bit, slot);
        at = values.read(slot, at);
    }
}

/// Reads on where something else stands than expected, up to the next built-in field or the end.
#[inline(never)]
fn unforeseen(
    text: &[u8],
    end: usize,
    mut at: usize,
    mut before: usize,
    keys: &mut Keys,
    values: &mut Values<'_>,
) -> Option<Next> {
    loop {
        if is_end(text, at, end) {
            return (before != START).then_some(Next::End);
        }
        if let Some(joint) = keys.joints.find(before, text, at) {
            return Some(Next::Value { slot: joint.slot(), at: at + joint.len() });
        }
        (before, at) = new_key(text, at, before, keys, values)?;
        if before != OTHER {
            return Some(Next::Value { slot: before, at });
        }
    }
}

/// Whether the record's object and the record end at `at`.
#[inline]
fn is_end(text: &[u8], at: usize, end: usize) -> bool {
    let Some(rest) = text.get(at..end) else { return false };
    rest == b"}" || token(rest, 0, b'}').is_some_and(|after| skip(rest, after) == rest.len())
}

/// Reads a key behind the value of `before`: the field it names and where its value starts, or, if the field is not
/// built in, [`OTHER`] and where its value ends.
#[inline(never)]
fn new_key(text: &[u8], at: usize, before: usize, keys: &mut Keys, values: &mut Values<'_>) -> Option<(usize, usize)> {
    let opening = if before == START { b'{' } else { b',' };
    let key = token(text, token(text, at, opening)?, b'"')?;
    let key_end = string_end(text, key)?;
    let colon = token(text, key_end + 1, b':')?;
    let start = skip(text, colon);
    let field = Field::of_name(&text[key..key_end], values.declared_fields());
    if let Some(Field::BuiltIn(slot)) = field {
        keys.joints.learn(before, &text[at..start], slot as usize);
        return Some((slot as usize, start));
    }
    let (value, after) = scalar(text, start)?;
    keys.remember(text, key, key_end)?;
    if let Some(Field::Declared(index)) = field {
        values.set_declared(index, value)?;
    }
    Some((OTHER, after))
}

impl Keys {
    /// Remembers a key that is not built in; `None` if it is repeated, or there are too many to tell.
    fn remember(&mut self, text: &[u8], start: usize, end: usize) -> Option<()> {
        let name = &text[start..end];
        let repeated = self.others.iter().any(|&(start, end)| &text[start..end] == name);
        if repeated || self.others.len() == OTHER_KEYS {
            return None;
        }
        self.others.push((start, end));
        Some(())
    }
}

/// The position after the expected byte, which may stand behind whitespace.
fn token(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip(bytes, at);
    (*bytes.get(at)? == byte).then_some(at + 1)
}

/// The position of the first byte from `at` that is not JSON whitespace.
fn skip(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The scalar at `at` and the position after it.
#[inline(never)]
pub(super) fn scalar(text: &[u8], at: usize) -> Option<(Raw, usize)> {
    let span = |start: usize, end: usize| Span { start: start as u32, len: (end - start) as u32 };
    match text.get(at)? {
        b'"' => string_end(text, at + 1).map(|end| (Raw::Text(span(at + 1, end)), end + 1)),
        b'-' | b'0'..=b'9' => number_end(text, at).ok().map(|end| (Raw::Number(span(at, end)), end)),
        b't' => text[at..].starts_with(b"true").then_some((Raw::Bool(true), at + 4)),
        b'f' => text[at..].starts_with(b"false").then_some((Raw::Bool(false), at + 5)),
        b'n' => text[at..].starts_with(b"null").then_some((Raw::Null, at + 4)),
        _ => None,
    }
}

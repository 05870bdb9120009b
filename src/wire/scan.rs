//! The fast path: one flat JSON object of plain strings, numbers, `true`, `false` and `null`.
//!
//! Decoding is the hottest stage, so this scanner knows only the shape nearly every record has. Whatever else it
//! meets (an escape, a nested value, a repeated key, any fault) it gives up, and the strict parser starts over and
//! decides. It must never accept what the parser refuses, nor find other values; a property test holds that.
//!
//! A producer writes its keys in one order, so what stands between two values is first compared with what stood
//! there last time. Words are read past the end of the record, but nothing found there is taken: positions only grow,
//! and the last one must be the record's end.

use crate::model::events::{FieldType, Span};

use super::field::{Field, Raw, RawFields};
use super::joint::{Joints, OTHER, START};
use super::number::{number_end, short_number_end};

/// How many ignored keys are remembered to find repeated ones; a record with more takes the slow path.
const IGNORED_KEYS: usize = 16;

/// How far behind the end of a record words are read.
const OVERRUN: usize = 32;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Finds the fields of keys; kept from record to record.
#[derive(Debug, Default)]
pub(super) struct Keys {
    joints: Joints,
    /// The keys of this record that name no field, as start and end.
    ignored: Vec<(usize, usize)>,
}

impl Keys {
    /// Whether a key that names no field is new in this record; false also if there are too many to remember.
    fn is_new(&mut self, text: &[u8], start: usize, end: usize) -> bool {
        let name = &text[start..end];
        let repeated = self.ignored.iter().any(|&(start, end)| &text[start..end] == name);
        if repeated || self.ignored.len() == IGNORED_KEYS {
            return false;
        }
        self.ignored.push((start, end));
        true
    }
}

/// Finds the fields of a record that is flat and plain; `None` if it is not, with `fields` in any state.
///
/// The record must be UTF-8 and `fields` must be reset.
#[inline(never)]
pub(super) fn scan(
    text: &[u8],
    record: Span,
    declared: &[(String, FieldType)],
    keys: &mut Keys,
    fields: &mut RawFields,
) -> Option<()> {
    keys.ignored.clear();
    let (mut at, end) = (record.start as usize, record.start as usize + record.len as usize);
    let text = &text[..text.len().min(end + OVERRUN)];
    let mut before = START;
    loop {
        let mut joint = keys.joints.expected(before);
        if !joint.stands_at(text, at) {
            if is_end(text, at, end) {
                return (before != START).then_some(());
            }
            match keys.joints.other(before, text, at) {
                Some(other) => joint = other,
                None => {
                    (before, at) = unforeseen(text, at, before, declared, keys, fields)?;
                    continue;
                }
            }
        }
        before = joint.slot();
        let place = fields.slots.get_mut(before)?;
        if !matches!(place, Raw::Absent) {
            return None;
        }
        at = store_value(text, at + joint.len(), place)?;
    }
}

/// Whether the record's object and the record end at `at`.
#[inline]
fn is_end(text: &[u8], at: usize, end: usize) -> bool {
    let Some(rest) = text.get(at..end) else { return false };
    rest == b"}" || token(rest, 0, b'}').is_some_and(|after| skip(rest, after) == rest.len())
}

/// Reads a key that was not foreseen and its value, behind the value of `before`: its field and where its value ends.
#[inline(never)]
fn unforeseen(
    text: &[u8],
    at: usize,
    before: usize,
    declared: &[(String, FieldType)],
    keys: &mut Keys,
    fields: &mut RawFields,
) -> Option<(usize, usize)> {
    let opening = if before == START { b'{' } else { b',' };
    let key = token(text, token(text, at, opening)?, b'"')?;
    let key_end = string_end(text, key)?;
    let colon = token(text, key_end + 1, b':')?;
    let start = skip(text, colon);
    let (value, after) = value(text, start)?;
    let field = Field::of_name(&text[key..key_end], declared);
    let fresh = match field {
        Some(field) => fields.set(field, value),
        None => keys.is_new(text, key, key_end),
    };
    let slot = match field {
        Some(Field::BuiltIn(slot)) => {
            keys.joints.learn(before, &text[at..start], slot as usize);
            slot as usize
        }
        Some(Field::Declared(_)) | None => OTHER,
    };
    fresh.then_some((slot, after))
}

/// The position after the expected byte, which may stand behind whitespace.
#[inline(always)]
fn token(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    if bytes.get(at) == Some(&byte) {
        return Some(at + 1);
    }
    let at = skip(bytes, at);
    (*bytes.get(at)? == byte).then_some(at + 1)
}

/// The position of the first byte from `at` that is not JSON whitespace.
#[inline(never)]
fn skip(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The eight bytes from `at`.
#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8)?.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Stores the scalar at `at`; strings, the most frequent values, go straight to their place.
#[inline(always)]
fn store_value(text: &[u8], at: usize, place: &mut Raw) -> Option<usize> {
    if text.get(at) == Some(&b'"') {
        let end = string_end(text, at + 1)?;
        *place = Raw::Text(span(at + 1, end));
        return Some(end + 1);
    }
    if let Some(end) = short_number_end(text, at) {
        *place = Raw::Number(span(at, end));
        return Some(end);
    }
    let (found, after) = value(text, at)?;
    *place = found;
    Some(after)
}

/// The scalar at `at` and the position after it.
#[inline(never)]
fn value(text: &[u8], at: usize) -> Option<(Raw, usize)> {
    match text.get(at)? {
        b'"' => string_end(text, at + 1).map(|end| (Raw::Text(span(at + 1, end)), end + 1)),
        b'-' | b'0'..=b'9' => number_end(text, at).ok().map(|end| (Raw::Number(span(at, end)), end)),
        b't' => text[at..].starts_with(b"true").then_some((Raw::Bool(true), at + 4)),
        b'f' => text[at..].starts_with(b"false").then_some((Raw::Bool(false), at + 5)),
        b'n' => text[at..].starts_with(b"null").then_some((Raw::Null, at + 4)),
        _ => None,
    }
}

#[inline(always)]
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, len: (end - start) as u32 }
}

/// The position of the closing quote of a string without escapes and control characters, eight bytes at a time.
#[inline(always)]
fn string_end(text: &[u8], at: usize) -> Option<usize> {
    // Most strings end within the first eight bytes.
    let Some(word) = word_at(text, at) else { return long_string_end(text, at) };
    let special = special_bytes(word);
    if special == 0 {
        return long_string_end(text, at + 8);
    }
    ends_there(word, special).then_some(at + special.trailing_zeros() as usize / 8)
}

/// Whether the lowest of the special bytes of a word is a quote.
#[inline(always)]
fn ends_there(word: u64, special: u64) -> bool {
    // A mark is the high bit of its byte.
    (word >> (special.trailing_zeros() - 7)) as u8 == b'"'
}

#[inline(never)]
fn long_string_end(text: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = word_at(text, at) {
        let special = special_bytes(word);
        if special != 0 {
            return ends_there(word, special).then_some(at + special.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = text.get(at..)?;
    let found = at + rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
    (text[found] == b'"').then_some(found)
}

/// Marks quotes, backslashes and control characters; the lowest mark is exact, higher ones may be false.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    // What is too small by one or more shows in the high bit, which no ASCII byte has. Flipping the second bit puts
    // the quote right behind the control characters.
    let less = |word: u64, bound: u64| word.wrapping_sub(ONES * bound);
    let quotes_and_controls = less(word ^ (ONES * 2), 0x21);
    let backslashes = less(word ^ (ONES * u64::from(b'\\')), 1);
    (quotes_and_controls | backslashes) & !word & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands for the rest of the batch: strings are looked for a word at a time.
    const BEHIND: &str = "12345678";

    #[test]
    fn string_end_finds_the_quote_at_every_offset() {
        for len in 0..40 {
            for tail in ["", "x", "\":1,\"b\":2}"] {
                let text = format!("{}\"{tail}", "é".repeat(len / 2) + &"a".repeat(len % 2));
                let padded = format!("{text}{BEHIND}");
                assert_eq!(string_end(padded.as_bytes(), 0), text.find('"'), "{text}");
            }
        }
    }

    #[test]
    fn string_end_gives_up_on_escapes_and_control_characters() {
        for len in 0..20 {
            for bad in ["\\", "\n", "\0", "\u{1f}"] {
                let text = format!("{}{bad}\"{BEHIND}", "a".repeat(len));
                assert_eq!(string_end(text.as_bytes(), 0), None, "{text:?}");
            }
            assert_eq!(string_end("a".repeat(len).as_bytes(), 0), None);
            assert_eq!(string_end(format!("{}\u{7f}\"{BEHIND}", "a".repeat(len)).as_bytes(), 0), Some(len + 1));
        }
    }
}

//! The fast path: one flat JSON object of plain strings, numbers, `true`, `false` and `null`.
//!
//! Decoding is the hottest stage, so this scanner knows only the shape nearly every record has. Whatever else it
//! meets (an escape, a nested value, a repeated key, any fault) it gives up, and the strict parser starts over and
//! decides. It must never accept what the parser refuses, nor find other values; a property test holds that.
//!
//! A producer writes its keys in one order, so each key is first compared with the one that followed last time.

use crate::model::events::{FieldType, Span};

use super::field::{Field, QUOTED, Raw, RawFields, SLOTS};
use super::number::number_end;

/// How many ignored keys are remembered to find repeated ones; a record with more takes the slow path.
const IGNORED_KEYS: usize = 16;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Finds the fields of keys; kept from record to record.
///
/// It remembers which field followed each field last time: a guess that is checked, so it changes the speed alone.
#[derive(Debug)]
pub(super) struct Keys {
    /// By the number of the field before, or [`OTHER`]: the numbers of the last two that came next, newest first.
    next: [[u8; 2]; SLOTS.len() + 1],
    /// The field before.
    before: usize,
    /// The keys of this record that name no field, as start and end.
    ignored: Vec<(usize, usize)>,
}

/// Stands for the start of the record, and for a key that names no built-in field.
const OTHER: usize = SLOTS.len();

impl Default for Keys {
    fn default() -> Self {
        Keys { next: [[0; 2]; SLOTS.len() + 1], before: OTHER, ignored: Vec::new() }
    }
}

impl Keys {
    /// Starts a record.
    fn reset(&mut self) {
        self.before = OTHER;
        self.ignored.clear();
    }

    /// The expected field, if its name and a closing quote stand at `at`, and the position after them.
    #[inline(always)]
    fn guess(&mut self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let slot = usize::from(self.next[self.before][0]);
        match name_end(bytes, at, slot) {
            Some(end) => {
                self.before = slot;
                Some((slot, end))
            }
            None => self.guess_again(bytes, at),
        }
    }

    /// As [`Keys::guess`] with the field that came the time before: optional fields come and go.
    #[inline(never)]
    fn guess_again(&mut self, bytes: &[u8], at: usize) -> Option<(usize, usize)> {
        let [last, other] = self.next[self.before];
        let slot = usize::from(other);
        let end = name_end(bytes, at, slot)?;
        self.next[self.before] = [other, last];
        self.before = slot;
        Some((slot, end))
    }

    /// The field of a key that was not the expected one, if it is none to ignore, and the position after its quote.
    ///
    /// `None` also for an ignored key that was there before, or one too many to remember.
    #[inline(never)]
    fn look_up(&mut self, bytes: &[u8], at: usize, declared: &[(String, FieldType)]) -> Option<(Option<Field>, usize)> {
        let end = string_end(bytes, at)?;
        let name = &bytes[at..end];
        let field = Field::of_name(name, declared);
        let before = std::mem::replace(&mut self.before, OTHER);
        match field {
            Some(Field::BuiltIn(slot)) => {
                self.next[before] = [slot as u8, self.next[before][0]];
                self.before = slot as usize;
            }
            Some(Field::Declared(_)) => {}
            None => {
                let repeated = self.ignored.iter().any(|&(start, end)| &bytes[start..end] == name);
                if repeated || self.ignored.len() == IGNORED_KEYS {
                    return None;
                }
                self.ignored.push((at, end));
            }
        }
        Some((field, end + 1))
    }
}

/// Finds the fields of a record that is flat and plain; `None` if it is not, with `fields` in any state.
///
/// The record must be UTF-8 and `fields` must be reset.
pub(super) fn scan(
    text: &[u8],
    record: Span,
    declared: &[(String, FieldType)],
    keys: &mut Keys,
    fields: &mut RawFields,
) -> Option<()> {
    let bytes = record.of(text);
    keys.reset();
    let mut at = token(bytes, 0, b'{')?;
    loop {
        let key = token(bytes, at, b'"')?;
        let fresh = match keys.guess(bytes, key) {
            Some((slot, after)) => {
                let place = fields.slots.get_mut(slot)?;
                let fresh = matches!(place, Raw::Absent);
                at = store_value(bytes, token(bytes, after, b':')?, record.start, place)?;
                fresh
            }
            None => {
                let (field, after) = keys.look_up(bytes, key, declared)?;
                let (value, after) = value(bytes, token(bytes, after, b':')?, record.start)?;
                at = after;
                field.is_none_or(|field| fields.set(field, value))
            }
        };
        if !fresh {
            return None;
        }
        if bytes.get(at) != Some(&b',') {
            at = skip(bytes, at);
            match bytes.get(at)? {
                b',' => {}
                b'}' => return (skip(bytes, at + 1) == bytes.len()).then_some(()),
                _ => return None,
            }
        }
        at += 1;
    }
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

/// The position after the name of a built-in field and a closing quote, if they stand at `at`.
#[inline(always)]
fn name_end(bytes: &[u8], at: usize, slot: usize) -> Option<usize> {
    let name = &QUOTED[slot];
    if word_at(bytes, at)? & name.mask != name.word {
        return None;
    }
    let end = at + name.quoted.len();
    // The word holds short names whole.
    (name.quoted.len() <= 8 || bytes.get(at..end)? == name.quoted).then_some(end)
}

/// The eight bytes from `at`.
#[inline(always)]
fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// Stores the scalar at `at`, or behind whitespace there; `start` is where the record starts.
///
/// Strings, the most frequent values, go straight to their place.
#[inline(always)]
fn store_value(bytes: &[u8], at: usize, start: u32, place: &mut Raw) -> Option<usize> {
    if bytes.get(at) == Some(&b'"') {
        let end = string_end(bytes, at + 1)?;
        *place = Raw::Text(span(start, at + 1, end));
        return Some(end + 1);
    }
    let (found, after) = value(bytes, at, start)?;
    *place = found;
    Some(after)
}

/// The sixteen bytes from `at`, as two words.
#[inline(always)]
fn words_at(bytes: &[u8], at: usize) -> Option<(u64, u64)> {
    let (words, _) = bytes.get(at..)?.first_chunk::<16>()?.as_chunks::<8>();
    words.first_chunk::<2>().map(|[first, second]| (u64::from_le_bytes(*first), u64::from_le_bytes(*second)))
}

/// The scalar at `at`, or behind whitespace there, and the position after it; `start` is where the record starts.
#[inline(never)]
fn value(bytes: &[u8], at: usize, start: u32) -> Option<(Raw, usize)> {
    let at = if bytes.get(at).is_some_and(|&byte| byte > b' ') { at } else { skip(bytes, at) };
    match bytes.get(at)? {
        b'"' => string_end(bytes, at + 1).map(|end| (Raw::Text(span(start, at + 1, end)), end + 1)),
        b'-' | b'0'..=b'9' => number_end(bytes, at).ok().map(|end| (Raw::Number(span(start, at, end)), end)),
        b't' => bytes[at..].starts_with(b"true").then_some((Raw::Bool(true), at + 4)),
        b'f' => bytes[at..].starts_with(b"false").then_some((Raw::Bool(false), at + 5)),
        b'n' => bytes[at..].starts_with(b"null").then_some((Raw::Null, at + 4)),
        _ => None,
    }
}

#[inline(always)]
fn span(record: u32, start: usize, end: usize) -> Span {
    Span { start: record.wrapping_add(start as u32), len: (end - start) as u32 }
}

/// The position of the closing quote of a string without escapes and control characters, eight bytes at a time.
#[inline(always)]
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    // Nearly all strings end within the first sixteen bytes.
    if let Some((first, second)) = words_at(bytes, at) {
        let (first, second) = (special_bytes(first), special_bytes(second));
        if first | second != 0 {
            let zeros = if first != 0 { first.trailing_zeros() } else { 64 + second.trailing_zeros() };
            let at = at + zeros as usize / 8;
            return (*bytes.get(at)? == b'"').then_some(at);
        }
    }
    long_string_end(bytes, at)
}

#[inline(never)]
fn long_string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(word) = word_at(bytes, at) {
        let special = special_bytes(word);
        if special != 0 {
            at += special.trailing_zeros() as usize / 8;
            return (*bytes.get(at)? == b'"').then_some(at);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let found = at + rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
    (bytes[found] == b'"').then_some(found)
}

/// Marks quotes, backslashes and control characters; the lowest mark is exact, higher ones may be false.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_end_finds_the_quote_at_every_offset() {
        for len in 0..40 {
            for tail in ["", "x", "\":1,\"b\":2}"] {
                let text = format!("{}\"{tail}", "é".repeat(len / 2) + &"a".repeat(len % 2));
                assert_eq!(string_end(text.as_bytes(), 0), text.find('"'), "{text}");
            }
        }
    }

    #[test]
    fn string_end_gives_up_on_escapes_and_control_characters() {
        for len in 0..20 {
            for bad in ["\\", "\n", "\0", "\u{1f}"] {
                let text = format!("{}{bad}\"", "a".repeat(len));
                assert_eq!(string_end(text.as_bytes(), 0), None, "{text:?}");
            }
            assert_eq!(string_end("a".repeat(len).as_bytes(), 0), None);
            assert_eq!(string_end(format!("{}\u{7f}\"", "a".repeat(len)).as_bytes(), 0), Some(len + 1));
        }
    }
}

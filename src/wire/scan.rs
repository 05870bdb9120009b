//! The fast path: one flat JSON object of plain strings, numbers, `true`, `false` and `null`.
//!
//! Decoding is the hottest stage, so this scanner knows only the shape nearly every record has. Whatever else it
//! meets (an escape, a nested value, a repeated key, any fault) it gives up, and the strict parser starts over and
//! decides. It must never accept what the parser refuses, nor find other values; a property test holds that.

use crate::model::events::{FieldType, Span};

use super::field::{Field, Raw, RawFields, Slot};
use super::number::number_end;

/// How many ignored keys are remembered to find repeated ones; a record with more takes the slow path.
const IGNORED_KEYS: usize = 16;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Finds the fields of a record that is flat and plain; `None` if it is not, with `fields` in any state.
///
/// The record must be UTF-8 and `fields` must be reset.
pub(super) fn scan(text: &[u8], record: Span, declared: &[(String, FieldType)], fields: &mut RawFields) -> Option<()> {
    let end = (record.start + record.len) as usize;
    let bytes = &text[..end];
    let mut ignored = IgnoredKeys::default();
    let mut at = skip(bytes, expect(bytes, skip(bytes, record.start as usize), b'{')?);
    loop {
        let key_start = expect(bytes, at, b'"')?;
        let key_end = string_end(bytes, key_start)?;
        at = skip(bytes, expect(bytes, skip(bytes, key_end + 1), b':')?);
        let (value, after) = value(bytes, at)?;
        let fresh = match field(bytes, key_start, key_end, declared) {
            Some(field) => fields.set(field, value),
            None => ignored.insert(bytes, key_start, key_end),
        };
        if !fresh {
            return None;
        }
        at = skip(bytes, after);
        match bytes.get(at)? {
            b',' => at = skip(bytes, at + 1),
            b'}' => break,
            _ => return None,
        }
    }
    (skip(bytes, at + 1) == end).then_some(())
}

/// The position after the expected byte.
#[inline]
fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (*bytes.get(at)? == byte).then_some(at + 1)
}

/// The position of the first byte from `at` that is not JSON whitespace.
#[inline]
fn skip(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        at += 1;
    }
    at
}

/// The scalar at `at` and the position after it.
#[inline]
fn value(bytes: &[u8], at: usize) -> Option<(Raw, usize)> {
    match bytes.get(at)? {
        b'"' => string_end(bytes, at + 1).map(|end| (Raw::Text(span(at + 1, end)), end + 1)),
        b'-' | b'0'..=b'9' => number_end(bytes, at).ok().map(|end| (Raw::Number(span(at, end)), end)),
        b't' => bytes[at..].starts_with(b"true").then_some((Raw::Bool(true), at + 4)),
        b'f' => bytes[at..].starts_with(b"false").then_some((Raw::Bool(false), at + 5)),
        b'n' => bytes[at..].starts_with(b"null").then_some((Raw::Null, at + 4)),
        _ => None,
    }
}

#[inline]
fn span(start: usize, end: usize) -> Span {
    Span { start: start as u32, len: (end - start) as u32 }
}

/// The position of the closing quote of a string without escapes and control characters, eight bytes at a time.
#[inline]
fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let special = special_bytes(u64::from_le_bytes(*chunk));
        if special != 0 {
            let found = at + special.trailing_zeros() as usize / 8;
            return (bytes[found] == b'"').then_some(found);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    let found = at + rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
    (bytes[found] == b'"').then_some(found)
}

/// Marks quotes, backslashes and control characters; the lowest mark is exact, higher ones may be false.
#[inline]
fn special_bytes(word: u64) -> u64 {
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHS
}

/// The field a key names, if it is not one to ignore.
#[inline]
fn field(bytes: &[u8], start: usize, end: usize, declared: &[(String, FieldType)]) -> Option<Field> {
    let len = end - start;
    let built_in = match bytes[start..].first_chunk::<8>() {
        // The mask keeps the key's own bytes; a key of length 0 is no field.
        Some(chunk) if (1..=8).contains(&len) => {
            Slot::of_word(u64::from_le_bytes(*chunk) & (u64::MAX >> (64 - 8 * len)))
        }
        _ => Slot::of_name(&bytes[start..end]),
    };
    match built_in {
        Some(slot) => Some(Field::BuiltIn(slot)),
        None => Field::declared(&bytes[start..end], declared),
    }
}

/// The keys of one record that name no field.
#[derive(Default)]
struct IgnoredKeys {
    spans: [(u32, u32); IGNORED_KEYS],
    len: usize,
}

impl IgnoredKeys {
    /// Remembers a key; false if it was there, or if there is no more room.
    fn insert(&mut self, bytes: &[u8], start: usize, end: usize) -> bool {
        let key = &bytes[start..end];
        let repeated = self.spans[..self.len].iter().any(|&(s, e)| &bytes[s as usize..e as usize] == key);
        if repeated || self.len == IGNORED_KEYS {
            return false;
        }
        self.spans[self.len] = (start as u32, end as u32);
        self.len += 1;
        true
    }
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

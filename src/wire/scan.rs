//! The fast path: one flat JSON object of plain strings, numbers, `true`, `false` and `null`.
//!
//! Decoding is the hottest stage, so this scanner knows only the shape nearly every record has. Whatever else it
//! meets (an escape, a nested value, a repeated key, any fault) it gives up, and the strict parser starts over and
//! decides. It must never accept what the parser refuses, nor find other values; a property test holds that.
//!
//! A producer writes its keys in one order, so each key is first compared with the one that followed last time.

use crate::model::events::{FieldType, Span};

use super::field::{Field, QUOTED, Raw, RawFields, SLOTS, Slot};
use super::number::number_end;

/// How many ignored keys are remembered to find repeated ones; a record with more takes the slow path.
const IGNORED_KEYS: usize = 16;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Which field followed each field last time: a guess that is checked, so it changes the speed alone.
#[derive(Debug)]
pub(super) struct KeyOrder {
    /// By the number of the field before, or [`NO_SLOT`]: what came next.
    next: [Slot; SLOTS.len() + 1],
}

/// Stands for the field before the first one, and for one that is not built in.
const NO_SLOT: usize = SLOTS.len();

impl Default for KeyOrder {
    fn default() -> Self {
        KeyOrder { next: [Slot::Id; SLOTS.len() + 1] }
    }
}

impl KeyOrder {
    /// The expected field, if `rest` starts with its name and the closing quote, and what follows them.
    #[inline(always)]
    fn guess<'a>(&self, before: usize, rest: &'a [u8]) -> Option<(Slot, &'a [u8])> {
        let slot = self.next[before];
        let name = &QUOTED[slot as usize];
        if first_word(rest)? & name.mask != name.word {
            return None;
        }
        if name.quoted.len() <= 8 {
            return Some((slot, rest.get(name.quoted.len()..)?));
        }
        Some((slot, rest.strip_prefix(name.quoted)?))
    }
}

/// Finds the fields of a record that is flat and plain; `None` if it is not, with `fields` in any state.
///
/// The record must be UTF-8 and `fields` must be reset.
pub(super) fn scan(
    text: &[u8],
    record: Span,
    declared: &[(String, FieldType)],
    order: &mut KeyOrder,
    fields: &mut RawFields,
) -> Option<()> {
    let end = record.start.wrapping_add(record.len);
    let mut ignored = IgnoredKeys::default();
    let mut before = NO_SLOT;
    let mut rest = skip(expect(skip(record.of(text)), b'{')?);
    loop {
        let key = expect(rest, b'"')?;
        let (field, after) = match order.guess(before, key) {
            Some((slot, after)) => (Some(Field::BuiltIn(slot)), after),
            None => unexpected(key, declared, order, before)?,
        };
        let start = skip(expect(skip(after), b':')?);
        let (value, after) = value(start, end)?;
        let fresh = match field {
            Some(field) => fields.set(field, value),
            None => ignored.insert(string(key)?.0),
        };
        if !fresh {
            return None;
        }
        before = match field {
            Some(Field::BuiltIn(slot)) => slot as usize,
            _ => NO_SLOT,
        };
        rest = match skip(after) {
            [b',', rest @ ..] => skip(rest),
            [b'}', rest @ ..] => return skip(rest).is_empty().then_some(()),
            _ => return None,
        }
    }
}

/// The field of a key that was not the expected one, which is remembered, and what follows the closing quote.
#[inline(never)]
fn unexpected<'a>(
    key: &'a [u8],
    declared: &[(String, FieldType)],
    order: &mut KeyOrder,
    before: usize,
) -> Option<(Option<Field>, &'a [u8])> {
    let (name, after) = string(key)?;
    let field = Field::of_name(name, declared);
    if let Some(Field::BuiltIn(slot)) = field {
        order.next[before] = slot;
    }
    Some((field, after))
}

/// What follows the expected byte.
#[inline(always)]
fn expect(rest: &[u8], byte: u8) -> Option<&[u8]> {
    match rest {
        [first, rest @ ..] if *first == byte => Some(rest),
        _ => None,
    }
}

/// What follows JSON whitespace.
#[inline(always)]
fn skip(mut rest: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\n' | b'\r', after @ ..] = rest {
        rest = after;
    }
    rest
}

/// The first eight bytes.
#[inline(always)]
fn first_word(rest: &[u8]) -> Option<u64> {
    rest.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// The scalar that `rest` starts with and what follows it; `end` is where in the text `rest` ends.
#[inline(always)]
fn value(rest: &[u8], end: u32) -> Option<(Raw, &[u8])> {
    let start = end.wrapping_sub(rest.len() as u32);
    match rest {
        [b'"', rest @ ..] => {
            let (text, after) = string(rest)?;
            Some((Raw::Text(Span { start: start.wrapping_add(1), len: text.len() as u32 }), after))
        }
        [b'-' | b'0'..=b'9', ..] => {
            let len = number_end(rest, 0).ok()?;
            Some((Raw::Number(Span { start, len: len as u32 }), rest.get(len..)?))
        }
        [b't', b'r', b'u', b'e', after @ ..] => Some((Raw::Bool(true), after)),
        [b'f', b'a', b'l', b's', b'e', after @ ..] => Some((Raw::Bool(false), after)),
        [b'n', b'u', b'l', b'l', after @ ..] => Some((Raw::Null, after)),
        _ => None,
    }
}

/// The string without escapes and control characters that `rest` starts with, and what follows its closing quote.
#[inline(always)]
fn string(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = string_len(rest)?;
    let (text, after) = rest.split_at_checked(len)?;
    Some((text, expect(after, b'"')?))
}

/// The position of the first quote, backslash or control character, eight bytes at a time.
#[inline(always)]
fn string_len(rest: &[u8]) -> Option<usize> {
    let (words, tail) = rest.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let special = special_bytes(u64::from_le_bytes(*word));
        if special != 0 {
            return Some(at + special.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let found = tail.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
    Some(at + found)
}

/// Marks quotes, backslashes and control characters; the lowest mark is exact, higher ones may be false.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    let below = |word: u64, bound: u64| word.wrapping_sub(ONES * bound) & !word;
    let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | equal(b'"') | equal(b'\\')) & HIGHS
}

/// The keys of one record that name no field.
#[derive(Default)]
struct IgnoredKeys<'a> {
    keys: [&'a [u8]; IGNORED_KEYS],
    len: usize,
}

impl<'a> IgnoredKeys<'a> {
    /// Remembers a key; false if it was there, or if there is no more room.
    fn insert(&mut self, key: &'a [u8]) -> bool {
        if self.len == IGNORED_KEYS || self.keys[..self.len].contains(&key) {
            return false;
        }
        self.keys[self.len] = key;
        self.len += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_finds_the_quote_at_every_offset() {
        for len in 0..40 {
            for tail in ["", "x", "\":1,\"b\":2}"] {
                let text = format!("{}\"{tail}", "é".repeat(len / 2) + &"a".repeat(len % 2));
                assert_eq!(string(text.as_bytes()).map(|(text, _)| text.len()), text.find('"'), "{text}");
            }
        }
    }

    #[test]
    fn string_gives_up_on_escapes_and_control_characters() {
        for len in 0..20 {
            for bad in ["\\", "\n", "\0", "\u{1f}"] {
                let text = format!("{}{bad}\"", "a".repeat(len));
                assert_eq!(string(text.as_bytes()), None, "{text:?}");
            }
            assert_eq!(string("a".repeat(len).as_bytes()), None);
            assert!(string(format!("{}\u{7f}\"", "a".repeat(len)).as_bytes()).is_some_and(|(text, _)| text.len() == len + 1));
        }
    }
}

//! The strict path: any JSON object, judged to the letter of RFC 8259 and of the contract.
//!
//! Written by hand because no library refuses everything the contract refuses (repeated keys after unescaping at any
//! depth, depth over 16) while letting pass what it lets pass (a number beyond f64 in an ignored field).

use std::collections::BTreeSet;

use crate::model::events::{FieldType, Span};

use super::field::{Field, Raw, RawFields};
use super::number::number_end;

/// How deep objects and arrays may nest; the record's object is level 1.
pub(super) const MAX_DEPTH: usize = 16;

/// Why a record is not one well-formed object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Malformed {
    /// Byte within the record, from 0.
    pub(super) at: usize,
    /// What was expected or found.
    pub(super) what: String,
}

/// Finds the fields of a record; unescaped values are appended to `text`.
///
/// The record must be UTF-8 and `fields` must be reset.
pub(super) fn parse(
    text: &mut Vec<u8>,
    record: Span,
    declared: &[(String, FieldType)],
    fields: &mut RawFields,
) -> Result<(), Malformed> {
    let start = record.start as usize;
    let mut parser = Parser { text, at: start, start, end: start + record.len as usize, declared, fields };
    parser.record()
}

struct Parser<'a> {
    text: &'a mut Vec<u8>,
    at: usize,
    start: usize,
    end: usize,
    declared: &'a [(String, FieldType)],
    fields: &'a mut RawFields,
}

/// A string as found: plain strings stay where they are.
enum Text {
    Plain(Span),
    Unescaped(Vec<u8>),
}

impl Parser<'_> {
    fn record(&mut self) -> Result<(), Malformed> {
        if self.text[self.at..self.end].starts_with("\u{feff}".as_bytes()) {
            return self.fail("found a byte order mark, expected `{`; save the file as UTF-8 without BOM");
        }
        self.skip();
        if self.peek() != Some(b'{') {
            return self.fail("expected one JSON object, starting with `{`");
        }
        self.object(1)?;
        self.skip();
        if self.at == self.end { Ok(()) } else { self.fail("expected nothing after the object") }
    }

    fn peek(&self) -> Option<u8> {
        if self.at < self.end { Some(self.text[self.at]) } else { None }
    }

    fn skip(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn fail<T>(&self, what: &str) -> Result<T, Malformed> {
        Err(Malformed { at: self.at - self.start, what: what.to_string() })
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        self.skip();
        if self.peek() != Some(byte) {
            return self.fail(&format!("expected `{}`", char::from(byte)));
        }
        self.at += 1;
        self.skip();
        Ok(())
    }

    /// An object at nesting level `depth`; that of level 1 is the record and sets the fields.
    fn object(&mut self, depth: usize) -> Result<(), Malformed> {
        self.expect(b'{')?;
        let mut keys = BTreeSet::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        loop {
            let key = self.key()?;
            self.expect(b':')?;
            let value = self.value(depth)?;
            self.keep(depth, &key, value);
            if !keys.insert(key) {
                return self.fail("found a repeated key before this, expected each key once");
            }
            self.skip();
            match self.peek() {
                Some(b',') => self.expect(b',')?,
                _ => return self.expect(b'}'),
            }
        }
    }

    fn key(&mut self) -> Result<Vec<u8>, Malformed> {
        if self.peek() != Some(b'"') {
            return self.fail("expected a key in double quotes");
        }
        Ok(match self.string()? {
            Text::Plain(span) => span.of(self.text).to_vec(),
            Text::Unescaped(bytes) => bytes,
        })
    }

    /// Stores a top-level value under its field.
    fn keep(&mut self, depth: usize, key: &[u8], value: Value) {
        let field = if depth == 1 { Field::of_name(key, self.declared) } else { None };
        if let Some(field) = field {
            let raw = match value {
                Value::Raw(raw) => raw,
                Value::Unescaped(bytes) => {
                    let start = self.text.len() as u32;
                    self.text.extend_from_slice(&bytes);
                    Raw::Text(Span { start, len: bytes.len() as u32 })
                }
            };
            self.fields.set(field, raw);
        }
    }

    /// Any value inside an object or array of level `depth`.
    fn value(&mut self, depth: usize) -> Result<Value, Malformed> {
        let raw = match self.peek() {
            Some(b'"') => {
                return Ok(match self.string()? {
                    Text::Plain(span) => Value::Raw(Raw::Text(span)),
                    Text::Unescaped(bytes) => Value::Unescaped(bytes),
                });
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'{' | b'[') if depth == MAX_DEPTH => return self.fail("expected at most 16 levels of nesting"),
            Some(b'{') => self.object(depth + 1).map(|()| Raw::Nested)?,
            Some(b'[') => self.array(depth + 1).map(|()| Raw::Nested)?,
            Some(b't') => self.literal("true", Raw::Bool(true))?,
            Some(b'f') => self.literal("false", Raw::Bool(false))?,
            Some(b'n') => self.literal("null", Raw::Null)?,
            _ => return self.fail("expected a JSON value"),
        };
        Ok(Value::Raw(raw))
    }

    fn array(&mut self, depth: usize) -> Result<(), Malformed> {
        self.expect(b'[')?;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.skip();
            match self.peek() {
                Some(b',') => self.expect(b',')?,
                _ => return self.expect(b']'),
            }
        }
    }

    fn literal(&mut self, word: &str, raw: Raw) -> Result<Raw, Malformed> {
        if !self.text[self.at..self.end].starts_with(word.as_bytes()) {
            return self.fail(&format!("expected `{word}`"));
        }
        self.at += word.len();
        Ok(raw)
    }

    fn number(&mut self) -> Result<Raw, Malformed> {
        let start = self.at;
        match number_end(&self.text[..self.end], start) {
            Ok(end) => {
                self.at = end;
                Ok(Raw::Number(Span { start: start as u32, len: (end - start) as u32 }))
            }
            Err(at) => {
                self.at = at;
                self.fail("expected a digit")
            }
        }
    }

    /// The string that starts at the quote under the cursor.
    fn string(&mut self) -> Result<Text, Malformed> {
        self.at += 1;
        let start = self.at;
        let mut unescaped: Option<Vec<u8>> = None;
        loop {
            let Some(byte) = self.peek() else {
                return self.fail("expected a closing quote");
            };
            match byte {
                b'"' => break,
                b'\\' => {
                    let read = &self.text[start..self.at];
                    let mut bytes = unescaped.take().unwrap_or_else(|| read.to_vec());
                    self.escape(&mut bytes)?;
                    unescaped = Some(bytes);
                }
                0..0x20 => return self.fail("found a control character in a string, expected it escaped"),
                _ => {
                    if let Some(bytes) = &mut unescaped {
                        bytes.push(byte);
                    }
                    self.at += 1;
                }
            }
        }
        let plain = Span { start: start as u32, len: (self.at - start) as u32 };
        self.at += 1;
        Ok(unescaped.map_or(Text::Plain(plain), Text::Unescaped))
    }

    /// One escape sequence, appended unescaped.
    fn escape(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        self.at += 1;
        let byte = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'u') => return self.unicode(out),
            _ => return self.fail("expected one of \" \\ / b f n r t u after a backslash"),
        };
        self.at += 1;
        out.push(byte);
        Ok(())
    }

    /// `uXXXX`, or a pair of them for a character beyond the basic plane.
    fn unicode(&mut self, out: &mut Vec<u8>) -> Result<(), Malformed> {
        let first = self.hex()?;
        let code = match first {
            0xd800..0xdc00 if self.text[self.at..self.end].starts_with(b"\\u") => {
                self.at += 1;
                match self.hex()? {
                    low @ 0xdc00..0xe000 => 0x1_0000 + ((first - 0xd800) << 10) + (low - 0xdc00),
                    _ => first,
                }
            }
            _ => first,
        };
        // What is left of the surrogates here stands alone, and is no character.
        let Some(character) = char::from_u32(code) else {
            return self.fail("found a lone surrogate, expected a pair");
        };
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(())
    }

    /// The four hex digits after the `u` under the cursor.
    fn hex(&mut self) -> Result<u32, Malformed> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let Some(digit) = self.peek().and_then(|byte| char::from(byte).to_digit(16)) else {
                return self.fail("expected four hex digits after \\u");
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }
}

/// A value before it is known whether anything keeps it.
enum Value {
    Raw(Raw),
    Unescaped(Vec<u8>),
}

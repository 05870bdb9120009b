//! Keys: the bytes and hash under which an event enters or reads a dimension.
//!
//! A key of one text part is that text. Otherwise each part is written in an order-preserving form: text with its
//! length before it, numbers big-endian with the sign flipped, addresses as 16 bytes.

use xxhash_rust::xxh3::xxh3_64;

use crate::expr::eval::{ColumnData, Evaluator, Inputs, Pool, Text, Truth};
use crate::expr::graph::Graph;
use crate::model::column::Column;
use crate::model::events::Span;
use crate::model::value::{Type, Value};
use crate::ruleset::types::Named;

const SIGN: u64 = 1 << 63;

/// The expression columns of a batch, as far as they are computed.
#[derive(Clone, Copy)]
pub struct Expressions<'a> {
    /// Computed columns.
    pub evaluator: &'a Evaluator,
    /// What they were computed of.
    pub graph: &'a Graph,
    /// The batch.
    pub inputs: &'a Inputs<'a>,
}

impl<'a> Expressions<'a> {
    /// The bytes of a text.
    #[inline]
    pub fn text(&self, text: Text) -> &'a [u8] {
        match text.pool {
            // Nearly all: spares the way through the evaluator.
            Pool::Event => {
                let start = text.start as usize;
                &self.inputs.events.text[start..start + text.len as usize]
            }
            Pool::Feature | Pool::Scratch | Pool::Constant => self.evaluator.text(self.graph, text, self.inputs),
        }
    }
}

/// One key per row.
#[derive(Debug, Default)]
pub struct KeyColumn {
    /// Hash of the bytes.
    pub hash: Vec<u64>,
    /// Whether no part is missing.
    pub present: Vec<bool>,
    /// Where the bytes lie in `bytes`.
    pub spans: Vec<Span>,
    /// Key bytes of all rows.
    pub bytes: Vec<u8>,
}

impl KeyColumn {
    /// The key of a row.
    pub fn key(&self, row: usize) -> &[u8] {
        self.spans[row].of(&self.bytes)
    }

    /// Builds the keys of all rows from their parts.
    pub fn fill(&mut self, parts: &[Named], expressions: Expressions, rows: usize) {
        self.hash.clear();
        self.present.clear();
        self.spans.clear();
        self.bytes.clear();
        if let [part] = parts
            && let ColumnData::Text(column) = expressions.evaluator.column(part.node)
        {
            return self.fill_with_texts(column, expressions);
        }
        for row in 0..rows {
            let start = self.bytes.len();
            let complete = parts.iter().all(|part| append_part(&mut self.bytes, part, expressions, row));
            if !complete {
                self.bytes.truncate(start);
            }
            self.end_row(start, complete);
        }
    }

    fn fill_with_texts(&mut self, column: &Column<Text>, expressions: Expressions) {
        for (&text, &present) in column.values.iter().zip(&column.present) {
            let start = self.bytes.len();
            if present {
                self.bytes.extend_from_slice(expressions.text(text));
            }
            self.end_row(start, present);
        }
    }

    #[inline]
    fn end_row(&mut self, start: usize, complete: bool) {
        let key = &self.bytes[start..];
        self.spans.push(Span { start: start as u32, len: key.len() as u32 });
        self.present.push(complete);
        self.hash.push(if complete { hash(key) } else { 0 });
    }
}

/// The hash of a key.
pub fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

fn append_text(bytes: &mut Vec<u8>, part: &Named, expressions: Expressions, row: usize) -> bool {
    let ColumnData::Text(column) = expressions.evaluator.column(part.node) else { return false };
    let Some(text) = column.get(row) else { return false };
    bytes.extend_from_slice(expressions.text(text));
    true
}

fn append_part(bytes: &mut Vec<u8>, part: &Named, expressions: Expressions, row: usize) -> bool {
    match expressions.evaluator.column(part.node) {
        ColumnData::Text(_) => {
            let at = bytes.len();
            bytes.extend_from_slice(&[0, 0]);
            let present = append_text(bytes, part, expressions, row);
            let length = (bytes.len() - at - 2) as u16;
            bytes[at..at + 2].copy_from_slice(&length.to_be_bytes());
            present
        }
        ColumnData::I64(column) => append(bytes, column.get(row).map(|v| (v as u64 ^ SIGN).to_be_bytes())),
        ColumnData::F64(column) => append(bytes, column.get(row).map(|v| v.to_bits().to_be_bytes())),
        ColumnData::Ip(column) => append(bytes, column.get(row).map(u128::to_be_bytes)),
        ColumnData::Bool(column) => {
            let value = column[row];
            append(bytes, (value != Truth::Error).then_some([u8::from(value == Truth::True)]))
        }
    }
}

fn append<const N: usize>(bytes: &mut Vec<u8>, part: Option<[u8; N]>) -> bool {
    bytes.extend_from_slice(part.as_ref().map_or(&[], |part| part.as_slice()));
    part.is_some()
}

/// The values of a key's parts, for people.
pub fn decode(parts: &[Named], key: &[u8]) -> Vec<Value> {
    if let [part] = parts
        && part.kind == Type::String
    {
        return vec![Value::String(String::from_utf8_lossy(key).into_owned())];
    }
    let mut rest = key;
    parts.iter().map_while(|part| decode_part(part.kind, &mut rest)).collect()
}

fn decode_part(kind: Type, rest: &mut &[u8]) -> Option<Value> {
    match kind {
        Type::String => {
            let length = u16::from_be_bytes(take(rest)?);
            let (text, after) = rest.split_at_checked(usize::from(length))?;
            *rest = after;
            Some(Value::String(String::from_utf8_lossy(text).into_owned()))
        }
        Type::Int => take(rest).map(|bytes| Value::Int((u64::from_be_bytes(bytes) ^ SIGN) as i64)),
        Type::Money => take(rest).map(|bytes| Value::Money((u64::from_be_bytes(bytes) ^ SIGN) as i64)),
        Type::Duration => take(rest).map(|bytes| Value::Duration((u64::from_be_bytes(bytes) ^ SIGN) as i64)),
        Type::Timestamp => take(rest).map(|bytes| Value::Timestamp((u64::from_be_bytes(bytes) ^ SIGN) as i64)),
        Type::Double => take(rest).map(|bytes| Value::Double(f64::from_bits(u64::from_be_bytes(bytes)))),
        Type::Ip => take(rest).map(|bytes| Value::Ip(u128::from_be_bytes(bytes))),
        Type::Bool => take(rest).map(|[byte]: [u8; 1]| Value::Bool(byte != 0)),
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(*head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_key_decodes_to_its_parts() {
        let parts =
            [Type::String, Type::Int, Type::Ip, Type::Bool].map(|kind| Named { name: String::new(), node: 0, kind });
        let mut key = vec![0, 2];
        key.extend_from_slice(b"ab");
        key.extend_from_slice(&((-3_i64) as u64 ^ SIGN).to_be_bytes());
        key.extend_from_slice(&7_u128.to_be_bytes());
        key.push(1);
        let expected = vec![Value::String("ab".into()), Value::Int(-3), Value::Ip(7), Value::Bool(true)];
        assert_eq!(decode(&parts, &key), expected);
    }
}

//! Keys: the bytes and hash under which an event enters or reads a dimension.
//!
//! A key of one text part is that text. Otherwise each part is written in an order-preserving form: text with its
//! length before it, numbers big-endian with the sign flipped, addresses as 16 bytes.

use xxhash_rust::xxh3::xxh3_64;

use crate::expr::eval::{Evaluator, Inputs, View};
use crate::expr::graph::{Graph, NodeId};
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
    /// The values of a node.
    pub fn view(&self, node: NodeId) -> View<'a> {
        self.evaluator.view(self.graph, node, self.inputs)
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
        self.start(rows);
        match parts {
            [part] => self.fill_single(expressions.view(part.node), rows),
            _ => self.fill_composite(parts, expressions, rows),
        }
    }

    fn start(&mut self, rows: usize) {
        self.hash.clear();
        self.present.clear();
        self.spans.clear();
        self.bytes.clear();
        self.hash.reserve(rows);
        self.present.reserve(rows);
        self.spans.reserve(rows);
    }

    fn fill_single(&mut self, view: View, rows: usize) {
        match view {
            View::Text(texts) => texts.for_each(|text| self.add(text)),
            View::Ip(side) => {
                (0..rows)
                    .for_each(|row| self.add(side.get(row).map(u128::to_be_bytes).as_ref().map(<[u8; 16]>::as_slice)));
            }
            View::I64(_) | View::F64(_) | View::Bool(_) => {
                let mut key = Vec::new();
                for row in 0..rows {
                    key.clear();
                    let present = append_part(&mut key, view, row);
                    self.add(present.then_some(&key));
                }
            }
        }
    }

    fn fill_composite(&mut self, parts: &[Named], expressions: Expressions, rows: usize) {
        let views: Vec<View> = parts.iter().map(|part| expressions.view(part.node)).collect();
        let mut key = Vec::new();
        for row in 0..rows {
            key.clear();
            let complete = views.iter().all(|view| append_part(&mut key, *view, row));
            self.add(complete.then_some(&key));
        }
    }

    /// Appends the key of a row, if it has one.
    #[inline(always)]
    fn add(&mut self, key: Option<&[u8]>) {
        let bytes = key.unwrap_or_default();
        self.spans.push(Span { start: self.bytes.len() as u32, len: bytes.len() as u32 });
        self.bytes.extend_from_slice(bytes);
        self.present.push(key.is_some());
        self.hash.push(key.map_or(0, hash));
    }
}

/// The hash of a key.
pub fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

fn append_part(bytes: &mut Vec<u8>, view: View, row: usize) -> bool {
    match view {
        View::Text(texts) => {
            let text = texts.get(row);
            bytes.extend_from_slice(&(text.map_or(0, <[u8]>::len) as u16).to_be_bytes());
            bytes.extend_from_slice(text.unwrap_or_default());
            text.is_some()
        }
        View::I64(side) => append(bytes, side.get(row).map(|v| (v as u64 ^ SIGN).to_be_bytes())),
        View::F64(side) => append(bytes, side.get(row).map(|v| v.to_bits().to_be_bytes())),
        View::Ip(side) => append(bytes, side.get(row).map(u128::to_be_bytes)),
        View::Bool(side) => append(bytes, side.get(row).map(|v| [u8::from(v)])),
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

//! Operations on texts and the ones that produce texts.

use std::io::Write;
use std::net::Ipv6Addr;

use regex::bytes::Regex;

use crate::model::column::Column;

use super::super::graph::NodeId;
use super::super::lists::{as_v4, host_mask};
use super::super::node::Search;
use super::compare::test_text;
use super::operand::{Operands, TextSide};
use super::{Text, Truth, Work};

/// `startsWith`, `endsWith`, `contains`
pub(super) fn search(out: &mut Vec<Truth>, search: Search, a: NodeId, b: NodeId, operands: &Operands) {
    let (a, b) = (operands.text(a), operands.text(b));
    match (search, b) {
        (Search::Start, TextSide::Constant(part)) => test_text(out, a, operands, |text| text.starts_with(part)),
        (Search::End, TextSide::Constant(part)) => test_text(out, a, operands, |text| text.ends_with(part)),
        (Search::Anywhere, TextSide::Constant(part)) => {
            let finder = memchr::memmem::Finder::new(part);
            test_text(out, a, operands, |text| finder.find(text).is_some());
        }
        _ => {
            let one = |row| Some(is_in(search, operands.bytes_at(a, row)?, operands.bytes_at(b, row)?));
            out.extend((0..operands.rows).map(|row| Truth::of(one(row))));
        }
    }
}

fn is_in(search: Search, text: &[u8], part: &[u8]) -> bool {
    match search {
        Search::Start => text.starts_with(part),
        Search::End => text.ends_with(part),
        Search::Anywhere => memchr::memmem::find(text, part).is_some(),
    }
}

/// `matches`
pub(super) fn matches(out: &mut Vec<Truth>, argument: NodeId, pattern: &Regex, operands: &Operands) {
    test_text(out, operands.text(argument), operands, |text| pattern.is_match(text));
}

/// `size`: every byte that does not continue a code point.
pub(super) fn size(out: &mut Column<i64>, argument: NodeId, operands: &Operands) {
    let side = operands.text(argument);
    let points = |text: &[u8]| text.iter().filter(|byte| (**byte as i8) >= -0x40).count() as i64;
    (0..operands.rows).for_each(|row| out.push(operands.bytes_at(side, row).map(points)));
}

/// `a + b` of texts
pub(super) fn join(out: &mut Column<Text>, a: NodeId, b: NodeId, operands: &Operands, work: Work) {
    let (a, b) = (operands.text(a), operands.text(b));
    for row in 0..operands.rows {
        let both = operands.bytes_at(a, row).zip(operands.bytes_at(b, row));
        out.push(both.map(|(first, second)| {
            let start = work.fresh.len();
            work.fresh.extend_from_slice(first);
            work.fresh.extend_from_slice(second);
            work.text_since(start)
        }));
    }
}

/// `prefix(ip, v4bits, v6bits)`
pub(super) fn prefix(out: &mut Column<Text>, argument: NodeId, bits: (u8, u8), operands: &Operands, work: Work) {
    let side = operands.address(argument);
    for row in 0..operands.rows {
        out.push(side.get(row).map(|address| {
            let start = work.fresh.len();
            write_network(work.fresh, address, bits);
            work.text_since(start)
        }));
    }
}

/// Writes the network an address is in.
fn write_network(out: &mut Vec<u8>, address: u128, (v4_bits, v6_bits): (u8, u8)) {
    // Writing to a vector cannot fail.
    let _ = match as_v4(address) {
        Some(_) => {
            let kept = address & !host_mask(32 - u32::from(v4_bits));
            let [.., a, b, c, d] = kept.to_be_bytes();
            write!(out, "{a}.{b}.{c}.{d}/{v4_bits}")
        }
        None => {
            let kept = address & !host_mask(128 - u32::from(v6_bits));
            write!(out, "{}/{v6_bits}", Ipv6Addr::from_bits(kept))
        }
    };
}

//! The fingerprint that tells a repeated event from one that reuses an id for something else.
//!
//! Each value that is there is hashed with its field's number and the hashes are added up, so neither the order of
//! keys nor the way a value was written matters, and the multiplications of the fields run side by side.

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::model::events::{Span, TextField};

use super::judge::{Declared, Row};

/// Odd constants with well-spread bits: the fractional parts of the golden ratio and of the square root of 3.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const ROOT: u64 = 0xbb67_ae85_84ca_a73b;

/// The numbers of the fields that are no text, after those that are.
pub(super) const TIME: u64 = TextField::COUNT as u64;
pub(super) const AMOUNT: u64 = TIME + 1;
pub(super) const KYC: u64 = TIME + 2;
pub(super) const FACTORS: u64 = TIME + 3;
const IP: u64 = TIME + 4;
pub(super) const LAT: u64 = TIME + 5;
pub(super) const LON: u64 = TIME + 6;
const DECLARED: u64 = TIME + 7;

/// The fingerprint of a row and its declared fields.
pub(super) fn fingerprint(text: &[u8], row: &Row, declared_fields: &[Declared]) -> u64 {
    let mut sum = number(TIME, row.time as u64);
    for (field, &span) in (0..).zip(&row.texts) {
        if span.len > 0 {
            sum = sum.wrapping_add(bytes(field, text, span));
        }
    }
    let mut add = |field: u64, value: Option<u64>| {
        if let Some(value) = value {
            sum = sum.wrapping_add(number(field, value));
        }
    };
    add(AMOUNT, row.amount.map(|value| value as u64));
    add(KYC, row.kyc.map(|value| value as u64));
    add(FACTORS, row.factors.map(|value| value as u64));
    add(LAT, row.place.map(|(lat, _)| bits(lat)));
    add(LON, row.place.map(|(_, lon)| bits(lon)));
    let hashes = declared_fields.iter().enumerate().map(|(index, &value)| declared(text, index, value));
    hashes.chain(row.ip.map(address)).fold(sum, u64::wrapping_add)
}

/// The hash of the declared field number `index`; 0 if it is absent.
#[inline]
pub(super) fn declared(text: &[u8], index: usize, value: Declared) -> u64 {
    let field = DECLARED + index as u64;
    let value = match value {
        Declared::Text(span) if span.len == 0 => None,
        Declared::Text(span) => return bytes(field, text, span),
        Declared::Int(value) => value.map(|value| value as u64),
        Declared::Double(value) => value.map(bits),
        Declared::Bool(value) => value.map(u64::from),
    };
    value.map_or(0, |value| number(field, value))
}

/// The hash of an IP address.
#[inline(always)]
pub(super) fn address(ip: u128) -> u64 {
    fold(IP << 8, ip as u64, (ip >> 64) as u64)
}

/// The bits of a double; both zeros are one value.
pub(super) fn bits(value: f64) -> u64 {
    (value + 0.0).to_bits()
}

/// The hash of a number.
#[inline(always)]
pub(super) fn number(field: u64, value: u64) -> u64 {
    fold(field << 8, value, 0)
}

/// The two halves of the 128-bit product, which depend on all bits of both factors.
#[inline(always)]
fn fold(kind: u64, low: u64, high: u64) -> u64 {
    let seed = (kind + 1).wrapping_mul(GOLDEN);
    let product = u128::from(low ^ seed) * u128::from(high ^ seed.rotate_left(32) ^ ROOT);
    product as u64 ^ (product >> 64) as u64
}

/// The longest text that is hashed as two words.
const SHORT: usize = 16;

/// By length, which bits of the two words count.
const MASKS: [[u64; 2]; SHORT + 1] = {
    let mut masks = [[u64::MAX; 2]; SHORT + 1];
    let mut len = 0;
    while len < SHORT {
        masks[len][len / 8] = (1 << (8 * (len % 8))) - 1;
        if len < 8 {
            masks[len][1] = 0;
        }
        len += 1;
    }
    masks
};

/// Short text as two words padded with zeros, the length as part of the seed; longer text by xxh3.
#[inline]
fn bytes(field: u64, text: &[u8], span: Span) -> u64 {
    match words(text, span.start as usize) {
        Some(words) => bytes_from(field, text, span, words),
        None => long_bytes(field, text, span),
    }
}

/// As [`bytes`], the sixteen bytes from the start of the span being known.
#[inline(always)]
pub(super) fn bytes_from(field: u64, text: &[u8], span: Span, words: [u64; 2]) -> u64 {
    match MASKS.get(span.len as usize) {
        Some(masks) => fold(field << 8 | u64::from(span.len), words[0] & masks[0], words[1] & masks[1]),
        None => long_bytes(field, text, span),
    }
}

#[inline(never)]
fn long_bytes(field: u64, text: &[u8], span: Span) -> u64 {
    let value = span.of(text);
    if value.len() > SHORT {
        return xxh3_64_with_seed(value, field);
    }
    // Short, but at the very end of the text.
    let mut padded = [0; SHORT];
    padded[..value.len()].copy_from_slice(value);
    bytes(field, &padded, Span { start: 0, len: span.len })
}

/// The sixteen bytes from `at`.
#[inline(always)]
fn words(text: &[u8], at: usize) -> Option<[u64; 2]> {
    let (words, _) = text.get(at..at + SHORT)?.first_chunk::<SHORT>()?.as_chunks::<8>();
    words.first_chunk::<2>().map(|words| words.map(u64::from_le_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// The hash of a text that is all there is, and of the same text with others around it.
    fn hash(field: u64, text: &[u8]) -> u64 {
        let alone = bytes(field, text, Span { start: 0, len: text.len() as u32 });
        let among = [b"before", text, b"behind and more"].concat();
        assert_eq!(bytes(field, &among, Span { start: 6, len: text.len() as u32 }), alone, "{text:?}");
        alone
    }

    #[test]
    fn texts_that_differ_in_one_place_or_length_differ() {
        let base = "abcdefghijklmnopqrstuvwxyz";
        let mut seen = BTreeSet::new();
        for field in 0..3 {
            for len in 1..=base.len() {
                let text = base.as_bytes()[..len].to_vec();
                assert!(seen.insert(hash(field, &text)), "{len}");
                for at in 0..len {
                    for bit in 0..8 {
                        let mut other = text.clone();
                        other[at] ^= 1 << bit;
                        assert!(seen.insert(hash(field, &other)), "{other:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_value_counts_with_its_field() {
        let numbers: BTreeSet<u64> = (0..40).flat_map(|field| (0..100).map(move |v| number(field, v))).collect();
        assert_eq!(numbers.len(), 4000);
        assert_eq!(bits(-0.0), bits(0.0));
    }
}

//! Names such as those of event types, judged eight bytes at a time.

use crate::model::events::Span;

use super::string::word_at;

/// Whether a text is `[a-z][a-z0-9_]*`.
#[inline(always)]
pub(super) fn is_name(text: &[u8], span: Span) -> bool {
    let name = span.of(text);
    if !name[0].is_ascii_lowercase() {
        return false;
    }
    let mut at = 0;
    while at < name.len() {
        let Some(word) = word_at(text, span.start as usize + at) else { return false };
        if !is_name_word(first_bytes(word, name.len() - at)) {
            return false;
        }
        at += 8;
    }
    true
}

/// The first `len` bytes of a word, the others replaced with letters.
#[inline(always)]
fn first_bytes(word: u64, len: usize) -> u64 {
    let kept = if len < 8 { (1 << (8 * len)) - 1 } else { u64::MAX };
    (word & kept) | (u64::from_le_bytes([b'a'; 8]) & !kept)
}

/// Whether all bytes of a word are small letters, digits or `_`.
#[inline(always)]
fn is_name_word(word: u64) -> bool {
    const HIGHS: u64 = u64::from_le_bytes([0x80; 8]);
    // With the high bit set nothing is borrowed from the next byte; the bit is left where the byte is not below.
    let from = |bound: u8| (word | HIGHS) - u64::from_le_bytes([bound; 8]);
    let letters = from(b'_') & !from(b'z' + 1) & !(from(b'`') & !from(b'a'));
    let digits = from(b'0') & !from(b'9' + 1);
    (letters | digits) & !word & HIGHS == HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_byte_is_judged_alike_in_every_place() {
        for len in 1..20 {
            for (at, byte) in (0..len).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
                let mut text = [b'0'; 32];
                text[0] = b'a';
                text[at] = byte;
                text[len] = b'"';
                let expected = match at {
                    0 => byte.is_ascii_lowercase(),
                    _ => matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_'),
                };
                assert_eq!(is_name(&text, Span { start: 0, len: len as u32 }), expected, "{byte} at {at} of {len}");
            }
        }
    }
}

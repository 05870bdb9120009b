//! Where a plain JSON string ends, eight bytes at a time.
//!
//! Words are read past the end of the string, so a text needs some bytes behind it.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// How many bytes are looked at from one position without further checks.
pub(super) const WINDOW: usize = 32;

/// The bytes from `at`.
#[inline(always)]
pub(super) fn window(text: &[u8], at: usize) -> Option<&[u8; WINDOW]> {
    text.get(at..)?.first_chunk()
}

/// The eight bytes from `at`.
#[inline(always)]
pub(super) fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk::<8>().map(|chunk| u64::from_le_bytes(*chunk))
}

/// The position of the closing quote of the string whose first byte is at `at`; `None` if it has escapes or control
/// characters, or is not UTF-8.
pub(super) fn string_end(text: &[u8], at: usize) -> Option<usize> {
    Some(string_end_from(text, at, word_at(text, at)?)).filter(|&end| end != NOWHERE)
}

/// A position behind every text.
pub(super) const NOWHERE: usize = usize::MAX / 2;

/// As [`string_end`], the eight bytes from `at` being known; [`NOWHERE`] for `None`.
#[inline(always)]
pub(super) fn string_end_from(text: &[u8], at: usize, first: u64) -> usize {
    // Most strings end within the first eight bytes.
    let special = special_bytes(first);
    if special == 0 {
        return long_string_end(text, at);
    }
    // A mark is the high bit of its byte.
    let mark = special.trailing_zeros();
    let found = at + mark as usize / 8;
    if (first >> (mark - 7)) as u8 == b'"' { found } else { other_string_end(text, at, found).unwrap_or(NOWHERE) }
}

/// As [`string_end_from`], where nothing special stands in the first eight bytes.
#[inline(never)]
fn long_string_end(text: &[u8], at: usize) -> usize {
    let mut next = at + 8;
    while let Some(word) = word_at(text, next) {
        let special = special_bytes(word);
        if special != 0 {
            next += special.trailing_zeros() as usize / 8;
            break;
        }
        next += 8;
    }
    if text.get(next) == Some(&b'"') { next } else { other_string_end(text, at, next).unwrap_or(NOWHERE) }
}

/// As [`string_end`], for strings that are not ASCII and for the end of the text.
#[inline(never)]
fn other_string_end(text: &[u8], at: usize, next: usize) -> Option<usize> {
    let rest = text.get(next..)?;
    let end = next + rest.iter().position(|&byte| byte < 0x20 || byte == b'"' || byte == b'\\')?;
    (text[end] == b'"' && std::str::from_utf8(&text[at..end]).is_ok()).then_some(end)
}

/// Marks quotes, backslashes, control characters and what is not ASCII; the lowest mark is exact, higher ones may be
/// false.
#[inline(always)]
fn special_bytes(word: u64) -> u64 {
    // What is too small by one or more shows in the high bit, which no ASCII byte has. Flipping the second bit puts
    // the quote right behind the control characters.
    let less = |word: u64, bound: u64| word.wrapping_sub(ONES * bound);
    let quotes_and_controls = less(word ^ (ONES * 2), 0x21);
    let backslashes = less(word ^ (ONES * u64::from(b'\\')), 1);
    (quotes_and_controls | backslashes | word) & HIGHS
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stands for the rest of the batch: strings are looked for a word at a time.
    const BEHIND: &str = "12345678";

    #[test]
    fn string_end_finds_the_quote_at_every_offset() {
        for len in 0..40 {
            for tail in ["", "x", "\":1,\"b\":2}", "é"] {
                for fill in ["é", "aa", "\u{7f}b"] {
                    let text = format!("{}\"{tail}", fill.repeat(len / 2) + &"a".repeat(len % 2));
                    let padded = format!("{text}{BEHIND}");
                    assert_eq!(string_end(padded.as_bytes(), 0), text.find('"'), "{text}");
                }
            }
        }
    }

    #[test]
    fn string_end_gives_up_on_escapes_control_characters_and_broken_utf8() {
        for len in 0..20 {
            for bad in [&b"\\"[..], b"\n", b"\0", b"\x1f", b"\xff", b"\xc3", b"\xed\xa0\x80", b"\x80"] {
                let text = [&b"a".repeat(len), bad, b"\"", BEHIND.as_bytes()].concat();
                assert_eq!(string_end(&text, 0), None, "{text:?}");
            }
            assert_eq!(string_end("a".repeat(len).as_bytes(), 0), None);
        }
    }

    #[test]
    fn any_byte_is_judged_alike_in_every_place() {
        for (at, byte) in (0..12).flat_map(|at| (0x20..0x7f).map(move |byte| (at, byte))) {
            let mut text = [b'x'; 24];
            text[16] = b'"';
            text[at] = byte;
            let expected = match byte {
                b'"' => Some(at),
                b'\\' => None,
                _ => Some(16),
            };
            assert_eq!(string_end(&text, 0), expected, "{byte} at {at}");
        }
    }
}

//! JSON strings out: quoting and escaping.

/// Every byte of a word 1.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Writes `text` as a JSON string with quotes; only what must be escaped is, other UTF-8 stays as it is.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    write_json_text(out, text.as_bytes());
    out.push(b'"');
}

/// Writes UTF-8 `text` as the inside of a JSON string: escaped, without quotes.
#[inline]
pub fn write_json_text(out: &mut Vec<u8>, text: &[u8]) {
    if is_plain(text) {
        out.extend_from_slice(text);
    } else {
        write_escaped(out, text);
    }
}

#[cold]
fn write_escaped(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        if must_escape(byte) { write_escape(out, byte) } else { out.push(byte) }
    }
}

fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Whether nothing must be escaped. Looks at eight bytes at a time; the last eight may overlap those before.
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    let found = words.iter().fold(0, |found, word| found | specials(u64::from_le_bytes(*word)));
    let last = match (rest, text.last_chunk::<8>()) {
        ([], _) => 0,
        (_, Some(word)) => specials(u64::from_le_bytes(*word)),
        (short, None) => specials(short_word(short)),
    };
    found | last == 0
}

/// One to seven bytes as a word; some may be in it twice, and the rest is filled with ones: no ASCII.
#[inline]
fn short_word(text: &[u8]) -> u64 {
    match (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        (Some(head), Some(tail)) => u64::from(u32::from_le_bytes(*head)) | u64::from(u32::from_le_bytes(*tail)) << 32,
        _ => text.iter().fold(u64::MAX, |word, &byte| word << 8 | u64::from(byte)),
    }
}

/// Not 0 where a byte of the word must be escaped.
#[inline]
fn specials(word: u64) -> u64 {
    let zero_byte = |word: u64| word.wrapping_sub(ONES) & !word;
    let control = word.wrapping_sub(ONES * 0x20) & !word;
    let quote = zero_byte(word ^ (ONES * u64::from(b'"')));
    let backslash = zero_byte(word ^ (ONES * u64::from(b'\\')));
    (control | quote | backslash) & (ONES * 0x80)
}

#[cold]
fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        0x08 => b'b',
        0x0c => b'f',
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        _ => {
            let hex = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            return out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut out = Vec::new();
        write_json_string(&mut out, text);
        String::from_utf8(out).expect("escaping keeps UTF-8")
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        let cases = [
            ("", r#""""#),
            ("plain", r#""plain""#),
            ("a\"b\\c/d", r#""a\"b\\c/d""#),
            ("\u{8}\u{c}\n\r\t", r#""\b\f\n\r\t""#),
            ("\0\u{1f}\u{7f}", "\"\\u0000\\u001f\u{7f}\""),
            ("人é😀\u{2028}", "\"人é😀\u{2028}\""),
            ("seven\"7", r#""seven\"7""#),
            ("twelve bytes\\", r#""twelve bytes\\""#),
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), expected);
        }
    }

    /// Every byte at every place of texts of every length up to three words.
    #[test]
    fn one_byte_makes_a_text_not_plain_wherever_it_is() {
        for length in 1..24 {
            for (at, byte) in (0..length).flat_map(|at| (0..=u8::MAX).map(move |byte| (at, byte))) {
                let mut text = vec![b'x'; length];
                text[at] = byte;
                assert_eq!(is_plain(&text), !must_escape(byte), "byte {byte} at {at} of {length}");
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_reads_back(text in proptest::prelude::any::<String>()) {
            let back: String = serde_json::from_str(&written(&text)).expect("valid JSON");
            proptest::prop_assert_eq!(back, text);
        }
    }
}

//! JSON strings out: quoting and escaping.

/// Writes `text` as a JSON string with quotes; only what must be escaped is, other UTF-8 stays as it is.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let mut rest = text.as_bytes();
    while let Some(at) = first_to_escape(rest) {
        out.extend_from_slice(&rest[..at]);
        write_escape(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first byte is that must be escaped; few texts have one, so whole blocks are looked at first.
#[inline]
fn first_to_escape(text: &[u8]) -> Option<usize> {
    let (blocks, _) = text.as_chunks::<16>();
    let plain = blocks.iter().take_while(|block| !block.iter().fold(false, |any, &byte| any | must_escape(byte)));
    let start = 16 * plain.count();
    Some(start + text[start..].iter().position(|&byte| must_escape(byte))?)
}

#[inline]
fn must_escape(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
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
        ];
        for (text, expected) in cases {
            assert_eq!(written(text), expected);
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

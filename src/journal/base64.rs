//! Base64 (RFC 4648, with padding) for event bytes that are no text. One text for one value: what no encoder writes is
//! not read, so that a journal that was read and written again is the same.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Appends bytes as text.
pub(super) fn encode(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.chunks(3) {
        let word = (0..3).fold(0_u32, |word, at| word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = ALPHABET[(word >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { digit } else { b'=' });
        }
    }
}

/// The bytes of a text, if it is one that [`encode`] writes.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (chunks, rest) = text.as_bytes().as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut bytes = Vec::with_capacity(chunks.len() * 3);
    for (index, chunk) in chunks.iter().enumerate() {
        let padding =
            if index + 1 == chunks.len() { chunk.iter().rev().take_while(|byte| **byte == b'=').count() } else { 0 };
        let mut word = 0_u32;
        for byte in chunk.iter().take(4 - padding.min(2)) {
            word = word << 6 | ALPHABET.iter().position(|digit| digit == byte)? as u32;
        }
        word <<= 6 * padding.min(2);
        let kept = 3 - padding.min(2);
        let [_, all @ ..] = word.to_be_bytes();
        if all[kept..].iter().any(|byte| *byte != 0) {
            return None;
        }
        bytes.extend_from_slice(&all[..kept]);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    #[test]
    fn texts_of_the_standard_are_read_and_others_are_not() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")]
        {
            let mut out = Vec::new();
            encode(&mut out, bytes.as_bytes());
            assert_eq!(out, text.as_bytes());
            assert_eq!(decode(text), Some(bytes.as_bytes().to_vec()));
        }
        for text in ["Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm9-", "é=="] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_written_is_read_and_nothing_else(bytes: Vec<u8>, text in any::<String>()) {
            let mut out = Vec::new();
            encode(&mut out, &bytes);
            prop_assert_eq!(decode(&String::from_utf8_lossy(&out)), Some(bytes));
            if let Some(bytes) = decode(&text) {
                let mut out = Vec::new();
                encode(&mut out, &bytes);
                prop_assert_eq!(out, text.as_bytes());
            }
        }
    }
}

//! What was found, in words fit for a log line: shortened, and without characters that could disturb a terminal.

use super::field::Raw;

/// How many characters of a value are shown.
const SHOWN: usize = 40;

/// A found value in words.
pub(super) fn describe(text: &[u8], raw: Raw) -> String {
    let quoted = |bytes: &[u8]| shorten(&String::from_utf8_lossy(bytes), SHOWN);
    match raw {
        Raw::Absent => "nothing".to_string(),
        Raw::Null => "null".to_string(),
        Raw::Text(span) | Raw::Cell(span) => format!("\"{}\" ({} bytes)", quoted(span.of(text)), span.len),
        Raw::Number(span) => quoted(span.of(text)),
        Raw::Bool(value) => value.to_string(),
        Raw::Nested => "an array or object".to_string(),
    }
}

/// At most `limit` characters, control and bidirectional-format characters as `\u{..}`.
pub(super) fn shorten(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for character in text.chars().take(limit) {
        if character.is_control() || is_bidi_format(character) {
            out.extend(character.escape_unicode());
        } else {
            out.push(character);
        }
    }
    if text.chars().nth(limit).is_some() {
        out.push_str("...");
    }
    out
}

/// Characters that change the direction of the text around them.
fn is_bidi_format(character: char) -> bool {
    matches!(character,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_and_hostile_text_is_tamed() {
        assert_eq!(shorten("plain 人", 40), "plain 人");
        assert_eq!(shorten("a\u{1b}[2J\u{202e}b", 40), "a\\u{1b}[2J\\u{202e}b");
        assert_eq!(shorten("abcdef", 3), "abc...");
        assert_eq!(shorten("abc", 3), "abc");
    }
}

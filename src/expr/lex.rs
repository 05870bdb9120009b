//! Tokens of CEL text, as far as places and names need them.
//!
//! The parser proper tells for an operator only the place of its sign and for a call only its bracket; the tokens
//! around them give the rest. Broken text gives some tokens too: the parser will refuse it.

use std::collections::BTreeSet;
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An identifier or keyword.
    Word,
    /// A number, its sign not included.
    Number,
    /// A string or bytes literal with its prefix and quotes.
    Quoted,
    /// One byte of anything else.
    Sign(u8),
}

/// A token and its bytes in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where.
    pub range: Range<usize>,
}

/// Words that are no names.
const KEYWORDS: [&str; 4] = ["in", "true", "false", "null"];

/// All tokens of a text, without blanks and comments.
pub fn tokens(text: &str) -> Vec<Token> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let kind = match bytes[at] {
            // What is not ASCII is in literals and comments, or a fault that the parser tells.
            byte if byte.is_ascii_whitespace() || !byte.is_ascii() => None,
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += count(&bytes[at..], |byte| byte != b'\n') - 1;
                None
            }
            byte if is_word(byte) && !byte.is_ascii_digit() => {
                let end = at + count(&bytes[at..], is_word);
                Some(word_or_quoted(bytes, &mut at, end))
            }
            b'"' | b'\'' => {
                at = quoted_end(bytes, at, false) - 1;
                Some(TokenKind::Quoted)
            }
            byte if byte.is_ascii_digit() || (byte == b'.' && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)) => {
                at = number_end(bytes, at) - 1;
                Some(TokenKind::Number)
            }
            byte => Some(TokenKind::Sign(byte)),
        };
        at += 1;
        tokens.extend(kind.map(|kind| Token { kind, range: start..at }));
    }
    tokens
}

/// The plain names of a text: words that are no keywords, no functions and follow no dot.
pub fn names(text: &str) -> BTreeSet<String> {
    let tokens = tokens(text);
    let is_name = |index: &usize| {
        let before = index.checked_sub(1).map(|before| tokens[before].kind);
        let after = tokens.get(index + 1).map(|token| token.kind);
        tokens[*index].kind == TokenKind::Word
            && before != Some(TokenKind::Sign(b'.'))
            && after != Some(TokenKind::Sign(b'('))
    };
    let words = (0..tokens.len()).filter(is_name).map(|index| &text[tokens[index].range.clone()]);
    words.filter(|word| !KEYWORDS.contains(word)).map(str::to_owned).collect()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn count(bytes: &[u8], wanted: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| wanted(**byte)).count()
}

/// A word from `at` to `end`, or the literal it is the prefix of; `at` becomes the last byte.
fn word_or_quoted(bytes: &[u8], at: &mut usize, end: usize) -> TokenKind {
    let prefix = &bytes[*at..end];
    let quote = matches!(bytes.get(end), Some(b'"' | b'\''));
    let known = prefix.len() <= 2 && prefix.iter().all(|byte| b"rRbB".contains(byte));
    if quote && known {
        *at = quoted_end(bytes, end, prefix.iter().any(|byte| b"rR".contains(byte))) - 1;
        return TokenKind::Quoted;
    }
    *at = end - 1;
    TokenKind::Word
}

/// The byte after a literal whose opening quote is at `start`; without an end, that of its line or text.
fn quoted_end(bytes: &[u8], start: usize, raw: bool) -> usize {
    let quote = bytes[start];
    let triple = bytes[start..].starts_with(&[quote; 3]);
    let end: &[u8] = if triple { &[quote; 3] } else { &[quote] };
    let mut at = start + end.len();
    while at < bytes.len() {
        if bytes[at..].starts_with(end) {
            return at + end.len();
        }
        if !triple && bytes[at] == b'\n' {
            return at;
        }
        at += if bytes[at] == b'\\' && !raw { 2 } else { 1 };
    }
    bytes.len()
}

fn number_end(bytes: &[u8], start: usize) -> usize {
    let digits = |at: usize| at + count(&bytes[at.min(bytes.len())..], |byte| byte.is_ascii_digit());
    if bytes[start..].starts_with(b"0x") {
        return start + count(&bytes[start..], |byte| byte.is_ascii_alphanumeric());
    }
    let mut end = digits(start);
    if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
        end = digits(end + 1);
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1 + sign);
        }
    }
    end + usize::from(matches!(bytes.get(end), Some(b'u' | b'U')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let found: Vec<&str> = tokens(text).into_iter().map(|token| &text[token.range]).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn places() {
        check("has( a )&&b_1", &["has", "(", "a", ")", "&", "&", "b_1"]);
        check("1.5e-3+0x1F-.5u 1.e", &["1.5e-3", "+", "0x1F", "-", ".5u", "1", ".", "e"]);
        check(r#"'it\'s' r'\' b"x" '''a'b''' "#, &[r"'it\'s'", r"r'\'", "b\"x\"", "'''a'b'''"]);
        check("a // has(x) 'y'\n b", &["a", "b"]);
        check("'open", &["'open"]);
        check("'open\n b", &["'open", "b"]);
        check("'\\", &["'\\"]);
        check("金 'é'a", &["'é'", "a"]);
    }

    #[test]
    fn plain_names() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(names(text).iter().map(String::as_str).collect::<Vec<_>>(), expected, "{text}");
        };
        check("has(b) && a.size() > 2 || x in ['y', z]", &["a", "b", "x", "z"]);
        check("time.getHours('Asia/Shanghai') < n ? true : null", &["n", "time"]);
        check("a +", &["a"]);
        check("list('office') // c", &[]);
    }
}

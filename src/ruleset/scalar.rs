//! Offsets in a scalar's value -> offsets in the file, so that a caret stands under the right term.
//!
//! YAML folds lines, strips indentation and resolves escapes. Value and source are walked together: a character that
//! is no white space is found again by skipping the source's white space; escapes are measured where they stand.

use std::ops::Range;

use super::diagnostic::{Faults, Place};
use super::yaml::{Kind, Node, Style};

/// The place of a piece (bytes) of a scalar's value; of anything else its whole place.
pub fn inside(faults: &Faults, node: &Node, range: Range<usize>) -> Place {
    let Kind::Scalar(value, style) = &node.kind else { return node.place.clone() };
    let raw = faults.text(&node.place);
    let pieces = align(raw, value, *style);
    let last = pieces.last().map_or(0, |piece| piece.raw.end);
    let start = pieces.iter().find(|piece| piece.value >= range.start).map_or(last, |piece| piece.raw.start);
    let covered = pieces.iter().filter(|piece| piece.value >= range.start && piece.value < range.end);
    let end = covered.max_by_key(|piece| piece.value).map_or(start, |piece| piece.raw.end);
    let base = node.place.range.start;
    Place { source: node.place.source, range: base + start..base + end.max(start) }
}

/// The place of a scalar's text without quotes and trailing white space; of anything else its whole place.
pub fn written(faults: &Faults, node: &Node) -> Place {
    let length = match &node.kind {
        Kind::Scalar(text, _) => text.trim_end().len(),
        _ => 0,
    };
    inside(faults, node, 0..length)
}

/// One character: its offset in the value and its bytes in the source.
struct Piece {
    value: usize,
    raw: Range<usize>,
}

/// Where each character of the value stands in the source.
fn align(raw: &str, value: &str, style: Style) -> Vec<Piece> {
    let mut at = usize::from(matches!(style, Style::SingleQuoted | Style::DoubleQuoted));
    let mut pieces = Vec::new();
    for (offset, character) in value.char_indices() {
        at = skip_space(raw, at, character, style);
        let length = match written_length(&raw[at..], character, style) {
            Some(length) => length,
            // Folded line ends: one character of the value for several of the source; the next one skips them.
            None if character.is_whitespace() => 0,
            None => break,
        };
        pieces.push(Piece { value: offset, raw: at..at + length });
        at += length;
    }
    pieces
}

/// Skips the source's white space before a character that is none, and escaped line ends.
fn skip_space(raw: &str, mut at: usize, character: char, style: Style) -> usize {
    loop {
        let rest = &raw[at..];
        let escaped_line_end = style == Style::DoubleQuoted && (rest.starts_with("\\\n") || rest.starts_with("\\\r\n"));
        if escaped_line_end {
            at += 1;
            at += raw[at..].len() - raw[at..].trim_start().len();
            continue;
        }
        match rest.chars().next() {
            Some(found) if found.is_whitespace() && !character.is_whitespace() => at += found.len_utf8(),
            _ => return at,
        }
    }
}

/// How many bytes of the source write this character, if they do.
fn written_length(rest: &str, character: char, style: Style) -> Option<usize> {
    if style == Style::DoubleQuoted && rest.starts_with('\\') {
        return Some(escape_length(rest, character).min(rest.len()));
    }
    if style == Style::SingleQuoted && character == '\'' && rest.starts_with("''") {
        return Some(2);
    }
    rest.starts_with(character).then(|| character.len_utf8())
}

/// The length of the escape at the start of `rest`; a character beyond U+FFFF may be written as two `\u`.
fn escape_length(rest: &str, character: char) -> usize {
    match rest[1..].chars().next() {
        Some('x') => 4,
        Some('u') if u32::from(character) > 0xFFFF => 12,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::yaml;

    /// The source text under `term` of the value of `key`.
    fn check(yaml: &str, term: &str, expected: &str) {
        let mut faults = Faults::default();
        let source = faults.add_source("t.yaml", yaml);
        let root = yaml::parse(source, yaml, &mut faults).expect("valid");
        let Kind::Mapping(entries) = &root.kind else { panic!("no mapping") };
        let Kind::Scalar(value, _) = &entries[0].1.kind else { panic!("no scalar") };
        let start = value.find(term).expect("term is in the value");
        let place = inside(&faults, &entries[0].1, start..start + term.len());
        assert_eq!(faults.text(&place), expected, "{yaml:?}");
    }

    #[test]
    fn terms_are_found_again_in_every_style() {
        check("k: a == b", "b", "b");
        check("k: é == bcd # x", "bcd", "bcd");
        check("k: a ==\n   b &&\n   cd", "cd", "cd");
        check("k: a ==\n\n   b &&\n   cd", "b && cd", "b &&\n   cd");
        check("k: |\n  a ==\n    é &&\n  cd\n", "cd", "cd");
        check("k: |\n  a ==\n    é &&\n  cd\n", "é &&\n", "é &&\n");
        check("k: >\n  a ==\n  b\n\n  && cd\n", "cd", "cd");
        check("k: 'it''s xy'", "'s xy", "''s xy");
        check("k: 'it''s xy'", "xy", "xy");
        check("k: \"\\u00e9 \\\"q\\\" \\x41 xy\"", "xy", "xy");
        check("k: \"\\u00e9 \\\"q\\\" \\x41 xy\"", "\"q\"", "\\\"q\\\"");
        check("k: \"a \\\n   b xy\"", "b xy", "b xy");
        check("k: \"a\n   b xy\"", "b", "b");
        check("k: \"\\U0001F600 xy\"", "xy", "xy");
    }

    #[test]
    fn the_end_of_a_value_is_a_place() {
        let mut faults = Faults::default();
        let source = faults.add_source("t.yaml", "k: ab\n");
        let root = yaml::parse(source, "k: ab\n", &mut faults).expect("valid");
        let Kind::Mapping(entries) = &root.kind else { panic!("no mapping") };
        assert_eq!(inside(&faults, &entries[0].1, 2..2).range, 5..5);
    }

    proptest::proptest! {
        /// Every character of a value stands where the source has it, or an escape for it.
        #[test]
        fn quoted_text_is_aligned(text in "[a-zé设 '\"\\\\\t\n😀]{1,40}") {
            let quoted = serde_json::to_string(&text).expect("text");
            let pieces = align(&quoted, &text, Style::DoubleQuoted);
            proptest::prop_assert_eq!(pieces.len(), text.chars().count());
            for (piece, (offset, character)) in pieces.iter().zip(text.char_indices()) {
                let written = &quoted[piece.raw.clone()];
                proptest::prop_assert_eq!(piece.value, offset);
                proptest::prop_assert!(written.starts_with(character) || written.starts_with('\\'));
            }
        }

        #[test]
        fn single_quoted_text_is_aligned(text in "[a-zé设' ]{1,40}") {
            let quoted = format!("'{}'", text.replace('\'', "''"));
            let pieces = align(&quoted, &text, Style::SingleQuoted);
            let written: String = pieces.iter().map(|piece| quoted[piece.raw.clone()].replace("''", "'")).collect();
            proptest::prop_assert_eq!(written, text);
        }
    }
}

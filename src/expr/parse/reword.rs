//! The parser's errors, which speak of its grammar -> ours, which speak to the author of a rule.

use std::ops::Range;

use cel::parser::ParseError;

use super::super::fault::Fault;
use super::super::lex::Token;
use super::too_deep;

const SYNTAX: &str = "Syntax error: ";

/// Rewords errors. After the first syntax error the parser guesses, so the others are left out.
pub(super) fn reword(text: &str, tokens: &[Token], errors: &[ParseError]) -> Vec<Fault> {
    let syntax = errors.iter().filter(|error| error.msg.starts_with(SYNTAX)).min_by_key(|error| error.pos);
    if let Some(error) = syntax {
        return vec![syntax_fault(text, tokens, error)];
    }
    let known = errors.iter().filter_map(|error| literal_fault(text, tokens, error));
    let faults: Vec<Fault> = known.collect();
    if faults.is_empty() { vec![too_deep(0..text.len())] } else { faults }
}

fn syntax_fault(text: &str, tokens: &[Token], error: &ParseError) -> Fault {
    let range = place(text, tokens, error.pos);
    let message = &error.msg[SYNTAX.len()..];
    let found = &text[range.clone()];
    if found.starts_with(['\'', '"']) && message.starts_with("token recognition") {
        return string_fault(range, found);
    }
    if found.trim().is_empty() {
        return Fault::new(range, "the expression ends too early")
            .expected("a value, an operator or a closing bracket");
    }
    let mut fault = Fault::new(range, format!("unexpected `{found}`"));
    if let Some((missing, _)) = message.strip_prefix("missing '").and_then(|rest| rest.split_once('\'')) {
        fault = fault.expected(format!("`{missing}`"));
    }
    match instead(found) {
        Some(help) => fault.help(help),
        None => fault,
    }
}

fn string_fault(range: Range<usize>, found: &str) -> Fault {
    let quote = &found[..1];
    if found.len() > 1 && found.ends_with(quote) {
        let help = "the escapes are \\\\ \\' \\\" \\n \\r \\t \\xHH \\uHHHH; r'..' takes no escapes";
        return Fault::new(range, "the string has an unknown escape").help(help);
    }
    Fault::new(range, "the string has no end").expected(format!("a closing `{quote}`"))
}

/// What people of other languages mean.
fn instead(found: &str) -> Option<&'static str> {
    Some(match found {
        "=" => "equality is written `==`",
        "&" | "and" | "AND" => "write `&&`",
        "|" | "or" | "OR" => "write `||`",
        "not" | "NOT" => "write `!`",
        "<>" => "write `!=`",
        _ => return None,
    })
}

/// Errors of single literals and names.
fn literal_fault(text: &str, tokens: &[Token], error: &ParseError) -> Option<Fault> {
    let range = place(text, tokens, error.pos);
    let found = &text[range.clone()];
    Some(match error.msg.split_once(':').map_or(error.msg.as_str(), |(kind, _)| kind) {
        "invalid int literal" => Fault::new(range, format!("`{found}` does not fit an int")).expected(format!(
            "{} to {}",
            i64::MIN,
            i64::MAX
        )),
        "invalid double literal" => Fault::new(range, format!("`{found}` does not fit a double")),
        "invalid uint literal" => Fault::new(range, "there are no unsigned literals").help("leave out the `u`"),
        "invalid string literal" => Fault::new(range, "the string has an unknown escape"),
        "invalid bytes literal" => Fault::new(range, "there are no bytes literals").help("write a string"),
        "reserved identifier" => Fault::new(range, format!("`{found}` is a reserved word")),
        other if other.starts_with("unsupported syntax") => Fault::new(range, format!("unexpected `{found}`")),
        _ => return None,
    })
}

/// Bytes of the token at a line and column, both from 1; the end of the text where there is none.
fn place(text: &str, tokens: &[Token], (line, column): (isize, isize)) -> Range<usize> {
    let line = usize::try_from(line - 1).unwrap_or(0);
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let skip = usize::try_from(column - 1).unwrap_or(0);
    let at = text[start..].char_indices().nth(skip).map_or(text.len(), |(offset, _)| start + offset);
    match tokens.iter().find(|token| token.range.contains(&at)) {
        Some(token) => token.range.clone(),
        None => at..at + text[at..].chars().next().map_or(0, char::len_utf8),
    }
}

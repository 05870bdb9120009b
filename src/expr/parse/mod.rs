//! CEL text -> syntax tree, by the `cel` crate's parser.
//!
//! That parser expands macros and has no `has(name)`, so the macros' names are changed to others of equal length
//! first: nothing expands, and every place stays right. It recurses about twenty frames per level, so its nesting
//! is limited and it runs on a thread whose stack is known to be large enough; the tree is made there too.

mod convert;
mod reword;

use cel::parser::Parser;

use super::fault::Fault;
use super::lex::{Token, TokenKind, tokens};
use super::syntax::Syntax;

/// Longest expression, bytes.
const MAX_LENGTH: usize = 16 * 1024;
/// Deepest nesting of brackets.
const MAX_NESTING: usize = 32;
/// Deepest nesting the parser accepts: brackets and conditionals.
const MAX_PARSER_NESTING: u16 = 64;
/// Twice what was seen to suffice for the longest possible chains.
const STACK: usize = 64 * 1024 * 1024;
/// Calls that the parser would expand.
const MACROS: [&str; 6] = ["has", "all", "exists", "exists_one", "map", "filter"];

/// Parses an expression, or returns its faults.
#[expect(clippy::disallowed_methods, reason = "a stack of known size; waited for, so the result is the same")]
pub fn parse(text: &str) -> Result<Syntax, Vec<Fault>> {
    let tokens = tokens(text);
    if let Some(fault) = refuse(text, &tokens) {
        return Err(vec![fault]);
    }
    let parsed = std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().stack_size(STACK);
        let thread = builder.spawn_scoped(scope, || parse_here(text, &tokens)).ok()?;
        thread.join().ok()
    });
    parsed.unwrap_or_else(|| Err(vec![Fault::new(0..text.len(), "the expression could not be parsed")]))
}

/// What is wrong with a text before it is parsed.
fn refuse(text: &str, tokens: &[Token]) -> Option<Fault> {
    if text.len() > MAX_LENGTH {
        let message = format!("the expression has {} bytes", text.len());
        return Some(Fault::new(0..text.len(), message).expected(format!("at most {MAX_LENGTH} bytes")));
    }
    if tokens.is_empty() && text.is_ascii() {
        return Some(Fault::new(0..text.len(), "the expression is empty").expected("a value"));
    }
    let mut nesting = 0_usize;
    let deep = tokens.iter().find(|token| {
        match token.kind {
            TokenKind::Sign(b'(' | b'[' | b'{') => nesting += 1,
            TokenKind::Sign(b')' | b']' | b'}') => nesting = nesting.saturating_sub(1),
            _ => {}
        }
        nesting > MAX_NESTING
    })?;
    Some(too_deep(deep.range.clone()))
}

fn too_deep(range: std::ops::Range<usize>) -> Fault {
    Fault::new(range, "the expression is nested too deeply")
        .expected(format!("at most {MAX_NESTING} levels"))
        .help("give a part of it a name under `derive`")
}

fn parse_here(text: &str, tokens: &[Token]) -> Result<Syntax, Vec<Fault>> {
    let parser = Parser::new().max_recursion_depth(MAX_PARSER_NESTING);
    match parser.parse_with_source_info(&without_macros(text, tokens)) {
        Ok((expression, places)) => convert::convert(text, tokens, &expression, &places),
        Err(errors) => Err(reword::reword(text, tokens, &errors.errors)),
    }
}

/// The text with the first letter of every macro's name changed; the tree takes names from the original text.
fn without_macros(text: &str, tokens: &[Token]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for pair in tokens.windows(2) {
        let name = &pair[0];
        if pair[1].kind == TokenKind::Sign(b'(') && MACROS.contains(&&text[name.range.clone()]) {
            out.push_str(&text[copied..name.range.start]);
            out.push('_');
            copied = name.range.start + 1;
        }
    }
    out.push_str(&text[copied..]);
    out
}

#[cfg(test)]
mod tests;

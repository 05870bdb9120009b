//! Patterns of `matches`: RE2 syntax on top of the `regex` crate.
//!
//! The two agree but for a few things settled here: in RE2 `\d`, `\s`, `\w` and `\b` are ASCII, and inside a class
//! `[`, `&&` and `~~` are plain characters.

use regex::bytes::{Regex, RegexBuilder};

/// Most memory of a compiled pattern, bytes.
const SIZE_LIMIT: usize = 1 << 20;

/// Compiles a pattern, or says what is wrong with it.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(&translate(pattern)).size_limit(SIZE_LIMIT).dfa_size_limit(SIZE_LIMIT).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern needs too much memory".to_owned(),
        // The library draws the pattern first; its last line says what is wrong.
        other => other.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    let mut class = false;
    while let Some(next) = rest.next() {
        match next {
            '\\' => match rest.next() {
                Some(escaped) => push_escape(&mut out, escaped, class),
                None => out.push('\\'),
            },
            '[' if !class => {
                class = true;
                out.push('[');
                // Right after `[` or `[^` a bracket is a character.
                out.extend(rest.next_if_eq(&'^'));
                if rest.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
            }
            '[' if rest.peek() == Some(&':') => push_named_class(&mut out, &mut rest),
            ']' if class => {
                class = false;
                out.push(']');
            }
            '[' | '&' | '~' if class => out.extend(['\\', next]),
            _ => out.push(next),
        }
    }
    out
}

fn push_escape(out: &mut String, escaped: char, class: bool) {
    let ascii = match escaped {
        'd' if class => "0-9",
        's' if class => r"\t\n\f\r ",
        'w' if class => "0-9A-Za-z_",
        'd' => "[0-9]",
        's' => r"[\t\n\f\r ]",
        'w' => "[0-9A-Za-z_]",
        'D' => "[^0-9]",
        'S' => r"[^\t\n\f\r ]",
        'W' => "[^0-9A-Za-z_]",
        'b' if !class => r"(?-u:\b)",
        'B' if !class => r"(?-u:\B)",
        _ => {
            out.extend(['\\', escaped]);
            return;
        }
    };
    out.push_str(ascii);
}

/// `[:alpha:]` within a class.
fn push_named_class(out: &mut String, rest: &mut std::iter::Peekable<std::str::Chars>) {
    out.push('[');
    for next in rest.by_ref() {
        out.push(next);
        if next == ']' {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, text: &str, expected: bool) {
        let compiled = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        assert_eq!(compiled.is_match(text.as_bytes()), expected, "{pattern} on {text}");
    }

    #[test]
    fn searches_unanchored() {
        check("b+", "abc", true);
        check("^b", "abc", false);
        check("^[a-z]+$", "abc", true);
        check("", "", true);
        check("付.", "支付宝", true);
    }

    #[test]
    fn classes_are_ascii_as_in_re2() {
        check(r"^\d$", "5", true);
        check(r"^\d$", "\u{665}", false);
        check(r"^[\d]$", "\u{665}", false);
        check(r"^\w$", "é", false);
        check(r"^\W$", "é", true);
        check(r"^[\Da]$", "é", true);
        check(r"\bfoo\b", "éfooé", true);
        check(r"^[[:alpha:]]+$", "ab", true);
        check(r"^[a&&b]+$", "a&b", true);
        check(r"^[[]$", "[", true);
        check(r"^[]]$", "]", true);
        check(r"^[^]]$", "]", false);
        check(r"^\[\]$", "[]", true);
    }

    #[test]
    fn bad_patterns_are_told() {
        for pattern in ["(", "a{2,1}", "[z-a]", r"(?=a)", r"\1", "(a{1000}){1000}", "\\"] {
            assert!(compile(pattern).is_err_and(|error| !error.is_empty()), "{pattern}");
        }
    }
}

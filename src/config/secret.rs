//! Secrets: text that does not show itself, and the hiding of secrets in the excerpts of messages.
//!
//! A message shows the line it is about. Whoever wrote a password into the file, against the rules, must not find it
//! in the log of a pipeline as well; so messages are made from a copy of the text in which such values are stars.

use std::fmt;
use std::ops::Range;

use crate::ruleset::yaml::{Key, Kind, Node};

/// Text that is shown as `[redacted]` only.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a secret.
    pub fn new(text: String) -> Secret {
        Secret(text)
    }

    /// The text, for whom it is meant.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Words in the names of properties whose values are secrets, librdkafka's and Java's among them, and what is
/// nearly one: a password under a mistyped name is one all the same.
const SECRET_WORDS: [&str; 8] = ["pass", "pasw", "pwd", "secret", "key.pem", "oauthbearer.config", "token", "jaas"];
/// Properties that have such a word in their name and are no secrets.
const NO_SECRETS: [&str; 2] = ["sasl.oauthbearer.token.endpoint.url", "enable.sasl.oauthbearer.unsecure.jwt"];

/// Whether a property of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('_', ".");
    SECRET_WORDS.iter().any(|word| name.contains(word)) && !NO_SECRETS.contains(&name.as_str())
}

/// The text with literal secrets as stars of the same length: by the tree, and by lines where the tree does not hold
/// all of the text.
pub fn masked(text: &str, tree: Option<&Node>, is_faulty: bool) -> String {
    let mut ranges = Vec::new();
    if let Some(tree) = tree {
        secrets_of_tree(tree, &mut ranges);
    }
    if is_faulty {
        secrets_of_lines(text, &mut ranges);
    }
    let mut bytes = text.as_bytes().to_vec();
    for range in ranges {
        bytes[range].iter_mut().filter(|byte| !matches!(byte, b'\n' | b'\r')).for_each(|byte| *byte = b'*');
    }
    // Whole characters were replaced, each by stars, so this is UTF-8 still.
    String::from_utf8(bytes).unwrap_or_default()
}

fn secrets_of_tree(node: &Node, ranges: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::Mapping(entries) => {
            for (key, value) in entries {
                match &value.kind {
                    _ if !is_secret(&key.text) => secrets_of_tree(value, ranges),
                    Kind::Mapping(entries) if is_reference(entries) => {}
                    _ => all_of(value, ranges),
                }
            }
        }
        Kind::Sequence(elements) => elements.iter().for_each(|element| secrets_of_tree(element, ranges)),
        Kind::Scalar(text, _) if holds_password(text) => ranges.push(node.place.range.clone()),
        Kind::Null | Kind::Scalar(..) => {}
    }
}

/// Whether this says where a secret is instead of what it is.
fn is_reference(entries: &[(Key, Node)]) -> bool {
    matches!(entries, [(key, Node { kind: Kind::Scalar(..), .. })] if matches!(key.text.as_str(), "file" | "env"))
}

/// `user:password@host`, wherever it stands.
fn holds_password(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(before, _)| before.contains(':'))
}

/// The value of a variable for messages, in which a password before a host is stars.
pub fn masked_variable(text: &str) -> String {
    if !text.contains('@') {
        return text.to_string();
    }
    // As many bytes as there were, so that places in it stay.
    text.split(',')
        .map(|part| if part.contains('@') { "*".repeat(part.len()) } else { part.to_string() })
        .collect::<Vec<_>>()
        .join(",")
}

/// All text, keys included: whatever shape a secret was given, it is one.
fn all_of(node: &Node, ranges: &mut Vec<Range<usize>>) {
    match &node.kind {
        Kind::Scalar(..) => ranges.push(node.place.range.clone()),
        Kind::Sequence(elements) => elements.iter().for_each(|element| all_of(element, ranges)),
        Kind::Mapping(entries) => entries.iter().for_each(|(key, value)| {
            ranges.push(key.place.range.clone());
            all_of(value, ranges);
        }),
        Kind::Null => {}
    }
}

/// What stands after a secret's name on its line, and the lines below that are indented more.
fn secrets_of_lines(text: &str, ranges: &mut Vec<Range<usize>>) {
    let mut start = 0;
    let mut below: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches([' ', '-']);
        let indent = line.len() - content.len();
        let end = start + line.len();
        // A password before a host needs no name to be one.
        if line.contains('@') {
            ranges.push(start..end);
        }
        let lower = line.to_ascii_lowercase().replace('_', ".");
        let word = SECRET_WORDS.iter().filter_map(|word| lower.find(word).map(|at| at + word.len())).min();
        // The rest of the name is none.
        let word = word.map(|at| at + lower[at..].find(|sign: char| !sign.is_alphanumeric()).unwrap_or(0));
        match (below, word) {
            (Some(least), _) if content.trim().is_empty() || indent > least => ranges.push(start..end),
            (_, Some(after)) if is_open(&line[after..]) => {
                ranges.push(start + after..text.len());
                return;
            }
            (_, Some(after)) => {
                ranges.push(start + after..end);
                below = Some(indent);
            }
            _ => below = None,
        }
        start = end;
    }
}

/// Whether what begins here goes on in lines below, however they are indented.
fn is_open(rest: &str) -> bool {
    let count = |signs: &[char]| rest.matches(signs).count();
    count(&['{', '[']) > count(&['}', ']']) || count(&['"']) % 2 == 1 || count(&['\'']) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::diagnostic::Faults;
    use crate::ruleset::yaml::parse;

    #[test]
    fn secrets_do_not_show_themselves() {
        let secret = Secret::new("hunter2".to_string());
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)).matches("hunter2").count(), 0);
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn secret_properties_are_known_by_name() {
        for (name, expected) in [
            ("sasl.password", true),
            ("ssl.key.password", true),
            ("ssl.key.pem", true),
            ("ssl.keystore.password", true),
            ("sasl.oauthbearer.client.secret", true),
            ("sasl.oauthbearer.assertion.private.key.passphrase", true),
            ("SASL_PASSWORD", true),
            ("sasl.oauthbearer.config", true),
            ("sasl.oauthbearer.client.credentials.client.secret", true),
            ("sasl.oauthbearer.client.credentials.client.id", false),
            ("sasl.jaas.config", true),
            ("sasl.pasword", true),
            ("sasl.username", false),
            ("ssl.ca.location", false),
            ("ssl.key.location", false),
            ("sasl.oauthbearer.token.endpoint.url", false),
        ] {
            assert_eq!(is_secret(name), expected, "{name}");
        }
    }

    /// The text after masking by its tree, or by lines where it has none.
    fn check(text: &str, expected: &str) {
        let mut faults = Faults::default();
        let source = faults.add_source("t", text);
        let tree = parse(source, text, &mut faults);
        let found = masked(text, tree.as_ref(), faults.any_error());
        assert_eq!(found, expected);
        assert_eq!(found.len(), text.len());
    }

    #[test]
    fn literal_secrets_become_stars() {
        check("a: { sasl.password: hunter2, b: 1 }\n", "a: { sasl.password: *******, b: 1 }\n");
        check("password: 'é'\n", "password: ****\n");
        check("x: &p hunter2\npassword: *p\n", "x: &p *******\npassword: *p\n");
        check("password: { file: a }\n", "password: { file: a }\n");
        check("password: { value: hunter2 }\n", "password: { *****: ******* }\n");
        check("password: { file: { hunter2: } }\n", "password: { ****: { *******: } }\n");
        check("password: [{ env: [hunter2] }]\n", "password: [{ ***: [*******] }]\n");
        check("password: { hunter2 }\n", "password: { ******* }\n");
        check("a: { sasl.jaas.config: hunter2 }\n", "a: { sasl.jaas.config: ******* }\n");
        check("a: ['joe:hunter2@b:1', joe@b, b:1]\n", "a: [*****************, joe@b, b:1]\n");
        check("ssl.key.pem: |\n  ab\n  cd\nx: 1\n", "ssl.key.pem: |\n  **\n****\nx: 1\n");
    }

    #[test]
    fn broken_text_is_masked_by_lines() {
        check("a: [\npassword: hunter2\nb: 1\n", "a: [\npassword*********\nb: 1\n");
        check("a: [\npassword: {\nvalue: hunter2 }\n", "a: [\npassword***\n****************\n");
        check("a: [\nb: joe:hunter2@b\n", "a: [\n****************\n");
        check("a: [\n  password:\n    hunter2\n\n  b: 1\n", "a: [\n  password*\n***********\n\n  b: 1\n");
    }
}

//! Typed reading of YAML nodes: what a node should be, and a fault where it is something else.
//!
//! Every function notes its own fault and returns `None`; callers go on, so that all faults are found.

use super::diagnostic::{Faults, Place};
use super::suggest::{did_you_mean, one_of};
use super::yaml::{Key, Kind, Node, Style};
use crate::model::time::parse_duration;

/// The entries of a mapping with known keys.
pub struct Keys<'a> {
    entries: &'a [(Key, Node)],
    /// Where to say that a key is missing.
    pub place: Place,
}

impl<'a> Keys<'a> {
    /// The value of a key, where it is written; an empty value counts as written.
    pub fn get(&self, name: &str) -> Option<&'a Node> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(_, node)| node)
    }

    /// The place of a key, for faults about the key itself.
    pub fn key_place(&self, name: &str) -> Option<&'a Place> {
        self.entries.iter().find(|(key, _)| key.text == name).map(|(key, _)| &key.place)
    }

    /// The value of a key that must be there.
    pub fn must(&self, faults: &mut Faults, name: &str) -> Option<&'a Node> {
        let node = self.get(name);
        if node.is_none() {
            faults.error("missing-key", &self.place, format!("`{name}` is missing here"));
        }
        node
    }
}

/// A fault: a node is not what was expected.
pub fn wrong_type(faults: &mut Faults, node: &Node, expected: &str) {
    let message = format!("found {} where {expected} belongs", node.describe());
    faults.error("wrong-type", &node.place, message).expected(expected);
}

/// A mapping with only the given keys. `at` is where missing keys are reported.
pub fn keys<'a>(faults: &mut Faults, node: &'a Node, at: &Place, allowed: &[&str]) -> Option<Keys<'a>> {
    let entries = mapping(faults, node)?;
    for (key, _) in entries.iter().filter(|(key, _)| !allowed.contains(&key.text.as_str()) && key.text != "<<") {
        let help = did_you_mean(&key.text, allowed.iter().copied());
        let message = format!("unknown key `{}`", key.text);
        faults.error("unknown-key", &key.place, message).expected(one_of(allowed)).help(help);
    }
    Some(Keys { entries, place: at.clone() })
}

/// A mapping with any keys.
pub fn mapping<'a>(faults: &mut Faults, node: &'a Node) -> Option<&'a [(Key, Node)]> {
    match &node.kind {
        Kind::Mapping(entries) => Some(entries),
        _ => {
            wrong_type(faults, node, "a mapping");
            None
        }
    }
}

/// A list.
pub fn sequence<'a>(faults: &mut Faults, node: &'a Node) -> Option<&'a [Node]> {
    match &node.kind {
        Kind::Sequence(elements) => Some(elements),
        _ => {
            wrong_type(faults, node, "a list");
            None
        }
    }
}

/// A single value or a list of them.
pub fn one_or_many(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::Sequence(elements) => elements,
        _ => std::slice::from_ref(node),
    }
}

/// Text in any style; a number or `true` without quotes is taken as written.
pub fn text<'a>(faults: &mut Faults, node: &'a Node, expected: &str) -> Option<&'a str> {
    match &node.kind {
        Kind::Scalar(text, _) => Some(text),
        _ => {
            wrong_type(faults, node, expected);
            None
        }
    }
}

/// A fault: a value is not one of those allowed.
pub fn bad_value(faults: &mut Faults, node: &Node, message: String, expected: &str) {
    faults.error("bad-value", &node.place, message).expected(expected);
}

/// One of a few words.
pub fn word<T: Copy>(faults: &mut Faults, node: &Node, words: &[(&str, T)]) -> Option<T> {
    let names: Vec<&str> = words.iter().map(|(name, _)| *name).collect();
    let found = text(faults, node, &one_of(&names))?;
    if let Some((_, value)) = words.iter().find(|(name, _)| *name == found) {
        return Some(*value);
    }
    let help = did_you_mean(found, names.iter().copied());
    let message = format!("`{found}` is not known here");
    faults.error("bad-value", &node.place, message).expected(one_of(&names)).help(help);
    None
}

/// An integer of at least `least` and at most `most`, without quotes.
pub fn integer(faults: &mut Faults, node: &Node, least: i64, most: i64) -> Option<i64> {
    let expected = match most {
        i64::MAX => format!("an integer of at least {least}"),
        _ => format!("an integer from {least} to {most}"),
    };
    let found = text(faults, node, &expected)?;
    let plain = matches!(node.kind, Kind::Scalar(_, Style::Plain));
    let digits = found.strip_prefix('-').unwrap_or(found);
    let decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let value = found.parse::<i64>().ok().filter(|value| (least..=most).contains(value));
    let wrong = match value {
        _ if !decimal => "is no integer",
        _ if !plain => "is text because of its quotes",
        Some(value) => return Some(value),
        None => "is out of range",
    };
    bad_value(faults, node, format!("`{}` {wrong}", shorten(found)), &expected);
    None
}

/// `true` or `false`, without quotes.
pub fn boolean(faults: &mut Faults, node: &Node) -> Option<bool> {
    match &node.kind {
        Kind::Scalar(text, Style::Plain) if text == "true" => Some(true),
        Kind::Scalar(text, Style::Plain) if text == "false" => Some(false),
        _ => {
            bad_value(faults, node, "this is neither `true` nor `false`".to_string(), "`true` or `false`");
            None
        }
    }
}

/// What durations look like, for people.
pub const DURATION_FORM: &str = "a duration such as `90s`, `15m`, `1h30m` or `30d`";

/// A duration in ms, at least `least` ms.
pub fn duration(faults: &mut Faults, node: &Node, least: i64) -> Option<i64> {
    let found = text(faults, node, DURATION_FORM)?;
    match parse_duration(found) {
        Ok(value) if value >= least => Some(value),
        Ok(_) => {
            bad_value(faults, node, "a duration of zero has no meaning here".to_string(), "a duration above zero");
            None
        }
        Err(error) => {
            bad_value(faults, node, format!("`{}` is no duration: {error}", shorten(found)), DURATION_FORM);
            None
        }
    }
}

/// A text cut to a length fit for a message.
pub fn shorten(text: &str) -> String {
    let mut characters = text.chars();
    let start: String = characters.by_ref().take(60).collect();
    if characters.next().is_none() { start } else { format!("{start}...") }
}

//! What the tests of the lints share: a rule set as text, and the ids of what is found in it.

use crate::ruleset::load::{Loaded, SourceFile, load};

/// Loads a rule set below the usual head.
pub fn loaded(text: &str) -> Loaded {
    let head = if text.contains("ruleset:") { "" } else { "ruleset: { name: t, currency: CNY }\n" };
    let file = SourceFile { path: "t.yaml".to_string(), text: format!("{head}{text}") };
    let read_list = |_: &str, _: &str| Err("no lists here".to_string());
    load(&[file], &read_list).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"))
}

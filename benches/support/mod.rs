//! What the benchmarks share: lines of traffic, and single stages of the engine set up to be run on their own.

#![allow(dead_code, reason = "every benchmark uses another part")]

pub mod features;
pub mod lines;
pub mod rules;

use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::ruleset::types::RuleSet;

/// The rules of the velocity workload.
pub const VELOCITY: &str = include_str!("../velocity/rules.yaml");

/// A rule set from its text; it uses no list files.
pub fn rule_set(text: &str) -> RuleSet {
    let file = SourceFile { path: "rules.yaml".to_owned(), text: text.to_owned() };
    match load(&[file], &|_, name| Err(format!("no list file `{name}` here"))) {
        Ok(loaded) => loaded.rules,
        Err(faults) => panic!("{faults:#?}"),
    }
}

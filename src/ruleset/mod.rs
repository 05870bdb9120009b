//! YAML -> [`RuleSet`](types::RuleSet), or every fault at once.

pub mod types;

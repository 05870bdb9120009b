//! YAML -> [`RuleSet`](types::RuleSet), or every fault at once.
//!
//! [`load`](load::load) is the way in: texts by value, so nothing here touches a file. Reading goes from the spanned
//! tree ([`yaml`]) through typed reading ([`read`]) section by section; faults are collected, never returned early.

pub mod aggregates;
mod canonical;
mod context;
mod derive;
pub mod diagnostic;
mod expression;
mod features;
mod header;
pub mod keys;
mod lists;
pub mod load;
mod locks;
mod merge;
mod options;
mod order;
pub mod outline;
pub(crate) mod read;
mod reason;
pub mod render;
mod roots;
mod rules;
mod scalar;
pub(crate) mod suggest;
pub mod types;
pub(crate) mod yaml;

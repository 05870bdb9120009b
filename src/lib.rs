//! lockkeeper: a transaction-anomaly and account-lock risk engine.
#![warn(clippy::expect_used, clippy::unwrap_used)]

pub mod cli;
pub mod engine;
pub mod expr;
pub mod feature;
pub mod generate;
#[cfg(feature = "service")]
pub mod kafka;
pub mod model;
pub mod replay;
pub mod rulefiles;
pub mod ruleset;
pub mod wire;

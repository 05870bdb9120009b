//! lockkeeper: a transaction-anomaly and account-lock risk engine.
#![warn(clippy::expect_used, clippy::unwrap_used)]

pub mod cli;
#[cfg(feature = "service")]
pub mod config;
#[cfg(feature = "service")]
pub mod demo;
pub mod engine;
pub mod expr;
pub mod feature;
pub mod generate;
pub mod journal;
pub mod judging;
#[cfg(feature = "service")]
pub mod kafka;
pub mod lint;
#[cfg(feature = "service")]
pub mod logging;
#[cfg(feature = "service")]
pub mod metrics;
pub mod model;
pub mod replay;
pub mod rulefiles;
pub mod ruleset;
pub mod schema;
#[cfg(feature = "service")]
pub mod service;
pub mod tables;
pub mod wire;

//! The nouns of the engine: events, money, time, values, locks, decisions.
//!
//! Types here cannot hold invalid values and know no text format: JSON, CSV and YAML stay in `wire` and
//! `ruleset`. Nothing here reads a clock, a file or a random source.

pub mod action;
pub mod batch;
pub mod calendar;
pub mod column;
pub mod day;
pub mod decimal;
pub mod events;
pub mod money;
pub mod outcome;
pub mod time;
pub mod value;

//! The streaming service: the only place that spawns threads.

pub mod health;
pub mod http;
mod page;
pub mod report;
mod stalled;
pub mod state;
pub mod status;

//! The engine against the oracle.
#[path = "oracle/mod.rs"]
mod oracle;

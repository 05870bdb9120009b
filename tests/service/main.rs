//! The streaming service as a process, against a real broker: what it writes is what a replay of its journal writes,
//! whatever happens to it meanwhile.
#![cfg(feature = "service")]
#![allow(clippy::disallowed_methods, reason = "waits for other processes")]

#[path = "../support/broker.rs"]
mod broker;
mod documented;
mod faults;
mod kills;
mod operator;
mod process;
mod rebuild;
mod silence;
mod stage;
mod stories;
mod traffic;

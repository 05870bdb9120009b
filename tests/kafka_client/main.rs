//! The Kafka layer against a real broker (and, for what that can show, against the in-process cluster).
#![cfg(feature = "service")]
#![allow(clippy::disallowed_methods, reason = "waits for other processes")]

#[path = "../support/broker.rs"]
mod broker;
mod faults;
mod log;
mod mock;
mod reading;
mod restart;
mod transactions;

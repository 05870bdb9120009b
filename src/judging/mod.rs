//! What decisions are worth: generated traffic knows which events are an attacker's, decisions say what became of them,
//! and here both meet. The demonstration and the test of the bars judge with the same code.
//!
//! [`ledger`] follows the attacks under way, [`caught`] counts what became of them, [`court`] reads a rule set's output
//! and [`report`] sums up. An attack is caught with the first of the attacker's events that is not simply allowed, and in
//! time if that comes before its third damaging event. Honest is an account that no attack of this or the last day has
//! touched. Pure.

pub mod caught;
pub mod court;
pub mod ledger;
pub mod report;

pub use caught::Caught;
pub use court::Court;
pub use ledger::{Ledger, Met};
pub use report::{Honest, Report};

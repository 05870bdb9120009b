//! State files: the engine's whole state with the place in the log it belongs to, so that a start need not read the
//! log from its beginning.
//!
//! A file is either whole and verified, or it is passed over with a reason and the next older one serves. It gets its
//! name only after it was written, flushed to the device and read back; so a name never stands for half a state.
//!
//! [`mod@format`] knows the bytes, [`directory`] the names and how many there are, [`header`] what a state belongs to.

pub mod directory;
pub mod error;
pub mod format;
pub mod header;
#[cfg(test)]
mod tests;

pub use directory::{Found, Loaded, PassedOver, Saved, StateDirectory};
pub use error::{StateError, Unusable};
pub use header::{Header, Identity, Progress, Snapshot};

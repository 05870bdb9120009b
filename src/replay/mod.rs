//! Replaying files: reading, decoding and running the engine over them. Part of the shell: files may be opened here.

pub mod input;
mod lines;
mod open;
pub mod run;
mod source;
pub mod summary;

pub use input::{InputError, InputFault, InputSet, Order, Progress};

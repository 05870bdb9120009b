//! Replaying files and journals: reading, decoding and running the engine over them. Part of the shell: files may be opened here.

pub mod input;
mod journal_file;
mod lines;
mod open;
pub mod playback;
pub mod run;
mod source;
pub mod summary;

pub use input::{InputError, InputFault, InputSet, Order, Progress};
pub use journal_file::JournalFile;

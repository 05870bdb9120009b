//! What can go wrong with state files: a directory that does not take them, and files that do not serve.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::format::FORMAT;
use crate::engine::snapshot::VERSION;

/// Why the directory cannot be used, or a state not be saved.
#[derive(Debug, Error)]
#[error("{}: cannot {action}: {fault}; {}", path.display(), remedy(fault))]
pub struct StateError {
    /// The file or directory.
    pub path: PathBuf,
    /// What was tried.
    pub action: &'static str,
    /// What the system said.
    pub fault: io::Error,
}

impl StateError {
    /// For `map_err`.
    pub(super) fn new(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
        let path = path.to_owned();
        move |fault| StateError { path, action, fault }
    }

    /// Whether there is no room: nothing is wrong with the directory otherwise.
    pub fn is_full(&self) -> bool {
        matches!(self.fault.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
    }
}

/// What an operator can do about a fault.
fn remedy(fault: &io::Error) -> &'static str {
    match fault.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space or name another `state.directory`; the states that are there were not touched"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "let this user write there, or name another `state.directory`"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => "name a directory as `state.directory`",
        io::ErrorKind::NotFound => "the directory must exist and stay; make it again or name another `state.directory`",
        io::ErrorKind::InvalidData => "what was written is not what is read back; look at the device",
        io::ErrorKind::InvalidInput => "name the instance with at most 200 bytes",
        _ => "look at the device, or name another `state.directory`",
    }
}

/// Why a file does not serve.
#[derive(Debug, Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It does not begin as one.
    #[error("is no state file of lockkeeper")]
    Foreign,
    /// Of another version of the file format.
    #[error("has file format {found}, this program reads {FORMAT}")]
    Format {
        /// Its format.
        found: u32,
    },
    /// Shorter or longer than it was written.
    #[error("is cut off or has grown: it is {found} bytes long and does not end as it should")]
    Length {
        /// Its length in bytes.
        found: u64,
    },
    /// A byte is not what it was.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// The engine's state has another layout.
    #[error("holds a state of layout {found}, this program reads {VERSION}")]
    Layout {
        /// Its layout.
        found: u32,
    },
    /// Of another rule set.
    #[error("belongs to rule set {found}, not {expected}")]
    RuleSet {
        /// The rule set it belongs to.
        found: String,
        /// The one that is loaded.
        expected: String,
    },
    /// Of other topics or another number of partitions.
    #[error("belongs to topics (with partitions) {found}, not {expected}")]
    Topics {
        /// The topics it belongs to.
        found: String,
        /// Those that are consumed.
        expected: String,
    },
    /// Its name says another sequence number than it has.
    #[error("was renamed: it has sequence number {found}")]
    Renamed {
        /// The sequence number it has.
        found: u64,
    },
    /// The caller had no use for it.
    #[error("{0}")]
    Refused(String),
}

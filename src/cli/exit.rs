//! Exit codes, the same for every verb.

use std::process::ExitCode;

/// How a verb ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// All is well.
    Fine = 0,
    /// Failed while running.
    Failed = 1,
    /// Used wrongly.
    Usage = 2,
    /// There are findings: rejected records under `--strict`, warnings under `--deny-warnings`.
    Findings = 3,
    /// Invalid rules or configuration (`EX_CONFIG` of sysexits).
    Config = 78,
    /// Stopped by a signal, as a shell reports SIGINT.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

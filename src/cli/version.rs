//! `lockkeeper --version -v`: what this build can read and talk, for whoever wonders why another one cannot.

use std::env::args_os;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _, stdout};
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

use super::exit::Exit;
use crate::engine::snapshot;
use crate::journal::{lines, record};
use crate::model::calendar::TIME_ZONES;

/// The one command line that asks for more than the short version. It is looked for before any other, since the parser
/// answers `--version` as soon as it sees it, whatever stands behind.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true, disable_help_flag = true)]
struct Asked {
    #[arg(short = 'V', long)]
    version: bool,
    #[arg(short, long)]
    verbose: bool,
}

/// Whether the command line asks for the long version.
pub fn is_long_asked() -> bool {
    is_asked(args_os())
}

/// Prints it.
///
/// # Errors
/// It cannot be written; a closed pipe is no error.
pub fn print_long() -> Result<ExitCode> {
    match stdout().lock().write_all(describe().as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        _ => Ok(Exit::Fine.into()),
    }
}

fn is_asked(arguments: impl IntoIterator<Item = OsString>) -> bool {
    Asked::try_parse_from(arguments).is_ok_and(|asked| asked.version && asked.verbose)
}

fn describe() -> String {
    let mut text = format!("lockkeeper {}\n", env!("CARGO_PKG_VERSION"));
    for (name, value) in facts() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{name:16} {value}");
    }
    text
}

fn facts() -> Vec<(&'static str, String)> {
    let features = [("service", cfg!(feature = "service")), ("tls", cfg!(feature = "tls"))];
    let features: Vec<&str> = features.iter().filter(|(_, built_in)| *built_in).map(|(name, _)| *name).collect();
    let profile = if cfg!(debug_assertions) { "with debug assertions" } else { "optimized" };
    let mut facts = vec![
        ("build", format!("{}-{}, {profile}", std::env::consts::ARCH, std::env::consts::OS)),
        ("rust", format!("{} or newer", env!("CARGO_PKG_RUST_VERSION"))),
        ("features", if features.is_empty() { "none".to_owned() } else { features.join(", ") }),
        ("time zones", format!("IANA {TIME_ZONES}")),
        ("state layout", snapshot::VERSION.to_string()),
        ("journal record", record::VERSION.to_string()),
        ("journal file", lines::VERSION.to_string()),
    ];
    facts.extend(service());
    facts
}

#[cfg(feature = "service")]
fn service() -> Vec<(&'static str, String)> {
    vec![
        ("state file", crate::service::state::format::FORMAT.to_string()),
        ("librdkafka", crate::kafka::library_version()),
        ("kafka features", crate::kafka::library_features().join(", ")),
    ]
}

#[cfg(not(feature = "service"))]
fn service() -> Vec<(&'static str, String)> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_flags_and_nothing_else_ask_for_the_long_version() {
        for (line, expected) in [
            ("--version -v", true),
            ("-v --version", true),
            ("--version --verbose", true),
            ("-V -v", true),
            ("-Vv", true),
            ("-vV", true),
            ("--version", false),
            ("-V", false),
            ("-v", false),
            ("", false),
            ("-vV replay", false),
            ("replay --version -v", false),
            ("--help --version -v", false),
        ] {
            let arguments = ["lockkeeper"].into_iter().chain(line.split_whitespace());
            assert_eq!(is_asked(arguments.map(OsString::from)), expected, "{line}");
        }
    }
}

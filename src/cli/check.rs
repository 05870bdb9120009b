//! `lockkeeper check`: are these rules valid?

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::exit::Exit;
use crate::rulefiles::load_paths;
use crate::ruleset::diagnostic::Diagnostic;
use crate::ruleset::render::{render_human, render_json};

const EXAMPLES: &str = "\
Examples:
  Check the rules of a directory:
    lockkeeper check rules/wallet

  In a pipeline, with warnings as errors:
    lockkeeper check --deny-warnings --format json rules/wallet

Exit codes: 0 valid, 2 usage, 3 warnings and --deny-warnings was given, 78 invalid.";

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on stderr.
    Human,
    /// A JSON array, on stdout.
    Json,
}

/// Check rule files: every fault at once, with its place.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub struct CheckArgs {
    /// How findings are written.
    #[arg(long, env = "LOCKKEEPER_FORMAT", value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Exit with 3 when there are warnings.
    #[arg(long, env = "LOCKKEEPER_DENY_WARNINGS")]
    deny_warnings: bool,

    /// Rule files or directories of them.
    #[arg(value_name = "PATH", default_value = "rules")]
    paths: Vec<PathBuf>,
}

/// Checks; see the exit codes in the help.
pub fn run(args: &CheckArgs) -> Result<Exit> {
    let (code, findings, id) = match load_paths(&args.paths) {
        Err(faults) => (Exit::Config, faults, None),
        Ok(loaded) if args.deny_warnings && !loaded.warnings.is_empty() => {
            (Exit::Findings, loaded.warnings, Some(loaded.rules.id))
        }
        Ok(loaded) => (Exit::Fine, loaded.warnings, Some(loaded.rules.id)),
    };
    report(args.format, &findings, id.as_deref());
    Ok(code)
}

fn report(format: Format, findings: &[Diagnostic], id: Option<&str>) {
    match format {
        Format::Json => anstream::println!("{}", render_json(findings).trim_end()),
        Format::Human => {
            anstream::eprint!("{}", render_human(findings, true));
            match (id, findings.len()) {
                (Some(id), 0) => anstream::eprintln!("{id} is valid"),
                (Some(id), 1) => anstream::eprintln!("{id} is valid, with 1 warning"),
                (Some(id), count) => anstream::eprintln!("{id} is valid, with {count} warnings"),
                (None, 1) => anstream::eprintln!("1 fault"),
                (None, count) => anstream::eprintln!("{count} faults"),
            }
        }
    }
}

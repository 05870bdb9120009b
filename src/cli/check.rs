//! `lockkeeper check`: are these rules valid, and the configuration that names them?

#[cfg(feature = "service")]
use std::path::Path;
use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, ValueEnum};

#[cfg(feature = "service")]
use super::configuration::load;
use super::exit::Exit;
#[cfg(feature = "service")]
use crate::config::Loaded;
use crate::lint::{LINTS, warnings};
use crate::rulefiles::load_paths;
use crate::ruleset::diagnostic::{Diagnostic, Severity};
use crate::ruleset::render::{render_human, render_json};

const EXAMPLES: &str = "\
Examples:
  Check the rules of a directory:
    lockkeeper check rules/wallet

  In a pipeline, with warnings as errors:
    lockkeeper check --deny-warnings --format json rules/wallet

  Without one of the lints that docs/lints.md explains:
    lockkeeper check --deny-warnings --allow unread-feature rules/wallet
";

/// Only for builds that have the flag.
const OF_CONFIGURATION: &str = "
  Check the configuration of the service, and the rules it names:
    lockkeeper check --config lockkeeper.yaml
";

const EXIT_CODES: &str = "
Exit codes: 0 valid, 2 usage, 3 warnings and --deny-warnings was given, 78 invalid.";

fn after_help() -> String {
    let of_configuration = if cfg!(feature = "service") { OF_CONFIGURATION } else { "" };
    format!("{EXAMPLES}{of_configuration}{EXIT_CODES}")
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people, on stderr.
    Human,
    /// A JSON array, on stdout.
    Json,
}

/// Check rule files, or a configuration: every fault at once, with its place.
#[derive(Debug, Clone, Args)]
#[command(after_help = after_help())]
pub struct CheckArgs {
    /// How findings are written.
    #[arg(long, env = "LOCKKEEPER_FORMAT", value_enum, default_value_t = Format::Human)]
    format: Format,

    /// Exit with 3 when there are warnings.
    #[arg(long, env = "LOCKKEEPER_DENY_WARNINGS")]
    deny_warnings: bool,

    /// Lints to pass over, separated by commas; docs/lints.md has them all.
    #[arg(long, env = "LOCKKEEPER_ALLOW", value_name = "LINT", value_delimiter = ',', hide_possible_values = true)]
    #[arg(value_parser = PossibleValuesParser::new(lint_names()))]
    allow: Vec<String>,

    /// Configuration of the service; its rules are checked with it.
    #[cfg(feature = "service")]
    #[arg(long, env = "LOCKKEEPER_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,

    /// Rule files or directories of them [default: those of the configuration, or `rules`]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
}

/// What `--allow` takes, with a word on each for completions.
fn lint_names() -> Vec<PossibleValue> {
    LINTS.iter().map(|lint| PossibleValue::new(lint.id).help(lint.title)).collect()
}

/// Checks; see the exit codes in the help.
pub fn run(args: &CheckArgs) -> Result<Exit> {
    let (mut findings, id) = find(args);
    findings.retain(|finding| {
        finding.severity == Severity::Error || !args.allow.iter().any(|allowed| allowed == finding.code)
    });
    let code = match findings.iter().map(|finding| finding.severity).min() {
        Some(Severity::Error) => Exit::Config,
        Some(Severity::Warning) if args.deny_warnings => Exit::Findings,
        _ => Exit::Fine,
    };
    report(args.format, &findings, id.as_deref());
    Ok(code)
}

/// All findings, and the rule set's id where there is no error.
fn find(args: &CheckArgs) -> (Vec<Diagnostic>, Option<String>) {
    #[cfg(feature = "service")]
    if let Some(path) = &args.config {
        return find_in_configuration(path, &args.paths);
    }
    let default = [PathBuf::from("rules")];
    match load_paths(if args.paths.is_empty() { &default } else { &args.paths }) {
        Ok(loaded) => (warnings(&loaded), Some(loaded.rules.id)),
        Err(faults) => (faults, None),
    }
}

/// The findings of a configuration, of its rules, and of both together.
#[cfg(feature = "service")]
fn find_in_configuration(path: &Path, rules: &[PathBuf]) -> (Vec<Diagnostic>, Option<String>) {
    let Loaded { config, warnings: mut findings } = match load(path) {
        Ok(loaded) => loaded,
        Err(faults) => return (faults, None),
    };
    match load_paths(if rules.is_empty() { &config.rules } else { rules }) {
        Ok(rules) => {
            findings.extend(warnings(&rules));
            let fault = config.lateness_fault(rules.rules.lateness);
            let id = fault.is_none().then_some(rules.rules.id);
            findings.extend(fault);
            (findings, id)
        }
        Err(faults) => {
            findings.extend(faults);
            (findings, None)
        }
    }
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

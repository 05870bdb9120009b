//! `lockkeeper schema`: JSON Schemas for editors and for programs at either end.

use std::io::{ErrorKind, Write as _, stdout};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::exit::Exit;
use crate::schema::{decision, event, rules};

const EXAMPLES: &str = "\
Examples:
  lockkeeper schema rules > rules.json
  lockkeeper schema event
  lockkeeper schema decision

An editor with the YAML language server checks a rule file whose first line is
  # yaml-language-server: $schema=rules.json";

/// Print a JSON Schema (draft-07) of rule files, events or output lines
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArgs {
    /// Of what
    #[arg(value_enum)]
    of: Of,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Of {
    /// A rule file
    Rules,
    /// An event
    Event,
    /// A line of the output: a decision, a lock's transition, a rejection or an eviction
    Decision,
}

/// Prints the schema.
///
/// # Errors
/// It cannot be written; a closed pipe is no error.
pub fn run(args: &SchemaArgs) -> Result<Exit> {
    let schema: Value = match args.of {
        Of::Rules => rules::schema(),
        Of::Event => event::schema(),
        Of::Decision => decision::schema(),
    };
    match writeln!(stdout().lock(), "{schema:#}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        _ => Ok(Exit::Fine),
    }
}

//! The command line: one file per verb, and what verbs share.

pub mod check;
pub mod completions;
#[cfg(feature = "service")]
mod configuration;
#[cfg(feature = "service")]
pub mod demo;
pub mod exit;
pub mod generate;
#[cfg(feature = "service")]
pub mod journal;
pub mod output;
pub mod progress;
#[cfg(feature = "service")]
pub mod rebuild;
pub mod replay;
#[cfg(feature = "service")]
pub mod run;
pub mod schema;
#[cfg(feature = "service")]
pub mod state;
pub mod version;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::rulefiles::load_paths;
use crate::ruleset::render::render_human;
use crate::ruleset::types::RuleSet;

/// Transaction-anomaly and account-lock risk engine for digital wallets.
#[derive(Debug, Parser)]
#[command(version, about, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// With --version: say as well what this build can read and talk.
    #[arg(short, long, requires = "version")]
    verbose: bool,

    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Replay(replay::ReplayArgs),
    Check(check::CheckArgs),
    Generate(generate::GenerateArgs),
    Schema(schema::SchemaArgs),
    #[cfg(feature = "service")]
    Demo(demo::DemoArgs),
    #[cfg(feature = "service")]
    Run(run::RunArgs),
    #[cfg(feature = "service")]
    Journal(journal::JournalArgs),
    #[cfg(feature = "service")]
    State(state::StateArgs),
    Completions(completions::CompletionsArgs),
    Man(completions::ManArgs),
}

/// Runs the verb that was asked for.
///
/// # Errors
/// What stopped it, for people; the exit code is then 1.
pub fn run(cli: &Cli) -> Result<ExitCode> {
    match &cli.verb {
        Verb::Replay(args) => replay::run(args).map(ExitCode::from),
        Verb::Check(args) => check::run(args).map(ExitCode::from),
        Verb::Generate(args) => generate::run(args),
        Verb::Schema(args) => schema::run(args).map(ExitCode::from),
        Verb::Completions(args) => completions::run(args).map(ExitCode::from),
        Verb::Man(args) => completions::run_man(args).map(ExitCode::from),
        #[cfg(feature = "service")]
        Verb::Demo(args) => demo::run(args).map(ExitCode::from),
        #[cfg(feature = "service")]
        Verb::Journal(args) => journal::run(args).map(ExitCode::from),
        #[cfg(feature = "service")]
        Verb::Run(args) => run::run(args).map(ExitCode::from),
        #[cfg(feature = "service")]
        Verb::State(args) => state::run(args).map(ExitCode::from),
    }
}

/// Loads a rule set; says what is wrong with it on stderr and returns `None` if it is not valid.
fn load_rules(paths: &[PathBuf]) -> Result<Option<RuleSet>> {
    match load_paths(paths) {
        Ok(loaded) => {
            anstream::eprint!("{}", render_human(&loaded.warnings, true));
            Ok(Some(loaded.rules))
        }
        Err(faults) => {
            anstream::eprint!("{}", render_human(&faults, true));
            Ok(None)
        }
    }
}

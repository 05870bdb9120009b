//! Parse, run, exit code.
#![warn(clippy::expect_used, clippy::unwrap_used)]

use std::process::ExitCode;

use clap::Parser;
use lockkeeper::cli::{Cli, run};

fn main() -> ExitCode {
    run(&Cli::parse()).unwrap_or_else(|error| {
        anstream::eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

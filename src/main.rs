//! Parse, run, exit code.
#![warn(clippy::expect_used, clippy::unwrap_used)]

use std::process::ExitCode;

use clap::Parser;
use lockkeeper::cli::{Cli, run, version};

fn main() -> ExitCode {
    let done = if version::is_long_asked() { version::print_long() } else { run(&Cli::parse()) };
    done.unwrap_or_else(|error| {
        anstream::eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

//! The command line as a user meets it: each file of `tests/cli/` holds commands, what they print, and how they exit.
//!
//! `TRYCMD=overwrite cargo test --test cli` rewrites them; times and rates are left out as `[..]`.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

const REPLAY: [&str; 5] = ["replay", "--rules", "rules/wallet", "--emit", "all"];
const GENERATE: [&str; 7] = ["generate", "--events", "5000", "--attacks", "stuffing=1", "--seed", "3"];

#[test]
fn commands_print_what_is_written() {
    let cases = trycmd::TestCases::new();
    cases.default_bin_name("lockkeeper").case("tests/cli/*.trycmd");
    // What the service adds is said in its own files, so that the rest also holds without it.
    #[cfg(feature = "service")]
    cases.case("tests/cli/service/*.trycmd");
}

fn lockkeeper(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(arguments).stderr(Stdio::null());
    command
}

fn text(path: &Path) -> Result<&str, Box<dyn Error>> {
    Ok(path.to_str().ok_or("a path that is UTF-8")?)
}

#[test]
fn traffic_goes_from_generate_to_replay_through_a_pipe_as_through_a_file() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (events, decisions) = (folder.path().join("events.jsonl"), folder.path().join("decisions.jsonl"));
    assert!(lockkeeper(&GENERATE).args(["--out", text(&events)?]).status()?.success());
    let through_file = lockkeeper(&REPLAY).args(["--out", text(&decisions)?, text(&events)?]).output()?;
    assert!(through_file.status.success() && through_file.stdout.is_empty());

    let mut generate = lockkeeper(&GENERATE).stdout(Stdio::piped()).spawn()?;
    let pipe = generate.stdout.take().ok_or("a pipe")?;
    let through_pipe = lockkeeper(&REPLAY).arg("-").stdin(pipe).output()?;
    assert!(generate.wait()?.success() && through_pipe.status.success());

    let expected = fs::read_to_string(&decisions)?;
    assert_eq!(String::from_utf8(through_pipe.stdout)?, expected);
    assert_eq!(expected.lines().filter(|line| line.contains(r#""kind":"decision""#)).count(), 5000);
    assert!(expected.contains(r#""rule":"spraying-by-device""#), "the planted attack is not seen");
    Ok(())
}

#[test]
fn the_environment_stands_in_for_flags() -> Result<(), Box<dyn Error>> {
    let events = "fixtures/freeze-unlock/events.jsonl";
    let with_flags = lockkeeper(&REPLAY).arg(events).output()?;
    let settings = [("LOCKKEEPER_RULES", "rules/wallet"), ("LOCKKEEPER_EMIT", "all")];
    let with_environment = lockkeeper(&["replay", events]).envs(settings).output()?;
    assert!(with_environment.status.success() && !with_environment.stdout.is_empty());
    assert_eq!(with_environment.stdout, with_flags.stdout);
    Ok(())
}

#[test]
fn rejections_of_stdin_are_placed_in_it() -> Result<(), Box<dyn Error>> {
    let bad = fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/bad-input/events.jsonl"))?;
    let output = lockkeeper(&["replay", "--rules", "rules/wallet", "--strict", "-"]).stdin(bad).output()?;
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8(output.stdout)?.contains(r#""code":"malformed","position":"-:2""#));
    Ok(())
}

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

#[cfg(feature = "service")]
#[test]
fn a_state_comes_from_stdin_as_from_a_file() -> Result<(), Box<dyn Error>> {
    let path = "tests/cli/service/example.lkstate";
    let by_name = lockkeeper(&["state", "inspect", path]).output()?;
    let file = fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))?;
    let by_stdin = lockkeeper(&["state", "inspect", "-"]).stdin(file).output()?;
    assert!(by_stdin.status.success() && !by_stdin.stdout.is_empty());
    assert_eq!(by_stdin.stdout, by_name.stdout);
    Ok(())
}

/// With logging as JSON, all that the service says is JSON: warnings of its configuration, and why it ends.
#[cfg(feature = "service")]
#[test]
fn what_a_service_says_is_one_kind_of_lines() -> Result<(), Box<dyn Error>> {
    let taken = std::net::TcpListener::bind("127.0.0.1:0")?;
    let address = taken.local_addr()?.to_string();
    let output = lockkeeper(&["run", "--config", "docs/lockkeeper.example.yaml"])
        .env("LOCKKEEPER_HTTP_LISTEN", &address)
        .env("LOCKKEEPER_LOGGING_FORMAT", "json")
        .env("LOCKKEEPER_LIMITS_COMIT_INTERVAL", "1s")
        .stderr(Stdio::piped())
        .output()?;
    let said = String::from_utf8(output.stderr)?;
    let lines: Vec<serde_json::Value> = said.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    assert_eq!((output.status.code(), lines.len()), (Some(1), 2), "{said}");
    assert_eq!((&lines[0]["level"], &lines[0]["code"]), (&"WARN".into(), &"unknown-variable".into()), "{said}");
    let why = lines[1]["message"].as_str().unwrap_or_default();
    assert!(why.starts_with(&format!("cannot listen on {address}: is something else there?")), "{said}");
    Ok(())
}

#[cfg(feature = "service")]
#[test]
fn a_state_is_rebuilt_for_as_many_partitions_as_there_are() -> Result<(), Box<dyn Error>> {
    let broker = lockkeeper::kafka::Mock::start(&[("wallet-events", 4)])?;
    let folder = tempfile::tempdir()?;
    let configuration = ["state", "rebuild", "--config", "docs/lockkeeper.example.yaml"];
    let output = lockkeeper(&configuration)
        .args(["--partitions", "3", "--from", "fixtures/journal/journal.jsonl"])
        .env("LOCKKEEPER_KAFKA_BOOTSTRAP_SERVERS", broker.bootstrap_servers())
        .env("LOCKKEEPER_STATE_DIRECTORY", folder.path())
        .stderr(Stdio::piped())
        .output()?;
    let said = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("--partitions says 3, and the input and control topics have 4"), "{said}");
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

//! Output that cannot be written ends the run: a closed pipe quietly, a full disk with an error; with any number of
//! threads, and with more input left than is read ahead.
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// More batches than are read ahead.
const EVENTS: usize = 60_000;

fn events(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("events.jsonl");
    let line =
        |i: usize| format!("{{\"id\":\"e{i}\",\"type\":\"login\",\"time\":{},\"account\":\"a{}\"}}\n", i * 10, i % 97);
    std::fs::write(&path, (0..EVENTS).map(line).collect::<String>()).expect("a file");
    path
}

fn replay(folder: &Path, threads: &str, out: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.args(["replay", "--rules", "rules/wallet", "--emit", "all", "--threads", threads, "--out", out]);
    command.arg(events(folder)).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The exit code; a run that does not end within a minute is killed and has none.
#[expect(clippy::disallowed_methods, reason = "waits for another process")]
fn wait(child: &mut Child) -> Option<i32> {
    for _ in 0..600 {
        if let Some(status) = child.try_wait().expect("a child") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    child.kill().expect("a child");
    None
}

#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let folder = tempfile::tempdir().expect("a folder");
    for threads in ["1", "2", "8"] {
        let mut child = replay(folder.path(), threads, "-").spawn().expect("the program");
        let mut line = String::new();
        let mut reader = BufReader::new(child.stdout.take().expect("stdout"));
        reader.read_line(&mut line).expect("a line");
        drop(reader);
        assert_eq!(wait(&mut child), Some(0), "{threads} threads");
        let mut said = String::new();
        child.stderr.take().expect("stderr").read_to_string(&mut said).expect("text");
        assert_eq!(said, "", "{threads} threads");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    for threads in ["1", "2", "8"] {
        let mut child = replay(folder.path(), threads, "/dev/full").spawn().expect("the program");
        assert_eq!(wait(&mut child), Some(1), "{threads} threads");
    }
}

#[test]
fn stdin_is_not_read_twice() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.args(["replay", "--rules", "rules/wallet", "-", "-"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = command.stdin(Stdio::null()).output().expect("the program");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("only once"));
}

#[test]
fn an_input_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let input = events(folder.path());
    let before = std::fs::read(&input).expect("the input");
    let mut child = replay(folder.path(), "1", input.to_str().expect("UTF-8")).spawn().expect("the program");
    assert_eq!(wait(&mut child), Some(2));
    assert_eq!(std::fs::read(&input).expect("the input"), before);
}

//! `replay --journal` as a user meets it: every form of file, any number of threads, and files that are no journals.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use lockkeeper::engine::Emit;
use lockkeeper::replay::JournalFile;

use super::by_hand::by_hand;
use super::shown;
use super::story::{RULES, story, text};

/// A folder with the rules and journals in it.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        folder.file("rules.yaml", RULES.as_bytes());
        folder
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).expect("a file");
        path
    }

    /// Replays a journal of this folder, or `-` with what is on stdin.
    fn replay(&self, journal: &str, arguments: &[&str], stdin: &[u8]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        command.current_dir(self.0.path()).args(["replay", "--rules", "rules.yaml", "--journal", journal]);
        let mut child = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        child.stdin.take().expect("a pipe").write_all(stdin).expect("it is read");
        child.wait_with_output().expect("it ends")
    }
}

fn said(output: &Output) -> String {
    shown(&output.stderr)
}

#[test]
fn the_command_line_does_the_same_however_it_works() {
    let (folder, steps) = (Folder::new(), story());
    let (journal, expected) = (text(&steps), by_hand(&steps, None));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&journal).expect("in memory");
    folder.file("journal.jsonl", &journal);
    folder.file("journal.gz", &gzip.finish().expect("in memory"));
    folder.file("journal.zst", &zstd::encode_all(journal.as_slice(), 1).expect("in memory"));
    for (name, arguments, stdin) in [
        ("journal.jsonl", &["--threads", "1"][..], &b""[..]),
        ("journal.jsonl", &["--threads", "4"], b""),
        ("journal.gz", &["--batch", "1"], b""),
        ("journal.zst", &["--batch", "3", "--threads", "2"], b""),
        ("-", &[], &journal),
    ] {
        let output = folder.replay(name, arguments, stdin);
        assert_eq!(output.status.code(), Some(0), "{name} {arguments:?}: {}", said(&output));
        assert_eq!(shown(&output.stdout), shown(&expected), "{name} {arguments:?}");
        assert_eq!(said(&output).matches("warning: the journal was decided by rule set live@other").count(), 1);
    }
    let flagged = folder.replay("journal.jsonl", &["--emit", "flagged"], b"");
    assert_eq!(shown(&flagged.stdout), shown(&by_hand(&steps, Some(Emit::Flagged))));
    let strict = folder.replay("journal.jsonl", &["--strict", "--summary", "json"], b"");
    assert_eq!(strict.status.code(), Some(3));
    assert!(said(&strict).contains(r#""rejected_total":11"#), "{}", said(&strict));
}

#[test]
fn the_environment_stands_in_for_flags() {
    let (folder, steps) = (Folder::new(), story());
    folder.file("journal.jsonl", &text(&steps));
    let settings =
        [("LOCKKEEPER_JOURNAL", "journal.jsonl"), ("LOCKKEEPER_EMIT", "flagged"), ("LOCKKEEPER_MAX_SKEW", "2h")];
    let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
    command.current_dir(folder.0.path()).args(["replay", "--rules", "rules.yaml"]).envs(settings);
    let output = command.output().expect("the program");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(shown(&output.stdout), shown(&by_hand(&steps, Some(Emit::Flagged))));
    let both = command.arg("events.jsonl").output().expect("the program");
    assert_eq!(both.status.code(), Some(2), "{}", said(&both));
}

#[test]
fn a_faulty_line_ends_it_after_what_came_before() {
    let (folder, steps) = (Folder::new(), story());
    let (journal, whole) = (text(&steps), by_hand(&steps, None));
    let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
    // Line 2 is the first step, so line 13 is its twelfth.
    let before = by_hand(&steps[..11], None);
    assert!(!before.is_empty() && before.len() < whole.len());
    for (line, fault) in [
        (&b"{\"tick\":{}}\n"[..], "missing field `partition` at column 10; expected a record ("),
        (b"\n", "EOF while parsing a value at column 0; expected a record ("),
        (lines[2], "offset 1 of events/0 comes after 10, expected a greater one"),
        (&[b'x'; (1 << 20) + 1], "the line is longer than 1048576 bytes"),
    ] {
        folder.file("faulty", &[lines[..12].concat().as_slice(), line, lines[13..].concat().as_slice()].concat());
        let output = folder.replay("faulty", &["--batch", "4096"], b"");
        assert_eq!(output.status.code(), Some(1));
        assert!(said(&output).contains(&format!("error: faulty:13: {fault}")), "{}", said(&output));
        assert_eq!(shown(&output.stdout), shown(&before), "{fault}");
    }
}

#[test]
fn damaged_and_foreign_files_are_told() {
    let (folder, journal) = (Folder::new(), text(&story()));
    let stored = zstd::encode_all(journal.as_slice(), 1).expect("in memory");
    for (name, content, expected) in [
        ("empty", &b""[..], "empty:1: expected {\"lockkeeper_journal\":1}; is this a file that"),
        ("events", b"{\"id\":\"1\"}\n", "events:1: expected {\"lockkeeper_journal\":1}; is this a file that"),
        ("next", b"{\"lockkeeper_journal\":2}\n", "next:1: the journal has version 2, this program reads 1"),
        ("cut", &stored[..stored.len() - 4], "cannot read on, the file is damaged or incomplete: "),
    ] {
        folder.file(name, content);
        let output = folder.replay(name, &[], b"");
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(said(&output).contains(expected), "{name}: {}", said(&output));
    }
    let missing = JournalFile::open("/no/such/journal").err().map(|fault| fault.to_string());
    assert!(missing.is_some_and(|text| text.starts_with("/no/such/journal: cannot open: ")));
}

#[test]
fn reading_goes_on_to_the_end_and_counts() {
    let (folder, steps) = (Folder::new(), story());
    let path = folder.file("journal.jsonl", &text(&steps));
    let mut journal = JournalFile::open(path.to_str().expect("UTF-8")).expect("a journal");
    let progress = journal.progress();
    assert_eq!(journal.by_ref().collect::<Vec<_>>(), steps);
    assert!(journal.failure().is_none() && journal.next().is_none());
    assert_eq!(Some(progress.read()), progress.total());
}

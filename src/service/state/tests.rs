//! State files under damage, on full and read-only devices, and beside those of other instances.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Cursor;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use super::*;
use crate::engine::snapshot::VERSION;
use crate::journal::Settings;

const RULE_SET: &str = "demo@0123456789ab";

fn identity() -> Identity {
    Identity { ruleset: RULE_SET.to_owned(), topics: BTreeMap::from([("control".into(), 1), ("events".into(), 2)]) }
}

fn snapshot(sequence: u64) -> Snapshot {
    let next_offsets = BTreeMap::from([("control".into(), vec![3]), ("events".into(), vec![17, 1 << 40])]);
    let progress = Progress { next_offsets, sequence, output_hash: u128::MAX - u128::from(sequence) };
    let state = (0..600_u32).flat_map(|n| (n.wrapping_mul(2_654_435_761) >> 20).to_le_bytes()).collect();
    let settings = Settings { emit_all: true, max_future: 300_000, max_skew: 3_600_000, record_size: 65_536 };
    Snapshot { ruleset: RULE_SET.to_owned(), settings, progress, state }
}

fn small() -> Snapshot {
    Snapshot { state: b"a small state".to_vec(), ..snapshot(7) }
}

fn bytes(snapshot: &Snapshot) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = format::write(&mut bytes, snapshot).expect("memory takes it");
    assert_eq!(length, bytes.len() as u64);
    bytes
}

fn read(bytes: &[u8]) -> Result<(Header, Vec<u8>), Unusable> {
    format::read(&mut Cursor::new(bytes), |header| header.fits(&identity()))
}

/// A directory that holds the states with these sequence numbers.
fn directory_with(sequences: &[u64]) -> (TempDir, StateDirectory) {
    let folder = tempfile::tempdir().expect("a folder");
    let directory = StateDirectory::open(&folder.path().join("made"), "one", 3).expect("it can be made");
    sequences.iter().for_each(|sequence| assert_eq!(save(&directory, *sequence).undeleted, [""; 0]));
    (folder, directory)
}

fn save(directory: &StateDirectory, sequence: u64) -> Saved {
    directory.save(&snapshot(sequence)).expect("it is saved")
}

fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).expect("a directory").map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn name(scope: &str, sequence: u64) -> String {
    format!("{scope}-{sequence:020}.lkstate")
}

/// What the newest state is and why newer files were passed over.
fn newest(directory: &StateDirectory) -> (Option<u64>, Vec<String>) {
    let found = directory.newest(&identity()).expect("it can be listed");
    let reasons = found.passed_over.iter().map(|passed| passed.reason.to_string()).collect();
    (found.newest.map(|loaded| loaded.header.progress.sequence), reasons)
}

#[test]
fn what_is_saved_is_loaded() {
    for state in [vec![], b"x".to_vec(), snapshot(1).state, vec![7; 3 << 20]] {
        let (_folder, directory) = directory_with(&[]);
        let saved = directory.save(&Snapshot { state: state.clone(), ..snapshot(5) }).expect("it is saved");
        assert_eq!(fs::metadata(&saved.path).expect("the file").len(), saved.bytes);
        let loaded = directory.newest(&identity()).expect("it can be listed").newest.expect("a state");
        assert_eq!((loaded.path, &loaded.state), (saved.path, &state));
        let expected = snapshot(5).progress;
        assert_eq!((loaded.header.progress, loaded.header.state_bytes), (expected, state.len() as u64));
    }
}

#[test]
fn an_empty_directory_has_no_state() {
    assert_eq!(newest(&directory_with(&[]).1), (None, vec![]));
}

#[test]
fn every_flipped_byte_is_noticed() {
    let whole = bytes(&small());
    assert!(read(&whole).is_ok());
    for at in 0..whole.len() {
        for mask in [0x01, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= mask;
            assert!(read(&damaged).is_err(), "byte {at} with {mask:#x}");
            assert!(format::verify(&mut Cursor::new(&damaged)).is_err(), "byte {at} with {mask:#x}");
        }
    }
}

#[test]
fn every_truncation_and_growth_is_noticed() {
    let whole = bytes(&small());
    for length in 0..whole.len() {
        let reason = read(&whole[..length]).expect_err("it is cut");
        let expected =
            if length == 0 { matches!(reason, Unusable::Foreign) } else { !matches!(reason, Unusable::Foreign) };
        assert!(expected, "cut at {length}: {reason}");
        assert!(format::glance(&mut Cursor::new(&whole[..length])).is_err(), "cut at {length}");
    }
    let grown = [whole.as_slice(), b"\0"].concat();
    assert!(matches!(read(&grown), Err(Unusable::Length { .. })));
    let twice = [whole.as_slice(), &whole].concat();
    assert!(matches!(read(&twice), Err(Unusable::Length { .. })));
}

#[test]
fn a_header_that_lies_about_the_state_is_refused() {
    for claimed in [0, 12, 14, u64::MAX] {
        let mut file = Vec::new();
        format::write_with(&mut file, &Header { state_bytes: claimed, ..Header::of(&small()) }, &small().state)
            .expect("memory takes it");
        assert!(read(&file).is_err(), "{claimed}");
    }
}

#[test]
fn foreign_states_are_recognised() {
    let other_topics = |offsets: &[(&str, usize)]| {
        let next_offsets = offsets.iter().map(|(topic, count)| ((*topic).to_owned(), vec![0; *count])).collect();
        Snapshot { progress: Progress { next_offsets, ..snapshot(7).progress }, ..small() }
    };
    for (foreign, reason) in [
        (Snapshot { ruleset: "other@1".into(), ..small() }, "belongs to rule set other@1, not demo@0123456789ab"),
        (
            other_topics(&[("control", 1), ("events", 3)]),
            "belongs to topics (with partitions) control (1), events (3), not control (1), events (2)",
        ),
        (other_topics(&[("events", 2)]), "belongs to topics (with partitions) events (2), not control (1), events (2)"),
        (other_topics(&[]), "belongs to topics (with partitions) no topic, not control (1), events (2)"),
    ] {
        assert_eq!(read(&bytes(&foreign)).expect_err("it is foreign").to_string(), reason);
    }
    let mut layout = Vec::new();
    let header = Header { layout: VERSION + 1, ..Header::of(&small()) };
    format::write_with(&mut layout, &header, &small().state).expect("memory takes it");
    assert!(matches!(read(&layout), Err(Unusable::Layout { found }) if found == VERSION + 1));
    let mut format = bytes(&small());
    format[8] = 2;
    assert!(matches!(read(&format), Err(Unusable::Format { found: 2 })));
    assert!(matches!(read(b"{\"id\":\"e1\"}\n"), Err(Unusable::Foreign)));
}

#[test]
fn an_older_state_serves_where_newer_ones_do_not() {
    let (_folder, directory) = directory_with(&[1, 2]);
    let [third, fourth] = [3, 4].map(|sequence| save(&directory, sequence).path);
    let mut damaged = fs::read(&fourth).expect("the file");
    damaged[100] ^= 1;
    fs::write(&fourth, damaged).expect("written");
    OpenOptions::new().write(true).open(&third).and_then(|file| file.set_len(50)).expect("cut");
    let (found, reasons) = newest(&directory);
    assert_eq!((found, reasons.len()), (Some(2), 2));
    assert_eq!(reasons[0], "is damaged: its digest is not that of its bytes");
    assert_eq!(reasons[1], "is cut off or has grown: it is 50 bytes long and does not end as it should");
    fs::rename(&fourth, directory_path(&fourth).join(name("one", 9))).expect("renamed");
    fs::copy(directory_path(&third).join(name("one", 2)), directory_path(&third).join(name("one", 8))).expect("copied");
    let (found, reasons) = newest(&directory);
    assert_eq!((found, reasons.len(), reasons[1].as_str()), (Some(2), 3, "was renamed: it has sequence number 2"));
}

fn directory_path(file: &Path) -> &Path {
    file.parent().expect("a directory")
}

#[test]
fn the_caller_can_refuse_states_before_and_after_reading() {
    let (_folder, directory) = directory_with(&[1, 2, 3]);
    let mut opened = Vec::new();
    let found = directory.newest_usable(
        &identity(),
        &mut |header| if header.progress.sequence > 2 { Err("is ahead of the log".into()) } else { Ok(()) },
        &mut |loaded| {
            opened.push(loaded.header.progress.sequence);
            if opened.len() == 1 { Err("does not decode".to_owned()) } else { Ok(loaded.header.progress.sequence) }
        },
    );
    let found = found.expect("it can be listed");
    assert_eq!((found.newest, opened), (Some(1), vec![2, 1]));
    let reasons: Vec<String> = found.passed_over.iter().map(|passed| passed.reason.to_string()).collect();
    assert_eq!(reasons, ["is ahead of the log", "does not decode"]);
}

#[test]
fn the_newest_three_whole_ones_are_kept() {
    let (folder, directory) = directory_with(&[1, 2, 10, 300]);
    let path = folder.path().join("made");
    assert_eq!(names(&path), [2, 10, 300].map(|sequence| name("one", sequence)));
    // A cut one does not count, so that three whole ones stay.
    OpenOptions::new().write(true).open(path.join(name("one", 10))).and_then(|file| file.set_len(50)).expect("cut");
    save(&directory, 301);
    assert_eq!(names(&path), [2, 10, 300, 301].map(|sequence| name("one", sequence)));
    save(&directory, 302);
    assert_eq!(names(&path), [300, 301, 302].map(|sequence| name("one", sequence)));
    // The same sequence once more replaces its file.
    save(&directory, 302);
    assert_eq!(names(&path).len(), 3);
}

#[test]
fn newer_files_are_left_alone_until_they_are_set_aside() {
    let (folder, directory) = directory_with(&[7, 8, 9]);
    (1..=5).for_each(|sequence| drop(save(&directory, sequence)));
    let path = folder.path().join("made");
    assert_eq!(names(&path), [3, 4, 5, 7, 8, 9].map(|sequence| name("one", sequence)));
    assert_eq!(newest(&directory).0, Some(9));
    assert_eq!(directory.set_aside_above(5).expect("they are renamed"), 3);
    assert_eq!(newest(&directory).0, Some(5));
    assert_eq!(names(&path).iter().filter(|name| name.ends_with(".lkstate.aside")).count(), 3);
}

#[expect(clippy::disallowed_methods, reason = "instances write at the same time")]
#[test]
fn instances_do_not_disturb_each_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let scopes = ["one", "one-2", "one-00000000000000000001.lkstate", "two/../x", "%2F", "one~", "Zürich"];
    let open = |scope| StateDirectory::open(folder.path(), scope, 3).expect("it can be made");
    let directories = scopes.map(open);
    std::thread::scope(|threads| {
        for (index, directory) in directories.iter().enumerate() {
            threads.spawn(move || (1..=6).for_each(|n| drop(save(directory, n * 10 + index as u64))));
        }
    });
    assert_eq!(names(folder.path()).len(), 3 * scopes.len());
    for (index, directory) in directories.iter().enumerate() {
        assert_eq!(newest(directory), (Some(60 + index as u64), vec![]), "{}", scopes[index]);
    }
}

#[test]
fn what_a_killed_process_left_is_cleared_by_its_own_scope() {
    let (folder, _directory) = directory_with(&[1]);
    let path = folder.path().join("made");
    fs::write(path.join(".unfinished-one~abc"), "half").expect("written");
    fs::write(path.join(".unfinished-one-2~abc"), "half").expect("written");
    fs::write(path.join("one-notes.txt"), "mine").expect("written");
    let directory = StateDirectory::open(&path, "one", 3).expect("it can be opened");
    assert_eq!(names(&path), [".unfinished-one-2~abc", &name("one", 1), "one-notes.txt"]);
    assert_eq!(newest(&directory).0, Some(1));
}

#[test]
fn bad_names_of_instances_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for scope in [String::new(), "x".repeat(201), "é".repeat(40)] {
        let fault = StateDirectory::open(folder.path(), &scope, 3).expect_err("it is refused").to_string();
        assert!(fault.ends_with("name the instance with at most 200 bytes"), "{fault}");
    }
}

#[test]
fn a_directory_that_takes_no_files_is_named_with_a_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let fault = StateDirectory::open(&file, "one", 3).expect_err("it is a file").to_string();
    let expected = format!("{}: cannot make the directory: ", file.display());
    assert!(fault.starts_with(&expected) && fault.ends_with("; name a directory as `state.directory`"), "{fault}");
    // Nobody may make files there, whoever runs the test.
    if cfg!(target_os = "linux") {
        let fault = StateDirectory::open(Path::new("/sys"), "one", 3).expect_err("it takes no files").to_string();
        assert!(fault.starts_with("/sys: cannot make a file: "), "{fault}");
        assert!(fault.ends_with("; let this user write there, or name another `state.directory`"), "{fault}");
    }
}

#[test]
fn a_directory_that_vanishes_is_an_error() {
    let (folder, directory) = directory_with(&[1]);
    fs::remove_dir_all(folder.path().join("made")).expect("removed");
    let fault = directory.save(&snapshot(2)).expect_err("there is no directory").to_string();
    assert!(fault.contains("cannot make a file: ") && fault.contains("; the directory must exist"), "{fault}");
    assert!(directory.newest(&identity()).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_is_an_error_of_writing() {
    for snapshot in [small(), Snapshot { state: incompressible(1 << 20), ..small() }] {
        let full = OpenOptions::new().write(true).open("/dev/full").expect("the device");
        let fault = format::write(full, &snapshot).expect_err("it is full");
        let fault = StateError::new("write a state", Path::new("/state"))(fault);
        assert!(fault.is_full());
        let text = fault.to_string();
        assert!(text.starts_with("/state: cannot write a state: ") && text.contains("; free some space"), "{text}");
    }
}

/// Bytes that hardly compress.
fn incompressible(length: u64) -> Vec<u8> {
    let words = (0..length / 8).map(|n| xxhash_rust::xxh3::xxh3_64(&n.to_le_bytes()));
    words.flat_map(u64::to_le_bytes).collect()
}

/// A file system of 256 KiB, as long as it lives.
struct SmallDisk(TempDir);

impl SmallDisk {
    /// `None` where this user may mount nothing.
    fn mount() -> Option<SmallDisk> {
        let folder = tempfile::tempdir().ok()?;
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
            .arg(folder.path())
            .stderr(std::process::Stdio::null());
        command.status().is_ok_and(|status| status.success()).then_some(SmallDisk(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0.path()).status();
        assert!(unmounted.is_ok_and(|status| status.success()), "the small disk stays mounted");
    }
}

#[test]
fn a_full_disk_leaves_the_older_states() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("not run: only root may mount a small disk; /dev/full stands in for it");
        return;
    };
    let directory = StateDirectory::open(disk.0.path(), "one", 3).expect("there is room");
    save(&directory, 1);
    let large = Snapshot { state: incompressible(1 << 20), ..snapshot(2) };
    let fault = directory.save(&large).expect_err("there is no room");
    assert!(fault.is_full() && fault.path == disk.0.path(), "{fault}");
    assert_eq!(names(disk.0.path()), [name("one", 1)], "something unfinished stays");
    assert_eq!(newest(&directory), (Some(1), vec![]));
    save(&directory, 3);
    assert_eq!(newest(&directory), (Some(3), vec![]));
}

#[test]
fn the_example_file_is_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/service/example.lkstate");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&path, bytes(&small())).expect("written");
    }
    let (header, state) = format::read(&mut File::open(path).expect("the file"), |_| Ok(())).expect("undamaged");
    assert_eq!((header, state), (Header::of(&small()), small().state), "is FORMAT or the layout to be raised?");
}

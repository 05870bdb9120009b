//! Rule files from the file system: what the paths on the command line stand for, read and loaded.
//!
//! The only place of the rule set's side that touches files; everything else works on texts by value.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::ruleset::diagnostic::{Diagnostic, sort};
use crate::ruleset::load::{Loaded, SourceFile, load};

/// Most rule files.
const MAX_FILES: usize = 1000;
/// Largest rule file, bytes.
const MAX_FILE_SIZE: u64 = 1024 * 1024;
/// Largest list file, bytes.
const MAX_LIST_SIZE: u64 = 64 * 1024 * 1024;
/// Deepest nesting of directories below an argument.
const MAX_DIRECTORY_DEPTH: usize = 32;

/// Loads the rule set in the given files and directories.
///
/// # Errors
/// All faults, of reading and of content; the files that can be read are checked even when others cannot.
pub fn load_paths(paths: &[PathBuf]) -> Result<Loaded, Vec<Diagnostic>> {
    let (files, mut faults) = read_paths(paths);
    if faults.is_empty() {
        return load(&files, &read_list);
    }
    if !files.is_empty() {
        // What a file that could not be read defines is missing in the others; only faults of form are certain.
        let found = load(&files, &read_list).err().unwrap_or_default();
        faults.extend(found.into_iter().filter(|fault| !rests_on_other_files(fault)));
    }
    sort(&mut faults);
    Err(faults)
}

/// Whether a fault may vanish once the missing files are there.
fn rests_on_other_files(fault: &Diagnostic) -> bool {
    matches!(fault.code, "unknown-name" | "expression" | "expression-type" | "unknown-type")
        || (fault.code == "missing-key" && fault.location.line == 1 && fault.location.length == 0)
}

/// The texts behind the paths, sorted by path, and what could not be read.
fn read_paths(paths: &[PathBuf]) -> (Vec<SourceFile>, Vec<Diagnostic>) {
    let mut faults = Vec::new();
    let mut found = Vec::new();
    for path in paths {
        collect(path, 0, &mut found, &mut faults);
    }
    found.sort();
    found.dedup();
    if found.len() > MAX_FILES {
        let message = format!("{} rule files", found.len());
        faults.push(
            Diagnostic::of_file("limit", &name_of(&found[MAX_FILES]), message).expected(format!("at most {MAX_FILES}")),
        );
        found.truncate(MAX_FILES);
    }
    let mut files = Vec::new();
    for path in &found {
        match read_text(path, MAX_FILE_SIZE) {
            Ok(text) => files.push(SourceFile { path: name_of(path), text }),
            Err(message) => faults.push(Diagnostic::of_file("unreadable", &name_of(path), message)),
        }
    }
    (files, faults)
}

/// Collects a file as it is, and a directory's rule files down to the bottom.
fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>, faults: &mut Vec<Diagnostic>) {
    if !path.is_dir() {
        found.push(path.to_path_buf());
        return;
    }
    let before = found.len();
    match entries(path) {
        Err(error) => {
            let message = format!("this directory cannot be read: {error}");
            faults.push(Diagnostic::of_file("unreadable", &name_of(path), message));
        }
        Ok(_) if depth > MAX_DIRECTORY_DEPTH => {
            let message = format!("directories nested deeper than {MAX_DIRECTORY_DEPTH}");
            faults.push(Diagnostic::of_file("limit", &name_of(path), message));
        }
        Ok(entries) => {
            for entry in entries.into_iter().filter(|entry| entry.is_dir() || is_rule_file(entry)) {
                collect(&entry, depth + 1, found, faults);
            }
            if depth == 0 && found.len() == before {
                let message = "there is no rule file in this directory".to_string();
                let fault = Diagnostic::of_file("no-files", &name_of(path), message);
                faults.push(fault.expected("`*.yaml` or `*.yml` files other than `*_test.yaml`"));
            }
        }
    }
}

fn entries(path: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(path)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// `*.yaml` and `*.yml`, without the tests beside them.
fn is_rule_file(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let stem = name.strip_suffix(".yaml").or_else(|| name.strip_suffix(".yml"));
    stem.is_some_and(|stem| !stem.ends_with("_test"))
}

/// A list file's text; its name is relative to the rule file that names it.
fn read_list(rule_file: &str, name: &str) -> Result<String, String> {
    let directory = Path::new(rule_file).parent().unwrap_or(Path::new(""));
    read_text(&directory.join(name), MAX_LIST_SIZE).map_err(|message| format!("the list file `{name}`: {message}"))
}

/// A file's text, if it is a regular file of UTF-8 that is not too large.
fn read_text(path: &Path, most: u64) -> Result<String, String> {
    let cannot = |error: io::Error| format!("this file cannot be read: {error}");
    if fs::metadata(path).map_err(cannot)?.is_dir() {
        return Err("this is a directory".to_string());
    }
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes)).map_err(cannot)?;
    if bytes.len() as u64 > most {
        return Err(format!("this file is larger than {} KiB", most / 1024));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("this file is not UTF-8 (line {line})")
    })
}

fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = "ruleset: { name: t, currency: CNY }\n";

    /// The codes of the faults of loading `arguments` below a directory with the given files.
    fn check(files: &[(&str, &[u8])], arguments: &[&str], expected: &[(&str, &str)]) {
        let directory = tempfile::tempdir().expect("a directory");
        for (name, content) in files {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, content).expect("a file");
        }
        let paths: Vec<PathBuf> = arguments.iter().map(|name| directory.path().join(name)).collect();
        let faults = load_paths(&paths).err().unwrap_or_default();
        let short = |file: &str| Path::new(file).file_name().map(|name| name.to_string_lossy().into_owned());
        let found: Vec<(String, &str)> =
            faults.iter().map(|fault| (short(&fault.location.file).unwrap_or_default(), fault.code)).collect();
        let expected: Vec<(String, &str)> = expected.iter().map(|(file, code)| (file.to_string(), *code)).collect();
        assert_eq!(found, expected, "{arguments:?}");
    }

    #[test]
    fn files_and_directories() {
        let rules = RULES.as_bytes();
        check(&[("a.yaml", rules)], &["a.yaml"], &[]);
        check(&[("a.yaml", rules)], &["a.yaml", "a.yaml"], &[]);
        check(&[("d/a.yaml", rules), ("d/e/b.yml", b"types: [visit]\n")], &["d"], &[]);
        check(&[("d/a.yaml", rules), ("d/a_test.yaml", b"nonsense: 1\n")], &["d"], &[]);
        check(&[("d/a.yaml", rules), ("d/notes.txt", b"nonsense: 1\n")], &["d"], &[]);
        check(&[("d/a.yaml", rules), ("d/b.yaml", rules)], &["d"], &[("b.yaml", "duplicate-name")]);
    }

    #[test]
    fn what_cannot_be_read_is_told_beside_the_other_faults() {
        check(&[("a.yaml", RULES.as_bytes())], &["b.yaml", "a.yaml"], &[("b.yaml", "unreadable")]);
        check(&[("a.yaml", b"\xff")], &["a.yaml"], &[("a.yaml", "unreadable")]);
        check(&[("a.yaml", b"")], &["a.yaml"], &[("a.yaml", "missing-key"), ("a.yaml", "empty-file")]);
        check(&[("d/notes.txt", b"")], &["d"], &[("d", "no-files")]);
        check(
            &[("a.yaml", b"unknown: 1\n")],
            &["a.yaml", "b.yaml"],
            &[("a.yaml", "unknown-key"), ("b.yaml", "unreadable")],
        );
        check(&[("a.yaml", &vec![b' '; 1024 * 1024 + 1])], &["a.yaml"], &[("a.yaml", "unreadable")]);
    }

    #[test]
    fn list_files_lie_beside_their_rule_file() {
        let rules = format!("{RULES}lists: {{ bad: {{ kind: cidr, file: nets.txt }} }}\n");
        let files: &[(&str, &[u8])] = &[("d/a.yaml", rules.as_bytes()), ("d/nets.txt", b"# office\n10.0.0.0/8\n")];
        check(files, &["d"], &[]);
        check(&files[..1], &["d"], &[("a.yaml", "unreadable")]);
        check(&[files[0], ("d/nets.txt", b"10.0.0.0/8\n\n10.0.0.0/99 # x\n")], &["d"], &[("nets.txt", "bad-value")]);
    }
}

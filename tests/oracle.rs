//! The engine against the oracle, and both against examples worked out by hand.
#[path = "oracle/mod.rs"]
mod oracle;

use std::path::{Path, PathBuf};

use oracle::{decide, rules::RuleSet};

/// Folders of hand-made examples: `rules.yaml`, `events.jsonl`, `expected.jsonl`.
fn examples() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/semantics");
    let entries = std::fs::read_dir(&root).expect("the examples are there");
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()).collect();
    folders.sort();
    folders
}

fn read(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `detail` is for people; the examples leave it empty.
fn first_difference(expected: &str, actual: &str) -> Option<String> {
    let mut lines = expected.lines().zip(actual.lines()).enumerate();
    let unlike = lines.find(|(_, (expected, actual))| expected != actual);
    match unlike {
        Some((number, (expected, actual))) => {
            Some(format!("line {}:\n  expected {expected}\n  actual   {actual}", number + 1))
        }
        None if expected.lines().count() != actual.lines().count() => {
            Some(format!("{} lines expected, {} given", expected.lines().count(), actual.lines().count()))
        }
        None => None,
    }
}

#[test]
fn the_oracle_agrees_with_every_example() {
    let folders = examples();
    assert!(folders.len() >= 40, "only {} examples", folders.len());
    let mut wrong = Vec::new();
    for folder in &folders {
        let rules = RuleSet::read(&read(folder, "rules.yaml")).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
        let actual = decide::run(&rules, &std::fs::read(folder.join("events.jsonl")).unwrap());
        if let Some(difference) = first_difference(&read(folder, "expected.jsonl"), &actual) {
            wrong.push(format!("{}: {difference}", folder.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

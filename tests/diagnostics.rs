//! Every diagnosable mistake as a small bad rule file, with what people are shown beside it.
//!
//! `fixtures/diagnostics/NAME.yaml`, or a directory of files, and `NAME.txt`. `BLESS=1` rewrites the texts; review
//! the difference.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use lockkeeper::ruleset::diagnostic::Diagnostic;
use lockkeeper::ruleset::load::{SourceFile, load};
use lockkeeper::ruleset::render::{render_human, render_json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/diagnostics")
}

/// The names of all cases.
fn cases() -> BTreeSet<String> {
    let entries = fs::read_dir(fixtures()).expect("the fixtures").map(|entry| entry.expect("an entry").path());
    let cases = entries.filter(|path| path.is_dir() || path.extension().is_some_and(|extension| extension == "yaml"));
    cases.map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned()).collect()
}

/// The files of a case, named as in the fixtures' directory.
fn sources(case: &str) -> Vec<SourceFile> {
    let directory = fixtures().join(case);
    let mut names = match fs::read_dir(&directory) {
        Err(_) => vec![format!("{case}.yaml")],
        Ok(entries) => {
            let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
            names.map(|name| format!("{case}/{name}")).collect()
        }
    };
    names.sort();
    let text = |name: &String| fs::read_to_string(fixtures().join(name)).expect("a fixture");
    names.iter().map(|name| SourceFile { path: name.clone(), text: text(name) }).collect()
}

fn diagnose(case: &str) -> Vec<Diagnostic> {
    let read_list = |_: &str, name: &str| {
        fs::read_to_string(fixtures().join(name)).map_err(|_| format!("the list file `{name}` cannot be read"))
    };
    match load(&sources(case), &read_list) {
        Ok(loaded) => loaded.warnings,
        Err(faults) => faults,
    }
}

#[test]
fn every_mistake_is_shown_as_agreed() {
    let bless = std::env::var_os("BLESS").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        let found = render_human(&diagnose(&case), false);
        let path = fixtures().join(format!("{case}.txt"));
        if bless {
            fs::write(&path, &found).expect("the text is written");
        } else if fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(format!("--- {case}\n{found}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_has_a_diagnostic_with_a_place() {
    let cases = cases();
    assert!(cases.len() >= 45);
    for case in cases {
        let found = diagnose(&case);
        assert!(!found.is_empty(), "{case}");
        let order = |d: &Diagnostic| (d.location.file.clone(), d.location.line, d.location.column);
        assert!(found.is_sorted_by_key(order), "{case}");
        for diagnostic in &found {
            assert!(diagnostic.location.line >= 1 && diagnostic.location.column >= 1, "{case}");
            assert!(!diagnostic.message.ends_with('.'), "{case}: {}", diagnostic.message);
        }
    }
}

#[test]
fn json_has_one_object_per_diagnostic_with_the_same_keys() {
    for case in cases() {
        let found = diagnose(&case);
        let json: serde_json::Value = serde_json::from_str(&render_json(&found)).expect("JSON");
        let list = json.as_array().expect("an array");
        assert_eq!(list.len(), found.len(), "{case}");
        for (object, diagnostic) in list.iter().zip(&found) {
            let keys: BTreeSet<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
            let expected =
                ["code", "severity", "file", "line", "column", "length", "message", "expected", "help", "others"];
            assert_eq!(keys, BTreeSet::from(expected), "{case}");
            assert_eq!(object["line"], diagnostic.location.line, "{case}");
        }
    }
}

#[test]
fn colours_are_off_unless_asked_for() {
    let found = diagnose("many-faults");
    assert!(!render_human(&found, false).contains('\u{1b}'));
    assert!(render_human(&found, true).contains('\u{1b}'));
}

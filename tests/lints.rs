//! The lints: `docs/lints.md` run, rules that look like a mistake and are right, and what the shipped packs give.
//!
//! On the page a section is a lint; its `yaml wrong` blocks give exactly that lint, its `yaml right` blocks none.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use lockkeeper::lint::{LINTS, warnings};
use lockkeeper::rulefiles::load_paths;
use lockkeeper::ruleset::load::{SourceFile, load};

#[path = "lints/cases.rs"]
mod cases;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The lints that a rule set gives, each with the text it is shown under.
fn found(text: &str) -> Vec<(String, String)> {
    let head = if text.contains("ruleset:") { "" } else { "ruleset: { name: t, currency: CNY }\n" };
    let file = SourceFile { path: "t.yaml".to_string(), text: format!("{head}{text}") };
    let read_list = |_: &str, _: &str| Err("no lists here".to_string());
    let loaded = load(&[file], &read_list).unwrap_or_else(|faults| panic!("{faults:#?}\n{text}"));
    let shown = |found: lockkeeper::ruleset::diagnostic::Diagnostic| {
        let place = found.location.excerpt[found.location.range].to_string();
        (found.code.to_string(), place)
    };
    warnings(&loaded).into_iter().map(shown).collect()
}

/// The names of the lints that a rule set gives.
fn lints(text: &str) -> Vec<String> {
    found(text).into_iter().map(|(code, _)| code).collect()
}

/// The page's blocks by section: whether it is the wrong one, and its text.
fn examples() -> BTreeMap<String, Vec<(bool, String)>> {
    let page = fs::read_to_string(root().join("docs/lints.md")).expect("the page");
    let mut examples: BTreeMap<String, Vec<(bool, String)>> = BTreeMap::new();
    for section in page.split("\n## ").skip(1) {
        let (id, text) = section.split_once('\n').expect("a heading");
        let blocks = text.split("```yaml ").skip(1).filter_map(|block| block.split_once("```")).map(|(block, _)| {
            let (kind, rules) = block.split_once('\n').expect("a block");
            assert!(["wrong", "right"].contains(&kind), "{id}: {kind}");
            (kind == "wrong", rules.to_string())
        });
        examples.insert(id.to_string(), blocks.collect());
    }
    examples
}

#[test]
fn each_lint_is_explained_with_a_wrong_and_a_right_example() {
    let examples = examples();
    let explained: BTreeSet<&str> = examples.keys().map(String::as_str).collect();
    assert_eq!(explained, LINTS.iter().map(|lint| lint.id).collect());
    for (id, blocks) in &examples {
        assert!(blocks.iter().any(|(wrong, _)| *wrong) && blocks.iter().any(|(wrong, _)| !wrong), "{id}");
        for (wrong, text) in blocks {
            let expected = if *wrong { vec![id.clone()] } else { Vec::new() };
            assert_eq!(lints(text), expected, "{id}:\n{text}");
        }
    }
}

#[test]
fn each_mistake_is_shown_under_its_words() {
    let differs = |(text, id, words): &&(&str, &str, &str)| found(text) != [(id.to_string(), words.to_string())];
    for (text, id, words) in cases::WRONG.iter().filter(differs) {
        eprintln!("expected {id} under `{words}`, found {:?}:\n{text}\n", found(text));
    }
    assert!(!cases::WRONG.iter().any(|case| differs(&case)), "see above");
}

#[test]
fn what_only_looks_like_a_mistake_is_left_alone() {
    for text in cases::RIGHT.iter().filter(|text| !found(text).is_empty()) {
        eprintln!("found {:?}:\n{text}\n", found(text));
    }
    assert!(cases::RIGHT.iter().all(|text| found(text).is_empty()), "see above");
}

#[test]
fn warnings_of_loading_are_among_them_and_all_are_in_order() {
    let text = "\
ruleset: { name: t, currency: CNY, thresholds: { deny: 90 } }
types: [payment]
rules:
  odd: { on: type == 'odd', when: kyc > 3 }
  late: { on: type == 'login', when: \"true\", action: lock, lock: { for: until_unlocked } }
";
    let expected = ["unreachable-threshold", "known-type", "unknown-type", "never-fires", "endless-lock"];
    assert_eq!(lints(text), expected);
}

#[test]
fn the_shipped_packs_give_none() {
    let packs = fs::read_dir(root().join("rules")).expect("the packs").map(|entry| entry.expect("an entry").path());
    let packs: Vec<PathBuf> = packs.filter(|path| path.is_dir()).collect();
    assert!(!packs.is_empty());
    for pack in packs {
        let loaded = load_paths(std::slice::from_ref(&pack)).expect("a valid pack");
        assert_eq!(warnings(&loaded), [], "{}", pack.display());
    }
}

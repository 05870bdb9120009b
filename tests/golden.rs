//! Stories: every folder of `fixtures/` with `events.*` files and an `expected.jsonl` replays to exactly those bytes.
//!
//! A story is data, so that somebody who knows wallets but no Rust can read and add one. `BLESS=1 cargo test --test
//! golden` rewrites the expectations; the difference is then reviewed like code.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What a story is replayed with unless it has a file `arguments`.
const ARGUMENTS: &str = "--rules rules/wallet --emit all";

/// One folder of events and what they should lead to.
struct Story {
    name: String,
    /// Relative to the repository, as positions in the output show them.
    events: Vec<String>,
    arguments: Vec<String>,
    expected: PathBuf,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &Path) -> Result<BTreeSet<String>> {
    let entries = fs::read_dir(folder)?.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(entries.iter().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
}

fn story(name: &str) -> Result<Option<Story>> {
    let folder = root().join("fixtures").join(name);
    if !folder.is_dir() {
        return Ok(None);
    }
    let files = names_in(&folder)?;
    let events: Vec<_> =
        files.iter().filter(|file| file.starts_with("events.")).map(|file| format!("fixtures/{name}/{file}")).collect();
    if events.is_empty() {
        return Ok(None);
    }
    let arguments = match files.contains("arguments") {
        true => fs::read_to_string(folder.join("arguments"))?,
        false => ARGUMENTS.to_owned(),
    };
    let arguments = arguments.split_whitespace().map(str::to_owned).collect();
    Ok(Some(Story { name: name.to_owned(), events, arguments, expected: folder.join("expected.jsonl") }))
}

fn stories() -> Result<Vec<Story>> {
    let mut stories = Vec::new();
    for name in names_in(&root().join("fixtures"))? {
        stories.extend(story(&name)?);
    }
    Ok(stories)
}

impl Story {
    fn replay(&self, more: &[&str]) -> Result<String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lockkeeper"));
        command.current_dir(root()).arg("replay").args(&self.arguments).args(more).args(&self.events);
        let output = command.output()?;
        assert!(output.status.success(), "{}: {}", self.name, String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// The first line that differs, with its number, for people.
fn first_difference(expected: &str, found: &str) -> Option<String> {
    let (mut expected, mut found) = (expected.lines(), found.lines());
    for number in 1.. {
        match (expected.next(), found.next()) {
            (None, None) => return None,
            (a, b) if a == b => {}
            (a, b) => {
                let line = |line: Option<&str>| line.unwrap_or("(nothing)").to_owned();
                return Some(format!("line {number}\n  expected: {}\n  found:    {}", line(a), line(b)));
            }
        }
    }
    None
}

#[test]
fn stories_replay_to_what_is_expected() -> Result<()> {
    let bless = std::env::var_os("BLESS").is_some_and(|value| value == "1");
    let stories = stories()?;
    assert!(stories.len() >= 12, "only {} stories were found", stories.len());
    let mut failures = Vec::new();
    for story in &stories {
        let found = story.replay(&[])?;
        if bless {
            fs::write(&story.expected, &found)?;
        }
        let expected = fs::read_to_string(&story.expected).map_err(|error| format!("{}: {error}", story.name))?;
        if let Some(difference) = first_difference(&expected, &found) {
            failures.push(format!("fixtures/{}, {difference}", story.name));
        }
        assert!(!failures.is_empty() || expected == found, "{}: line ends differ", story.name);
    }
    assert!(failures.is_empty(), "{}\n(BLESS=1 rewrites the expectations)", failures.join("\n"));
    Ok(())
}

#[test]
fn threads_and_batches_change_nothing() -> Result<()> {
    for story in stories()? {
        let expected = fs::read_to_string(&story.expected)?;
        for more in [["--threads", "1", "--batch", "1"], ["--threads", "3", "--batch", "7"]] {
            let difference = first_difference(&expected, &story.replay(&more)?);
            assert_eq!(difference, None, "fixtures/{} with {more:?}", story.name);
        }
    }
    Ok(())
}

#[test]
fn every_story_says_what_it_tells() -> Result<()> {
    for story in stories()? {
        let readme = root().join("fixtures").join(&story.name).join("README.md");
        let text = fs::read_to_string(&readme).map_err(|error| format!("{}: {error}", readme.display()))?;
        assert!(text.starts_with("# ") && text.lines().count() >= 3, "{} says too little", readme.display());
    }
    Ok(())
}

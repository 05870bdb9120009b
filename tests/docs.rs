//! The examples of the documentation, run, so that no page promises what the binary does not do.
//!
//! A fenced block is run by the second word after its fence:
//!
//! - `yaml rules`: a whole rule set; loads without faults and warnings, and holds for the blocks below it.
//! - `jsonl events`, then `text output`: the events replayed through those rules give one output line per line of the
//!   block, each containing the pieces between ` … ` in their order.
//! - `yaml feature`, then `text values`: `time account type field=value... | feature=value...` for each event; `-` is
//!   no value.
//! - `yaml excerpt`: stands like this in the wallet pack. `json decision`: stands in what some story expects.
//! - `jsonl live`: lines that stand in what a replay of `fixtures/journal` writes.
//! - `console`: commands after `$ `, and what they print, stdout first; times and rates may differ. Of `demo`, whose day
//!   is another one every day, the words on stdout are compared; a build without the service has none to run.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Map, Value};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const HEADER: &str = "ruleset: { name: example, currency: CNY, timezone: Asia/Shanghai }\n";
const BUILD_AND_RUN: &str = "cargo run --quiet -- ";

/// A fenced block: what stands after the fence, and its text.
struct Block {
    /// File and line, for messages.
    place: String,
    info: String,
    text: String,
}

/// What the blocks above have set up.
#[derive(Default)]
struct Example {
    rules: String,
    features: String,
    events: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn blocks(page: &str) -> Result<Vec<Block>> {
    let text = fs::read_to_string(root().join(page))?;
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (number, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), blocks.last_mut()) {
            (Some(_), _) if open => open = false,
            (Some(info), _) => {
                open = true;
                let place = format!("{page}:{}", number + 1);
                blocks.push(Block { place, info: info.to_owned(), text: String::new() });
            }
            (None, Some(block)) if open => writeln!(block.text, "{line}")?,
            (None, _) => {}
        }
    }
    Ok(blocks)
}

fn lockkeeper(arguments: &[&str]) -> Result<Output> {
    Ok(Command::new(env!("CARGO_BIN_EXE_lockkeeper")).current_dir(root()).args(arguments).output()?)
}

fn replay(rules: &str, events: &str) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| -> Result<String> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path.to_string_lossy().into_owned())
    };
    let (rules, events) = (write("rules.yaml", rules)?, write("events.jsonl", events)?);
    let output = lockkeeper(&["replay", "--emit", "all", "--rules", &rules, &events])?;
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() || talk.contains("warning") {
        return Err(talk.into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether the pieces stand in the line, one after the other.
fn contains_in_order(mut line: &str, pieces: &str) -> bool {
    pieces.split(" … ").all(|piece| match line.split_once(piece) {
        Some((_, rest)) => {
            line = rest;
            true
        }
        None => false,
    })
}

fn check_output(example: &Example, block: &Block) -> Result<()> {
    let output = replay(&example.rules, &example.events)?;
    let (lines, expected): (Vec<_>, Vec<_>) = (output.lines().collect(), block.text.lines().collect());
    assert_eq!(lines.len(), expected.len(), "{}: number of lines in\n{output}", block.place);
    for (line, pieces) in lines.iter().zip(&expected) {
        assert!(contains_in_order(line, pieces), "{}:\n  expected: {pieces}\n  found:    {line}", block.place);
    }
    Ok(())
}

/// An event in short: `time account type field=value...`.
fn event(number: usize, words: &str) -> Result<Value> {
    let mut words = words.split_whitespace();
    let mut next = || words.next().ok_or("an event needs time, account and type");
    let (time, account, kind) = (next()?, next()?, next()?);
    let time = if time.contains('T') { format!("{time}Z") } else { format!("2026-01-05T{time}Z") };
    let mut event = Map::new();
    for (name, value) in [("id", format!("e{number}")), ("type", kind.into()), ("time", time)] {
        event.insert(name.into(), value.into());
    }
    event.insert("account".into(), account.into());
    for word in words {
        let (name, value) = word.split_once('=').ok_or_else(|| format!("`{word}` is no field=value"))?;
        let is_place = ["lat", "lon"].contains(&name);
        event.insert(name.into(), if is_place { serde_json::from_str(value)? } else { value.into() });
        if name == "amount" {
            event.insert("currency".into(), "CNY".into());
        }
    }
    Ok(event.into())
}

/// The features under a rule that fires on every event and names them all.
fn showing(features: &str) -> String {
    let top = features.lines().filter(|line| !line.starts_with(' '));
    let names: Vec<_> = top.filter_map(|line| line.split_once(':')).map(|(name, _)| format!("has({name})")).collect();
    let indented: String = features.lines().fold(String::new(), |text, line| text + "  " + line + "\n");
    format!("{HEADER}features:\n{indented}rules:\n  show: {{ when: {} || true }}\n", names.join(" || "))
}

fn check_values(example: &Example, block: &Block) -> Result<()> {
    let mut events = String::new();
    for (number, line) in block.text.lines().enumerate() {
        let (words, _) = line.split_once('|').ok_or("a line needs `|`")?;
        writeln!(events, "{}", event(number, words)?)?;
    }
    let output = replay(&showing(&example.features), &events).map_err(|error| format!("{}: {error}", block.place))?;
    assert_eq!(output.lines().count(), block.text.lines().count(), "{}:\n{output}", block.place);
    for (line, decision) in block.text.lines().zip(output.lines()) {
        let decision: Value = serde_json::from_str(decision)?;
        let values = &decision["hits"][0]["values"];
        for expected in line.split('|').nth(1).into_iter().flat_map(str::split_whitespace) {
            let (name, expected) = expected.split_once('=').ok_or("expected name=value")?;
            let found = match &values[name] {
                Value::Null => "-".to_owned(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            assert_eq!(found, expected, "{}: {name} in `{line}`", block.place);
        }
    }
    Ok(())
}

fn check_rules(block: &Block) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("rules.yaml");
    fs::write(&path, &block.text)?;
    match lockkeeper::rulefiles::load_paths(&[path]) {
        Ok(loaded) if loaded.warnings.is_empty() => Ok(()),
        Ok(loaded) => Err(format!("{}: {:?}", block.place, loaded.warnings).into()),
        Err(faults) => Err(format!("{}: {faults:?}", block.place).into()),
    }
}

/// The line with times and rates, which no two runs share, made alike; trailing blanks go.
fn without_clock(line: &str) -> String {
    match line.split_once(", in ") {
        Some((before, after)) => {
            let after = after.split_once(" with ").map_or(after, |(_, rest)| rest);
            format!("{before}, in … with {after}")
        }
        None => line.trim_end().to_owned(),
    }
}

/// The words of a line without numbers and what is made of them.
fn words(line: &str) -> String {
    let is_word = |word: &&str| word.contains(char::is_alphabetic) && !word.contains(|c: char| c.is_ascii_digit());
    line.split_whitespace().filter(is_word).collect::<Vec<_>>().join(" ")
}

/// Runs each command of a console block and compares what follows it. Commands of other programs are left alone.
fn check_console(block: &Block) -> Result<usize> {
    let mut checked = 0;
    for part in block.text.split("$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        let Some(arguments) = command.strip_prefix(BUILD_AND_RUN).or_else(|| command.strip_prefix("lockkeeper "))
        else {
            continue;
        };
        let arguments: Vec<_> = arguments.split_whitespace().collect();
        let is_demo = arguments.first() == Some(&"demo");
        if is_demo && !cfg!(feature = "service") {
            continue;
        }
        let output = lockkeeper(&arguments)?;
        let talk = if is_demo { Vec::new() } else { output.stderr };
        let found = String::from_utf8(output.stdout)? + &String::from_utf8(talk)?;
        let same = if is_demo { words } else { without_clock };
        let lines = |text: &str| text.trim_end().lines().map(same).collect::<Vec<_>>();
        assert_eq!(lines(&found), lines(expected), "{}: {command}\n{}", block.place, output.status);
        checked += 1;
    }
    Ok(checked)
}

/// The texts of all files of a folder and the folders in it, one level deep.
fn texts_below(folder: &Path, file_name_end: &str) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let path = if path.is_dir() { path.join(file_name_end) } else { path };
        if path.to_string_lossy().ends_with(file_name_end) && path.exists() {
            texts.push(fs::read_to_string(path)?);
        }
    }
    Ok(texts)
}

fn check_excerpt(block: &Block) -> Result<()> {
    let files = texts_below(&root().join("rules/wallet"), ".yaml")?;
    assert!(files.iter().any(|file| file.contains(&block.text)), "{}: not in the pack", block.place);
    Ok(())
}

fn check_decision(block: &Block) -> Result<()> {
    let expected: Value = serde_json::from_str(&block.text)?;
    let stories = texts_below(&root().join("fixtures"), "expected.jsonl")?;
    let records = stories.iter().flat_map(|story| story.lines()).map(serde_json::from_str::<Value>);
    let found = records.filter_map(std::result::Result::ok).any(|record| record == expected);
    assert!(found, "{}: no story expects this", block.place);
    Ok(())
}

fn check_live(block: &Block) -> Result<()> {
    let journal = ["replay", "--rules", "rules/wallet", "--journal", "fixtures/journal/journal.jsonl"];
    let written = String::from_utf8(lockkeeper(&journal)?.stdout)?;
    for line in block.text.lines() {
        assert!(written.lines().any(|found| found == line), "{}: the journal does not give {line}", block.place);
    }
    Ok(())
}

/// Runs a page's examples; how many there were.
fn check(page: &str) -> Result<usize> {
    let mut example = Example::default();
    let mut checked = 0;
    for block in blocks(page)? {
        checked += 1;
        match block.info.as_str() {
            "yaml rules" => {
                check_rules(&block)?;
                example.rules = block.text;
            }
            "yaml feature" => example.features = block.text,
            "jsonl events" => example.events = block.text,
            "text output" => check_output(&example, &block)?,
            "text values" => check_values(&example, &block)?,
            "yaml excerpt" => check_excerpt(&block)?,
            "json decision" => check_decision(&block)?,
            "jsonl live" => check_live(&block)?,
            "console" => checked = checked + check_console(&block)? - 1,
            _ => checked -= 1,
        }
    }
    Ok(checked)
}

#[test]
fn the_rule_reference_is_true() -> Result<()> {
    assert!(check("docs/rules.md")? >= 40);
    Ok(())
}

#[test]
fn the_semantics_are_true() -> Result<()> {
    assert!(check("docs/semantics.md")? >= 5);
    Ok(())
}

#[test]
fn the_journal_is_true() -> Result<()> {
    assert!(check("docs/journal.md")? >= 1);
    Ok(())
}

#[test]
fn the_page_about_kafka_is_true() -> Result<()> {
    assert!(check("docs/kafka.md")? >= 3);
    Ok(())
}

/// The code of all Rust files below a folder.
fn code_below(folder: &Path, found: &mut String) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            code_below(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(())
}

/// Each test that is said to have examined a fault is there.
#[test]
fn faults_were_examined_by_tests_that_exist() -> Result<()> {
    let mut code = String::new();
    for folder in ["tests", "src"] {
        code_below(&root().join(folder), &mut code)?;
    }
    let mut named = 0;
    for page in ["docs/kafka.md", "docs/operations.md"] {
        let text = fs::read_to_string(root().join(page))?;
        let is_test = |name: &&str| name.split('_').count() > 3 && !name.contains(['.', ' ', '/']);
        for name in text.split('`').skip(1).step_by(2).filter(is_test) {
            let is_known = code.contains(&format!("fn {name}(")) || name.starts_with("lockkeeper_");
            assert!(is_known, "{page} names {name}, which is no test");
            named += 1;
        }
    }
    assert!(named >= 20, "{named} tests are named");
    Ok(())
}

#[test]
fn the_readme_is_true() -> Result<()> {
    let expected = if cfg!(feature = "service") { 3 } else { 2 };
    assert!(check("README.md")? >= expected);
    Ok(())
}

/// Links between our own files lead somewhere.
#[test]
fn links_lead_somewhere() -> Result<()> {
    let pages =
        ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "rules/README.md"].map(str::to_owned);
    let docs = fs::read_dir(root().join("docs"))?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let docs = docs.filter(|name| name.ends_with(".md")).map(|name| format!("docs/{name}"));
    for page in pages.into_iter().chain(docs) {
        let page = page.as_str();
        let text = fs::read_to_string(root().join(page))?;
        let folder = Path::new(page).parent().unwrap_or(Path::new(""));
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let path = target.split('#').next().unwrap_or_default();
            let is_ours = !path.is_empty() && !path.contains("://");
            let exists = root().join(folder).join(path).exists();
            assert!(!is_ours || exists, "{page} links to {target}, which does not exist");
        }
    }
    Ok(())
}

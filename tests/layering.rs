//! The shape of the program, held by a test: which layer may name which, and which words stay out of the pure half.
//!
//! | layer     | may name                                    | is                                                    |
//! |-----------|---------------------------------------------|-------------------------------------------------------|
//! | model     |                                             | events, money, time, values, locks, decisions         |
//! | wire      | model                                       | JSON and CSV bytes into columns                       |
//! | expr      | model                                       | CEL text into columns                                 |
//! | ruleset   | model, wire, expr                           | YAML into a rule set, or every fault at once          |
//! | lint      | model, expr, ruleset                        | rule sets that are valid, but hardly meant            |
//! | feature   | model, expr, ruleset                        | keyed window state                                    |
//! | engine    | model, wire, expr, ruleset, feature         | the fold: intake, rules, locks, output lines          |
//! | generate  |                                             | seeded traffic                                        |
//! | rulefiles | ruleset                                     | rule sets from the file system                        |
//! | schema    | model, wire, ruleset                        | JSON Schemas of rules, events and output              |
//! | journal   | model, wire                                 | what was consumed, in order                           |
//! | tables    |                                             | tables for people                                     |
//! | judging   | model, generate, tables                     | what decisions on generated attacks are worth         |
//! | replay    | model, wire, ruleset, feature, engine,      | files and journals through the engine                 |
//! |           | journal, tables                             |                                                       |
//! | kafka     |                                             | records and offsets in and out of Kafka               |
//! | config    | model, ruleset, engine                      | the service's configuration, typed                    |
//! | logging   | config                                      | log lines                                             |
//! | metrics   | model, ruleset, engine                      | what Prometheus is told                               |
//! | service   | everything above                            | threads, HTTP                                         |
//! | demo      | model, ruleset, generate, rulefiles, kafka, | everything in one process                             |
//! |           | config, service, tables, judging            |                                                       |
//! | cli       | everything above                            | one file per verb                                     |
//!
//! Down to `engine`, and in `config` and `journal`, it is the pure half: no clock, thread, file, network, environment or
//! randomness.
//! A text search over code without comments and literals is crude, but it sees every way of naming a thing, macros
//! included.

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer with those it may name, all of them above it.
const LAYERS: [(&str, &[&str]); 21] = [
    ("model", &[]),
    ("wire", &["model"]),
    ("expr", &["model"]),
    ("ruleset", &["model", "wire", "expr"]),
    ("lint", &["model", "expr", "ruleset"]),
    ("feature", &["model", "expr", "ruleset"]),
    ("engine", &["model", "wire", "expr", "ruleset", "feature"]),
    ("generate", &[]),
    ("rulefiles", &["ruleset"]),
    ("schema", &["model", "wire", "ruleset"]),
    ("journal", &["model", "wire"]),
    ("tables", &[]),
    ("judging", &["model", "generate", "tables"]),
    ("replay", &["model", "wire", "ruleset", "feature", "engine", "journal", "tables"]),
    ("kafka", &[]),
    ("config", &["model", "ruleset", "engine"]),
    ("logging", &["config"]),
    ("metrics", &["model", "ruleset", "engine"]),
    (
        "service",
        &["model", "wire", "expr", "ruleset", "feature", "engine", "config", "journal", "replay", "kafka", "metrics"],
    ),
    ("demo", &["model", "ruleset", "generate", "rulefiles", "tables", "judging", "kafka", "config", "service"]),
    (
        "cli",
        &[
            "model",
            "ruleset",
            "lint",
            "engine",
            "generate",
            "rulefiles",
            "schema",
            "replay",
            "kafka",
            "config",
            "journal",
            "service",
            "demo",
            "tables",
            "logging",
            "metrics",
        ],
    ),
];
/// The layers that know no outside world.
const PURE: [&str; 10] =
    ["model", "wire", "expr", "ruleset", "lint", "feature", "engine", "schema", "config", "journal"];
/// Words that bring the outside in. Grouped imports from `std` are refused because they would hide them.
const IMPURE: [&str; 29] = [
    "std::{",
    "std::fs",
    "std::time",
    "std::thread",
    "std::env",
    "std::process",
    "std::os",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "ToSocketAddrs",
    "stdin",
    "stdout",
    "stderr",
    "RandomState",
    "rayon",
    "clap",
    "indicatif",
    "anstream",
    "ctrlc",
    "tempfile",
    "tokio",
    "rdkafka",
    "prometheus",
    "rand",
    "rand_pcg",
    "getrandom",
    "flate2",
    "zstd",
];
/// Where a word of [`IMPURE`] is right all the same, and why.
const EXCEPTIONS: [(&str, &str, &str); 6] = [
    ("src/expr/parse/mod.rs", "std::thread", "the parser needs a stack of known size; the thread is waited for"),
    ("src/config/load.rs", "std::fs", "the one function that reads the file and secrets"),
    ("src/config/load.rs", "std::env", "the one function that reads the environment"),
    ("src/config/load.rs", "tempfile", "its tests"),
    ("src/config/tests.rs", "std::fs", "the example and the page are compared with the keys"),
    ("src/config/tests.rs", "std::env", "BLESS"),
];
/// Words with one home.
const OWNERS: [(&str, &[&str]); 12] = [
    ("cel", &["src/expr/"]),
    ("serde_saphyr", &["src/ruleset/"]),
    ("annotate_snippets", &["src/ruleset/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("rdkafka", &["src/kafka/"]),
    ("axum", &["src/service/"]),
    ("hyper", &["src/service/"]),
    ("tokio", &["src/service/", "src/kafka/admin.rs"]),
    ("prometheus", &["src/metrics/"]),
    ("tracing_subscriber", &["src/logging.rs"]),
    ("rdkafka_sys", &["src/kafka/raw"]),
    ("unsafe", &["src/feature/prefetch.rs", "src/kafka/raw"]),
];
/// Most lines of a source file.
const MOST_LINES: usize = 450;

/// A source file: its path from the root, its text, and its code without comments and literals.
struct Source {
    path: String,
    text: String,
    code: String,
}

impl Source {
    /// The module below `src` that the file belongs to; `lib` and `main` are none.
    fn layer(&self) -> Option<&str> {
        let name = self.path.strip_prefix("src/")?;
        let name = name.split('/').next()?.trim_end_matches(".rs");
        Some(name).filter(|name| !["lib", "main"].contains(name))
    }

    fn names(&self, word: &str) -> bool {
        places(&self.code, word).next().is_some()
    }
}

/// Where a word stands by itself.
fn places<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    code.match_indices(word).map(|(at, _)| at).filter(move |&at| {
        let (before, after) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        !before.is_some_and(is_part) && (word.ends_with('{') || !after.is_some_and(is_part))
    })
}

/// The code without comments and the insides of literals; line ends stay.
fn bare(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        let skip = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '"' => 1 + quoted(&rest[1..]),
            'r' if !code.ends_with(|last: char| last.is_alphanumeric() || last == '_') => raw(rest),
            '\'' if rest[1..].starts_with('\\') => rest[3..].find('\'').map_or(rest.len(), |end| end + 4),
            '\'' => rest.char_indices().nth(2).filter(|(_, third)| *third == '\'').map_or(0, |(at, _)| at + 1),
            _ => 0,
        };
        if skip == 0 {
            code.push(first);
        } else {
            code.extend(rest[..skip].chars().filter(|character| *character == '\n'));
            code.push(' ');
        }
        rest = &rest[skip.max(first.len_utf8())..];
    }
    code
}

/// Length of the inside of a string literal with its closing quote.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    let end = text.char_indices().find(|(_, character)| {
        let ends = *character == '"' && !escaped;
        escaped = *character == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// Length of a raw string literal, 0 where there is none.
fn raw(text: &str) -> usize {
    let fence = &text[1..1 + text[1..].find(|character| character != '#').unwrap_or(0)];
    let start = 1 + fence.len();
    if !text[start..].starts_with('"') {
        return 0;
    }
    let close = format!("\"{fence}");
    text[start + 1..].find(&close).map_or(text.len(), |end| start + 1 + end + close.len())
}

/// All Rust files below a folder of the repository.
fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    collect(&root.join(folder), &mut found);
    found.sort();
    assert!(!found.is_empty(), "no Rust files in {folder}");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file");
        let path = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
        Source { path, code: bare(&text), text }
    };
    found.into_iter().map(read).collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Fails with all faults at once.
fn check(faults: &[String]) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The modules of the crate's root that a file names, by `crate::` or by climbing up to them.
fn imports(source: &Source) -> Vec<String> {
    let paths = ["crate::", "super::"]
        .into_iter()
        .flat_map(|word| source.code.match_indices(word).map(move |(at, _)| (word, &source.code[at + word.len()..])));
    let name = |(word, rest): (&str, &str)| {
        let end = rest.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(rest.len());
        let known = LAYERS.iter().any(|(layer, _)| *layer == &rest[..end]);
        // Verbs have the names of what they show, and `cli` is above all of it.
        let beside = word == "super::" && (!known || source.layer() == Some("cli"));
        (!beside).then(|| rest[..end].to_string())
    };
    paths.filter_map(name).collect()
}

#[test]
fn layers_name_only_what_is_above_them() {
    let mut faults = Vec::new();
    for source in sources("src") {
        let Some(layer) = source.layer() else { continue };
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == layer) else {
            faults.push(format!("{}: `{layer}` has no place in the table of layers", source.path));
            continue;
        };
        for name in imports(&source) {
            if name != layer && !allowed.contains(&name.as_str()) {
                faults.push(format!("{}: names `{name}`, and `{layer}` may name only {allowed:?}", source.path));
            }
        }
    }
    check(&faults);
}

#[test]
fn the_table_is_an_order() {
    for (index, (layer, allowed)) in LAYERS.iter().enumerate() {
        let above: Vec<&str> = LAYERS[..index].iter().map(|(name, _)| *name).collect();
        assert!(allowed.iter().all(|name| above.contains(name)), "{layer} names a layer that is not above it");
    }
}

#[test]
fn the_pure_half_names_nothing_of_the_outside() {
    let mut faults = Vec::new();
    for source in sources("src").iter().filter(|source| source.layer().is_some_and(|layer| PURE.contains(&layer))) {
        for word in IMPURE.iter().filter(|word| source.names(word)) {
            if !EXCEPTIONS.iter().any(|(path, known, _)| *path == source.path && known == word) {
                faults.push(format!("{}: names `{word}`, which belongs to the shell", source.path));
            }
        }
    }
    check(&faults);
}

#[test]
fn exceptions_are_still_needed() {
    for (path, word, reason) in EXCEPTIONS {
        let used = sources("src").iter().any(|source| source.path == path && source.names(word));
        assert!(used, "{path} no longer names `{word}` ({reason}): take the exception out");
    }
}

#[test]
fn what_has_one_home_stays_there() {
    let mut faults = Vec::new();
    for source in sources("src") {
        for (word, homes) in OWNERS {
            if !homes.iter().any(|home| source.path.starts_with(home)) && source.names(word) {
                faults.push(format!("{}: only {homes:?} may name `{word}`", source.path));
            }
        }
    }
    check(&faults);
}

#[test]
fn files_have_a_head_and_an_end() {
    let mut faults = Vec::new();
    for source in ["src", "tests", "benches"].into_iter().flat_map(sources) {
        if !source.text.starts_with("//! ") {
            faults.push(format!("{}: begins without `//!` saying what it is for", source.path));
        }
        if ["todo!", "unimplemented!", "dbg!"].iter().any(|word| source.code.contains(word)) {
            faults.push(format!("{}: is not finished", source.path));
        }
        let lines = source.text.lines().count();
        if source.path.starts_with("src/") && lines > MOST_LINES {
            faults.push(format!("{}: {lines} lines, at most {MOST_LINES}", source.path));
        }
    }
    check(&faults);
}

#[test]
fn the_search_sees_code_and_nothing_else() {
    for (text, expected) in [
        ("use std::fs;", true),
        ("std::fs::read(x)", true),
        ("use std::fsx;", false),
        ("// std::fs", false),
        ("let x = \"a \\\" std::fs\"; y", false),
        ("let x = r#\"a \" std::fs\"#; y", false),
        ("let x = '\"'; std::fs::read(x); let y = '\"';", true),
        ("let x = '\\''; std::fs::read(x)", true),
        ("fn f<'a>(x: &'a str) { std::fs::read(x) }", true),
    ] {
        let found = places(&bare(text), "std::fs").next().is_some();
        assert_eq!(found, expected, "{text}");
    }
}

//! Every verb's help shows examples, and what they show is a command line that the program takes.

use std::error::Error;

use clap::{Command, CommandFactory, error::ErrorKind};
use lockkeeper::cli::Cli;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Verbs and those below them that do something, with the words that lead to them.
fn verbs(command: &Command, path: &[String]) -> Vec<(Vec<String>, Command)> {
    let mut found = Vec::new();
    for verb in command.get_subcommands().filter(|verb| verb.get_name() != "help") {
        let path = [path, &[verb.get_name().to_owned()]].concat();
        match verb.has_subcommands() {
            true => found.extend(verbs(verb, &path)),
            false => found.push((path, verb.clone())),
        }
    }
    found
}

/// The command lines in a help text: of a pipe each part that runs the program, without what a shell takes away.
fn examples(help: &str) -> Vec<Vec<String>> {
    let lines = help.lines().skip_while(|line| !line.starts_with("Examples:")).map(str::trim);
    let lines = lines.filter(|line| !line.ends_with(':'));
    let parts = lines.flat_map(|line| line.split('|')).filter_map(|part| {
        let start = part.find("lockkeeper ")?;
        let is_command = part[..start]
            .split_whitespace()
            .all(|word| word.contains('=') || word == "source" || word.starts_with('<'));
        let end = part.find([')', '>']).unwrap_or(part.len()).max(start);
        is_command.then(|| part[start..end].split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    });
    parts.collect()
}

/// Whether the program would take the command line. What stands for a file need not be there.
fn parses(line: &[String]) -> std::result::Result<(), String> {
    match Cli::command().try_get_matches_from(line) {
        Ok(_) => Ok(()),
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => Ok(()),
        Err(error) => Err(format!("{}: {error}", line.join(" "))),
    }
}

#[test]
fn the_help_of_every_verb_has_examples_that_parse() -> Result<()> {
    let mut command = Cli::command();
    command.build();
    let verbs = verbs(&command, &[]);
    assert!(verbs.len() >= 6);
    for (path, mut verb) in verbs {
        let help = verb.render_long_help().to_string();
        let examples = examples(&help);
        let own = examples.iter().filter(|line| line[1..].starts_with(&path)).count();
        // What stands above a verb may show the examples of all below it.
        let above = command.find_subcommand(&path[0]).map(|verb| verb.clone().render_long_help().to_string());
        let above = above.map(|help| self::examples(&help)).unwrap_or_default();
        let shared = above.iter().filter(|line| line[1..].starts_with(&path)).count();
        assert!(own + shared > 0, "{} has no example:\n{help}", path.join(" "));
        for line in examples {
            parses(&line)?;
        }
    }
    Ok(())
}

#[test]
fn a_wrong_example_would_be_seen() {
    let help = "Examples:\n  Try it:\n    A=1 lockkeeper replay --rule x | lockkeeper check rules > out\n";
    let found = examples(help);
    assert_eq!(found, [vec!["lockkeeper", "replay", "--rule", "x"], vec!["lockkeeper", "check", "rules"]]);
    assert!(parses(&found[0]).is_err());
    assert!(parses(&found[1]).is_ok());
}

//! `lockkeeper completions` and `lockkeeper man`: what packages install beside the program, from the same definition of
//! the command line that parses it.

use std::fs;
use std::io::{ErrorKind, Write as _, stdout};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use super::Cli;
use super::exit::Exit;

const NAME: &str = "lockkeeper";

const COMPLETIONS: &str = "\
Examples:
  For bash, until the shell ends:
    source <(lockkeeper completions bash)

  For zsh and fish, where they look for them:
    lockkeeper completions zsh > ~/.zfunc/_lockkeeper
    lockkeeper completions fish > ~/.config/fish/completions/lockkeeper.fish";

const MAN: &str = "\
Examples:
  Read the page of the program:
    lockkeeper man | man -l -

  Write one page for the program and one for each verb:
    lockkeeper man /usr/local/share/man/man1";

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS)]
pub struct CompletionsArgs {
    /// For which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write those of all verbs into a folder
#[derive(Debug, Args)]
#[command(after_help = MAN)]
pub struct ManArgs {
    /// Where to write the pages; without it the program's own page goes to stdout
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints the completions of a shell.
///
/// # Errors
/// They cannot be written; a closed pipe is no error.
pub fn run(args: &CompletionsArgs) -> Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    print(&script)
}

/// Prints or writes manual pages.
///
/// # Errors
/// They cannot be written; a closed pipe is no error.
pub fn run_man(args: &ManArgs) -> Result<Exit> {
    let mut command = Cli::command();
    command.build();
    match &args.folder {
        None => print(&page(&command)?),
        Some(folder) => {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
            write_pages(folder, &command)?;
            Ok(Exit::Fine)
        }
    }
}

/// The page of a command and those of what is below it: `lockkeeper-state-inspect.1`.
fn write_pages(folder: &Path, command: &Command) -> Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
    let below = command.get_subcommands().filter(|verb| !verb.is_hide_set() && verb.get_name() != "help");
    below.into_iter().try_for_each(|verb| write_pages(folder, verb))
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    Ok(page)
}

fn print(text: &[u8]) -> Result<Exit> {
    match stdout().lock().write_all(text) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        _ => Ok(Exit::Fine),
    }
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn completions_of_every_shell_know_every_verb() {
        let verbs: Vec<String> = Cli::command().get_subcommands().map(|verb| verb.get_name().to_owned()).collect();
        assert!(verbs.len() >= 6);
        for shell in Shell::value_variants() {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Cli::command(), NAME, &mut script);
            let script = String::from_utf8(script).expect("text");
            let missing: Vec<_> = verbs.iter().filter(|verb| !script.contains(verb.as_str())).collect();
            assert!(missing.is_empty(), "{shell}: {missing:?}");
        }
    }

    #[test]
    fn every_verb_has_a_page_with_its_flags_and_examples() -> Result<()> {
        let folder = tempfile::tempdir()?;
        run_man(&ManArgs { folder: Some(folder.path().join("man1")) })?;
        let page = |name: &str| fs::read_to_string(folder.path().join("man1").join(name));
        for verb in Cli::command().get_subcommands() {
            let text = page(&format!("lockkeeper-{}.1", verb.get_name()))?;
            assert!(text.starts_with(".ie") || text.contains(".TH"), "{}", verb.get_name());
            assert!(text.contains("Examples:") || verb.has_subcommands(), "{}", verb.get_name());
        }
        assert!(page("lockkeeper.1")?.contains("replay"));
        assert!(page("lockkeeper-replay.1")?.contains("rules"));
        Ok(())
    }
}

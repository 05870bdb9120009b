//! The configuration from the outside world: the file, the environment, and files with secrets.

use std::collections::BTreeMap;
use std::env;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Loaded, Program, Secret, parse_for};
use crate::ruleset::diagnostic::Diagnostic;

/// Largest configuration file, bytes.
const MAX_FILE: u64 = 1024 * 1024;
/// Largest secret, bytes.
const MAX_SECRET: u64 = 64 * 1024;

/// Loads a configuration file, with the process's environment, for a program.
///
/// # Errors
/// All faults: of reading, or of content.
pub fn load(path: &Path, program: &Program) -> Result<Loaded, Vec<Diagnostic>> {
    let name = path.to_string_lossy();
    let unreadable = |message: String| vec![Diagnostic::of_file("unreadable", &name, message)];
    let text = read(path, MAX_FILE).map_err(unreadable)?;
    let directory = path.parent().unwrap_or(Path::new(""));
    // Variables that are not UTF-8 are not ours.
    let variables: BTreeMap<String, String> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    parse_for(program, &name, &text, directory, &variables, &read_secret)
}

/// A secret's file without the line end that editors add.
fn read_secret(path: &Path) -> Result<Secret, String> {
    let mut text = read(path, MAX_SECRET)?;
    if text.ends_with('\n') {
        text.pop();
        text.truncate(text.strip_suffix('\r').unwrap_or(&text).len());
    }
    if text.is_empty() { Err("this file is empty".to_string()) } else { Ok(Secret::new(text)) }
}

/// A file's text; what it holds is never part of the message.
fn read(path: &Path, most: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| format!("this file cannot be read: {error}"))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|error| format!("this file cannot be read: {error}"))?;
    if bytes.len() as u64 > most {
        return Err(format!("this file is larger than {} KiB", most / 1024));
    }
    String::from_utf8(bytes).map_err(|_| "this file is not UTF-8".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::PropertyValue;

    /// Writes a configuration with a secret's file beside it; the secret as read, or the end of the fault's message.
    fn check(secret: &[u8], expected: Result<&str, &str>) {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("lockkeeper.yaml");
        let text = "kafka: { bootstrap_servers: [b:9092], group_id: g, properties: { sasl.password: { file: pw } } }\n\
                    topics: { input: [events] }\nrules: [rules]\nstate: { directory: state }\n";
        std::fs::write(&path, text).expect("a file");
        std::fs::write(directory.path().join("pw"), secret).expect("a file");
        match (load(&path, &Program::default()), expected) {
            (Ok(loaded), Ok(expected)) => {
                let found = loaded.config.kafka.properties.get("sasl.password").map(PropertyValue::expose);
                assert_eq!(found, Some(expected));
                assert_eq!(loaded.config.rules, [directory.path().join("rules")]);
            }
            (Err(faults), Err(expected)) => {
                assert_eq!(faults.len(), 1);
                assert!(faults[0].message.ends_with(expected), "{}", faults[0].message);
            }
            (found, _) => panic!("{found:?}"),
        }
    }

    #[test]
    fn secrets_are_files_without_their_line_end() {
        check(b"hunter2", Ok("hunter2"));
        check(b"hunter2\n", Ok("hunter2"));
        check(b"hunter2\r\n", Ok("hunter2"));
        check(b" hunter2\n\n", Ok(" hunter2\n"));
        check(b"\n", Err("this file is empty"));
        check(b"\xff", Err("this file is not UTF-8"));
        check(&[b'a'; 70_000], Err("this file is larger than 64 KiB"));
    }

    #[test]
    fn a_directory_is_no_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let faults = load(directory.path(), &Program::default()).err().unwrap_or_default();
        assert_eq!(faults.iter().map(|fault| fault.code).collect::<Vec<&str>>(), ["unreadable"]);
    }
}

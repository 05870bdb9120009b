//! The service's configuration with what only the command line knows of it: its flags' variables, and the Kafka client.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use clap::{Command, CommandFactory};

use super::Cli;
use crate::config::load::load as load_for;
use crate::config::{Config, Loaded, Logging, Program, Properties, PropertyFault, PropertyValue};
use crate::kafka::property::{Rejection, names, rejected, rejected_together};
use crate::logging::is_for_people;
use crate::rulefiles::load_paths;
use crate::ruleset::diagnostic::Diagnostic;
use crate::ruleset::render::render_human;
use crate::ruleset::suggest::did_you_mean;
use crate::ruleset::types::RuleSet;

/// A configuration, its rules, and what is probably not meant in either.
pub struct Ready {
    /// The configuration.
    pub config: Config,
    /// The rules it names.
    pub rules: RuleSet,
    /// What is probably not meant.
    pub warnings: Vec<Diagnostic>,
}

/// Loads a configuration.
///
/// # Errors
/// All its faults.
pub fn load(path: &Path) -> Result<Loaded, Vec<Diagnostic>> {
    let flags = flag_variables();
    let program = Program { flags: &flags, check_each: &check_each, check_together: &check_together };
    load_for(path, &program)
}

/// The configuration and its rules; `None` after saying what is wrong with them.
pub fn read(path: &Path) -> Option<Ready> {
    match read_both(path) {
        Ok(ready) => Some(ready),
        Err(faults) => {
            anstream::eprint!("{}", render_human(&faults, true));
            None
        }
    }
}

fn read_both(path: &Path) -> Result<Ready, Vec<Diagnostic>> {
    let Loaded { config, mut warnings } = load(path)?;
    let after = |mut before: Vec<Diagnostic>, faults: Vec<Diagnostic>| {
        before.extend(faults);
        before
    };
    match load_paths(&config.rules) {
        Ok(rules) => {
            warnings.extend(rules.warnings);
            match config.lateness_fault(rules.rules.lateness) {
                Some(fault) => Err(after(warnings, vec![fault])),
                None => Ok(Ready { config, rules: rules.rules, warnings }),
            }
        }
        Err(faults) => Err(after(warnings, faults)),
    }
}

/// Says what is probably not meant: with carets to people, and to programs as the log lines they read anyway.
pub fn tell(warnings: &[Diagnostic], logging: &Logging) {
    if is_for_people(logging) {
        anstream::eprint!("{}", render_human(warnings, true));
        return;
    }
    for Diagnostic { code, location, message, help, .. } in warnings {
        let (file, line, column) = (&location.file, location.line, location.column);
        tracing::warn!(code, file, line, column, help, "{message}");
    }
}

/// The variables that stand in for flags, of all verbs.
fn flag_variables() -> Vec<String> {
    fn collect(command: &Command, found: &mut Vec<String>) {
        found.extend(command.get_arguments().filter_map(|argument| argument.get_env()?.to_str().map(str::to_owned)));
        command.get_subcommands().for_each(|command| collect(command, found));
    }
    let mut found = Vec::new();
    collect(&Cli::command(), &mut found);
    found.sort();
    found.dedup();
    found
}

fn check_each(properties: &Properties) -> Vec<PropertyFault> {
    rejected(&exposed(properties)).into_iter().map(|rejection| fault(properties, rejection)).collect()
}

fn check_together(properties: &Properties) -> Vec<PropertyFault> {
    rejected_together(&exposed(properties)).map(|rejection| fault(properties, rejection)).into_iter().collect()
}

fn exposed(properties: &Properties) -> BTreeMap<String, String> {
    properties.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
}

fn fault(properties: &Properties, rejection: Rejection) -> PropertyFault {
    let Rejection { name, reason, is_unknown, is_of_build } = rejection;
    let reason = without_values(properties, reason);
    let message = match &name {
        Some(name) => format!("the Kafka client does not take `{name}`: {reason}"),
        None => format!("the Kafka client does not take these properties together: {reason}"),
    };
    let help = if is_of_build {
        Some(
            "`lockkeeper --version -v` shows what this build can do; one with the feature `tls` has TLS and SCRAM"
                .into(),
        )
    } else if name.as_deref() == Some("sasl.jaas.config") {
        Some("that one is Java's: set `sasl.mechanism`, `sasl.username` and `sasl.password`".into())
    } else if is_unknown {
        did_you_mean(name.as_deref().unwrap_or_default(), names())
    } else {
        Some("librdkafka's CONFIGURATION.md says what each property takes".into())
    };
    PropertyFault { name, message, help }
}

/// What the library says repeats values, and what came by reference is not for messages.
fn without_values(properties: &Properties, reason: String) -> String {
    properties.values().fold(reason, |reason, value| match value {
        PropertyValue::Secret(secret) => {
            let reason = reason.replace(&format!("\"{}\"", secret.expose()), "[redacted]");
            // Few signs stand in any text, and tell nothing.
            let is_shown = secret.expose().len() > 3 && reason.contains(secret.expose());
            if is_shown { "its value is not valid".to_owned() } else { reason }
        }
        PropertyValue::Plain(_) => reason,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[test]
    fn every_verb_has_its_variables() {
        let found = flag_variables();
        for name in ["CONFIG", "FORMAT", "OUT", "LISTEN", "EVENTS", "RATE", "DENY_WARNINGS", "FROM_OFFSET"] {
            assert!(found.contains(&format!("LOCKKEEPER_{name}")), "{name}: {found:?}");
        }
    }

    #[test]
    fn values_that_came_by_reference_are_not_repeated() {
        let secret = |text: &str| PropertyValue::Secret(Secret::new(text.to_owned()));
        let plain = |text: &str| PropertyValue::Plain(text.to_owned());
        for (name, value, expected) in [
            ("isolation.levle", plain("dirty"), "there is no such property"),
            (
                "compression.type",
                plain("dirty"),
                "Invalid value \"dirty\" for configuration property \"compression.codec\"",
            ),
            (
                "compression.type",
                secret("dirty"),
                "Invalid value [redacted] for configuration property \"compression.codec\"",
            ),
        ] {
            let faults = check_each(&[(name.to_owned(), value)].into());
            let expected = format!("the Kafka client does not take `{name}`: {expected}");
            assert_eq!(faults.iter().map(|fault| fault.message.as_str()).collect::<Vec<_>>(), [expected]);
        }
        let help = check_each(&[("sasl.pasword".to_owned(), secret("hunter2"))].into())[0].help.clone();
        assert_eq!(help.as_deref(), Some("did you mean `sasl.password`?"));
    }
}

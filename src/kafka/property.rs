//! Whether the client library takes an operator's properties: asked before anybody relies on them, and without a broker.
//!
//! What a property may be depends on how the library was built, so the library itself is asked: for each one alone, and
//! by making clients that have nowhere to connect to, since some faults show only then.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaConfRes;

use super::error::Error;
use super::raw::Handle;
use super::settings::{Settings, is_secret};

/// Names of all properties of the library, one a line.
const NAMES: &str = include_str!("properties.txt");
/// How the library says that it was built without something.
const NOT_BUILT: [&str; 3] = ["not available at build time", "No provider for", "not supported in this build"];

/// A property that is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its name; none where it is all of them together.
    pub name: Option<String>,
    /// What the library says, without the value of a secret.
    pub reason: String,
    /// Whether there is no such property.
    pub is_unknown: bool,
    /// Whether it is this build that cannot do it.
    pub is_of_build: bool,
}

/// The names of all properties there are.
pub fn names() -> impl Iterator<Item = &'static str> {
    NAMES.lines()
}

/// Those that are not taken, each looked at by itself.
#[must_use]
pub fn rejected(properties: &BTreeMap<String, String>) -> Vec<Rejection> {
    let reject = |(name, value): (&String, &String)| {
        let error = ClientConfig::new().set(name, value).create_native_config().err()?;
        let is_unknown = matches!(error, KafkaError::ClientConfig(RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, ..));
        let said = match Error::from(error) {
            Error::Property { reason, .. } => reason,
            other => other.to_string(),
        };
        Some(rejection(Some(name.clone()), said, is_unknown))
    };
    properties.iter().filter_map(reject).collect()
}

/// Why clients cannot be made with all of them, if so.
#[must_use]
pub fn rejected_together(properties: &BTreeMap<String, String>) -> Option<Rejection> {
    let settings = Settings {
        group_id: "check".to_string(),
        transactional_id: "check".to_string(),
        properties: properties.clone(),
        ..Settings::default()
    };
    // Without an address nothing is connected to.
    let alone = |config: Result<ClientConfig, Error>| {
        config.map(|mut config| {
            config.remove("bootstrap.servers");
            config
        })
    };
    let consumer = alone(settings.consumer()).and_then(|config| Handle::consumer(&config)).err();
    let error = consumer
        .or_else(|| alone(settings.transactional_producer()).and_then(|config| Handle::producer(&config)).err())?;
    let reason = match error {
        Error::Client(reason) => reason,
        other => other.to_string(),
    };
    let secret = properties.iter().any(|(name, value)| is_secret(name) && reason.contains(value.as_str()));
    let reason = if secret { "the library does not say why without a secret in it".to_string() } else { reason };
    Some(rejection(culprit(properties, &reason), reason, false))
}

/// The property that the library speaks of.
fn culprit(properties: &BTreeMap<String, String>, reason: &str) -> Option<String> {
    let named = properties.keys().filter(|name| reason.contains(name.as_str())).max_by_key(|name| name.len());
    let mechanism = || {
        let names = ["sasl.mechanism", "sasl.mechanisms", "security.protocol"];
        names.into_iter().filter(|_| reason.contains("SASL mechanism")).find_map(|name| properties.get_key_value(name))
    };
    named.or_else(|| mechanism().map(|(name, _)| name)).cloned()
}

fn rejection(name: Option<String>, said: String, is_unknown: bool) -> Rejection {
    let is_of_build = NOT_BUILT.iter().any(|words| said.contains(words));
    // How to build the library is nothing that an operator can do.
    let reason = said.split(": recompile librdkafka").next().unwrap_or_default().to_string();
    let reason = if is_unknown { "there is no such property".to_string() } else { reason };
    Rejection { name, reason, is_unknown, is_of_build }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
    }

    #[test]
    fn each_that_is_not_taken_is_named() {
        let rejected = rejected(&properties(&[
            ("linger.ms", "abc"),
            ("sasl.pasword", "hunter2"),
            ("fetch.wait.max.ms", "20"),
            ("sasl.jaas.config", "hunter2"),
        ]));
        let names: Vec<_> = rejected.iter().map(|found| (found.name.as_deref(), found.is_unknown)).collect();
        let expected = [(Some("linger.ms"), false), (Some("sasl.jaas.config"), false), (Some("sasl.pasword"), true)];
        assert_eq!(names, expected);
        assert!(!format!("{rejected:?}").contains("hunter2"), "{rejected:?}");
    }

    #[test]
    fn what_a_build_cannot_do_is_said_of_the_build() {
        let encrypted = properties(&[("security.protocol", "SSL")]);
        let scram = properties(&[
            ("sasl.mechanism", "SCRAM-SHA-256"),
            ("sasl.password", "hunter2"),
            ("sasl.username", "joe"),
            ("security.protocol", "SASL_PLAINTEXT"),
        ]);
        assert_eq!(rejected(&scram), []);
        if cfg!(feature = "tls") {
            assert_eq!((rejected(&encrypted), rejected_together(&scram)), (Vec::new(), None));
            return;
        }
        let found = rejected(&encrypted);
        assert!(found.len() == 1 && found[0].is_of_build, "{found:?}");
        let found = rejected_together(&scram).expect("a build without SCRAM");
        assert!(found.is_of_build, "{found:?}");
        assert_eq!(found.name.as_deref(), Some("sasl.mechanism"));
        assert_eq!(found.reason, "No provider for SASL mechanism SCRAM-SHA-256");
    }

    #[test]
    fn what_goes_together_is_taken() {
        let plain = [
            ("sasl.mechanism", "PLAIN"),
            ("sasl.password", "hunter2"),
            ("sasl.username", "joe"),
            ("security.protocol", "SASL_PLAINTEXT"),
        ];
        for list in [&[][..], &plain, &[("client.id", "lockkeeper"), ("compression.type", "zstd")]] {
            assert_eq!((rejected(&properties(list)), rejected_together(&properties(list))), (Vec::new(), None));
        }
        let found = rejected_together(&properties(&[("session.timeout.ms", "900000")])).expect("too long");
        assert_eq!(found.name.as_deref(), Some("session.timeout.ms"), "{found:?}");
    }

    #[test]
    fn the_library_knows_every_name() {
        let probe =
            |name: &str| rejected(&properties(&[(name, "\u{1}no value")])).first().is_some_and(|r| r.is_unknown);
        let unknown: Vec<&str> = names().filter(|name| probe(name)).collect();
        assert_eq!(unknown, Vec::<&str>::new());
        assert!(probe("no.such.property") && names().count() > 150);
    }
}

//! `kafka.properties`: whatever librdkafka takes, except what would break the service's promises, and secrets only by
//! reference.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use super::key::PROPERTIES;
use super::secret::{Secret, is_secret};
use super::settings::{Found, PROPERTY_PREFIX, Settings};
use super::{Program, Properties, PropertyFault, ReadSecret};
use crate::ruleset::diagnostic::{Faults, Place};
use crate::ruleset::read::{bad_value, mapping, text};
use crate::ruleset::yaml::{Key as YamlKey, Kind, Node};

/// The value of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyValue {
    /// Written in the file.
    Plain(String),
    /// From a file or the environment.
    Secret(Secret),
}

impl PropertyValue {
    /// The value, for the client only.
    pub fn expose(&self) -> &str {
        match self {
            PropertyValue::Plain(text) => text,
            PropertyValue::Secret(secret) => secret.expose(),
        }
    }
}

impl fmt::Display for PropertyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PropertyValue::Plain(text) => f.write_str(text),
            PropertyValue::Secret(secret) => secret.fmt(f),
        }
    }
}

/// Properties that are set by keys of their own, or on which exactly-once rests, with what to do instead.
pub const MANAGED: [(&str, &str); 21] = [
    ("bootstrap.servers", "set `kafka.bootstrap_servers`"),
    ("metadata.broker.list", "set `kafka.bootstrap_servers`"),
    ("group.id", "set `kafka.group_id`"),
    ("transactional.id", "set `kafka.transactional_id`"),
    ("enable.auto.commit", "leave it out: offsets are committed in transactions"),
    ("auto.commit.enable", "leave it out: offsets are committed in transactions"),
    ("enable.auto.offset.store", "leave it out: offsets are committed in transactions"),
    ("isolation.level", "leave it out: only committed records are read"),
    ("auto.offset.reset", "leave it out: a position that is gone is reported, never skipped"),
    ("enable.partition.eof", "leave it out: the service needs to know the end of a partition"),
    ("enable.idempotence", "leave it out: transactions need it"),
    ("enable.gapless.guarantee", "leave it out: transactions have it"),
    ("acks", "leave it out: transactions need all"),
    ("request.required.acks", "leave it out: transactions need all"),
    ("delivery.report.only.error", "leave it out: commits wait 100 ms without it"),
    ("partition.assignment.strategy", "leave it out: this process owns all partitions"),
    ("partitioner", "leave it out: keys are placed as Java's producers place them"),
    ("check.crcs", "leave it out: damaged records are never taken in"),
    ("allow.auto.create.topics", "leave it out: a mistyped topic would come into being"),
    ("plugin.library.paths", "leave it out: the service loads no foreign code"),
    ("builtin.features", "leave it out: `lockkeeper --version -v` shows it"),
];

/// Reads the properties of the file, then those of the environment, which win; then asks whether the client takes them.
pub fn read_properties(settings: &mut Settings, read_secret: ReadSecret, program: &Program) -> Properties {
    let mut read = BTreeMap::new();
    let mut all = settings.top();
    if let Some(found) = settings.find(&PROPERTIES).filter(|found| !found.is_default) {
        all = found.node.place.clone();
        of_file(settings, &found, read_secret, &mut read);
    }
    of_variables(settings, &mut read);
    let properties: Properties = read.iter().map(|(name, (value, _))| (name.clone(), value.clone())).collect();
    let place_of = |fault: &PropertyFault| {
        let place = fault.name.as_ref().and_then(|name| read.get(name)).map(|(_, place)| place);
        place.unwrap_or(&all).clone()
    };
    let mut found = (program.check_each)(&properties);
    if found.is_empty() && !settings.faults.any_error() {
        found = (program.check_together)(&properties);
    }
    for fault in found {
        settings.faults.error("bad-property", &place_of(&fault), fault.message).help(fault.help);
    }
    properties
}

/// Values with the places of their names.
type Placed = BTreeMap<String, (PropertyValue, Place)>;

fn of_file(settings: &mut Settings, found: &Found, read_secret: ReadSecret, read: &mut Placed) {
    let node = &found.node;
    let entries = if matches!(node.kind, Kind::Null) { None } else { mapping(&mut settings.faults, node) };
    for (key, value) in entries.unwrap_or_default() {
        let is_managed = refuse_managed(&mut settings.faults, &key.text, &key.place);
        let value = read_value(settings, found, key, value, read_secret);
        if let Some(value) = value.filter(|_| !is_managed) {
            read.insert(key.text.clone(), (value, key.place.clone()));
        }
    }
}

fn of_variables(settings: &mut Settings, read: &mut Placed) {
    for (name, value) in settings.variables.iter().filter(|(_, value)| !value.is_empty()) {
        let Some(name) = name.strip_prefix(PROPERTY_PREFIX).filter(|name| !name.is_empty()) else { continue };
        let property = name.to_ascii_lowercase().replace('_', ".");
        // The text of the variable stays out of messages: it may be a secret.
        let source = settings.faults.add_source(&format!("{PROPERTY_PREFIX}{name}"), "");
        let place = Place { source, range: 0..0 };
        if !refuse_managed(&mut settings.faults, &property, &place) {
            read.insert(property, (PropertyValue::Secret(Secret::new(value.clone())), place));
        }
    }
}

/// Whether a property is the service's, which is then a fault.
fn refuse_managed(faults: &mut Faults, name: &str, place: &Place) -> bool {
    let Some((_, remedy)) = MANAGED.iter().find(|(managed, _)| *managed == name) else { return false };
    let message = format!("the property `{name}` belongs to the service");
    faults.error("managed-property", place, message).help(remedy.to_string());
    true
}

fn read_value(
    settings: &mut Settings,
    found: &Found,
    key: &YamlKey,
    node: &Node,
    read_secret: ReadSecret,
) -> Option<PropertyValue> {
    match &node.kind {
        Kind::Mapping(entries) => match entries.as_slice() {
            [(source, from)] if source.text == "env" => from_variable(settings, from),
            [(source, from)] if source.text == "file" => {
                let name = text(&mut settings.faults, from, "a path")?;
                from_file(&mut settings.faults, from, found.relative(name), read_secret)
            }
            _ => {
                let message = format!("this does not say where `{}` comes from", key.text);
                bad_value(&mut settings.faults, node, message, "`{ file: PATH }` or `{ env: NAME }`");
                None
            }
        },
        Kind::Scalar(literal, _) if is_secret(&key.text) => {
            let message = format!("`{}` is a secret and may not stand in this file", key.text);
            let help = "write `{ file: PATH }` or `{ env: NAME }`, and change the secret that stood here";
            settings.faults.error("literal-secret", &key.place, message).help(help.to_string());
            // Whether there is such a property at all is said as well.
            Some(PropertyValue::Secret(Secret::new(literal.clone())))
        }
        _ => {
            let expected = "text, a number, `{ file: PATH }` or `{ env: NAME }`";
            text(&mut settings.faults, node, expected).map(|value| PropertyValue::Plain(value.to_string()))
        }
    }
}

fn from_variable(settings: &mut Settings, from: &Node) -> Option<PropertyValue> {
    let name = text(&mut settings.faults, from, "the name of an environment variable")?;
    match settings.variables.get(name).filter(|value| !value.is_empty()) {
        Some(value) => Some(PropertyValue::Secret(Secret::new(value.clone()))),
        None => {
            let message = format!("the environment variable `{name}` is not set");
            settings.faults.error("missing-secret", &from.place, message);
            None
        }
    }
}

fn from_file(faults: &mut Faults, from: &Node, path: PathBuf, read_secret: ReadSecret) -> Option<PropertyValue> {
    match read_secret(&path) {
        Ok(secret) => Some(PropertyValue::Secret(secret)),
        Err(message) => {
            faults.error("missing-secret", &from.place, format!("`{}`: {message}", path.display()));
            None
        }
    }
}

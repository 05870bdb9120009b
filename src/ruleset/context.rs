//! What all sections share while loading: the faults, the expression graph, and the one namespace.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Faults, Place};
use super::read::text;
use super::suggest::did_you_mean;
use super::types::Named;
use super::yaml::{Key, Node};
use crate::expr::graph::{FIELD_NAMES, Graph, ListId, NodeId};
use crate::model::value::Type;
use crate::wire::Schema;

/// Words that CEL keeps for itself.
const RESERVED: [&str; 21] = [
    "true",
    "false",
    "null",
    "in",
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// What a name stands for.
#[derive(Debug, Clone, Copy)]
pub enum Meaning {
    /// A built-in or declared event field.
    Field,
    /// A derived value; `None` where its definition has a fault: what names it is not judged.
    Derived(Option<(NodeId, Type)>),
    /// A feature; `None` as for derived values, or not yet read.
    Feature(Option<(NodeId, Type)>),
}

/// The state of loading.
#[derive(Debug)]
pub struct Context {
    /// Sources and findings.
    pub faults: Faults,
    /// All expressions.
    pub graph: Graph,
    /// Currency, rates and declared fields.
    pub schema: Schema,
    /// Event types that exist.
    pub types: BTreeSet<String>,
    /// Lists by name.
    pub lists: BTreeMap<String, ListId>,
    /// Whether names may be defined in a file that could not be read.
    pub incomplete: bool,
    /// The namespace.
    pub(super) names: BTreeMap<String, Meaning>,
    places: BTreeMap<String, (&'static str, Place)>,
}

impl Context {
    /// The start: only the built-in fields are known.
    pub fn new(faults: Faults, schema: Schema, incomplete: bool) -> Self {
        Context {
            faults,
            graph: Graph::default(),
            schema,
            types: BTreeSet::new(),
            lists: BTreeMap::new(),
            incomplete,
            names: FIELD_NAMES.iter().map(|name| (name.to_string(), Meaning::Field)).collect(),
            places: BTreeMap::new(),
        }
    }

    /// Enters a name into the namespace; `false`, with a fault, where it cannot be used.
    pub fn declare(&mut self, what: &'static str, key: &Key, meaning: Meaning) -> bool {
        if !is_name(&key.text) {
            let message = format!("`{}` cannot be the name of a {what}", key.text);
            self.faults
                .error("bad-name", &key.place, message)
                .expected("a name of a-z, 0-9 and _, not starting with a digit");
            return false;
        }
        if RESERVED.contains(&key.text.as_str()) {
            let message = format!("`{}` is a reserved word of the expression language", key.text);
            self.faults.error("bad-name", &key.place, message).help("choose another name".to_string());
            return false;
        }
        if FIELD_NAMES.contains(&key.text.as_str()) {
            let message = format!("`{}` is a built-in event field", key.text);
            self.faults.error("duplicate-name", &key.place, message).help("choose another name".to_string());
            return false;
        }
        if let Some((other, first)) = self.places.get(&key.text).cloned() {
            let message = format!("`{}` is already the name of a {other}", key.text);
            self.faults
                .error("duplicate-name", &key.place, message)
                .other(&first, "first here")
                .help("fields, derived values and features share one namespace".to_string());
            return false;
        }
        self.places.insert(key.text.clone(), (what, key.place.clone()));
        self.names.insert(key.text.clone(), meaning);
        true
    }

    /// Says what a declared name turned out to be.
    pub fn define(&mut self, name: &str, meaning: Meaning) {
        self.names.insert(name.to_string(), meaning);
    }

    /// A name's node and type; `None` where it is unknown or broken.
    pub fn resolve(&mut self, name: &str) -> Option<Named> {
        let (node, kind) = match self.names.get(name)? {
            Meaning::Field => self.graph.field(name, &self.schema.fields)?,
            Meaning::Derived(known) | Meaning::Feature(known) => (*known)?,
        };
        Some(Named { name: name.to_string(), node, kind })
    }

    /// Whether a fault about this name would only repeat another one.
    pub fn is_excused(&self, name: &str) -> bool {
        match self.names.get(name) {
            Some(meaning) => matches!(meaning, Meaning::Derived(None) | Meaning::Feature(None)),
            None => self.incomplete,
        }
    }

    /// All names, for suggestions.
    pub fn known_names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// A part of a key or target: an event field or a derived name.
    pub fn key_part(&mut self, node: &Node) -> Option<Named> {
        let expected = "the name of an event field or a derived value";
        let name = text(&mut self.faults, node, expected)?.to_string();
        let meaning = self.names.get(&name).filter(|_| name != "behind").copied();
        match meaning {
            Some(Meaning::Field | Meaning::Derived(..)) => self.resolve(&name),
            Some(Meaning::Feature(..)) => {
                let message = format!("`{name}` is a feature and cannot be part of a key");
                self.faults.error("bad-value", &node.place, message).expected(expected);
                None
            }
            None if self.incomplete => None,
            None => {
                let usable = self.names.iter().filter(|(_, meaning)| !matches!(meaning, Meaning::Feature(..)));
                let usable = usable.map(|(name, _)| name.as_str()).filter(|usable| *usable != "behind");
                let help = did_you_mean(&name, usable);
                let message = format!("`{name}` is no event field and no derived value");
                self.faults.error("unknown-name", &node.place, message).expected(expected).help(help);
                None
            }
        }
    }
}

/// `[a-z_][a-z0-9_]*`, at most 64 bytes.
pub fn is_name(text: &str) -> bool {
    let start = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let rest = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    start && rest && text.len() <= 64
}

//! What all sections share while loading: the faults, the expression graph, and the one namespace.

use std::collections::{BTreeMap, BTreeSet};

use super::diagnostic::{Faults, Place};
use super::read::text;
use super::scalar::inside;
use super::suggest::did_you_mean;
use super::types::Named;
use super::yaml::{Key, Node};
use crate::expr::graph::{FIELD_NAMES, Graph, ListId, NodeId};
use crate::expr::{self, Scope};
use crate::model::money::Currency;
use crate::model::value::Type;
use crate::wire::Schema;

/// Longest expression, bytes.
pub const MAX_EXPRESSION: usize = 16 * 1024;

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

/// Which names an expression may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Event fields and derived values.
    Event,
    /// Features too.
    All,
}

/// A compiled expression of the rule set.
#[derive(Debug, Clone)]
pub struct Expression {
    /// Its node.
    pub node: NodeId,
    /// Its type.
    pub kind: Type,
    /// The names its text holds.
    pub names: BTreeSet<String>,
    /// Its text without white space around it.
    pub text: String,
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
    names: BTreeMap<String, Meaning>,
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

    /// Compiles an expression; `None`, with its faults, where it has any.
    pub fn expression(&mut self, node: &Node, reach: Reach) -> Option<Expression> {
        let whole = text(&mut self.faults, node, "an expression")?;
        let trimmed = whole.trim_end();
        if trimmed.trim_start().is_empty() {
            self.faults.error("wrong-type", &node.place, "an empty expression").expected("an expression");
            return None;
        }
        if trimmed.len() > MAX_EXPRESSION {
            let message = format!("an expression of {} bytes", trimmed.len());
            self.faults.error("limit", &node.place, message).expected(format!("at most {MAX_EXPRESSION} bytes"));
            return None;
        }
        let mentioned = expr::mentioned_names(trimmed);
        if self.out_of_reach(node, trimmed, &mentioned, reach) || mentioned.iter().any(|name| self.is_excused(name)) {
            return None;
        }
        let found = mentioned.iter().filter_map(|name| self.resolve(name));
        let found = found.map(|named| (named.name, (named.node, named.kind))).collect();
        let view = View { found, names: &self.names, lists: &self.lists, currency: self.schema.currency, reach };
        match expr::compile(trimmed, &view, &mut self.graph) {
            Ok(compiled) => {
                self.warn_of_types(node, &compiled.event_types);
                let text = trimmed.trim_start().to_string();
                Some(Expression { node: compiled.node, kind: compiled.kind, names: compiled.names, text })
            }
            Err(found) => {
                found.into_iter().for_each(|fault| self.expression_fault(node, fault));
                None
            }
        }
    }

    /// Compiles an expression of the given type; `what` names it in the fault.
    pub fn expression_of(&mut self, node: &Node, reach: Reach, what: &str, types: &[Type]) -> Option<Expression> {
        let expression = self.expression(node, reach)?;
        if types.is_empty() || types.contains(&expression.kind) {
            return Some(expression);
        }
        let names: Vec<&str> = types.iter().map(|kind| kind.name()).collect();
        let message = format!("{what} is of type {}", expression.kind.name());
        let place = self.value_place(node);
        let expected = super::suggest::one_of(&names);
        self.faults.error("expression-type", &place, message).expected(expected);
        None
    }

    /// The place of a scalar's text without quotes and trailing white space.
    fn value_place(&self, node: &Node) -> Place {
        let length = match &node.kind {
            super::yaml::Kind::Scalar(text, _) => text.trim_end().len(),
            _ => 0,
        };
        inside(&self.faults, node, 0..length)
    }

    /// Faults for features named where only the event's own values may be.
    fn out_of_reach(&mut self, node: &Node, text: &str, mentioned: &BTreeSet<String>, reach: Reach) -> bool {
        let is_feature = |name: &&String| matches!(self.names.get(*name), Some(Meaning::Feature(..)));
        let features: Vec<&String> = mentioned.iter().filter(is_feature).collect();
        if reach == Reach::All || features.is_empty() {
            return false;
        }
        for name in features {
            let start = find_name(text, name);
            let place = inside(&self.faults, node, start..start + name.len());
            let message = format!("the feature `{name}` cannot be used here");
            self.faults.error("expression", &place, message).expected("event fields and derived values");
        }
        true
    }

    fn expression_fault(&mut self, node: &Node, fault: expr::Fault) {
        let place = inside(&self.faults, node, fault.range);
        let finding = self.faults.error("expression", &place, fault.message).help(fault.help);
        if let Some(expected) = fault.expected {
            finding.expected(expected);
        }
    }

    fn warn_of_types(&mut self, node: &Node, named: &[(String, std::ops::Range<usize>)]) {
        for (name, range) in named.iter().filter(|(name, _)| !self.types.contains(name)) {
            let place = inside(&self.faults, node, range.clone());
            let help = did_you_mean(name, self.types.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| "add it to `types:` if events of this type exist".to_string());
            self.faults.warning("unknown-type", &place, format!("no event type `{name}` is declared")).help(help);
        }
    }
}

/// `[a-z_][a-z0-9_]*`, at most 64 bytes.
pub fn is_name(text: &str) -> bool {
    let start = text.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let rest = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    start && rest && text.len() <= 64
}

/// Where a name first stands as a word of its own; the start where it does not.
fn find_name(text: &str, name: &str) -> usize {
    let is_word = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let bytes = text.as_bytes();
    let alone =
        |at: &usize| !is_word(at.checked_sub(1).and_then(|at| bytes.get(at))) && !is_word(bytes.get(at + name.len()));
    text.match_indices(name).map(|(at, _)| at).find(alone).unwrap_or(0)
}

/// The names one expression sees.
struct View<'a> {
    found: BTreeMap<String, (NodeId, Type)>,
    names: &'a BTreeMap<String, Meaning>,
    lists: &'a BTreeMap<String, ListId>,
    currency: Currency,
    reach: Reach,
}

impl Scope for View<'_> {
    fn lookup(&self, name: &str) -> Option<(NodeId, Type)> {
        self.found.get(name).copied()
    }

    fn names(&self) -> Vec<String> {
        let in_reach = |meaning: &Meaning| self.reach == Reach::All || !matches!(meaning, Meaning::Feature(..));
        self.names.iter().filter(|(_, meaning)| in_reach(meaning)).map(|(name, _)| name.clone()).collect()
    }

    fn list(&self, name: &str) -> Option<ListId> {
        self.lists.get(name).copied()
    }

    fn list_names(&self) -> Vec<String> {
        self.lists.keys().cloned().collect()
    }

    fn currency(&self) -> Currency {
        self.currency
    }
}

//! Expressions in rule files: compiled where they stand, their faults shown under the faulty term.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::context::{Context, Meaning};
use super::read::{Keys, text};
use super::scalar::{inside, written};
use super::suggest::{did_you_mean, one_of};
use super::yaml::Node;
use crate::expr::graph::{ListId, NodeId};
use crate::expr::{self, Scope};
use crate::model::money::Currency;
use crate::model::value::Type;

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

impl Context {
    /// Compiles an expression; `None`, with its faults, where it has any.
    pub fn expression(&mut self, node: &Node, reach: Reach) -> Option<Expression> {
        let whole = text(&mut self.faults, node, "an expression")?;
        let trimmed = whole.trim_end();
        if trimmed.trim_start().is_empty() {
            self.faults.error("wrong-type", &node.place, "an empty expression").expected("an expression");
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
        let place = written(&self.faults, node);
        let expected = one_of(&names);
        self.faults.error("expression-type", &place, message).expected(expected);
        None
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

    fn warn_of_types(&mut self, node: &Node, named: &[(String, Range<usize>)]) {
        for (name, range) in named.iter().filter(|(name, _)| !self.types.contains(name)) {
            let place = inside(&self.faults, node, range.clone());
            let help = did_you_mean(name, self.types.iter().map(String::as_str));
            let help = help.unwrap_or_else(|| "add it to `types:` if events of this type exist".to_string());
            self.faults.warning("unknown-type", &place, format!("no event type `{name}` is declared")).help(help);
        }
    }
}

/// The value an option computes, of one of the given types; none given: any.
pub fn value_expression(context: &mut Context, keys: &Keys, option: &str, types: &[Type]) -> Option<Expression> {
    let node = keys.get(option)?;
    context.expression_of(node, Reach::All, &format!("`{option}`"), types)
}

/// An expression that is true or false.
pub fn condition(context: &mut Context, keys: &Keys, option: &str) -> Option<Expression> {
    let node = keys.get(option)?;
    context.expression_of(node, Reach::All, &format!("`{option}`"), &[Type::Bool])
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

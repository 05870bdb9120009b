//! CEL text -> typed expression graph -> columns. The only place that names the `cel` crate.
//!
//! `parse` turns text into a syntax tree with source positions, `check` types it and adds it to the [`graph`],
//! [`eval`] computes columns of it over a batch. Three-valued logic as in CEL: false, true, error (missing).

mod check;
mod decimal;
pub mod eval;
mod fault;
pub mod format;
mod functions;
pub mod graph;
mod lex;
pub mod lists;
pub mod node;
mod parse;
mod pattern;
mod syntax;
#[cfg(test)]
mod testing;
pub mod zone;

use std::collections::BTreeSet;
use std::ops::Range;

use crate::model::money::Currency;
use crate::model::value::Type;

pub use fault::{Fault, nearest};
pub use functions::{parse_duration, parse_timestamp};
use graph::{Graph, ListId, NodeId};

/// The names an expression may use.
pub trait Scope {
    /// The node and type of a field, derived value, feature or score.
    fn lookup(&self, name: &str) -> Option<(NodeId, Type)>;
    /// All names that `lookup` knows, for suggestions.
    fn names(&self) -> Vec<String>;
    /// The list of that name.
    fn list(&self, name: &str) -> Option<ListId>;
    /// All names that `list` knows, for suggestions.
    fn list_names(&self) -> Vec<String>;
    /// The rule set's currency.
    fn currency(&self) -> Currency;
}

/// A checked expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Compiled {
    /// Its node.
    pub node: NodeId,
    /// Its type.
    pub kind: Type,
    /// Every plain name the text mentions, in `has()` too.
    pub names: BTreeSet<String>,
    /// Text literals compared with the field `type` by `==`, `!=` or `in`, with their bytes in the text.
    pub event_types: Vec<(String, Range<usize>)>,
}

/// Checks an expression and adds it to the graph, or returns all its faults in the order of their places.
pub fn compile(text: &str, scope: &dyn Scope, graph: &mut Graph) -> Result<Compiled, Vec<Fault>> {
    let syntax = parse::parse(text)?;
    check::check(&syntax, scope, graph)
}

/// Plain names that a text mentions, whether or not it is a valid expression; for putting definitions in order.
pub fn mentioned_names(text: &str) -> BTreeSet<String> {
    lex::names(text)
}

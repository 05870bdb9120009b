//! `derive:`: named values of one event, in the order of their dependencies.

use std::collections::{BTreeMap, BTreeSet};

use super::canonical::{Canonical, Fields};
use super::context::{Context, Meaning};
use super::expression::Reach;
use super::header::within_limit;
use super::merge::{Entry, Merged};
use super::order::order;
use super::yaml::Kind;
use crate::expr::mentioned_names;

/// Most derived values, and most features.
const MAX_DEFINITIONS: usize = 1000;

/// Enters the names of a section; returns the entries whose names can be used.
pub fn declare_section<'a>(
    context: &mut Context,
    merged: &'a Merged,
    (section, what): (&str, &'static str),
    meaning: Meaning,
) -> BTreeMap<&'a str, &'a Entry> {
    let mut entries = BTreeMap::new();
    for entry in within_limit(context, merged, section, MAX_DEFINITIONS) {
        if context.declare(what, &entry.key, meaning) {
            entries.insert(entry.key.text.as_str(), entry);
        }
    }
    entries
}

/// Names in the order of their needs; notes a fault for every cycle.
pub fn in_order(
    context: &mut Context,
    entries: &BTreeMap<&str, &Entry>,
    needs: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let order = order(needs);
    for cycle in &order.cycles {
        let Some(entry) = cycle.first().and_then(|name| entries.get(name.as_str())) else { continue };
        let path: Vec<&str> = cycle.iter().chain(cycle.first()).map(String::as_str).collect();
        let message = format!("`{}` rests on itself: {}", entry.key.text, path.join(" -> "));
        let finding = context.faults.error("cycle", &entry.key.place, message);
        finding.help("break the cycle by writing one of them without the others".to_string());
        for member in cycle.iter().skip(1).filter_map(|name| entries.get(name.as_str())) {
            finding.other(&member.key.place, "part of the cycle");
        }
    }
    order.sorted
}

/// Reads `derive:`; features are declared already, so that naming one is told as such.
pub fn read_derived(context: &mut Context, entries: &BTreeMap<&str, &Entry>) -> Canonical {
    let mut needs = BTreeMap::new();
    for (name, entry) in entries {
        let names = match &entry.node.kind {
            Kind::Scalar(text, _) => mentioned_names(text),
            _ => BTreeSet::new(),
        };
        needs.insert(name.to_string(), names);
    }
    let mut canonical = Fields::default();
    for name in in_order(context, entries, &needs) {
        let Some(entry) = entries.get(name.as_str()) else { continue };
        if let Some(expression) = context.expression(&entry.node, Reach::Event) {
            context.define(&name, Meaning::Derived(Some((expression.node, expression.kind))));
            canonical.put(&name, expression.text.as_str());
        }
    }
    canonical.into()
}

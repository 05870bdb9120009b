//! `unread-feature`, `distinct-of-own-key`, `window-beyond-bound`: features that cost and tell nothing, or not all.

use std::collections::BTreeSet;

use crate::expr::graph::{Node, NodeId};
use crate::expr::node::Relation;
use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Aggregate, Feature, Window};

use super::subject::{Subject, conditions, is_constant};

/// Looks at every feature.
pub fn check(subject: &Subject, faults: &mut Faults) {
    unread(subject, faults);
    for feature in &subject.rules.features {
        distinct_of_key(subject, feature, faults);
        remembers_all(subject, feature, faults);
    }
    beyond_entries(subject, faults);
}

/// A rule that is `off` reads as well: it is there to be turned on.
fn unread(subject: &Subject, faults: &mut Faults) {
    let names = subject.outline.names_in_rules();
    let features = &subject.rules.features;
    let mut read = BTreeSet::new();
    for (index, feature) in features.iter().enumerate().filter(|(_, feature)| names.contains(&feature.name)) {
        read.insert(index);
        read.extend(subject.features_of(feature.conditions().chain(feature.values())));
    }
    for (_, feature) in features.iter().enumerate().filter(|(index, _)| !read.contains(index)) {
        let place = subject.outline.name("features", &feature.name);
        let message = format!("no rule reads the feature `{}`", feature.name);
        let help = "leave it out, or name it in a rule: its state is kept for every key";
        faults.warning("unread-feature", &place, message).help(help.to_string());
    }
}

/// All entries of a key have the same key, so what follows from it alone is one value.
fn distinct_of_key(subject: &Subject, feature: &Feature, faults: &mut Faults) {
    let (option, effect) = match feature.aggregate {
        Aggregate::Distinct => ("of", "is never more than 1"),
        Aggregate::LeakyBucket { .. } => ("distinct", "takes one token and no more"),
        _ => return,
    };
    let keys: Vec<NodeId> = feature.by.iter().map(|part| part.node).collect();
    if !feature.of.is_some_and(|(of, _)| follows_from(subject, of, &keys)) {
        return;
    }
    let place = subject.outline.value("features", &feature.name, &[option]);
    let message = format!("`{}` {effect}: what it counts follows from its own key", feature.name);
    let finding = faults.warning("distinct-of-own-key", &place, message);
    finding.other(&subject.outline.value("features", &feature.name, &["by"]), "the key");
    finding.help("count something else, or key it by something else".to_string());
}

fn follows_from(subject: &Subject, node: NodeId, keys: &[NodeId]) -> bool {
    let mut arguments = subject.node(node).arguments();
    let is_leaf = subject.node(node).is_leaf();
    keys.contains(&node)
        || (is_leaf && is_constant(subject.node(node)))
        || (!is_leaf && arguments.all(|argument| follows_from(subject, argument, keys)))
}

/// `lifetime` promises what a bound on state takes back.
fn remembers_all(subject: &Subject, feature: &Feature, faults: &mut Faults) {
    let bounds = subject.rules.bounds;
    let is_bucket = matches!(feature.aggregate, Aggregate::LeakyBucket { .. });
    if feature.window != Window::Lifetime || is_bucket || (bounds.keys.is_none() && bounds.entries.is_none()) {
        return;
    }
    let place = subject.outline.value("features", &feature.name, &["window"]);
    let message = format!("`{}` shall remember for ever, but `bounds` lets keys be forgotten", feature.name);
    let finding = faults.warning("window-beyond-bound", &place, message);
    finding.other(&subject.outline.header(&["bounds"]), "the bound");
    finding.help("give it a window of some length, or the rule set no `bounds`".to_string());
}

/// Counts that would need more entries than are held for all keys together; the event itself is read beside them.
fn beyond_entries(subject: &Subject, faults: &mut Faults) {
    let Some(bound) = subject.rules.bounds.entries else { return };
    for rule in &subject.rules.rules {
        for (index, needed) in needs(subject, conditions(rule)) {
            let feature = subject.feature(index);
            let is_counted = matches!(feature.aggregate, Aggregate::Count | Aggregate::Distinct);
            if !is_counted || !matches!(feature.window, Window::Sliding(_)) || needed <= bound.saturating_add(1) {
                continue;
            }
            let place = subject.outline.value("features", &feature.name, &["window"]);
            let message =
                format!("`{}` would need {needed} entries, but `bounds` holds {bound} of all keys", feature.name);
            let finding = faults.warning("window-beyond-bound", &place, message);
            finding.other(&subject.outline.value("rules", &rule.id, &["when"]), "asked for here");
            finding.other(&subject.outline.header(&["bounds", "entries"]), "the bound");
            finding.help("raise `entries`, or ask for less".to_string());
        }
    }
}

/// Features and how many they must reach at least for a comparison to hold.
fn needs(subject: &Subject, roots: impl Iterator<Item = NodeId>) -> Vec<(usize, u64)> {
    let (mut found, mut open) = (Vec::new(), roots.collect::<Vec<_>>());
    while let Some(id) = open.pop() {
        open.extend(subject.node(id).arguments());
        let Node::Compare(relation, a, b) = subject.node(id) else { continue };
        let (Node::Feature(index), Node::Whole(value)) = (subject.node(*a), subject.node(*b)) else { continue };
        let needed = match relation {
            Relation::AtLeast | Relation::Equal => Some(*value),
            Relation::Greater => value.checked_add(1),
            _ => None,
        };
        found.extend(needed.and_then(|needed| u64::try_from(needed).ok()).map(|needed| (*index, needed)));
    }
    found
}

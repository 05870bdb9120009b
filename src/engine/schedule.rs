//! What is computed when: the nodes of the expression graph by level, and the calendars that windows need.

use std::collections::BTreeSet;

use crate::expr::graph::{Graph, NodeId};
use crate::feature::plan::Plan;
use crate::model::calendar::CalendarCache;
use crate::ruleset::types::{Lock, LockDuration, Period, ReasonPart, RuleSet, Window};

/// Every condition and duration: nodes whose own column the engine asks for.
fn column_roots(rules: &RuleSet) -> BTreeSet<NodeId> {
    let features = rules.features.iter().flat_map(|feature| feature.filter.into_iter().chain(feature.reset));
    let conditions = rules.rules.iter().flat_map(|rule| rule.on.into_iter().chain([rule.when]));
    let locks = rules.rules.iter().filter_map(|rule| rule.lock.as_ref()).flat_map(lock_roots);
    features.chain(conditions).chain(locks).collect()
}

fn lock_roots(lock: &Lock) -> impl Iterator<Item = NodeId> {
    let reset = lock.backoff.as_ref().and_then(|backoff| backoff.reset);
    let duration = match lock.duration {
        LockDuration::Computed(node) => Some(node),
        LockDuration::Fixed(_) | LockDuration::UntilUnlocked => None,
    };
    lock.covers.into_iter().chain(lock.release).chain(reset).chain(duration)
}

/// Every node whose values are read where they are: those of fields and features stay in their place.
fn viewed_roots(rules: &RuleSet) -> impl Iterator<Item = NodeId> + '_ {
    let features = rules.features.iter().flat_map(|feature| {
        let keys = feature.by.iter().chain(feature.read_by.iter().flatten()).map(|part| part.node);
        keys.chain(feature.of.map(|(node, _)| node))
    });
    let locks = rules.rules.iter().filter_map(|rule| rule.lock.as_ref());
    features.chain(locks.flat_map(|lock| lock.target.iter().chain(&lock.covers_by).map(|part| part.node)))
}

/// Every node of which the output shows single values.
fn value_roots(rules: &RuleSet) -> impl Iterator<Item = NodeId> + '_ {
    rules.rules.iter().flat_map(|rule| {
        let reasons = rule.reason.iter().flat_map(|(_, parts)| parts).filter_map(|part| match part {
            ReasonPart::Text(_) => None,
            ReasonPart::Value(named) => Some(named.node),
        });
        reasons.chain(rule.values.iter().map(|named| named.node))
    })
}

/// The nodes to compute, by level: a level's nodes need only features of lower levels.
pub(super) fn schedule(rules: &RuleSet, plan: &Plan) -> Vec<Vec<NodeId>> {
    let graph: &Graph = &rules.graph;
    let levels = graph.levels(|feature| plan.levels[feature]);
    let columns = column_roots(rules);
    let mut nodes = graph.needed(columns.iter().copied().chain(viewed_roots(rules)).chain(value_roots(rules)));
    nodes.retain(|node| columns.contains(node) || !graph.node(*node).is_leaf());
    let mut schedule = vec![Vec::new(); plan.depth() + 1];
    for node in nodes {
        schedule[levels[node as usize]].push(node);
    }
    schedule
}

/// One calendar for each period that a window has.
pub(super) fn calendars(rules: &RuleSet) -> Vec<(Period, CalendarCache)> {
    let mut calendars: Vec<(Period, CalendarCache)> = Vec::new();
    for feature in &rules.features {
        if let Window::Calendar(period) = feature.window
            && calendars.iter().all(|(known, _)| *known != period)
        {
            calendars.push((period, CalendarCache::new(rules.timezone, period)));
        }
    }
    calendars
}

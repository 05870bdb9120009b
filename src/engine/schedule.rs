//! What is computed when: the nodes of the expression graph by level, and the calendars that windows need.

use std::collections::BTreeSet;

use crate::expr::graph::{Graph, NodeId};
use crate::feature::plan::Plan;
use crate::model::calendar::CalendarCache;
use crate::ruleset::types::{Feature, Lock, Period, Rule, RuleSet, Window};

/// Every condition and duration: nodes whose own column the engine asks for.
fn column_roots(rules: &RuleSet) -> BTreeSet<NodeId> {
    let features = rules.features.iter().flat_map(Feature::conditions);
    let conditions = rules.rules.iter().flat_map(|rule| rule.on.into_iter().chain([rule.when]));
    features.chain(conditions).chain(locks(rules).flat_map(Lock::conditions)).collect()
}

/// Every node whose values are read where they are: those of fields and features stay in their place.
fn viewed_roots(rules: &RuleSet) -> impl Iterator<Item = NodeId> + '_ {
    rules.features.iter().flat_map(Feature::values).chain(locks(rules).flat_map(Lock::keys))
}

fn locks(rules: &RuleSet) -> impl Iterator<Item = &Lock> {
    rules.rules.iter().filter_map(|rule| rule.lock.as_ref())
}

/// The nodes to compute, by level: a level's nodes need only features of lower levels.
pub(super) fn schedule(rules: &RuleSet, plan: &Plan) -> Vec<Vec<NodeId>> {
    let graph: &Graph = &rules.graph;
    let levels = graph.levels(|feature| plan.levels[feature]);
    let columns = column_roots(rules);
    let mut nodes = graph
        .needed(columns.iter().copied().chain(viewed_roots(rules)).chain(rules.rules.iter().flat_map(Rule::shown)));
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

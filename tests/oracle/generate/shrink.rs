//! A failing trial made smaller: events, rules and features are dropped as long as it still fails.

use std::collections::BTreeSet;

use super::Trial;
use crate::oracle::rules::RuleSet;
use crate::oracle::texts::Length;

/// The smallest trial found that still fails.
pub fn shrink(mut trial: Trial, fails: &dyn Fn(&Trial) -> bool) -> Trial {
    let mut before = usize::MAX;
    while size(&trial) < before {
        before = size(&trial);
        trial = drop_lines(trial, fails);
        trial = drop_members(
            trial,
            fails,
            |rules| rules.rules.keys().cloned().collect(),
            |rules, id| {
                rules.rules.remove(id);
            },
        );
        trial = drop_members(trial, fails, unused, |rules, name| {
            rules.features.remove(name);
            rules.derive.remove(name);
        });
    }
    trial
}

fn size(trial: &Trial) -> usize {
    trial.lines.len() + trial.rules.rules.len() + trial.rules.features.len() + trial.rules.derive.len()
}

/// Drops runs of lines, long runs first.
fn drop_lines(mut trial: Trial, fails: &dyn Fn(&Trial) -> bool) -> Trial {
    let mut run = trial.lines.len().div_ceil(2);
    while run > 0 {
        let mut at = 0;
        while at < trial.lines.len() {
            let mut smaller = trial.clone();
            smaller.lines.drain(at..(at + run).min(trial.lines.len()));
            if fails(&smaller) {
                trial = smaller;
            } else {
                at += run;
            }
        }
        run /= 2;
    }
    trial
}

fn drop_members(
    mut trial: Trial,
    fails: &dyn Fn(&Trial) -> bool,
    members: impl Fn(&RuleSet) -> Vec<String>,
    remove: impl Fn(&mut RuleSet, &str),
) -> Trial {
    for member in members(&trial.rules) {
        let mut smaller = trial.clone();
        remove(&mut smaller.rules, &member);
        if fails(&smaller) {
            trial = smaller;
        }
    }
    trial
}

/// Features and derived names that nothing mentions.
fn unused(rules: &RuleSet) -> Vec<String> {
    let mentioned = mentioned(rules);
    let names = rules.features.keys().chain(rules.derive.keys());
    names.filter(|name| !mentioned.contains(*name)).cloned().collect()
}

fn mentioned(rules: &RuleSet) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    rules.derive.values().for_each(|cel| cel.0.collect_names(&mut names));
    for feature in rules.features.values() {
        names.extend(feature.by.0.iter().chain(feature.read_by.iter().flat_map(|by| &by.0)).cloned());
        let parts = [&feature.of, &feature.filter, &feature.reset, &feature.distinct];
        parts.into_iter().flatten().for_each(|cel| cel.0.collect_names(&mut names));
    }
    for rule in rules.rules.values() {
        rule.when.0.collect_names(&mut names);
        rule.on.iter().for_each(|cel| cel.0.collect_names(&mut names));
        for (_, template) in &rule.reason.0 {
            names.extend(template.split(['{', '}']).map(str::to_owned));
        }
        let Some(lock) = &rule.lock else { continue };
        names.extend(lock.target_names());
        let reset = lock.backoff.as_ref().and_then(|backoff| backoff.reset.as_ref());
        [lock.covers.as_ref(), lock.release.as_ref(), reset].into_iter().flatten().for_each(|cel| {
            cel.0.collect_names(&mut names);
        });
        if let Length::Computed(expr) = &lock.length {
            expr.collect_names(&mut names);
        }
    }
    names
}

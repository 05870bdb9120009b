//! The metrics that have a rule in their labels: which series there are, and how transitions of locks are counted.

use std::collections::BTreeSet;

use prometheus::IntCounter;

use super::{Metrics, lock};
use crate::model::action::Mode;
use crate::model::outcome::TransitionKind;
use crate::ruleset::types::RuleSet;

/// The counters of the rules in use, by the rules' index, so that a batch looks nothing up.
#[derive(Debug, Default)]
pub struct RuleCounters {
    /// Events each rule fired for.
    pub hits: Vec<IntCounter>,
    /// Events for which each rule could not be decided.
    pub undecided: Vec<IntCounter>,
    /// Id and mode of each rule.
    pub names: Vec<(String, &'static str)>,
    /// Types of events that the rule set knows.
    pub types: BTreeSet<String>,
}

impl Metrics {
    /// Takes over a rule set: at start, and after a reload. Series of rules that are gone end, except those of locks.
    pub fn set_rules(&self, rules: &RuleSet) {
        let families = &self.families;
        let mut next = RuleCounters { types: rules.types.iter().cloned().collect(), ..RuleCounters::default() };
        for rule in &rules.rules {
            let mode = mode_name(rule.mode);
            next.hits.push(families.hits.with_label_values(&[rule.id.as_str(), mode]));
            next.undecided.push(families.undecided.with_label_values(&[rule.id.as_str()]));
            next.names.push((rule.id.clone(), mode));
            if rule.lock.is_some() {
                self.begin_locks_at_zero(&rule.id);
            }
        }
        let mut held = lock(&self.rules);
        for (id, mode) in held.names.iter().filter(|name| !next.names.contains(name)) {
            // What is not there need not be removed.
            let _ = families.hits.remove_label_values(&[id.as_str(), mode]);
            if !next.names.iter().any(|(other, _)| other == id) {
                let _ = families.undecided.remove_label_values(&[id.as_str()]);
            }
        }
        *held = next;
        families.rule_set.reset();
        let hash = rules.id.rsplit('@').next().unwrap_or_default();
        families.rule_set.with_label_values(&[rules.name.as_str(), hash]).set(1.0);
    }

    fn begin_locks_at_zero(&self, rule: &str) {
        let families = &self.families;
        for family in
            [&families.locks_set, &families.locks_extended, &families.unlocks_refused, &families.locks_known_device]
        {
            family.with_label_values(&[rule]).inc_by(0);
        }
        for cause in [TransitionKind::Expired, TransitionKind::Unlocked, TransitionKind::Released] {
            families.locks_ended.with_label_values(&[rule, cause.name()]).inc_by(0);
        }
        families.locks_active.with_label_values(&[rule]).add(0.0);
    }

    /// Counts a lock transition. `known_device`: the event that set the lock came from a device the account had used.
    pub fn transition(&self, kind: TransitionKind, rule: &str, known_device: bool) {
        let families = &self.families;
        match kind {
            TransitionKind::Locked => {
                families.locks_set.with_label_values(&[rule]).inc();
                families.locks_active.with_label_values(&[rule]).inc();
                if known_device {
                    families.locks_known_device.with_label_values(&[rule]).inc();
                }
            }
            TransitionKind::Extended => families.locks_extended.with_label_values(&[rule]).inc(),
            TransitionKind::UnlockRefused => families.unlocks_refused.with_label_values(&[rule]).inc(),
            TransitionKind::Unlocked | TransitionKind::Released | TransitionKind::Expired => {
                families.locks_ended.with_label_values(&[rule, kind.name()]).inc();
                families.locks_active.with_label_values(&[rule]).dec();
            }
        }
    }

    /// Sets the number of active locks of a rule: after recovery, whose transitions were not counted.
    pub fn set_locks_active(&self, rule: &str, count: u64) {
        self.families.locks_active.with_label_values(&[rule]).set(count as f64);
    }
}

/// A mode in the label's words.
fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Shadow => "shadow",
    }
}

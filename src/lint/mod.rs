//! Lints: rule sets that load and run, but hardly as meant.
//!
//! A lint speaks only when it is certain: what cannot be decided from the rule set's text alone is passed over. Each is
//! explained in `docs/lints.md` with a wrong and a right example, which are run by `tests/lints.rs`. Nothing here is
//! about errors, and nothing here changes what a rule set does.

mod features;
mod firing;
mod locks;
mod logic;
mod money;
mod overlap;
mod resets;
mod scores;
mod strangers;
mod subject;
#[cfg(test)]
mod testing;

use crate::ruleset::diagnostic::{Diagnostic, Faults, sort};
use crate::ruleset::load::Loaded;
use subject::{Leaves, Subject};

/// A kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lint {
    /// Its name: the `code` of its diagnostics, and what `check --allow` takes.
    pub id: &'static str,
    /// What it finds, in a line.
    pub title: &'static str,
}

const fn lint(id: &'static str, title: &'static str) -> Lint {
    Lint { id, title }
}

/// All lints, by name. All of them warn. Four are found while loading already, and told by every verb.
pub const LINTS: [Lint; 17] = [
    lint("always-fires", "a rule that always fires"),
    lint("blind-without-rate", "a money rule that does not see amounts without a rate"),
    lint("cleared-by-anyone", "a counter of an address or device that anyone's own success clears"),
    lint("distinct-of-own-key", "a count of different values of the key itself"),
    lint("empty-window", "a delay longer than its window"),
    lint("endless-lock", "a lock that nothing can end"),
    lint("forgets-too-soon", "a backoff that forgets sooner than its longest lock lasts"),
    lint("known-type", "a declared event type that is known already"),
    lint("never-fires", "a rule that can never fire"),
    lint("redundant-rule", "a rule that adds nothing to another"),
    lint("reset-by-refused-unlock", "a reset or release by unlocks that are refused"),
    lint("stranger-can-lock", "an account-wide, growing lock that strangers can set"),
    lint("unknown-type", "an event type that nobody declared"),
    lint("unreachable-threshold", "a threshold that no score reaches"),
    lint("unreachable-tier", "a backoff whose tiers are never reached, or all alike"),
    lint("unread-feature", "a feature that no rule reads"),
    lint("window-beyond-bound", "a window that the bound on state cuts short"),
];

/// One family of lints.
type Family = fn(&Subject, &mut Faults);

const FAMILIES: [Family; 8] = [
    firing::check,
    features::check,
    locks::check,
    resets::check,
    strangers::check,
    money::check,
    scores::check,
    overlap::check,
];

/// All warnings about a rule set: those of loading, and what the lints find; sorted by place.
pub fn warnings(loaded: &Loaded) -> Vec<Diagnostic> {
    let mut graph = loaded.rules.graph.clone();
    let leaves = Leaves::new(&mut graph);
    let subject = Subject::new(loaded, &graph, leaves);
    let mut faults = loaded.outline.sources();
    FAMILIES.iter().for_each(|family| family(&subject, &mut faults));
    let mut found = faults.into_diagnostics();
    found.extend(loaded.warnings.iter().cloned());
    sort(&mut found);
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_sorted_by_name_and_named_alike() {
        assert!(LINTS.is_sorted_by(|a, b| a.id < b.id));
        for lint in LINTS {
            assert!(lint.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", lint.id);
            assert!(!lint.title.ends_with('.'), "{}", lint.id);
        }
    }
}

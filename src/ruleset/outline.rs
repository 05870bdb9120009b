//! Where everything of a loaded rule set is written, for those who judge it after loading.
//!
//! A rule set knows values, not places. The outline keeps the sources and their trees beside it, so that what is found
//! later is shown under the very words it is about.

use std::collections::BTreeSet;

use super::diagnostic::{Faults, Place};
use super::merge::Merged;
use super::scalar::written;
use super::yaml::{Key, Kind, Node};
use crate::expr::mentioned_names;

/// The sources of a rule set, and what stands where.
#[derive(Debug, Clone)]
pub struct Outline {
    faults: Faults,
    merged: Merged,
}

/// The keys of a rule, its lock and its backoff whose texts are expressions.
const EXPRESSIONS: [&str; 6] = ["on", "when", "for", "covers", "release", "reset"];

impl Outline {
    /// The outline of merged files; `faults` lends its sources.
    pub(super) fn new(faults: &Faults, merged: Merged) -> Self {
        Outline { faults: faults.sources_only(), merged }
    }

    /// The sources without findings, to note findings in.
    pub fn sources(&self) -> Faults {
        self.faults.clone()
    }

    /// The name of an entry of a section, such as a rule's id.
    pub fn name(&self, section: &str, name: &str) -> Place {
        self.entry(section, name).map_or_else(|| self.start(), |(key, _)| key.place.clone())
    }

    /// The key at the end of a path within an entry; as far along the path as it is written, the entry's name at least.
    pub fn key(&self, section: &str, name: &str, path: &[&str]) -> Place {
        let Some((key, node)) = self.entry(section, name) else { return self.start() };
        follow(key, node, path).0.place.clone()
    }

    /// The value at the end of a path within an entry, without quotes; where it is not written, as [`Outline::key`].
    pub fn value(&self, section: &str, name: &str, path: &[&str]) -> Place {
        let Some((key, node)) = self.entry(section, name) else { return self.start() };
        match follow(key, node, path) {
            (_, Some(node)) => written(&self.faults, node),
            (key, None) => key.place.clone(),
        }
    }

    /// The key at the end of a path within `ruleset:`; as far along the path as it is written.
    pub fn header(&self, path: &[&str]) -> Place {
        let Some((place, node)) = &self.merged.header else { return self.start() };
        let key = Key { text: String::new(), place: place.clone() };
        follow(&key, node, path).0.place.clone()
    }

    /// Every name that a rule's expressions and reasons hold; of rules that are `off` too.
    pub fn names_in_rules(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        self.merged.section("rules").for_each(|entry| collect(&entry.node, false, &mut names));
        names
    }

    fn entry(&self, section: &str, name: &str) -> Option<(&Key, &Node)> {
        self.merged.sections.get(section)?.get(name).map(|entry| (&entry.key, &entry.node))
    }

    fn start(&self) -> Place {
        self.merged.start.clone().unwrap_or(Place { source: 0, range: 0..0 })
    }
}

/// The last key of a path that is written, and its value if it is the whole path's.
fn follow<'a>(key: &'a Key, node: &'a Node, path: &[&str]) -> (&'a Key, Option<&'a Node>) {
    let (mut key, mut node) = (key, node);
    for part in path {
        let Kind::Mapping(entries) = &node.kind else { return (key, None) };
        let Some((found, value)) = entries.iter().find(|(key, _)| key.text == *part) else { return (key, None) };
        (key, node) = (found, value);
    }
    (key, Some(node))
}

/// Names in the expressions and templates below a node.
fn collect(node: &Node, is_expression: bool, names: &mut BTreeSet<String>) {
    match &node.kind {
        Kind::Scalar(text, _) if is_expression => names.extend(mentioned_names(text)),
        Kind::Scalar(text, _) => names.extend(text.split('{').skip(1).filter_map(in_braces)),
        Kind::Sequence(elements) => elements.iter().for_each(|element| collect(element, is_expression, names)),
        Kind::Mapping(entries) => {
            entries.iter().for_each(|(key, node)| collect(node, EXPRESSIONS.contains(&key.text.as_str()), names));
        }
        Kind::Null => {}
    }
}

/// What stands before the closing brace.
fn in_braces(text: &str) -> Option<String> {
    text.split_once('}').map(|(name, _)| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ruleset::load::{SourceFile, load};

    fn outline(text: &str) -> Outline {
        let file = SourceFile { path: "t.yaml".to_string(), text: text.to_string() };
        let read_list = |_: &str, _: &str| Err("no lists".to_string());
        load(&[file], &read_list).expect("a rule set").outline
    }

    const RULES: &str = "\
ruleset: { name: t, currency: CNY, thresholds: { deny: 80 } }
rules:
  stop:
    mode: off
    on: type == 'login'
    when: 'kyc > 2'
    action: lock
    lock: { for: 5m, release: factors > 1 }
    reason: { en: '{device} and {{ip}' }
";

    #[test]
    fn places_are_those_of_the_words() {
        let outline = outline(RULES);
        let text = |place: Place| outline.faults.text(&place).to_string();
        assert_eq!(text(outline.name("rules", "stop")), "stop");
        assert_eq!(text(outline.key("rules", "stop", &["lock", "for"])), "for");
        assert_eq!(text(outline.key("rules", "stop", &["lock", "backoff", "max"])), "lock");
        assert_eq!(text(outline.value("rules", "stop", &["when"])), "kyc > 2");
        assert_eq!(text(outline.value("rules", "stop", &["lock", "covers"])), "lock");
        assert_eq!(text(outline.header(&["thresholds", "deny"])), "deny");
        assert_eq!(text(outline.header(&["bounds"])), "ruleset");
    }

    #[test]
    fn names_are_read_in_rules_that_are_off() {
        let names = outline(RULES).names_in_rules();
        for name in ["type", "kyc", "factors", "device"] {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("mode") && !names.contains("login"));
    }
}

//! `reset-by-refused-unlock`, `cleared-by-anyone`: resets that whoever is counted can bring about.

use std::collections::BTreeSet;

use crate::expr::graph::{Node, NodeId};
use crate::expr::node::Relation;
use crate::model::events::TextField;
use crate::ruleset::diagnostic::Faults;
use crate::ruleset::types::{Aggregate, Named};

use super::logic::{Goal, Truths};
use super::subject::Subject;

/// Events by which one shows who one is, and others that one's own account can succeed with at will.
const OWN_SUCCESSES: [&str; 6] = ["login", "second_factor", "identity_check", "payment", "transfer", "top_up"];

/// A condition that makes something begin anew.
struct Reset<'a> {
    node: NodeId,
    /// Where it is written: section, name, path.
    at: (&'static str, &'a str, &'static [&'static str]),
    /// What it clears, for people.
    what: &'static str,
    /// The key of what it clears, where that is a counter.
    key: Option<&'a [Named]>,
}

/// Looks at the resets of features and backoffs, and at releases.
pub fn check(subject: &Subject, faults: &mut Faults) {
    for reset in resets(subject) {
        refused_unlock(subject, &reset, faults);
        own_success(subject, &reset, faults);
    }
}

fn resets<'a>(subject: &Subject<'a>) -> Vec<Reset<'a>> {
    let mut found = Vec::new();
    for feature in &subject.rules.features {
        let counts = matches!(
            feature.aggregate,
            Aggregate::Count | Aggregate::Sum | Aggregate::Distinct | Aggregate::LeakyBucket { .. }
        );
        let key = counts.then_some(feature.by.as_slice());
        let reset = |node| Reset { node, at: ("features", &feature.name, &["reset"]), what: "clears the feature", key };
        found.extend(feature.reset.map(reset));
    }
    for rule in &subject.rules.rules {
        let Some(lock) = &rule.lock else { continue };
        let release =
            |node| Reset { node, at: ("rules", &rule.id, &["lock", "release"]), what: "ends the lock", key: None };
        found.extend(lock.release.map(release));
        let level = |node| Reset {
            node,
            at: ("rules", &rule.id, &["lock", "backoff", "reset"]),
            what: "resets the backoff",
            key: Some(&lock.target),
        };
        found.extend(lock.backoff.as_ref().and_then(|backoff| backoff.reset).map(level));
    }
    found
}

/// An unlock is refused where it failed, has no proof, or one that no lock accepts; the reset must see that too.
fn refused_unlock(subject: &Subject, reset: &Reset, faults: &mut Faults) {
    if !names_unlock(subject, reset.node) {
        return;
    }
    let accepted: BTreeSet<String> =
        subject.rules.rules.iter().filter_map(|rule| rule.lock.as_ref()).flat_map(|lock| lock.unlock.clone()).collect();
    let proof = subject.leaves.proof;
    let mut refusals = vec![("that failed", subject.has_outcome("failure")), ("without a proof", Goal::Missing(proof))];
    if !accepted.is_empty() {
        refusals.push(("with a proof that no lock accepts", Goal::NoneOf(proof, accepted)));
    }
    let holds = Goal::Is(reset.node, Truths::TRUE);
    let may = |refusal: &Goal| subject.logic.possible(&[holds.clone(), subject.is_type("unlock"), refusal.clone()]);
    if let Some((how, _)) = refusals.iter().find(|(_, refusal)| may(refusal)) {
        let (section, name, path) = reset.at;
        let place = subject.outline.value(section, name, path);
        let message = format!("an unlock {how} is refused, but {} as well", reset.what);
        let help = "ask for the proofs that the lock accepts, and for `!(has(outcome) && outcome == 'failure')`";
        faults.warning("reset-by-refused-unlock", &place, message).help(help.to_string());
    }
}

/// Whether an expression speaks of unlock events by name.
fn names_unlock(subject: &Subject, root: NodeId) -> bool {
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        open.extend(subject.node(id).arguments());
        let is_type = |id: &NodeId| subject.node(*id) == &Node::Text(TextField::Type);
        let is_unlock = |id: &NodeId| matches!(subject.node(*id), Node::Literal(text) if text == "unlock");
        match subject.node(id) {
            Node::Compare(Relation::Equal, a, b) if is_type(a) && is_unlock(b) => return true,
            Node::InTexts(a, texts) if is_type(a) && texts.iter().any(|text| text == "unlock") => return true,
            _ => {}
        }
    }
    false
}

/// An address or device belongs to whoever uses it: an attacker's own account succeeds there whenever they like.
fn own_success(subject: &Subject, reset: &Reset, faults: &mut Faults) {
    let is_place = |leaf: &Node| matches!(leaf, Node::Ip | Node::Text(TextField::Device));
    let Some(key) = reset.key.filter(|key| subject.is_made_of(key, is_place)) else { return };
    let clears = |kind: &&&str| {
        let success = [
            Goal::Is(reset.node, Truths::TRUE.others()),
            subject.is_type(kind),
            subject.has_outcome("success"),
            Goal::Missing(subject.leaves.reason),
            Goal::Is(subject.leaves.all_factors, Truths::TRUE),
        ];
        let success = success.into_iter().chain(key.iter().map(|part| Goal::Present(part.node)));
        !subject.logic.possible(&success.collect::<Vec<_>>())
    };
    if let Some(kind) = OWN_SUCCESSES.iter().find(clears) {
        let (section, name, path) = reset.at;
        let place = subject.outline.value(section, name, path);
        let names: Vec<&str> = key.iter().map(|part| part.name.as_str()).collect();
        let message = format!("any account's successful {kind} by the same {} {}", names.join(" and "), reset.what);
        let finding = faults.warning("cleared-by-anyone", &place, message);
        finding.help("leave the reset out, or clear by something an attacker's own account cannot do".to_string());
    }
}

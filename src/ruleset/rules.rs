//! `rules:`: what fires when, and what follows.

use super::canonical::{Canonical, Fields, texts};
use super::context::Context;
use super::expression::{Expression, condition};
use super::header::within_limit;
use super::keys::{IF_MISSING, RULE, names};
use super::locks::read_lock;
use super::merge::{Entry, Merged};
use super::read::{Keys, bad_value, integer, keys, one_or_many, text, word};
use super::reason::{Reasons, read_reason};
use super::types::{Action, Lock, Mode, Named, Rule};

/// Most rules.
const MAX_RULES: usize = 1000;
/// Longest rule id, bytes.
const MAX_ID: usize = 128;

const MODES: [(&str, Option<Mode>); 3] =
    [("enforce", Some(Mode::Enforce)), ("shadow", Some(Mode::Shadow)), ("off", None)];

const ACTIONS: [(&str, Action); 5] = [
    ("allow", Action::Allow),
    ("alert", Action::Alert),
    ("challenge", Action::Challenge),
    ("deny", Action::Deny),
    ("lock", Action::Lock),
];

/// What `mode` may be.
pub fn mode_names() -> Vec<&'static str> {
    MODES.iter().map(|(name, _)| *name).collect()
}

/// What `action` may be.
pub fn action_names() -> Vec<&'static str> {
    ACTIONS.iter().map(|(name, _)| *name).collect()
}

/// Reads `rules:`, sorted by id; those that are `off` are checked and left out.
pub fn read_rules(context: &mut Context, merged: &Merged) -> (Vec<Rule>, Canonical) {
    let mut rules = Vec::new();
    let mut canonical = Fields::default();
    for entry in within_limit(context, merged, "rules", MAX_RULES) {
        check_id(context, entry);
        if let Some((rule, fields)) = read_rule(context, entry) {
            canonical.put(&entry.key.text, fields);
            rules.extend(rule);
        }
    }
    (rules, canonical.into())
}

fn check_id(context: &mut Context, entry: &Entry) {
    let id = &entry.key.text;
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if id.is_empty() || id.len() > MAX_ID || !id.bytes().all(good) {
        let message = format!("`{}` cannot be the id of a rule", super::read::shorten(id));
        let expected = format!("1 to {MAX_ID} of a-z, 0-9 and -");
        context.faults.error("bad-name", &entry.key.place, message).expected(expected);
    }
}

/// What a rule does once it fires.
struct Effect {
    mode: Option<Mode>,
    action: Action,
    score: i64,
    fire_if_missing: bool,
}

/// A rule and its canonical form; the rule is `None` where it is `off`, all is `None` where it has a fault.
fn read_rule(context: &mut Context, entry: &Entry) -> Option<(Option<Rule>, Canonical)> {
    let keys = keys(&mut context.faults, &entry.node, &entry.key.place, &names(&RULE))?;
    let on = condition(context, &keys, "on");
    keys.must(&mut context.faults, "when");
    let when = condition(context, &keys, "when");
    let effect = read_effect(context, &keys);
    let lock = read_lock_of(context, &keys, effect.action);
    let (reason, canonical_reason) =
        keys.get("reason").map_or((Vec::new(), Canonical::List(Vec::new())), |node| read_reason(context, node));
    let tags = read_tags(context, &keys);
    let when = when?;
    let mut fields = canonical_effect(&effect);
    fields.put_some("on", on.as_ref().map(|on| on.text.as_str()));
    fields.put("when", when.text.as_str());
    fields.put("tags", texts(&tags));
    fields.put("reason", canonical_reason);
    let lock = lock.map(|(lock, canonical)| {
        fields.put("lock", canonical);
        lock
    });
    let rule = assemble(context, &entry.key.text, (on, when), effect, (lock, reason, tags));
    Some((rule, fields.into()))
}

fn assemble(
    context: &mut Context,
    id: &str,
    (on, when): (Option<Expression>, Expression),
    effect: Effect,
    (lock, reason, tags): (Option<Lock>, Reasons, Vec<String>),
) -> Option<Rule> {
    let values: Vec<Named> = when.names.iter().filter_map(|name| context.resolve(name)).collect();
    Some(Rule {
        id: id.to_string(),
        mode: effect.mode?,
        on: on.map(|on| on.node),
        when: when.node,
        fire_if_missing: effect.fire_if_missing,
        score: effect.score,
        action: effect.action,
        lock,
        values,
        reason,
        tags,
    })
}

fn read_effect(context: &mut Context, keys: &Keys) -> Effect {
    let faults = &mut context.faults;
    Effect {
        mode: keys.get("mode").and_then(|node| word(faults, node, &MODES)).unwrap_or(Some(Mode::Enforce)),
        action: keys.get("action").and_then(|node| word(faults, node, &ACTIONS)).unwrap_or_default(),
        score: keys.get("score").and_then(|node| integer(faults, node, 0, 100)).unwrap_or(0),
        fire_if_missing: keys.get("if_missing").and_then(|node| word(faults, node, &IF_MISSING)).unwrap_or(false),
    }
}

fn canonical_effect(effect: &Effect) -> Fields {
    let mode = MODES.iter().find(|(_, mode)| *mode == effect.mode).map_or("", |(name, _)| name);
    let action = ACTIONS.iter().find(|(_, action)| *action == effect.action).map_or("", |(name, _)| name);
    let mut fields = Fields::default();
    fields.put("mode", mode);
    fields.put("action", action);
    fields.put("score", effect.score);
    fields.put("fire_if_missing", effect.fire_if_missing);
    fields
}

/// The lock, present exactly where the action is `lock`; then `on` must be too.
fn read_lock_of(context: &mut Context, keys: &Keys, action: Action) -> Option<(Lock, Canonical)> {
    let faults = &mut context.faults;
    if action == Action::Lock && keys.get("on").is_none() {
        let finding = faults.error("missing-key", &keys.place, "`on` is missing here: a rule that locks needs it");
        finding.help("say which events may lock, for example `on: type == 'login'`".to_string());
    }
    let place = keys.key_place("lock").unwrap_or(&keys.place);
    match (keys.get("lock"), action) {
        (Some(node), _) => {
            if action != Action::Lock && keys.get("action").is_none_or(is_action) {
                let finding = faults.error("conflicting-keys", place, "a rule with `lock` whose action is not `lock`");
                finding.help("write `action: lock`, or leave `lock` out".to_string());
            }
            read_lock(context, node, place)
        }
        (None, Action::Lock) => {
            let finding = faults.error("missing-key", place, "`lock` is missing here: the action is `lock`");
            finding.help("add `lock: { for: 30m }`".to_string());
            None
        }
        (None, _) => None,
    }
}

/// Whether a node names an action; one that does not has a fault of its own.
fn is_action(node: &super::yaml::Node) -> bool {
    matches!(&node.kind, super::yaml::Kind::Scalar(text, _) if ACTIONS.iter().any(|(name, _)| name == text))
}

fn read_tags(context: &mut Context, keys: &Keys) -> Vec<String> {
    let mut tags = Vec::new();
    for node in keys.get("tags").map(one_or_many).unwrap_or_default() {
        let Some(tag) = text(&mut context.faults, node, "a tag") else { continue };
        if tag.is_empty() || tag.len() > 256 {
            bad_value(&mut context.faults, node, "an empty or very long tag".to_string(), "1 to 256 bytes");
        }
        tags.push(tag.to_string());
    }
    tags
}

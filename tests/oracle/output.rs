//! Section 4: the lines, byte for byte, with a hash of zeros and an empty `detail`.

use super::ast::Expr;
use super::decide::Decision;
use super::decode::Refusal;
use super::eval::Scope;
use super::locks::{Lock, Transition};
use super::model::View;
use super::rules::{Rule, RuleSet};
use super::time::instant_text;
use super::value::{Value, json_text};

/// Most characters of event text in a reason.
const LONGEST: usize = 64;

/// An object from members already in JSON.
fn object<K: AsRef<str>>(members: impl IntoIterator<Item = (K, String)>) -> String {
    let members: Vec<_> =
        members.into_iter().map(|(key, value)| format!("{}:{value}", json_text(key.as_ref()))).collect();
    format!("{{{}}}", members.join(","))
}

fn array(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

/// A rejected record.
pub fn rejected(refusal: &Refusal, line: usize) -> String {
    let mut members = vec![("kind", json_text("rejected")), ("code", json_text(refusal.code))];
    members.extend(refusal.field.as_ref().map(|field| ("field", json_text(field))));
    members.push(("position", json_text(&format!("-:{line}"))));
    members.extend(refusal.event.as_ref().map(|event| ("event", json_text(event))));
    members.push(("detail", json_text("")));
    object(members) + "\n"
}

/// A lock's transition; expiries have no event.
pub fn transition(change: &Transition, event: Option<&View>, digits: u32) -> String {
    let lock = &change.lock;
    let mut members = vec![
        ("kind", json_text("lock")),
        ("transition", json_text(change.name)),
        ("rule", json_text(&lock.rule)),
        ("target", target(lock, digits)),
        ("start", json_text(&instant_text(lock.start))),
        ("end", instant_or_null(lock.end)),
        ("level", lock.level.to_string()),
    ];
    let text = |name: &'static str| event.and_then(|view| view.lookup(name)).map(|value| value.json(digits));
    members.extend(text("id").map(|id| ("event", id)));
    if ["unlocked", "unlock_refused"].contains(&change.name) {
        members.extend(["proof", "by", "case"].into_iter().filter_map(|name| Some((name, text(name)?))));
    }
    object(members) + "\n"
}

fn target(lock: &Lock, digits: u32) -> String {
    object(lock.target.iter().map(|(name, value)| (name, value.json(digits))))
}

fn instant_or_null(instant: Option<i64>) -> String {
    instant.map_or("null".to_owned(), |instant| json_text(&instant_text(instant)))
}

/// A decision.
pub fn decision(decision: &Decision, rules: &RuleSet, view: &View) -> String {
    let digits = view.digits();
    let field = |name: &'static str| view.lookup(name).map(|value| value.json(digits));
    let mut members = vec![("kind", json_text("decision"))];
    let keys = [("event", "id"), ("type", "type"), ("account", "account"), ("order", "order"), ("time", "time")];
    members.extend(keys.into_iter().filter_map(|(key, name)| Some((key, field(name)?))));
    members.push(("action", json_text(decision.action)));
    members.push(("score", decision.score.to_string()));
    members.push(("hits", array(decision.hits.iter().map(|(id, rule)| hit(id, rule, view)))));
    members.push(("covered_by", array(decision.covered_by.iter().map(|lock| cover(lock, digits)))));
    members.push(("ruleset", json_text(&format!("{}@000000000000", rules.ruleset.name))));
    object(members) + "\n"
}

fn cover(lock: &Lock, digits: u32) -> String {
    object([("rule", json_text(&lock.rule)), ("target", target(lock, digits)), ("until", instant_or_null(lock.end))])
}

fn hit(id: &str, rule: &Rule, view: &View) -> String {
    let digits = view.digits();
    let names = Expr::names(&rule.when.0);
    let values = names.iter().filter_map(|name| Some((name, view.lookup(name)?.json(digits))));
    let mut members = vec![
        ("rule", json_text(id)),
        ("mode", json_text(rule.mode.as_deref().unwrap_or("enforce"))),
        ("action", json_text(rule.action.as_deref().unwrap_or("allow"))),
        ("score", rule.score.to_string()),
        ("values", object(values)),
    ];
    if !rule.reason.0.is_empty() {
        let texts = rule.reason.0.iter().map(|(language, text)| (language, json_text(&reason(text, view))));
        members.push(("reason", object(texts)));
    }
    object(members)
}

/// A reason with its names filled in.
fn reason(template: &str, view: &View) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        out += before;
        if let Some(after) = after.strip_prefix('{') {
            out.push('{');
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').expect("a closed name");
        out += &view.lookup(name).map_or("?".to_owned(), |value| bare(&value, view.digits()));
        rest = after;
    }
    out + rest
}

/// A value in a reason: text is cut, and what could disturb a terminal or hide text is replaced.
fn bare(value: &Value, digits: u32) -> String {
    match value {
        Value::Text(text) => {
            let hidden = |c: char| c.is_control() || "\u{61c}\u{200e}\u{200f}".contains(c) || is_bidi_format(c);
            text.chars().take(LONGEST).map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect()
        }
        other => other.bare(digits),
    }
}

fn is_bidi_format(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

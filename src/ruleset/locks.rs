//! `lock:`: what a locking rule locks, for how long, what it covers and what ends it.

use super::canonical::{Canonical, Fields, texts};
use super::context::Context;
use super::diagnostic::Place;
use super::expression::{Expression, Reach, condition};
use super::keys::{BACKOFF, LOCK, names};
use super::options::key_parts;
use super::read::{DURATION_FORM, Keys, bad_value, boolean, duration, integer, keys, one_or_many, shorten, text};
use super::types::{Backoff, Lock, LockDuration, Named};
use super::yaml::Node;
use crate::model::time::parse_duration;
use crate::model::value::Type;

/// How long an ended lock counts for the next one where nothing is said, ms: 7 days.
const DEFAULT_FORGET: i64 = 7 * 24 * 60 * 60 * 1000;
/// Most proofs of one lock.
const MAX_PROOFS: usize = 64;
/// Most digits of a backoff factor.
const MAX_FACTOR_DIGITS: usize = 9;

/// Reads a `lock:` mapping; `None`, with the faults noted, where a part of it is missing.
pub fn read_lock(context: &mut Context, node: &Node, at: &Place) -> Option<(Lock, Canonical)> {
    let keys = keys(&mut context.faults, node, at, &names(&LOCK))?;
    let mut fields = Fields::default();
    let target = read_target(context, &keys);
    let duration = keys.must(&mut context.faults, "for").and_then(|node| lock_duration(context, node, &mut fields));
    let covers = put_expression(condition(context, &keys, "covers"), "covers", &mut fields);
    let release = put_expression(condition(context, &keys, "release"), "release", &mut fields);
    let covers_by = read_covers_by(context, &keys, target.as_deref());
    let backoff = keys.get("backoff").and_then(|node| read_backoff(context, node, &mut fields));
    let extend = keys.get("extend").and_then(|node| boolean(&mut context.faults, node)).unwrap_or(false);
    let unlock = read_proofs(context, &keys);
    let target = target?;
    let covers_by = covers_by.unwrap_or_else(|| target.clone());
    fields.put("target", texts(target.iter().map(|part| &part.name)));
    fields.put("covers_by", texts(covers_by.iter().map(|part| &part.name)));
    fields.put("extend", extend);
    fields.put("unlock", texts(&unlock));
    let lock = Lock { target, duration: duration?, covers, covers_by, backoff, extend, unlock, release };
    warn_of_endless(context, &keys, &lock);
    Some((lock, fields.into()))
}

fn put_expression(expression: Option<Expression>, name: &str, fields: &mut Fields) -> Option<u32> {
    let expression = expression?;
    fields.put(name, expression.text.as_str());
    Some(expression.node)
}

fn warn_of_endless(context: &mut Context, keys: &Keys, lock: &Lock) {
    if lock.duration == LockDuration::UntilUnlocked && lock.unlock.is_empty() && lock.release.is_none() {
        let place = keys.key_place("for").unwrap_or(&keys.place);
        let finding = context.faults.warning("endless-lock", place, "nothing can ever end this lock");
        finding.help("give `unlock` the proofs that end it, or a `release` expression".to_string());
    }
}

fn read_target(context: &mut Context, keys: &Keys) -> Option<Vec<Named>> {
    let Some(node) = keys.get("target") else { return context.resolve("account").map(|named| vec![named]) };
    let parts = key_parts(context, node)?;
    if parts.is_empty() {
        bad_value(
            &mut context.faults,
            node,
            "a lock needs a target".to_string(),
            "at least one field or derived value",
        );
        return None;
    }
    Some(parts)
}

/// A duration, `until_unlocked`, or an expression; what starts with a digit and has no operator is read as the first.
fn lock_duration(context: &mut Context, node: &Node, fields: &mut Fields) -> Option<LockDuration> {
    let expected = format!("{DURATION_FORM}, `until_unlocked`, or a duration expression");
    let written = text(&mut context.faults, node, &expected)?.trim();
    if written == "until_unlocked" {
        fields.put("for", written);
        return Some(LockDuration::UntilUnlocked);
    }
    let is_literal =
        written.starts_with(|c: char| c.is_ascii_digit()) && written.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_literal || parse_duration(written).is_ok() {
        let length = duration(&mut context.faults, node, 1)?;
        fields.put("for", length);
        return Some(LockDuration::Fixed(length));
    }
    let expression = context.expression_of(node, Reach::All, "`for`", &[Type::Duration])?;
    fields.put("for", expression.text.as_str());
    Some(LockDuration::Computed(expression.node))
}

/// The fields whose value may equal the target's; `None` where they are not given, or wrong.
fn read_covers_by(context: &mut Context, keys: &Keys, target: Option<&[Named]>) -> Option<Vec<Named>> {
    let node = keys.get("covers_by")?;
    let parts = key_parts(context, node)?;
    let [target] = target? else {
        let place = keys.key_place("covers_by").unwrap_or(&keys.place);
        let finding = context.faults.error("conflicting-keys", place, "`covers_by` with a target of several fields");
        finding.help("use one field as target, or leave `covers_by` out".to_string());
        return None;
    };
    if parts.is_empty() {
        bad_value(&mut context.faults, node, "`covers_by` names nothing".to_string(), "at least one field");
        return None;
    }
    for (part, node) in parts.iter().zip(one_or_many(node)).filter(|(part, _)| part.kind != target.kind) {
        let message = format!("`{}` is of type {}", part.name, part.kind.name());
        let expected = format!("type {}, as that of the target `{}`", target.kind.name(), target.name);
        bad_value(&mut context.faults, node, message, &expected);
    }
    Some(parts)
}

fn read_proofs(context: &mut Context, keys: &Keys) -> Vec<String> {
    let Some(node) = keys.get("unlock") else { return Vec::new() };
    let nodes = one_or_many(node);
    if let Some(beyond) = nodes.get(MAX_PROOFS) {
        context.faults.error("limit", &beyond.place, "too many proofs").expected(format!("at most {MAX_PROOFS}"));
    }
    let mut proofs = Vec::new();
    for node in nodes {
        let Some(proof) = text(&mut context.faults, node, "the name of a proof") else { continue };
        if proof.is_empty() || proof.len() > 256 {
            bad_value(&mut context.faults, node, "no event can carry this proof".to_string(), "1 to 256 bytes");
        }
        proofs.push(proof.to_string());
    }
    proofs.sort_unstable();
    proofs.dedup();
    proofs
}

fn read_backoff(context: &mut Context, node: &Node, fields: &mut Fields) -> Option<Backoff> {
    let keys = keys(&mut context.faults, node, &node.place, &names(&BACKOFF))?;
    let mut own = Fields::default();
    let reset = put_expression(condition(context, &keys, "reset"), "reset", &mut own);
    let faults = &mut context.faults;
    let factor = match keys.get("factor") {
        None => Some((2, 0)),
        Some(node) => {
            let expected = "a decimal number of at least 1, such as `2` or `1.5`";
            let written = text(faults, node, expected)?;
            let factor = parse_factor(written);
            if factor.is_none() {
                bad_value(faults, node, format!("`{}` is no factor", shorten(written)), expected);
            }
            factor
        }
    };
    let max = keys.get("max").and_then(|node| duration(faults, node, 1));
    let forget = keys.get("forget").and_then(|node| duration(faults, node, 0)).unwrap_or(DEFAULT_FORGET);
    let level = keys.get("until_unlocked_from").and_then(|node| integer(faults, node, 1, i64::from(u32::MAX)));
    let factor = factor?;
    own.put("factor", Canonical::List(vec![factor.0.into(), i64::from(factor.1).into()]));
    own.put_some("max", max);
    own.put("forget", forget);
    own.put_some("until_unlocked_from", level);
    fields.put("backoff", own);
    let until_unlocked_from = level.and_then(|level| u32::try_from(level).ok());
    Some(Backoff { factor, max, forget, until_unlocked_from, reset })
}

/// `[0-9]+(\.[0-9]+)?` of at least 1 as mantissa and scale, without needless zeros.
fn parse_factor(text: &str) -> Option<(i64, u32)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) {
        return None;
    }
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    if whole.is_empty() || whole.len() + fraction.len() > MAX_FACTOR_DIGITS {
        return None;
    }
    let mantissa = format!("{whole}{fraction}").parse().ok()?;
    Some((mantissa, u32::try_from(fraction.len()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors() {
        for (text, expected) in [
            ("2", Some((2, 0))),
            ("1.50", Some((15, 1))),
            ("1", Some((1, 0))),
            ("01.0", Some((1, 0))),
            ("0.9", None),
            ("0", None),
            ("-2", None),
            ("1e1", None),
            (".5", None),
            ("1.", None),
            ("", None),
            ("1234567890", None),
        ] {
            assert_eq!(parse_factor(text), expected, "{text}");
        }
    }
}

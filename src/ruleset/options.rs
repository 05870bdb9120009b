//! The options of a feature: which it must, may and cannot have, and what each says.

use super::aggregates::{Need, ROWS, Row, UNSUPPORTED};
use super::canonical::Canonical;
use super::context::Context;
use super::diagnostic::{Faults, Place};
use super::keys::{FEATURE, names};
use super::merge::Entry;
use super::read::{DURATION_FORM, Keys, duration, integer, mapping, one_or_many, shorten, text};
use super::suggest::{did_you_mean, one_of};
use super::types::{Aggregate, Named, Period, Window};
use super::yaml::Node;
use crate::model::time::parse_duration;

/// Most parts of a key.
const MAX_PARTS: usize = 8;
/// Longest time in which a token bucket may forget, ms: the longest duration there is.
const MAX_BUCKET_LIFE: i64 = 36_500 * 24 * 60 * 60 * 1000;

/// The row of the entry's `aggregate`.
pub fn find_row(faults: &mut Faults, entry: &Entry) -> Option<Row> {
    let entries = mapping(faults, &entry.node)?;
    let Some((_, node)) = entries.iter().find(|(key, _)| key.text == "aggregate") else {
        let finding = faults.error("missing-key", &entry.key.place, "`aggregate` is missing here");
        finding.expected(one_of(&aggregate_names()));
        return None;
    };
    let name = text(faults, node, "the name of an aggregate")?;
    let row = ROWS.iter().find(|row| row.name == name);
    if row.is_none() && UNSUPPORTED.contains(&name) {
        let message = format!("the aggregate `{name}` is not supported by this version yet");
        faults.error("unsupported", &node.place, message).expected(one_of(&aggregate_names()));
    } else if row.is_none() {
        let help = did_you_mean(name, aggregate_names());
        faults
            .error("bad-value", &node.place, format!("unknown aggregate `{name}`"))
            .expected(one_of(&aggregate_names()))
            .help(help);
    }
    row.copied()
}

fn aggregate_names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Options that are missing, and options that this aggregate does not take.
pub fn check_needs(faults: &mut Faults, keys: &Keys, row: &Row) {
    for option in names(&FEATURE) {
        let Some(need) = row.need(option) else { continue };
        match (need, keys.key_place(option)) {
            (Need::Must, None) => {
                let message = format!("`{option}` is missing here: `{}` needs it", row.name);
                faults.error("missing-key", &keys.place, message);
            }
            (Need::Never, Some(place)) => {
                let message = format!("`{}` takes no `{option}`", row.name);
                faults.error("option-not-taken", place, message).expected(one_of(&row.taken()));
            }
            _ => {}
        }
    }
}

/// The parts of a key: one name or a list of names, none twice.
pub fn key_parts(context: &mut Context, node: &Node) -> Option<Vec<Named>> {
    let nodes = one_or_many(node);
    if let Some(beyond) = nodes.get(MAX_PARTS) {
        let finding = context.faults.error("limit", &beyond.place, "too many parts of a key");
        finding.expected(format!("at most {MAX_PARTS}"));
        return None;
    }
    let mut parts: Vec<Named> = Vec::new();
    for part in nodes {
        let Some(named) = context.key_part(part) else { continue };
        if parts.contains(&named) {
            context.faults.error("duplicate-name", &part.place, format!("`{}` is named twice", named.name));
        }
        parts.push(named);
    }
    (parts.len() == nodes.len()).then_some(parts)
}

/// `read_by` must have as many parts as `by`, of the same types.
pub fn check_read_by(faults: &mut Faults, keys: &Keys, by: Option<&[Named]>, read_by: Option<&[Named]>) {
    let (Some(by), Some(read_by), Some(node)) = (by, read_by, keys.get("read_by")) else { return };
    if by.len() != read_by.len() {
        let message = format!("`read_by` has {} parts, `by` has {}", read_by.len(), by.len());
        faults.error("bad-value", &node.place, message).expected("as many parts as in `by`");
        return;
    }
    for ((enter, read), part) in by.iter().zip(read_by).zip(one_or_many(node)) {
        if enter.kind != read.kind {
            let message = format!("`{}` is of type {}", read.name, read.kind.name());
            let expected = format!("type {}, as that of `{}` in `by`", enter.kind.name(), enter.name);
            faults.error("bad-value", &part.place, message).expected(expected);
        }
    }
}

/// The aggregate with its parameters.
pub fn aggregate(faults: &mut Faults, keys: &Keys, row: &Row) -> Option<Aggregate> {
    if !row.is_bucket() {
        return Some(row.aggregate);
    }
    let capacity = keys.get("capacity").and_then(|node| integer(faults, node, 0, i64::MAX));
    let leak = keys.get("leak").and_then(|node| duration(faults, node, 1));
    let (capacity, leak) = (capacity?, leak?);
    let life = capacity.checked_add(1).and_then(|tokens| tokens.checked_mul(leak));
    if life.is_none_or(|life| life > MAX_BUCKET_LIFE) {
        let place = keys.key_place("capacity").unwrap_or(&keys.place);
        let finding =
            faults.error("limit", place, "the bucket would never be forgotten: (capacity + 1) * leak is too long");
        finding.expected("at most 36500d");
        return None;
    }
    Some(Aggregate::LeakyBucket { capacity, leak })
}

const PERIODS: [(&str, Period); 4] =
    [("day", Period::Day), ("week", Period::Week), ("month", Period::Month), ("year", Period::Year)];

/// What `window` says.
pub fn window(faults: &mut Faults, keys: &Keys, row: &Row) -> Option<Window> {
    if row.need("window") == Some(Need::Never) {
        return Some(Window::Lifetime);
    }
    let node = keys.get("window")?;
    let expected = format!("{DURATION_FORM}, `day`, `week`, `month`, `year` or `lifetime`");
    let found = text(faults, node, &expected)?;
    if let Some((_, period)) = PERIODS.iter().find(|(name, _)| *name == found) {
        return Some(Window::Calendar(*period));
    }
    if found == "lifetime" {
        return Some(Window::Lifetime);
    }
    match parse_duration(found) {
        Ok(length) => Some(Window::Sliding(length)),
        Err(error) => {
            window_fault(faults, &node.place, found, &error.to_string(), &expected);
            None
        }
    }
}

fn window_fault(faults: &mut Faults, place: &Place, found: &str, error: &str, expected: &str) {
    let words = PERIODS.iter().map(|(name, _)| *name).chain(["lifetime"]);
    let help = if found.starts_with(|c: char| c.is_ascii_digit()) { None } else { did_you_mean(found, words) };
    let message = format!("`{}` is no window: {error}", shorten(found));
    faults.error("bad-value", place, message).expected(expected).help(help);
}

/// The window in the canonical form.
pub fn canonical_window(window: Window) -> Canonical {
    match window {
        Window::Sliding(length) => length.into(),
        Window::Lifetime => "lifetime".into(),
        Window::Calendar(period) => {
            PERIODS.iter().find(|(_, other)| *other == period).map_or("", |(name, _)| name).into()
        }
    }
}

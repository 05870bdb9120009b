//! `features:`: keyed windows over earlier events, each checked against the table of [`aggregates`](super::aggregates).

use std::collections::{BTreeMap, BTreeSet};

use super::aggregates::{IDENTITIES, Need, OPTIONS, ROWS, Row, UNSUPPORTED, Value};
use super::canonical::{Canonical, Fields, texts};
use super::context::{Context, Expression, Meaning, Reach};
use super::derive::in_order;
use super::diagnostic::{Faults, Place};
use super::header::limit;
use super::merge::{Entry, Merged};
use super::read::{DURATION_FORM, Keys, duration, integer, keys, mapping, one_or_many, text};
use super::suggest::{did_you_mean, one_of};
use super::types::{Aggregate, Feature, Named, Period, Window};
use super::yaml::{Kind, Node};
use crate::expr::mentioned_names;
use crate::model::time::parse_duration;
use crate::model::value::Type;

/// Most features.
const MAX_FEATURES: usize = 1000;
/// Most parts of a key.
pub const MAX_PARTS: usize = 8;
/// Longest time in which a token bucket may forget, ms: the longest duration there is.
const MAX_BUCKET_LIFE: i64 = 36_500 * 24 * 60 * 60 * 1000;

/// Reads `features:` in the order of their dependencies; the result is sorted by name.
pub fn read_features(
    context: &mut Context,
    merged: &Merged,
    entries: &BTreeMap<&str, &Entry>,
) -> (Vec<Feature>, Canonical) {
    limit(&mut context.faults, merged.section("features").nth(MAX_FEATURES), "features", MAX_FEATURES);
    let needs = entries.iter().map(|(name, entry)| (name.to_string(), needs(entry))).collect();
    let index: BTreeMap<&str, usize> = entries.keys().enumerate().map(|(index, name)| (*name, index)).collect();
    let mut features = BTreeMap::new();
    let mut canonical = Fields::default();
    for name in in_order(context, entries, &needs) {
        let (Some(entry), Some(index)) = (entries.get(name.as_str()), index.get(name.as_str())) else { continue };
        let draft = Draft::read(context, entry);
        if let Some(kind) = draft.as_ref().and_then(|draft| draft.kind) {
            let node = context.graph.feature(*index, kind);
            context.define(&name, Meaning::Feature(Some((node, kind))));
        }
        if let Some((feature, fields)) = draft.and_then(|draft| draft.complete(&name)) {
            canonical.put(&name, fields);
            features.insert(name, feature);
        }
    }
    (features.into_values().collect(), canonical.into())
}

/// The names a feature's expressions hold.
fn needs(entry: &Entry) -> BTreeSet<String> {
    let Kind::Mapping(entries) = &entry.node.kind else { return BTreeSet::new() };
    let expressions = entries.iter().filter(|(key, _)| EXPRESSIONS.contains(&key.text.as_str()));
    let texts = expressions.filter_map(|(_, node)| match &node.kind {
        Kind::Scalar(text, _) => Some(text),
        _ => None,
    });
    texts.flat_map(|text| mentioned_names(text)).collect()
}

const EXPRESSIONS: [&str; 4] = ["where", "of", "reset", "distinct"];

/// A feature as far as it could be read; an option with a fault is `None` and noted.
struct Draft {
    row: Row,
    kind: Option<Type>,
    aggregate: Option<Aggregate>,
    of: Option<Expression>,
    by: Option<Vec<Named>>,
    read_by: Option<Vec<Named>>,
    filter: Option<Expression>,
    reset: Option<Expression>,
    window: Option<Window>,
    gap: Option<i64>,
    delay: Option<i64>,
    least: i64,
    reset_at: Option<i64>,
}

impl Draft {
    fn read(context: &mut Context, entry: &Entry) -> Option<Draft> {
        let row = find_row(&mut context.faults, entry)?;
        let keys = keys(&mut context.faults, &entry.node, &entry.key.place, &OPTIONS)?;
        check_needs(&mut context.faults, &keys, &row);
        let of = match row.is_bucket() {
            true => value_expression(context, &keys, "distinct", IDENTITIES),
            false => value_expression(context, &keys, "of", row.types),
        };
        let kind = match row.value {
            Value::Always(kind) => Some(kind),
            Value::SameAsOf => of.as_ref().map(|of| of.kind),
        };
        let by = keys.get("by").and_then(|node| key_parts(context, node));
        let read_by = keys.get("read_by").and_then(|node| key_parts(context, node));
        check_read_by(&mut context.faults, &keys, by.as_deref(), read_by.as_deref());
        let filter = condition(context, &keys, "where");
        let reset = condition(context, &keys, "reset");
        let faults = &mut context.faults;
        let draft = Draft {
            row,
            kind,
            aggregate: aggregate(faults, &keys, &row),
            of,
            by,
            read_by,
            filter,
            reset,
            window: window(faults, &keys, &row),
            gap: keys.get("gap").and_then(|node| duration(faults, node, 0)),
            delay: keys.get("delay").and_then(|node| duration(faults, node, 0)),
            least: keys.get("least").and_then(|node| integer(faults, node, 1, i64::MAX)).unwrap_or(0),
            reset_at: keys.get("reset_at").and_then(|node| integer(faults, node, 1, i64::MAX)),
        };
        draft.check_together(faults, &keys);
        Some(draft)
    }

    /// Options that exclude each other, or make no sense together.
    fn check_together(&self, faults: &mut Faults, keys: &Keys) {
        if let Some(place) = keys.key_place("reset_at") {
            for other in ["delay", "read_by"] {
                if let Some(other_place) = keys.key_place(other) {
                    let message = format!("`reset_at` does not go together with `{other}`");
                    faults.error("conflicting-keys", place, message).other(other_place, "given here");
                }
            }
        }
        if let (Some(Window::Sliding(window)), Some(delay), Some(place)) =
            (self.window, self.delay, keys.key_place("delay"))
            && delay > window
        {
            let finding = faults.warning("empty-window", place, "the delay is longer than the window");
            finding.help("no event can ever be in it; make `window` longer".to_string());
        }
    }

    /// The feature and its canonical form, if nothing is missing.
    fn complete(self, name: &str) -> Option<(Feature, Canonical)> {
        let by = self.by?;
        let window = self.window?;
        let aggregate = self.aggregate?;
        let mut fields = Fields::default();
        fields.put("aggregate", self.row.name);
        if let Aggregate::LeakyBucket { capacity, leak } = aggregate {
            fields.put("capacity", capacity);
            fields.put("leak", leak);
        }
        fields.put_some("of", self.of.as_ref().map(|of| of.text.as_str()));
        fields.put("by", texts(by.iter().map(|part| &part.name)));
        fields.put_some("read_by", self.read_by.as_ref().map(|parts| texts(parts.iter().map(|part| &part.name))));
        fields.put_some("where", self.filter.as_ref().map(|filter| filter.text.as_str()));
        fields.put_some("reset", self.reset.as_ref().map(|reset| reset.text.as_str()));
        fields.put("window", canonical_window(window));
        fields.put_some("gap", self.gap);
        fields.put_some("delay", self.delay);
        fields.put("least", self.least);
        fields.put_some("reset_at", self.reset_at);
        let feature = Feature {
            name: name.to_string(),
            kind: self.kind?,
            aggregate,
            of: self.of.map(|of| (of.node, of.kind)),
            by,
            read_by: self.read_by,
            filter: self.filter.map(|filter| filter.node),
            reset: self.reset.map(|reset| reset.node),
            window,
            gap: self.gap,
            delay: self.delay,
            least: self.least.cast_unsigned(),
            reset_at: self.reset_at,
        };
        Some((feature, fields.into()))
    }
}

/// The row of the entry's `aggregate`.
fn find_row(faults: &mut Faults, entry: &Entry) -> Option<Row> {
    let entries = mapping(faults, &entry.node)?;
    let Some((_, node)) = entries.iter().find(|(key, _)| key.text == "aggregate") else {
        let finding = faults.error("missing-key", &entry.key.place, "`aggregate` is missing here");
        finding.expected(one_of(&names()));
        return None;
    };
    let name = text(faults, node, "the name of an aggregate")?;
    let row = ROWS.iter().find(|row| row.name == name);
    if row.is_none() && UNSUPPORTED.contains(&name) {
        let message = format!("the aggregate `{name}` is not supported by this version yet");
        faults.error("unsupported", &node.place, message).expected(one_of(&names()));
    } else if row.is_none() {
        let help = did_you_mean(name, names());
        faults
            .error("bad-value", &node.place, format!("unknown aggregate `{name}`"))
            .expected(one_of(&names()))
            .help(help);
    }
    row.copied()
}

fn names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

/// Options that are missing, and options that this aggregate does not take.
fn check_needs(faults: &mut Faults, keys: &Keys, row: &Row) {
    for option in OPTIONS {
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

fn value_expression(context: &mut Context, keys: &Keys, option: &str, types: &[Type]) -> Option<Expression> {
    let node = keys.get(option)?;
    context.expression_of(node, Reach::All, &format!("`{option}`"), types)
}

/// An expression that is true or false.
pub fn condition(context: &mut Context, keys: &Keys, option: &str) -> Option<Expression> {
    let node = keys.get(option)?;
    context.expression_of(node, Reach::All, &format!("`{option}`"), &[Type::Bool])
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

fn check_read_by(faults: &mut Faults, keys: &Keys, by: Option<&[Named]>, read_by: Option<&[Named]>) {
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
fn aggregate(faults: &mut Faults, keys: &Keys, row: &Row) -> Option<Aggregate> {
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

fn window(faults: &mut Faults, keys: &Keys, row: &Row) -> Option<Window> {
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
    let message = format!("`{}` is no window: {error}", super::read::shorten(found));
    faults.error("bad-value", place, message).expected(expected).help(help);
}

fn canonical_window(window: Window) -> Canonical {
    match window {
        Window::Sliding(length) => length.into(),
        Window::Lifetime => "lifetime".into(),
        Window::Calendar(period) => {
            PERIODS.iter().find(|(_, other)| *other == period).map_or("", |(name, _)| name).into()
        }
    }
}

//! `features:`: keyed windows over earlier events, each checked against the table of [`aggregates`](super::aggregates).

use std::collections::{BTreeMap, BTreeSet};

use super::aggregates::{IDENTITIES, Row, Value};
use super::canonical::{Canonical, Fields, texts};
use super::context::{Context, Meaning};
use super::derive::in_order;
use super::diagnostic::Faults;
use super::expression::{Expression, condition, value_expression};
use super::keys::{FEATURE, names};
use super::merge::Entry;
use super::options::{aggregate, canonical_window, check_needs, check_read_by, find_row, key_parts, window};
use super::read::{Keys, duration, integer, keys};
use super::types::{Aggregate, Feature, Named, Window};
use super::yaml::Kind;
use crate::expr::mentioned_names;
use crate::model::value::Type;

/// Reads `features:` in the order of their dependencies; the result is sorted by name.
pub fn read_features(context: &mut Context, entries: &BTreeMap<&str, &Entry>) -> (Vec<Feature>, Canonical) {
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
        let keys = keys(&mut context.faults, &entry.node, &entry.key.place, &names(&FEATURE))?;
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

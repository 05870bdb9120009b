//! Every key of a rule file, with what it may hold and what it is for: the loader refuses others by these tables, and
//! the JSON Schema for editors is written from them. So neither can know a key that the other does not.
//!
//! A form says as much of a value as can be said without the rest of the rule set. The loader judges more: types of
//! expressions, names, cycles.

use super::aggregates::ROWS;
pub use super::header::KNOWN_TYPES;
use super::rules::{action_names, mode_names};
use crate::model::events::FieldType;

/// What a key may hold.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// Any single value, taken as written.
    Text,
    /// Text that matches a pattern from start to end.
    Pattern(&'static str),
    /// A condition or value in CEL.
    Expression,
    /// A duration, perhaps of zero.
    Duration,
    /// A duration above zero.
    Positive,
    /// A duration above zero, an expression, or `until_unlocked`.
    LockDuration,
    /// A duration, a calendar period or `lifetime`.
    Window,
    /// A decimal number, in quotes or not.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// An integer from the first to the second.
    Integer(i64, i64),
    /// One of a few words.
    Words(fn() -> Vec<&'static str>),
    /// A list.
    List(&'static Form),
    /// One value or a list of at least so many.
    OneOrMany(&'static Form, u64),
    /// A mapping with these keys.
    Mapping(&'static [Key]),
    /// A mapping from names that match a pattern.
    Entries(&'static str, &'static Form),
    /// A feature: its aggregate says which of the keys it takes.
    Feature,
    /// What this version does not support.
    Unsupported,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// How it is written.
    pub name: &'static str,
    /// Whether it has to be there.
    pub must: bool,
    /// What it may hold.
    pub form: Form,
    /// What it is for, and its default.
    pub about: &'static str,
}

const fn must(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, must: true, form, about }
}

const fn may(name: &'static str, form: Form, about: &'static str) -> Key {
    Key { name, must: false, form, about }
}

/// The names of a table's keys.
pub fn names(table: &[Key]) -> Vec<&'static str> {
    table.iter().map(|key| key.name).collect()
}

/// Names of fields, derived values and features.
pub const NAME: &str = "[a-z_][a-z0-9_]{0,63}";
const RULE_ID: &str = "[a-z0-9-]{1,128}";
const LIST_NAME: &str = "[A-Za-z0-9_.-]{1,64}";
const CURRENCY: &str = "[A-Z]{3}";
const LANGUAGE: &str = "[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*";
const PART: Form = Form::Pattern(NAME);
const MOST: i64 = i64::MAX;

/// Top-level keys, in the order in which people write them.
pub const SECTIONS: [Key; 9] = [
    may("ruleset", Form::Mapping(&HEADER), "Name, currency and settings; in exactly one file of a rule set"),
    may(
        "rates",
        Form::Entries(CURRENCY, &Form::Decimal),
        "One unit of a foreign currency in the rule set's; write \"7.10\" as text",
    ),
    may("types", Form::List(&Form::Pattern("[a-z][a-z0-9_]{0,31}")), "Event types beyond the known ones"),
    may(
        "fields",
        Form::Entries(NAME, &Form::Words(field_type_names)),
        "Further top-level fields of events, with their types",
    ),
    may(
        "derive",
        Form::Entries(NAME, &Form::Expression),
        "Named expressions over an event's own fields and other derived values",
    ),
    may("lists", Form::Entries(LIST_NAME, &Form::Mapping(&LIST)), "Named lists for `x in list('name')`"),
    may("features", Form::Entries(NAME, &Form::Feature), "Values computed from the earlier events of a key"),
    may("rules", Form::Entries(RULE_ID, &Form::Mapping(&RULE)), "What fires when, and what follows"),
    may("scores", Form::Unsupported, "Learned scores; not supported by this version"),
];

/// The keys of `ruleset:`.
pub const HEADER: [Key; 7] = [
    must(
        "name",
        Form::Pattern("[A-Za-z0-9][A-Za-z0-9._-]{0,63}"),
        "Part of the identity, name@hash, in every decision",
    ),
    must("currency", Form::Pattern(CURRENCY), "ISO 4217 code; amounts are compared and summed in it"),
    may("timezone", Form::Text, "IANA zone of calendar windows; UTC by default"),
    may("lateness", Form::Duration, "How far an event may be behind the newest one accepted; 10m by default"),
    may("dedup", Form::Duration, "How long of event time, either way, an id is remembered; 1h by default"),
    may(
        "thresholds",
        Form::Mapping(&THRESHOLDS),
        "From which score a decision takes at least this action; one left out is never reached",
    ),
    may("bounds", Form::Mapping(&BOUNDS), "Most state held per dimension; unbounded by default"),
];

/// The keys of `thresholds:`.
pub const THRESHOLDS: [Key; 3] = [
    may("alert", Form::Integer(0, 100), "Score from which somebody is told"),
    may("challenge", Form::Integer(0, 100), "Score from which another factor is asked for"),
    may("deny", Form::Integer(0, 100), "Score from which the event is refused"),
];

/// The keys of `bounds:`.
pub const BOUNDS: [Key; 2] = [
    may("keys", Form::Integer(1, MOST), "Most keys per dimension; the one with the oldest last event goes first"),
    may("entries", Form::Integer(1, MOST), "Most window entries per dimension, over all its keys"),
];

/// The keys of a list.
pub const LIST: [Key; 3] = [
    must("kind", Form::Words(list_kind_names), "`string` for texts, `cidr` for networks"),
    may("values", Form::List(&Form::Text), "The values; either this or `file`"),
    may("file", Form::Text, "A file beside the rule file, one value per line, `#` begins a comment"),
];

/// The keys of a feature; which of them an aggregate takes stands in the table of aggregates.
pub const FEATURE: [Key; 14] = [
    must("aggregate", Form::Words(aggregate_names), "What is computed"),
    may("of", Form::Expression, "What is aggregated; an event for which it is missing is no entry"),
    must(
        "by",
        Form::OneOrMany(&PART, 0),
        "The key: a field, a derived name, or a list of them; [] is one key for all events",
    ),
    may("read_by", Form::OneOrMany(&PART, 0), "The key for reading, where it differs from `by`"),
    may("where", Form::Expression, "Which events are entries; all by default"),
    may(
        "window",
        Form::Window,
        "A duration, `day`, `week`, `month`, `year` (of the rule set's time zone) or `lifetime`",
    ),
    may("reset", Form::Expression, "An event of the key for which this is true hides what was before it"),
    may("reset_at", Form::Integer(1, MOST), "Once an entry's own value reaches this, the count begins anew"),
    may("gap", Form::Duration, "Entries before a silence longer than this are hidden"),
    may("delay", Form::Duration, "The window ends this much before the event, which itself is out"),
    may("least", Form::Integer(1, MOST), "With fewer entries there is no value"),
    may("capacity", Form::Integer(0, MOST), "Tokens of a full bucket"),
    may("leak", Form::Positive, "The time in which a bucket gets one token back"),
    may("distinct", Form::Expression, "A value seen before in this life of the bucket is ignored"),
];

/// The keys of a rule.
pub const RULE: [Key; 9] = [
    may("on", Form::Expression, "Which events the rule looks at; required with `action: lock`"),
    must("when", Form::Expression, "Fires if this is true, and `on` is"),
    may("if_missing", Form::Words(if_missing_names), "What a `when` in error does; `pass` by default"),
    may("mode", Form::Words(mode_names), "`shadow` is listed in decisions without effect; `enforce` by default"),
    may("score", Form::Integer(0, 100), "Points added to the decision's score; 0 by default"),
    may("action", Form::Words(action_names), "The least that is done when it fires; `allow` by default"),
    may("lock", Form::Mapping(&LOCK), "What is locked; exactly with `action: lock`"),
    may("reason", Form::Entries(LANGUAGE, &Form::Text), "Texts for people by language; {name} is replaced by a value"),
    may("tags", Form::OneOrMany(&Form::Text, 0), "Free words"),
];

/// The keys of `lock:`.
pub const LOCK: [Key; 8] = [
    may(
        "target",
        Form::OneOrMany(&PART, 1),
        "What is locked: a field or derived name, or a list of them; `account` by default",
    ),
    must(
        "for",
        Form::LockDuration,
        "A duration, an expression of type duration over the firing event, or `until_unlocked`",
    ),
    may(
        "covers",
        Form::Expression,
        "Which later events of the target are refused, missing counts as covered; all by default",
    ),
    may("covers_by", Form::OneOrMany(&PART, 1), "Fields whose value may equal the target's; the target by default"),
    may("backoff", Form::Mapping(&BACKOFF), "How repeated locks grow; without it they do not"),
    may("extend", Form::Boolean, "Whether firing again while locked moves the end; false by default"),
    may("unlock", Form::OneOrMany(&Form::Text, 0), "The proofs that an unlock event may carry; none by default"),
    may("release", Form::Expression, "A later event of the target for which this is true ends the lock"),
];

/// The keys of `backoff:`.
pub const BACKOFF: [Key; 5] = [
    may("factor", Form::Decimal, "Times this per level, at least 1; 2 by default"),
    may("max", Form::Positive, "Longest duration"),
    may("forget", Form::Duration, "A lock that ended longer ago than this no longer counts; 7d by default"),
    may(
        "until_unlocked_from",
        Form::Integer(1, 4_294_967_295),
        "From this level on (0 is the first lock) there is no end",
    ),
    may("reset", Form::Expression, "A later event of the target for which this is true makes the next level 0"),
];

/// The types of declared fields, with their names.
pub const FIELD_TYPES: [(&str, FieldType); 4] =
    [("string", FieldType::Text), ("int", FieldType::Int), ("double", FieldType::Double), ("bool", FieldType::Bool)];

/// What a `when` in error may do, and whether the rule then fires.
pub const IF_MISSING: [(&str, bool); 2] = [("pass", false), ("fire", true)];

fn field_type_names() -> Vec<&'static str> {
    FIELD_TYPES.iter().map(|(name, _)| *name).collect()
}

fn if_missing_names() -> Vec<&'static str> {
    IF_MISSING.iter().map(|(name, _)| *name).collect()
}

fn list_kind_names() -> Vec<&'static str> {
    vec!["string", "cidr"]
}

fn aggregate_names() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}

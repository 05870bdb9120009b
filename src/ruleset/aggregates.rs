//! The table of aggregates: which options each takes, and what types go in and come out.

use super::keys::{FEATURE, names};
use super::types::Aggregate;
use crate::model::value::Type;

/// Whether an option belongs to an aggregate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Has to be given.
    Must,
    /// Can be given.
    May,
    /// Cannot be given.
    Never,
}

/// What type the feature's value has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Always this type.
    Always(Type),
    /// The type of `of`.
    SameAsOf,
}

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Name in rule files.
    pub name: &'static str,
    /// What it is; the bucket's parameters are filled in when read.
    pub aggregate: Aggregate,
    /// `of`
    pub of: Need,
    /// Types `of` may have; empty: any.
    pub types: &'static [Type],
    /// The type of the value.
    pub value: Value,
    /// `reset_at`
    pub reset_at: Need,
    /// `least`
    pub least: Need,
}

const NUMBERS: &[Type] = &[Type::Money, Type::Int, Type::Double];
/// Types whose values can be told apart exactly.
pub const IDENTITIES: &[Type] = &[Type::String, Type::Int, Type::Ip];
const ANY: &[Type] = &[];

const fn row(name: &'static str, aggregate: Aggregate, types: &'static [Type], value: Value) -> Row {
    Row { name, aggregate, of: Need::Must, types, value, reset_at: Need::Never, least: Need::Never }
}

const fn with_least(row: Row) -> Row {
    Row { least: Need::May, ..row }
}

const fn without_of(row: Row) -> Row {
    Row { of: Need::Never, ..row }
}

/// All aggregates.
pub const ROWS: [Row; 14] = [
    Row { reset_at: Need::May, ..without_of(row("count", Aggregate::Count, ANY, Value::Always(Type::Int))) },
    row("sum", Aggregate::Sum, NUMBERS, Value::SameAsOf),
    with_least(row("mean", Aggregate::Mean, NUMBERS, Value::Always(Type::Double))),
    with_least(row("stddev", Aggregate::Stddev, NUMBERS, Value::Always(Type::Double))),
    with_least(row("min", Aggregate::Min, NUMBERS, Value::SameAsOf)),
    with_least(row("max", Aggregate::Max, NUMBERS, Value::SameAsOf)),
    row("distinct", Aggregate::Distinct, IDENTITIES, Value::Always(Type::Int)),
    row("last", Aggregate::Last, ANY, Value::SameAsOf),
    row("first", Aggregate::First, ANY, Value::SameAsOf),
    without_of(row("since_last", Aggregate::SinceLast, ANY, Value::Always(Type::Duration))),
    without_of(row("since_first", Aggregate::SinceFirst, ANY, Value::Always(Type::Duration))),
    row("is_new", Aggregate::IsNew, IDENTITIES, Value::Always(Type::Bool)),
    without_of(row("speed", Aggregate::Speed, ANY, Value::Always(Type::Double))),
    without_of(row("leaky_bucket", Aggregate::LeakyBucket { capacity: 0, leak: 1 }, ANY, Value::Always(Type::Bool))),
];

/// Aggregates of the rule language that this version does not compute.
pub const UNSUPPORTED: [&str; 8] =
    ["zscore", "quantile", "rank", "share", "decayed_count", "decayed_sum", "decayed_mean", "decayed_stddev"];

impl Row {
    /// Whether this is the token bucket, which has options of its own.
    pub fn is_bucket(&self) -> bool {
        matches!(self.aggregate, Aggregate::LeakyBucket { .. })
    }

    /// Whether an option belongs to this aggregate; `None` for one that is no option.
    pub fn need(&self, option: &str) -> Option<Need> {
        let unless_bucket = |need: Need| if self.is_bucket() { Need::Never } else { need };
        let only_bucket = |need: Need| if self.is_bucket() { need } else { Need::Never };
        Some(match option {
            "aggregate" | "by" => Need::Must,
            "where" | "reset" => Need::May,
            "of" => self.of,
            "window" => unless_bucket(Need::Must),
            "gap" | "delay" | "read_by" => unless_bucket(Need::May),
            "reset_at" => self.reset_at,
            "least" => self.least,
            "capacity" | "leak" => only_bucket(Need::Must),
            "distinct" => only_bucket(Need::May),
            _ => return None,
        })
    }

    /// The options it takes, for people.
    pub fn taken(&self) -> Vec<&'static str> {
        let taken = |option: &&str| !matches!(self.need(option), None | Some(Need::Never));
        names(&FEATURE).into_iter().filter(taken).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &[&str]) {
        let row = ROWS.iter().find(|row| row.name == name).expect("known");
        let mut taken = row.taken();
        taken.retain(|option| !["aggregate", "by", "where", "reset"].contains(option));
        assert_eq!(taken, expected, "{name}");
    }

    #[test]
    fn options_follow_the_table() {
        check("count", &["read_by", "window", "reset_at", "gap", "delay"]);
        check("sum", &["of", "read_by", "window", "gap", "delay"]);
        for name in ["mean", "stddev", "min", "max"] {
            check(name, &["of", "read_by", "window", "gap", "delay", "least"]);
        }
        for name in ["distinct", "last", "first", "is_new"] {
            check(name, &["of", "read_by", "window", "gap", "delay"]);
        }
        for name in ["since_last", "since_first", "speed"] {
            check(name, &["read_by", "window", "gap", "delay"]);
        }
        check("leaky_bucket", &["capacity", "leak", "distinct"]);
    }
}

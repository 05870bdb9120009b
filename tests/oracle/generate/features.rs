//! Random features: every aggregate with every option its row of the table allows.

use super::expressions::{Names, TYPES};
use super::random::Random;
use crate::oracle::ast::{Expr, Op, binary, is, name};
use crate::oracle::rules::Feature;
use crate::oracle::texts::{By, Cel, Pause, Window};
use crate::oracle::time::Period;

const AGGREGATES: [&str; 14] = [
    "count",
    "sum",
    "mean",
    "stddev",
    "min",
    "max",
    "distinct",
    "last",
    "first",
    "since_last",
    "since_first",
    "is_new",
    "speed",
    "leaky_bucket",
];

const KEYS: [&[&str]; 6] = [&["account"], &["device"], &[], &["account", "device"], &["subnet"], &["account", "kyc"]];

/// Names as written in a key.
pub fn by(names: &[&str]) -> By {
    By(names.iter().map(|&name| name.to_owned()).collect())
}

/// What an aggregate is taken of, and the type of that.
fn operand(random: &mut Random, names: &Names, aggregate: &str) -> (&'static str, Expr) {
    let kinds: &[&'static str] = match aggregate {
        "sum" | "mean" | "stddev" | "min" | "max" => &["money", "int", "double"],
        "distinct" | "is_new" => &["text", "int", "ip"],
        _ => &["text", "int", "double", "money", "truth", "ip"],
    };
    let kind = *random.pick(kinds);
    let expr = match kind {
        "money" => names.money(random, 1),
        "int" => names.int(random, 1),
        "double" => names.double(random, 1),
        "text" => names.text(random, 1),
        "truth" => names.condition(random, 1),
        _ => name("ip"),
    };
    (kind, expr)
}

/// A feature; its name joins `names` under its type.
pub fn feature(random: &mut Random, names: &mut Names, number: usize) -> (String, Feature) {
    let aggregate = random.word(&AGGREGATES);
    let key = KEYS[random.between(0, 5) as usize];
    let bucket = aggregate == "leaky_bucket";
    let takes_value = !["count", "since_last", "since_first", "speed", "leaky_bucket"].contains(&aggregate.as_str());
    let (kind, of) = operand(random, names, &aggregate);
    let mut made = Feature {
        of: takes_value.then_some(Cel(of)),
        by: by(key),
        read_by: None,
        filter: random.maybe(40, |random| Cel(filter(random, names))),
        window: (!bucket).then(|| window(random, names)),
        reset: random.maybe(25, |random| Cel(rare(random, names))),
        gap: None,
        reset_at: None,
        delay: None,
        least: None,
        capacity: None,
        leak: None,
        distinct: None,
        aggregate,
    };
    options(random, names, &mut made);
    let name = join(names, &made.aggregate, kind, number);
    (name, made)
}

/// Mostly a choice of types, so that enough events are entries.
fn filter(random: &mut Random, names: &Names) -> Expr {
    let kinds = binary(Op::Or, is("type", random.pick(&TYPES)), is("type", random.pick(&TYPES)));
    match random.between(0, 2) {
        0 => names.condition(random, 1),
        1 => binary(Op::Or, kinds, names.condition(random, 0)),
        _ => kinds,
    }
}

/// True for few events: a reset that is always there leaves nothing to look at.
fn rare(random: &mut Random, names: &Names) -> Expr {
    binary(Op::And, is("type", random.pick(&TYPES)), names.condition(random, 0))
}

fn window(random: &mut Random, names: &Names) -> Window {
    match random.between(0, 9) {
        0 => Window::Lifetime,
        1 => Window::Calendar(*random.pick(&[Period::Day, Period::Week])),
        2 => Window::Calendar(*random.pick(&[Period::Month, Period::Year, Period::Day])),
        _ => Window::Sliding(names.scale * random.between(1, names.reach)),
    }
}

fn options(random: &mut Random, names: &Names, feature: &mut Feature) {
    let scale = names.scale;
    if feature.aggregate == "leaky_bucket" {
        feature.capacity = Some(random.between(1, 4));
        feature.leak = Some(Pause(scale * random.between(1, 4)));
        feature.distinct = random.maybe(40, |random| Cel(names.text(random, 0)));
        return;
    }
    feature.gap = random.maybe(25, |random| Pause(scale * random.between(1, names.reach / 2)));
    feature.delay = random.maybe(15, |random| Pause(scale * random.between(1, 4)));
    if random.chance(15) && feature.by.0 == ["account"] {
        feature.read_by = Some(by(&["counterparty"]));
    }
    match feature.aggregate.as_str() {
        "count" if feature.delay.is_none() && feature.read_by.is_none() => {
            feature.reset_at = random.maybe(35, |random| random.between(1, 4));
        }
        "mean" | "stddev" | "min" | "max" => feature.least = random.maybe(40, |random| random.between(2, 4)),
        _ => {}
    }
}

fn join(names: &mut Names, aggregate: &str, kind: &str, number: usize) -> String {
    let name = if aggregate == "speed" { format!("speed_{number}") } else { format!("f_{number}") };
    let of_kind = match aggregate {
        "count" | "distinct" => "int",
        "mean" | "stddev" => "double",
        "since_last" | "since_first" => "duration",
        "is_new" | "leaky_bucket" => "truth",
        "speed" => "speed",
        _ => kind,
    };
    let group = match of_kind {
        "int" => &mut names.ints,
        "double" => &mut names.doubles,
        "money" => &mut names.moneys,
        "text" => &mut names.texts,
        "truth" => &mut names.truths,
        "duration" => &mut names.durations,
        "speed" => &mut names.speeds,
        _ => return name,
    };
    group.push(name.clone());
    name
}

//! What a feature's aggregate makes of the entries a read sees.

use num_bigint::BigInt;

use super::eval::compare_values;
use super::number::{millionths, power, ratio, square_root};
use super::value::Value;

/// Mean radius of the earth, km.
const EARTH: f64 = 6371.0088;

/// An event inside a feature's window.
#[derive(Debug, Clone)]
pub struct Entry {
    pub time: i64,
    pub arrival: usize,
    pub value: Option<Value>,
    pub place: Option<(f64, f64)>,
}

/// The reading event.
pub struct Now<'a> {
    pub time: i64,
    /// Its own `of`; computed only where asked for.
    pub own: &'a dyn Fn() -> Option<Value>,
    pub place: Option<(f64, f64)>,
    /// The zero of the number type of `of`.
    pub zero: Option<Value>,
    /// Fraction digits of money.
    pub digits: u32,
}

/// Whether the reading event itself is among the entries.
pub fn counts_own(aggregate: &str) -> bool {
    ["count", "sum", "mean", "stddev", "min", "max", "distinct"].contains(&aggregate)
}

/// The feature's value; `None` where it has none.
pub fn value(aggregate: &str, entries: &[Entry], now: &Now) -> Option<Value> {
    let newest = || entries.iter().max_by_key(|entry| (entry.time, entry.arrival));
    let oldest = || entries.iter().min_by_key(|entry| (entry.time, entry.arrival));
    let values = || entries.iter().filter_map(|entry| entry.value.clone());
    match aggregate {
        "count" => Some(Value::Int(entries.len() as i64)),
        "distinct" => Some(Value::Int(unlike(values()) as i64)),
        "min" => values().reduce(|a, b| if less(&b, &a) { b } else { a }),
        "max" => values().reduce(|a, b| if less(&a, &b) { b } else { a }),
        "last" => newest()?.value.clone(),
        "first" => oldest()?.value.clone(),
        "since_last" => Some(Value::Duration(now.time - newest()?.time)),
        "since_first" => Some(Value::Duration(now.time - oldest()?.time)),
        "is_new" => {
            let own = (now.own)()?;
            Some(Value::Bool(values().all(|value| value != own)))
        }
        "speed" => speed(entries, now),
        _ => total(aggregate, &values().collect::<Vec<_>>(), now),
    }
}

fn less(a: &Value, b: &Value) -> bool {
    compare_values(a, b).is_some_and(std::cmp::Ordering::is_lt)
}

fn unlike(values: impl Iterator<Item = Value>) -> usize {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen.len()
}

/// `sum`, `mean` and `stddev`: exact sums of integers, one rounding at the end.
fn total(aggregate: &str, values: &[Value], now: &Now) -> Option<Value> {
    let zero = now.zero.as_ref().expect("only numbers are summed");
    let units: Vec<BigInt> = values.iter().map(|value| BigInt::from(units(value))).collect();
    let count = BigInt::from(units.len());
    let sum: BigInt = units.iter().sum();
    let squares: BigInt = units.iter().map(|unit| unit * unit).sum();
    match aggregate {
        "sum" => typed_sum(i64::try_from(sum).ok()?, zero),
        "mean" if !values.is_empty() => Some(Value::Double(ratio(&sum, &(count * scale(zero, now.digits))))),
        "stddev" if values.len() > 1 => {
            let spread: BigInt = &count * squares - &sum * &sum;
            let divisor: BigInt = &count * (&count - 1) * scale(zero, now.digits).pow(2);
            Some(Value::Double(square_root(spread.magnitude(), divisor.magnitude())))
        }
        _ => None,
    }
}

/// A number as an exact integer of its unit: minor units, millionths, or itself.
fn units(value: &Value) -> i64 {
    match value {
        Value::Int(int) | Value::Money(int) => *int,
        Value::Double(double) => millionths(*double).expect("other doubles are no entries"),
        other => panic!("not a number: {other:?}"),
    }
}

/// How many units of [`units`] make one.
fn scale(value: &Value, digits: u32) -> BigInt {
    match value {
        Value::Money(_) => power(digits),
        Value::Double(_) => power(6),
        _ => BigInt::from(1),
    }
}

fn typed_sum(sum: i64, zero: &Value) -> Option<Value> {
    match zero {
        Value::Money(_) => Some(Value::Money(sum)),
        Value::Double(_) => Some(Value::Double(ratio(&BigInt::from(sum), &power(6)))),
        _ => Some(Value::Int(sum)),
    }
}

/// Speed since the newest earlier place, km/h.
fn speed(entries: &[Entry], now: &Now) -> Option<Value> {
    let here = now.place?;
    let placed = entries.iter().filter_map(|entry| Some((entry.time, entry.arrival, entry.place?)));
    let (time, _, there) = placed.max_by_key(|(time, arrival, _)| (*time, *arrival))?;
    let distance = haversine(there, here);
    match now.time - time {
        0 if distance == 0.0 => Some(Value::Double(0.0)),
        0 => None,
        elapsed => Some(Value::Double(distance / (elapsed as f64 / 3_600_000.0))),
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "an independent source of the functions; speeds are compared to ten digits"
)]
fn haversine(from: (f64, f64), to: (f64, f64)) -> f64 {
    let ((lat1, lon1), (lat2, lon2)) = (from, to);
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let chord = half(lat1, lat2) + lat1.to_radians().cos() * lat2.to_radians().cos() * half(lon1, lon2);
    2.0 * EARTH * chord.sqrt().min(1.0).asin()
}

/// A leaky bucket: its tokens in milliseconds of leaking, `leak` to a token.
pub struct Bucket {
    capacity: i128,
    leak: i128,
    life: Option<Life>,
}

/// A bucket's life, from its first entry to its overflow or long silence.
struct Life {
    tokens: i128,
    greatest: i64,
    seen: Vec<Value>,
}

impl Bucket {
    /// A bucket that has not begun to live.
    pub fn new(capacity: i64, leak: i64) -> Bucket {
        Bucket { capacity: i128::from(capacity), leak: i128::from(leak), life: None }
    }

    /// Ends the life; the next entry starts full.
    pub fn empty(&mut self) {
        self.life = None;
    }

    /// An entry takes a token; gives whether it overflowed.
    pub fn take(&mut self, time: i64, distinct: Option<Value>) -> bool {
        let elapsed = |life: &Life| i128::from(time - life.greatest).max(0);
        if self.life.as_ref().is_some_and(|life| elapsed(life) > (self.capacity + 1) * self.leak) {
            self.life = None;
        }
        let full = self.capacity * self.leak;
        let life = self.life.get_or_insert_with(|| Life { tokens: full, greatest: time, seen: Vec::new() });
        if distinct.as_ref().is_some_and(|value| life.seen.contains(value)) {
            return false;
        }
        life.tokens = (life.tokens + elapsed(life)).min(full);
        life.greatest = life.greatest.max(time);
        life.seen.extend(distinct);
        life.tokens -= self.leak;
        let overflowed = life.tokens < 0;
        if overflowed {
            self.life = None;
        }
        overflowed
    }
}

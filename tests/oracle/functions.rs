//! The functions and methods of expressions.

use chrono::{Datelike, TimeZone, Timelike};
use chrono_tz::Tz;

use super::eval::{Fault, Outcome, compare_values, finite, major};
use super::time::{FIRST, LAST, parse_duration, parse_instant};
use super::value::{Value, network};

/// `name(arguments)`.
pub fn call(function: &str, arguments: &[Value], digits: u32) -> Outcome {
    match (function, arguments) {
        ("size", [Value::Text(text)]) => Ok(Value::Int(text.chars().count() as i64)),
        ("abs", [Value::Int(int)]) => int.checked_abs().map(Value::Int).ok_or(Fault),
        ("abs", [Value::Double(double)]) => Ok(Value::Double(double.abs())),
        ("min" | "max", [first, rest @ ..]) => extreme(function == "min", first, rest),
        ("int", [value]) => to_int(value),
        ("double", [value]) => to_double(value, digits),
        ("string", [value]) => Ok(Value::Text(value.bare(digits))),
        ("prefix", [Value::Ip(ip), Value::Int(v4), Value::Int(v6)]) => {
            let bits = if ip.is_ipv4() { *v4 } else { *v6 } as u32;
            Ok(Value::Text(format!("{}/{bits}", network(*ip, bits))))
        }
        ("timestamp", [Value::Text(text)]) => parse_instant(text).map(Value::Time).ok_or(Fault),
        ("duration", [Value::Text(text)]) => parse_duration(text).map(Value::Duration).ok_or(Fault),
        _ => Err(Fault),
    }
}

/// `of.name(arguments)`.
pub fn method(method: &str, of: &Value, arguments: &[Value]) -> Outcome {
    match (method, of, arguments) {
        ("startsWith", Value::Text(text), [Value::Text(part)]) => Ok(Value::Bool(text.starts_with(part))),
        ("endsWith", Value::Text(text), [Value::Text(part)]) => Ok(Value::Bool(text.ends_with(part))),
        ("contains", Value::Text(text), [Value::Text(part)]) => Ok(Value::Bool(text.contains(part))),
        ("matches", Value::Text(text), [Value::Text(pattern)]) => {
            Ok(Value::Bool(regex::Regex::new(pattern).map_err(|_| Fault)?.is_match(text)))
        }
        ("size", Value::Text(_), []) => call("size", std::slice::from_ref(of), 0),
        (_, Value::Time(instant), []) => calendar_part(method, *instant, Tz::UTC),
        (_, Value::Time(instant), [Value::Text(zone)]) => {
            calendar_part(method, *instant, zone.parse().map_err(|_| Fault)?)
        }
        _ => Err(Fault),
    }
}

/// CEL's timestamp accessors.
fn calendar_part(method: &str, instant: i64, zone: Tz) -> Outcome {
    if !(FIRST..=LAST).contains(&instant) {
        return Err(Fault);
    }
    let time = zone.timestamp_millis_opt(instant).single().ok_or(Fault)?;
    let part = match method {
        "getFullYear" => i64::from(time.year()),
        "getMonth" => i64::from(time.month0()),
        "getDate" => i64::from(time.day()),
        "getDayOfMonth" => i64::from(time.day0()),
        "getDayOfWeek" => i64::from(time.weekday().num_days_from_sunday()),
        "getDayOfYear" => i64::from(time.ordinal0()),
        "getHours" => i64::from(time.hour()),
        "getMinutes" => i64::from(time.minute()),
        "getSeconds" => i64::from(time.second()),
        "getMilliseconds" => instant.rem_euclid(1000),
        _ => return Err(Fault),
    };
    Ok(Value::Int(part))
}

fn extreme(least: bool, first: &Value, rest: &[Value]) -> Outcome {
    let mut best = first;
    for value in rest {
        let ordering = compare_values(value, best).ok_or(Fault)?;
        if if least { ordering.is_lt() } else { ordering.is_gt() } {
            best = value;
        }
    }
    Ok(best.clone())
}

fn to_int(value: &Value) -> Outcome {
    match value {
        Value::Int(int) => Ok(Value::Int(*int)),
        Value::Double(double) => {
            let whole = double.trunc();
            let fits = (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole);
            if fits { Ok(Value::Int(whole as i64)) } else { Err(Fault) }
        }
        Value::Text(text) => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| plain).map(Value::Int).ok_or(Fault)
        }
        _ => Err(Fault),
    }
}

fn to_double(value: &Value, digits: u32) -> Outcome {
    match value {
        Value::Int(int) => Ok(Value::Double(*int as f64)),
        Value::Double(double) => Ok(Value::Double(*double)),
        Value::Money(minor) => Ok(Value::Double(major(*minor, digits))),
        Value::Text(text) => finite(text.parse().map_err(|_| Fault)?),
        _ => Err(Fault),
    }
}

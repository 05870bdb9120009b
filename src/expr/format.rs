//! Values as people and programs read them: `string()`, reasons and the output write the same.

use std::io::Write;

use crate::model::money::Currency;
pub use crate::model::time::{MAX_TIME, MIN_TIME, write_duration, write_timestamp};
use crate::model::value::Value;

use super::lists::as_v4;

/// Appends a value as text; strings as they are, without quotes.
pub fn write_value(out: &mut Vec<u8>, value: &Value, currency: Currency) {
    write_value_digits(out, value, currency.exponent);
}

/// A value as text, as [`write_value`] writes it.
pub fn text(value: &Value, currency: Currency) -> String {
    let mut out = Vec::new();
    write_value(&mut out, value, currency);
    // Only text goes in: ASCII, and strings as they are.
    String::from_utf8_lossy(&out).into_owned()
}

/// Appends a value as text; money with so many digits after the point.
pub(super) fn write_value_digits(out: &mut Vec<u8>, value: &Value, digits: u32) {
    match value {
        Value::String(text) => out.extend_from_slice(text.as_bytes()),
        Value::Int(value) => write_int(out, *value),
        Value::Double(value) => write_double(out, *value),
        Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        Value::Money(minor) => write_money(out, *minor, digits),
        Value::Duration(span) => write_duration(out, *span),
        Value::Timestamp(time) => write_timestamp(out, *time),
        Value::Ip(address) => write_address(out, *address),
    }
}

/// Appends decimal digits.
pub fn write_int(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends the shortest text that reads back: `300.0`, `0.001`, `1e21`. The value is finite.
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    out.extend_from_slice(ryu::Buffer::new().format(value).as_bytes());
}

/// Appends minor units as a decimal of major units with exactly `digits` digits after the point.
pub fn write_money(out: &mut Vec<u8>, minor: i64, digits: u32) {
    if minor < 0 {
        out.push(b'-');
    }
    write_fixed(out, minor.unsigned_abs(), digits as usize);
}

/// Appends an address in canonical form, v4-mapped ones as v4.
pub fn write_address(out: &mut Vec<u8>, address: u128) {
    let Some(v4) = as_v4(address) else {
        // Writing to a vector cannot fail.
        let _ = write!(out, "{}", std::net::Ipv6Addr::from_bits(address));
        return;
    };
    // Several times as fast as formatting it, and most addresses are such.
    for (index, octet) in v4.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        out.extend_from_slice(itoa::Buffer::new().format(octet).as_bytes());
    }
}

/// Appends `value / 10^digits` with all digits.
fn write_fixed(out: &mut Vec<u8>, value: u64, digits: usize) {
    let start = out.len();
    write_padded(out, value, digits + 1);
    if digits > 0 {
        let point = out.len() - digits;
        debug_assert!(point > start);
        out.insert(point, b'.');
    }
}

fn write_padded(out: &mut Vec<u8>, value: u64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value).as_bytes();
    out.extend(std::iter::repeat_n(b'0', width.saturating_sub(digits.len())));
    out.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::super::lists::parse_address;
    use super::*;

    fn check(value: Value, exponent: u32, expected: &str) {
        let mut out = b"x".to_vec();
        write_value(&mut out, &value, Currency { code: *b"XXX", exponent });
        assert_eq!(String::from_utf8_lossy(&out[1..]), expected, "{value:?}");
    }

    #[test]
    fn plain_values() {
        check(Value::String("a\"b".into()), 2, "a\"b");
        check(Value::Int(i64::MIN), 2, "-9223372036854775808");
        check(Value::Bool(true), 2, "true");
        check(Value::Bool(false), 2, "false");
        check(Value::Double(300.0), 2, "300.0");
        check(Value::Double(0.001), 2, "0.001");
        check(Value::Double(1e21), 2, "1e21");
        check(Value::Double(-0.0), 2, "-0.0");
        check(Value::Double(1.5e-7), 2, "1.5e-7");
    }

    #[test]
    fn money() {
        check(Value::Money(-5), 2, "-0.05");
        check(Value::Money(1200), 2, "12.00");
        check(Value::Money(12), 0, "12");
        check(Value::Money(0), 3, "0.000");
        check(Value::Money(i64::MIN), 2, "-92233720368547758.08");
    }

    #[test]
    fn times() {
        check(Value::Timestamp(1_795_334_400_000), 2, "2026-11-22T08:00:00.000Z");
        check(Value::Timestamp(-1), 2, "1969-12-31T23:59:59.999Z");
        check(Value::Timestamp(MIN_TIME), 2, "0001-01-01T00:00:00.000Z");
        check(Value::Timestamp(MAX_TIME), 2, "9999-12-31T23:59:59.999Z");
        check(Value::Timestamp(i64::MAX), 2, "9999-12-31T23:59:59.999Z");
        check(Value::Duration(90_500), 2, "PT90.5S");
        check(Value::Duration(90_000), 2, "PT90S");
        check(Value::Duration(-90_500), 2, "PT-90.5S");
        check(Value::Duration(100_000), 2, "PT100S");
        check(Value::Duration(5), 2, "PT0.005S");
        check(Value::Duration(0), 2, "PT0S");
    }

    #[test]
    fn addresses() {
        for text in ["10.0.0.1", "2001:db8::1", "::", "::1"] {
            check(Value::Ip(parse_address(text).expect(text)), 2, text);
        }
        check(Value::Ip(parse_address("::ffff:1.2.3.4").expect("mapped")), 2, "1.2.3.4");
    }
}

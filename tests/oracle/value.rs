//! Values of expressions and their texts in the output.

use std::net::IpAddr;

use super::number::{double_text, money_text};
use super::time::{instant_text, iso_duration};

/// A value; money in minor units of the rule set's currency, durations and instants in milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Int(i64),
    Double(f64),
    Bool(bool),
    Money(i64),
    Duration(i64),
    Time(i64),
    Ip(IpAddr),
}

impl Value {
    /// The value as text without quotes; `digits` are the fraction digits of money.
    pub fn bare(&self, digits: u32) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Int(int) => int.to_string(),
            Value::Double(double) => double_text(*double),
            Value::Bool(truth) => truth.to_string(),
            Value::Money(minor) => money_text(*minor, digits),
            Value::Duration(duration) => iso_duration(*duration),
            Value::Time(instant) => instant_text(*instant),
            Value::Ip(ip) => ip.to_string(),
        }
    }

    /// The value as JSON: numbers and truth values bare, the rest as strings.
    pub fn json(&self, digits: u32) -> String {
        match self {
            Value::Int(_) | Value::Double(_) | Value::Bool(_) => self.bare(digits),
            _ => json_text(&self.bare(digits)),
        }
    }
}

/// Reads an address; an IPv4 address mapped into IPv6 becomes the IPv4 address.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// Whether the first `bits` bits of two addresses of the same family agree.
pub fn same_network(left: IpAddr, right: IpAddr, bits: u32) -> bool {
    left.is_ipv4() == right.is_ipv4() && network(left, bits) == network(right, bits)
}

/// The address with everything after its first `bits` bits cleared.
pub fn network(ip: IpAddr, bits: u32) -> IpAddr {
    match ip {
        IpAddr::V4(v4) => IpAddr::V4((v4.to_bits() & u32::MAX.checked_shl(32 - bits).unwrap_or(0)).into()),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & u128::MAX.checked_shl(128 - bits).unwrap_or(0)).into()),
    }
}

/// A JSON string: only what JSON demands is escaped, in its short form where there is one.
pub fn json_text(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            c if c < ' ' => out += &format!("\\u{:04x}", c as u32),
            c => out.push(c),
        }
    }
    out + "\""
}

#[test]
fn networks_are_cut() {
    let cut = |text: &str, bits| network(parse_ip(text).unwrap(), bits).to_string();
    assert_eq!(cut("10.1.2.3", 24), "10.1.2.0");
    assert_eq!(cut("10.1.2.3", 0), "0.0.0.0");
    assert_eq!(cut("::ffff:10.1.2.3", 32), "10.1.2.3");
    assert_eq!(cut("2001:db8:1:2::5", 48), "2001:db8:1::");
}

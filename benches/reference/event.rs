//! Decoding, as one would write it with serde: one struct, texts borrowed from the line.
//!
//! Only what the workload uses is named. An absent text is an empty one, which is what lets `Cow` borrow: inside an
//! `Option` serde would copy it.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::Deserialize;

/// An event, with the fields the workload reads. Times and amounts are texts.
#[derive(Debug, Deserialize)]
pub struct Event<'a> {
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow, rename = "type")]
    pub kind: Cow<'a, str>,
    #[serde(borrow)]
    pub time: Cow<'a, str>,
    #[serde(borrow)]
    pub account: Cow<'a, str>,
    #[serde(borrow, default)]
    pub outcome: Cow<'a, str>,
    #[serde(borrow, default)]
    pub reason: Cow<'a, str>,
    #[serde(borrow, default)]
    amount: Cow<'a, str>,
    #[serde(borrow, default)]
    currency: Cow<'a, str>,
    #[serde(borrow, default)]
    pub order: Cow<'a, str>,
    #[serde(borrow, default)]
    pub counterparty: Cow<'a, str>,
    #[serde(borrow, default)]
    pub device: Cow<'a, str>,
    #[serde(default)]
    pub kyc: Option<i64>,
    #[serde(borrow, default)]
    ip: Cow<'a, str>,
    #[serde(default)]
    pub factors: Option<i64>,
}

impl Event<'_> {
    /// Event time, epoch ms; `None` if it is not RFC 3339.
    pub fn millis(&self) -> Option<i64> {
        chrono::DateTime::parse_from_rfc3339(&self.time).ok().map(|time| time.timestamp_millis())
    }

    /// The address, a mapped v4 address as v4.
    pub fn address(&self) -> Option<IpAddr> {
        self.ip.parse().ok().map(|address: IpAddr| address.to_canonical())
    }

    /// The amount in fen; other currencies have no rate in this workload.
    pub fn fen(&self) -> Option<i64> {
        if self.currency != "CNY" {
            return None;
        }
        let (major, minor) = self.amount.split_once('.').unwrap_or((&self.amount, ""));
        let minor: i64 = match minor.len() {
            0 => 0,
            1 => minor.parse::<i64>().ok()? * 10,
            2 => minor.parse().ok()?,
            _ => return None,
        };
        major.parse::<i64>().ok()?.checked_mul(100)?.checked_add(minor)
    }

    /// Whether money is about to move: a payment or transfer without a result.
    pub fn is_attempt(&self) -> bool {
        (self.kind == "payment" || self.kind == "transfer") && self.outcome.is_empty()
    }
}

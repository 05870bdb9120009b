//! The small texts inside a rule set (expressions, durations, keys, windows) as values, read by serde.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::ast::Expr;
use super::parse::parse;
use super::time::{Period, duration_text, parse_duration};

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub struct Cel(pub Expr);

/// A duration in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pause(pub i64);

/// One name or a list of them.
#[derive(Debug, Clone, PartialEq)]
pub struct By(pub Vec<String>);

/// How far back a feature looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Window {
    Sliding(i64),
    Calendar(Period),
    Lifetime,
}

/// How long a lock lasts.
#[derive(Debug, Clone, PartialEq)]
pub enum Length {
    Fixed(i64),
    Computed(Expr),
    UntilUnlocked,
}

/// A map of texts that keeps the order written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InOrder(pub Vec<(String, String)>);

const PERIODS: [(&str, Period); 4] =
    [("day", Period::Day), ("week", Period::Week), ("month", Period::Month), ("year", Period::Year)];

impl Window {
    /// Reads `15m`, `day`, `lifetime`.
    pub fn read(text: &str) -> Result<Window, String> {
        let period = PERIODS.iter().find(|(name, _)| *name == text).map(|(_, period)| Window::Calendar(*period));
        match (period, text) {
            (Some(window), _) => Ok(window),
            (None, "lifetime") => Ok(Window::Lifetime),
            _ => parse_duration(text).map(Window::Sliding).ok_or_else(|| format!("no window: {text}")),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Window::Sliding(length) => write!(f, "{}", duration_text(*length)),
            Window::Lifetime => write!(f, "lifetime"),
            Window::Calendar(of) => {
                let found = PERIODS.iter().find(|(_, period)| period == of);
                write!(f, "{}", found.expect("every period is listed").0)
            }
        }
    }
}

impl Length {
    /// Reads `30m`, `until_unlocked` or an expression.
    pub fn read(text: &str) -> Result<Length, String> {
        match (text, parse_duration(text)) {
            ("until_unlocked", _) => Ok(Length::UntilUnlocked),
            (_, Some(length)) => Ok(Length::Fixed(length)),
            _ => parse(text).map(Length::Computed),
        }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Length::Fixed(length) => write!(f, "{}", duration_text(*length)),
            Length::Computed(expr) => write!(f, "{expr}"),
            Length::UntilUnlocked => write!(f, "until_unlocked"),
        }
    }
}

/// Reads a text through `read`.
fn through<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<T, D::Error> {
    read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl<'de> Deserialize<'de> for Cel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        through(deserializer, |text| parse(text).map(Cel))
    }
}

impl<'de> Deserialize<'de> for Pause {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        through(deserializer, |text| parse_duration(text).map(Pause).ok_or_else(|| format!("no duration: {text}")))
    }
}

impl<'de> Deserialize<'de> for Window {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        through(deserializer, Window::read)
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        through(deserializer, Length::read)
    }
}

struct Names;

impl<'de> Visitor<'de> for Names {
    type Value = By;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a name or a list of names")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<By, E> {
        Ok(By(vec![text.to_owned()]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<By, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = sequence.next_element()? {
            names.push(name);
        }
        Ok(By(names))
    }
}

impl<'de> Deserialize<'de> for By {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Names)
    }
}

struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = InOrder;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "texts by language")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(InOrder(pairs))
    }
}

impl<'de> Deserialize<'de> for InOrder {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Pairs)
    }
}

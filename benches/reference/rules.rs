//! The workload's 20 rules as a table: each fires on some events when all of its three terms hold.

use super::event::Event;
use super::features::{Row, Value};

use Name::*;

/// Everything a rule may compare, in order of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub enum Name {
    Amount,
    Counterparties1h,
    DeviceAccounts1h,
    DeviceEvents10m,
    Devices24h,
    Factors,
    IpAccounts10m,
    IpEvents1m,
    Kyc,
    MeanSpent24h,
    Payments1h,
    Payments1m,
    Payments24h,
    Payments5m,
    Spent1h,
    Spent24h,
    WrongPasswords15m,
}

impl Name {
    const TEXTS: [&str; 17] = [
        "amount",
        "counterparties_1h",
        "device_accounts_1h",
        "device_events_10m",
        "devices_24h",
        "factors",
        "ip_accounts_10m",
        "ip_events_1m",
        "kyc",
        "mean_spent_24h",
        "payments_1h",
        "payments_1m",
        "payments_24h",
        "payments_5m",
        "spent_1h",
        "spent_24h",
        "wrong_passwords_15m",
    ];
    /// How many there are.
    pub const COUNT: usize = Self::TEXTS.len();

    /// The name in rules and decisions.
    pub fn text(self) -> &'static str {
        Self::TEXTS[self as usize]
    }
}

/// What is done with an event, in rising severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Allow,
    Alert,
    Challenge,
    Deny,
}

/// Which events a rule looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Any,
    Attempt,
    Login,
}

/// A comparison with a whole number (of yuan, for money).
#[derive(Debug, Clone, Copy)]
pub enum Term {
    AtLeast(Name, i32),
    Below(Name, i32),
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    pub id: &'static str,
    pub on: On,
    pub score: u32,
    pub action: Action,
    pub terms: [Term; 3],
    /// The names of the terms, sorted.
    pub names: [Name; 3],
}

impl Term {
    pub const fn name(self) -> Name {
        match self {
            Term::AtLeast(name, _) | Term::Below(name, _) => name,
        }
    }

    /// Whether it holds; a missing value holds for nothing.
    fn holds(self, row: &Row) -> bool {
        match self {
            Term::AtLeast(name, limit) => row[name as usize].is_some_and(|value| !is_below(value, limit)),
            Term::Below(name, limit) => row[name as usize].is_some_and(|value| is_below(value, limit)),
        }
    }
}

fn is_below(value: Value, limit: i32) -> bool {
    match value {
        Value::Count(count) => count < i64::from(limit),
        Value::Fen(fen) => fen < i64::from(limit) * 100,
        Value::Yuan(yuan) => yuan < f64::from(limit),
    }
}

impl Rule {
    /// Whether the rule fires for the event with these values.
    pub fn fires(&self, event: &Event, row: &Row) -> bool {
        let looks = match self.on {
            On::Any => true,
            On::Attempt => event.is_attempt(),
            On::Login => event.kind == "login",
        };
        looks && self.terms.iter().all(|term| term.holds(row))
    }
}

/// The action of a score.
pub fn action_of(score: u32) -> Action {
    match score {
        80.. => Action::Deny,
        60.. => Action::Challenge,
        30.. => Action::Alert,
        _ => Action::Allow,
    }
}

fn at_least(name: Name, limit: i32) -> Term {
    Term::AtLeast(name, limit)
}

fn below(name: Name, limit: i32) -> Term {
    Term::Below(name, limit)
}

fn rule(id: &'static str, on: On, score: u32, action: Action, terms: [Term; 3]) -> Rule {
    let mut names = terms.map(Term::name);
    names.sort_unstable();
    Rule { id, on, score, action, terms, names }
}

/// The rules, sorted by id.
#[expect(clippy::too_many_lines, reason = "a table: one entry per rule")]
pub fn all() -> [Rule; 20] {
    [
        rule(
            "after-guessing",
            On::Attempt,
            50,
            Action::Allow,
            [at_least(WrongPasswords15m, 2), at_least(Amount, 500), at_least(Devices24h, 2)],
        ),
        rule(
            "burst-1m",
            On::Attempt,
            30,
            Action::Allow,
            [at_least(Payments1m, 4), at_least(Payments5m, 6), at_least(Amount, 10)],
        ),
        rule(
            "burst-5m",
            On::Attempt,
            30,
            Action::Allow,
            [at_least(Payments5m, 8), at_least(Payments1h, 10), at_least(Spent1h, 300)],
        ),
        rule(
            "busy-day",
            On::Attempt,
            15,
            Action::Allow,
            [at_least(Payments24h, 60), at_least(Spent24h, 10000), at_least(Amount, 100)],
        ),
        rule(
            "busy-device",
            On::Any,
            20,
            Action::Allow,
            [at_least(DeviceEvents10m, 20), at_least(DeviceAccounts1h, 2), at_least(IpEvents1m, 5)],
        ),
        rule(
            "busy-hour",
            On::Attempt,
            20,
            Action::Allow,
            [at_least(Payments1h, 15), at_least(Spent1h, 1000), at_least(Counterparties1h, 5)],
        ),
        rule(
            "crowded-ip",
            On::Any,
            25,
            Action::Allow,
            [at_least(IpAccounts10m, 20), at_least(IpEvents1m, 15), at_least(DeviceAccounts1h, 2)],
        ),
        rule(
            "drain",
            On::Attempt,
            40,
            Action::Allow,
            [at_least(Spent1h, 5000), at_least(Spent24h, 8000), at_least(Amount, 2000)],
        ),
        rule(
            "guessing",
            On::Login,
            70,
            Action::Challenge,
            [at_least(WrongPasswords15m, 5), at_least(DeviceEvents10m, 5), at_least(Devices24h, 2)],
        ),
        rule(
            "guessing-slow",
            On::Login,
            30,
            Action::Allow,
            [at_least(WrongPasswords15m, 3), below(IpAccounts10m, 3), at_least(Devices24h, 2)],
        ),
        rule(
            "large-first",
            On::Attempt,
            30,
            Action::Allow,
            [at_least(Amount, 5000), at_least(MeanSpent24h, 1000), below(Payments24h, 4)],
        ),
        rule(
            "many-devices",
            On::Attempt,
            25,
            Action::Allow,
            [at_least(Devices24h, 3), at_least(Amount, 500), at_least(Payments1h, 2)],
        ),
        rule(
            "many-payees",
            On::Attempt,
            20,
            Action::Allow,
            [at_least(Counterparties1h, 6), at_least(Payments1h, 6), at_least(Spent1h, 500)],
        ),
        rule(
            "new-device-large",
            On::Attempt,
            40,
            Action::Allow,
            [at_least(Devices24h, 2), at_least(Amount, 3000), below(Factors, 2)],
        ),
        rule(
            "shared-device",
            On::Attempt,
            35,
            Action::Allow,
            [at_least(DeviceAccounts1h, 3), at_least(DeviceEvents10m, 5), at_least(Amount, 50)],
        ),
        rule(
            "stuffing-device",
            On::Login,
            50,
            Action::Allow,
            [at_least(DeviceAccounts1h, 8), at_least(IpAccounts10m, 5), at_least(DeviceEvents10m, 10)],
        ),
        rule(
            "stuffing-ip",
            On::Login,
            60,
            Action::Deny,
            [at_least(IpAccounts10m, 10), at_least(IpEvents1m, 10), at_least(DeviceAccounts1h, 5)],
        ),
        rule(
            "tiny-payments",
            On::Attempt,
            45,
            Action::Allow,
            [at_least(Payments5m, 5), below(MeanSpent24h, 5), below(Spent1h, 50)],
        ),
        rule(
            "tiny-then-large",
            On::Attempt,
            50,
            Action::Allow,
            [at_least(Payments1h, 8), at_least(Amount, 1000), at_least(Devices24h, 2)],
        ),
        rule(
            "weak-identity",
            On::Attempt,
            25,
            Action::Allow,
            [below(Kyc, 2), at_least(Spent24h, 2000), at_least(Payments24h, 5)],
        ),
    ]
}

//! What is known of an event beside its line: whether it belongs to a planted attack, and to which. That is how
//! whoever judges decisions knows what there was to be found.

use super::attack::AttackKind;
use super::line::event_id;
use super::step::Party;

/// An event that was just told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    /// When it happened, epoch ms.
    pub time: i64,
    /// The number its id is made from.
    pub number: u64,
    /// The `type` it has.
    pub kind: &'static str,
    /// Number of the account.
    pub account: u32,
    /// Number of the device, if one is involved.
    pub device: Option<u64>,
    /// Whom it is with: what the party is, and its number.
    pub counterparty: (Party, u32),
    /// Whether it tries to move money out of the account; its result is another event.
    pub is_attempt: bool,
    /// Its part in an attack; `None` is honest traffic.
    pub part: Option<Part>,
}

/// The part of an event in a planted attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Part {
    /// The pattern.
    pub kind: AttackKind,
    /// Which attack of all.
    pub attack: u64,
    /// Which of the attacker's events it is, from 1; `None` for what the owner does meanwhile.
    pub act: Option<u32>,
    /// How many events the attacker makes in all.
    pub acts: u32,
    /// Whether it does damage: money is gone, or an account has been got into.
    pub damages: bool,
}

impl Told {
    /// The event's id.
    #[must_use]
    pub fn id(&self) -> String {
        event_id(self.number)
    }

    /// The account's name.
    #[must_use]
    pub fn account_name(&self) -> String {
        format!("a{}", self.account)
    }
}

//! The attack patterns that can be planted, by name, and the text that asks for them: `takeover=3,stuffing=1`, or
//! `all=2,takeover=5` for two of each and five of one.

use std::fmt;
use std::str::FromStr;

/// A pattern of events that a rule set ought to notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AttackKind {
    /// Many wrong passwords for one account, from a foreign device.
    PasswordGuessing,
    /// One device tries one leaked password each on many accounts, and gets into the last.
    Stuffing,
    /// Login from a new device, new password, new device bound, new payee, a large transfer.
    Takeover,
    /// Many tiny payments, some refused, then a large one.
    CardTesting,
    /// Dozens of payments within minutes.
    VelocityBurst,
    /// The owner freezes the account, a thief is refused, an operator unlocks.
    LostPhone,
    /// One device gets into many accounts, then sends the money of all to one more.
    DeviceFarm,
    /// Transfer after transfer a little below the sum from which questions are asked.
    Structuring,
    /// Many orders, all of them asked back, all of them refunded.
    RefundAbuse,
    /// Prompt after prompt for a second factor until the tired owner agrees.
    CodeFatigue,
    /// The owner logs in at home, and minutes later somebody overseas.
    ImpossibleTravel,
    /// An intruder's login and payments, all stamped some minutes into the past.
    BackDating,
    /// Many people send money to one account, which sends it on at once.
    MuleAccounts,
}

impl AttackKind {
    /// All kinds with their names, in the order of the enum.
    pub const ALL: [(AttackKind, &'static str); 13] = [
        (AttackKind::PasswordGuessing, "password_guessing"),
        (AttackKind::Stuffing, "stuffing"),
        (AttackKind::Takeover, "takeover"),
        (AttackKind::CardTesting, "card_testing"),
        (AttackKind::VelocityBurst, "velocity_burst"),
        (AttackKind::LostPhone, "lost_phone"),
        (AttackKind::DeviceFarm, "device_farm"),
        (AttackKind::Structuring, "structuring"),
        (AttackKind::RefundAbuse, "refund_abuse"),
        (AttackKind::CodeFatigue, "code_fatigue"),
        (AttackKind::ImpossibleTravel, "impossible_travel"),
        (AttackKind::BackDating, "back_dating"),
        (AttackKind::MuleAccounts, "mule_accounts"),
    ];

    /// The kind's name on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize].1
    }
}

/// How often each kind is planted; a kind may be named once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attacks(Vec<(AttackKind, u32)>);

impl Attacks {
    /// Every kind `count` times.
    pub fn each(count: u32) -> Self {
        Attacks(AttackKind::ALL.iter().map(|(kind, _)| (*kind, count)).collect())
    }

    /// Each of these kinds `count` times.
    pub fn of(kinds: &[AttackKind], count: u32) -> Self {
        Attacks(kinds.iter().map(|kind| (*kind, count)).collect())
    }

    /// Kinds with their counts, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = (AttackKind, u32)> + '_ {
        self.0.iter().copied()
    }
}

/// What is wrong with a list of attacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttackError {
    /// No such kind.
    #[error("no attack is called `{name}`{}; there are {}", DidYouMean(*.near), Names)]
    Unknown {
        /// As written.
        name: String,
        /// A kind that is spelt nearly so.
        near: Option<AttackKind>,
    },
    /// No `=`, or no whole number after it.
    #[error("`{part}` is not NAME=COUNT with a whole number, as in `takeover=3`")]
    Count {
        /// As written.
        part: String,
    },
    /// A kind was named before.
    #[error("`{name}` is named twice; give it one count")]
    Repeated {
        /// The kind's name.
        name: &'static str,
    },
}

struct DidYouMean(Option<AttackKind>);

impl fmt::Display for DidYouMean {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |kind| write!(out, ", did you mean `{}`?", kind.name()))
    }
}

struct Names;

impl fmt::Display for Names {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, and {EACH} for each of them", AttackKind::ALL.map(|(_, name)| name).join(", "))
    }
}

impl FromStr for AttackKind {
    type Err = AttackError;

    fn from_str(text: &str) -> Result<Self, AttackError> {
        let named = AttackKind::ALL.iter().find(|(_, name)| *name == text);
        named.map(|(kind, _)| *kind).ok_or_else(|| AttackError::Unknown { name: text.to_owned(), near: nearest(text) })
    }
}

/// The kind spelt most like `text`, if any is near.
fn nearest(text: &str) -> Option<AttackKind> {
    let likeness = |name: &str| strsim::jaro_winkler(name, text);
    let (kind, name) = AttackKind::ALL.into_iter().max_by(|a, b| likeness(a.1).total_cmp(&likeness(b.1)))?;
    (likeness(name) >= 0.75).then_some(kind)
}

impl FromStr for Attacks {
    type Err = AttackError;

    fn from_str(text: &str) -> Result<Self, AttackError> {
        let (mut attacks, mut of_all) = (Attacks::default(), None);
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match parse_part(part)? {
                (None, count) if of_all.replace(count).is_some() => return Err(AttackError::Repeated { name: EACH }),
                (None, _) => {}
                (Some(kind), count) => attacks.add(kind, count)?,
            }
        }
        if let Some(count) = of_all {
            attacks.fill(count);
        }
        Ok(attacks)
    }
}

impl Attacks {
    fn add(&mut self, kind: AttackKind, count: u32) -> Result<(), AttackError> {
        if self.0.iter().any(|(other, _)| *other == kind) {
            return Err(AttackError::Repeated { name: kind.name() });
        }
        self.0.push((kind, count));
        Ok(())
    }

    /// So many of each kind that was not named.
    fn fill(&mut self, count: u32) {
        for (kind, _) in AttackKind::ALL {
            if !self.0.iter().any(|(other, _)| *other == kind) {
                self.0.push((kind, count));
            }
        }
    }
}

/// What stands for every kind that is not named itself; without a count it is one of each.
const EACH: &str = "all";

/// The kind (`None` is every one) and the count.
fn parse_part(part: &str) -> Result<(Option<AttackKind>, u32), AttackError> {
    let (name, count) = part.split_once('=').unwrap_or((part, if part == EACH { "1" } else { "" }));
    let kind = if name.trim() == EACH { None } else { Some(name.trim().parse()?) };
    let digits = count.trim();
    match digits.parse() {
        Ok(count) if digits.bytes().all(|b| b.is_ascii_digit()) => Ok((kind, count)),
        _ => Err(AttackError::Count { part: part.to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&[(AttackKind, u32)], &str>) {
        let parsed = text.parse::<Attacks>().map_err(|error| error.to_string());
        match (&parsed, expected) {
            (Ok(attacks), Ok(list)) => assert_eq!(attacks.0, list, "{text}"),
            (Err(message), Err(start)) => assert!(message.starts_with(start), "{text}: {message}"),
            _ => panic!("{text}: {parsed:?}, expected {expected:?}"),
        }
    }

    #[test]
    fn lists_are_read_or_explained() {
        use AttackKind::{Stuffing, Takeover};
        check("", Ok(&[]));
        check("takeover=3", Ok(&[(Takeover, 3)]));
        check(" takeover = 3 ,stuffing=0,", Ok(&[(Takeover, 3), (Stuffing, 0)]));
        check("takover=3", Err("no attack is called `takover`, did you mean `takeover`?; there are password_guessing"));
        check("zzz=3", Err("no attack is called `zzz`; there are password_guessing, stuffing"));
        check("takeover", Err("`takeover` is not NAME=COUNT"));
        check("takeover=-1", Err("`takeover=-1` is not NAME=COUNT"));
        check("takeover=+1", Err("`takeover=+1` is not NAME=COUNT"));
        check("takeover=99999999999", Err("`takeover=99999999999` is not NAME=COUNT"));
        check("takeover=1,takeover=2", Err("`takeover` is named twice"));
        check("all=1,all=2", Err("`all` is named twice"));
        check("mule", Err("no attack is called `mule`, did you mean `mule_accounts`?"));
    }

    #[test]
    fn all_is_every_kind_that_is_not_named_itself() {
        let attacks = |text: &str| text.parse::<Attacks>().expect("a list");
        assert_eq!(attacks("all"), Attacks::each(1));
        assert_eq!(attacks("all=4"), Attacks::each(4));
        let mixed = attacks("stuffing=0,all=3");
        let count = |kind| mixed.iter().find(|(other, _)| *other == kind).map(|(_, count)| count);
        assert_eq!((count(AttackKind::Stuffing), count(AttackKind::Takeover)), (Some(0), Some(3)));
        assert_eq!(mixed.iter().count(), AttackKind::ALL.len());
    }

    #[test]
    fn names_stand_in_the_order_of_the_enum() {
        for (index, (kind, name)) in AttackKind::ALL.into_iter().enumerate() {
            assert_eq!((kind as usize, kind.name(), name.parse()), (index, name, Ok(kind)));
        }
    }
}

//! The stories as data: which events follow each other, how fast, and how often each story is told.
//!
//! A story has an opening, a part repeated a random number of times, and a closing. Honest stories and attacks are
//! written alike, so a new pattern is a few lines here and no code elsewhere.

use super::attack::AttackKind;

/// What kind of event a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `login`
    Login,
    /// `second_factor`
    SecondFactor,
    /// `payment`
    Payment,
    /// `transfer`
    Transfer,
    /// `top_up`
    TopUp,
    /// `withdrawal`
    Withdrawal,
    /// `refund`
    Refund,
    /// `password_change`
    PasswordChange,
    /// `device_bind`
    DeviceBind,
    /// `payee_add`
    PayeeAdd,
    /// `freeze`
    Freeze,
    /// `unlock`
    Unlock,
}

/// Whom an event's money goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// Nobody.
    None,
    /// A merchant, with a category.
    Merchant,
    /// Another account.
    Payee,
}

impl Kind {
    /// The `type` of the event.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Login => "login",
            Kind::SecondFactor => "second_factor",
            Kind::Payment => "payment",
            Kind::Transfer => "transfer",
            Kind::TopUp => "top_up",
            Kind::Withdrawal => "withdrawal",
            Kind::Refund => "refund",
            Kind::PasswordChange => "password_change",
            Kind::DeviceBind => "device_bind",
            Kind::PayeeAdd => "payee_add",
            Kind::Freeze => "freeze",
            Kind::Unlock => "unlock",
        }
    }

    /// Whether the event carries an amount and an order.
    pub fn moves_money(self) -> bool {
        matches!(self, Kind::Payment | Kind::Transfer | Kind::TopUp | Kind::Withdrawal | Kind::Refund)
    }

    /// Who stands in `counterparty`.
    pub fn party(self) -> Party {
        match self {
            Kind::Payment | Kind::Refund => Party::Merchant,
            Kind::Transfer | Kind::PayeeAdd => Party::Payee,
            _ => Party::None,
        }
    }
}

/// How a step ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Not yet: an attempt, whose result is a later event of the same order.
    Open,
    /// `success`
    Success,
    /// `failure`, with its reason.
    Failure(&'static str),
}

/// How much money an order is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Price {
    /// What this account pays at this merchant.
    Usual,
    /// A round sum.
    Round,
    /// Less than one unit.
    Tiny,
    /// Thousands of units.
    Large,
}

/// Who is at the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The account's owner, at home or travelling.
    Owner,
    /// Somebody else, abroad, on a device of their own.
    Intruder,
}

/// One event of a story.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// What happens.
    pub kind: Kind,
    /// How it ends.
    pub ending: Ending,
    /// Who does it.
    pub who: Who,
    /// Whether it begins a new order, with this price and a new counterparty.
    pub opens: Option<Price>,
    /// Time since the step before, ms, closed range.
    pub wait: (u32, u32),
}

impl Step {
    const fn new(kind: Kind, ending: Ending, wait: (u32, u32)) -> Step {
        Step { kind, ending, who: Who::Owner, opens: None, wait }
    }

    const fn opens(self, price: Price) -> Step {
        Step { opens: Some(price), ..self }
    }

    const fn intruder(self) -> Step {
        Step { who: Who::Intruder, ..self }
    }

    const fn after(self, low: u32, high: u32) -> Step {
        Step { wait: (low, high), ..self }
    }
}

/// A story.
#[derive(Debug)]
pub struct Script {
    /// Told once, first.
    pub opening: &'static [Step],
    /// Told `times` times.
    pub repeat: &'static [Step],
    /// How often, closed range.
    pub times: (u32, u32),
    /// Told once, last.
    pub closing: &'static [Step],
    /// Whether each repetition happens to another account.
    pub roams: bool,
}

impl Script {
    const fn once(opening: &'static [Step]) -> Script {
        Script { opening, repeat: &[], times: (0, 0), closing: &[], roams: false }
    }

    /// Whether a step is the attacker's: an intruder's, or any where the attack needs no intruder.
    pub fn is_act(&self, step: &Step) -> bool {
        let steps = || [self.opening, self.repeat, self.closing].into_iter().flatten();
        step.who == Who::Intruder || steps().all(|step| step.who == Who::Owner)
    }

    /// Number of events when the middle part is told `times` times.
    pub fn len(&self, times: u32) -> u32 {
        (self.opening.len() + self.repeat.len() * times as usize + self.closing.len()) as u32
    }

    /// The step at `position`, from 0, and whether it is the first of a repetition; `None` past the end.
    pub fn step(&self, position: u32, times: u32) -> Option<(&'static Step, bool)> {
        let position = position as usize;
        let Some(middle) = position.checked_sub(self.opening.len()) else {
            return self.opening.get(position).map(|step| (step, false));
        };
        match middle.checked_sub(self.repeat.len() * times as usize) {
            Some(last) => self.closing.get(last).map(|step| (step, false)),
            None => Some((&self.repeat[middle % self.repeat.len()], middle % self.repeat.len() == 0)),
        }
    }
}

const SECONDS: u32 = 1000;
const MINUTES: u32 = 60 * SECONDS;

const LOGIN: Step = Step::new(Kind::Login, Ending::Success, (2 * SECONDS, 15 * SECONDS));
const WRONG_PASSWORD: Step = Step::new(Kind::Login, Ending::Failure("wrong_password"), (3 * SECONDS, 20 * SECONDS));
const CODE: Step = Step::new(Kind::SecondFactor, Ending::Success, (5 * SECONDS, 40 * SECONDS));
const WRONG_CODE: Step = Step::new(Kind::SecondFactor, Ending::Failure("wrong_code"), (5 * SECONDS, 40 * SECONDS));
const PAY: Step = Step::new(Kind::Payment, Ending::Open, (10 * SECONDS, 4 * MINUTES)).opens(Price::Usual);
const PAID: Step = Step::new(Kind::Payment, Ending::Success, (300, 6 * SECONDS));
const SEND: Step = Step::new(Kind::Transfer, Ending::Open, (10 * SECONDS, 2 * MINUTES)).opens(Price::Usual);
const SENT: Step = Step::new(Kind::Transfer, Ending::Success, (300, 4 * SECONDS));
const TOP_UP: Step = Step::new(Kind::TopUp, Ending::Success, (5 * SECONDS, MINUTES)).opens(Price::Round);
const WITHDRAWAL: Step = Step::new(Kind::Withdrawal, Ending::Success, (5 * SECONDS, MINUTES)).opens(Price::Round);
const REFUND: Step = Step::new(Kind::Refund, Ending::Success, (5 * MINUTES, 180 * MINUTES));
const NEW_PASSWORD: Step = Step::new(Kind::PasswordChange, Ending::Success, (20 * SECONDS, MINUTES));
const BIND: Step = Step::new(Kind::DeviceBind, Ending::Success, (10 * SECONDS, MINUTES));
const PAYEE: Step = Step::new(Kind::PayeeAdd, Ending::Success, (15 * SECONDS, 90 * SECONDS)).opens(Price::Usual);

/// A payment or transfer that ends badly.
const fn refused(kind: Kind, reason: &'static str) -> Step {
    Step::new(kind, Ending::Failure(reason), (300, 5 * SECONDS))
}

/// Honest stories, each with how many of a thousand it makes up. The first one must be short: it stands in for any
/// that would run past the end of the period.
pub static HONEST: [(usize, Script); 16] = [
    (420, Script::once(&[PAY, PAID])),
    (140, Script::once(&[LOGIN, PAY, PAID])),
    (170, Script::once(&[LOGIN])),
    (40, Script::once(&[LOGIN, CODE])),
    (24, Script::once(&[WRONG_PASSWORD, LOGIN])),
    (5, Script::once(&[WRONG_PASSWORD, WRONG_PASSWORD, LOGIN, PAY, PAID])),
    (6, Script::once(&[LOGIN, WRONG_CODE, CODE])),
    (18, Script::once(&[PAY, refused(Kind::Payment, "insufficient_funds")])),
    (6, Script::once(&[PAY, refused(Kind::Payment, "network_error"), PAY, PAID])),
    (75, Script::once(&[SEND, SENT])),
    (45, Script::once(&[TOP_UP])),
    (22, Script::once(&[LOGIN, WITHDRAWAL])),
    (9, Script::once(&[PAY, PAID, REFUND])),
    (10, Script::once(&[PAYEE, Step { opens: None, ..SEND }, SENT])),
    (4, Script::once(&[LOGIN, CODE, NEW_PASSWORD])),
    (6, Script::once(&[LOGIN, CODE, BIND])),
];

static GUESSING: Script = Script {
    opening: &[],
    repeat: &[WRONG_PASSWORD.intruder().after(SECONDS, 8 * SECONDS)],
    times: (20, 40),
    closing: &[],
    roams: false,
};

static STUFFING: Script = Script {
    opening: &[],
    repeat: &[WRONG_PASSWORD.intruder().after(200, 2 * SECONDS)],
    times: (60, 120),
    closing: &[LOGIN.intruder().after(SECONDS, 2 * SECONDS)],
    roams: true,
};

static TAKEOVER: Script = Script::once(&[
    WRONG_PASSWORD.intruder(),
    LOGIN.intruder(),
    CODE.intruder(),
    NEW_PASSWORD.intruder(),
    BIND.intruder(),
    PAYEE.opens(Price::Large).intruder(),
    Step { opens: None, ..SEND }.intruder(),
    SENT.intruder(),
]);

static CARD_TESTING: Script = Script {
    opening: &[PAY.opens(Price::Tiny).intruder(), refused(Kind::Payment, "limit_reached").intruder()],
    repeat: &[PAY.opens(Price::Tiny).intruder().after(3 * SECONDS, 20 * SECONDS), PAID.intruder()],
    times: (8, 16),
    closing: &[PAY.opens(Price::Large).intruder(), PAID.intruder()],
    roams: false,
};

static VELOCITY_BURST: Script = Script {
    opening: &[LOGIN],
    repeat: &[PAY.after(SECONDS, 8 * SECONDS), PAID.after(200, SECONDS)],
    times: (25, 50),
    closing: &[],
    roams: false,
};

static LOST_PHONE: Script = Script {
    opening: &[Step::new(Kind::Freeze, Ending::Success, (0, 0))],
    repeat: &[PAY.intruder().after(20 * SECONDS, 5 * MINUTES), refused(Kind::Payment, "locked").intruder()],
    times: (1, 4),
    closing: &[Step::new(Kind::Unlock, Ending::Success, (20 * MINUTES, 60 * MINUTES)), LOGIN],
    roams: false,
};

/// The story of an attack.
pub fn attack(kind: AttackKind) -> &'static Script {
    match kind {
        AttackKind::PasswordGuessing => &GUESSING,
        AttackKind::Stuffing => &STUFFING,
        AttackKind::Takeover => &TAKEOVER,
        AttackKind::CardTesting => &CARD_TESTING,
        AttackKind::VelocityBurst => &VELOCITY_BURST,
        AttackKind::LostPhone => &LOST_PHONE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_stories_make_a_thousand() {
        assert_eq!(HONEST.iter().map(|(weight, _)| weight).sum::<usize>(), 1000);
    }

    #[test]
    fn every_order_is_opened_before_it_is_used() {
        let attacks = AttackKind::ALL.iter().map(|(kind, _)| attack(*kind));
        for script in HONEST.iter().map(|(_, script)| script).chain(attacks) {
            let mut open = false;
            for position in 0..script.len(2) {
                let (step, _) = script.step(position, 2).expect("a step within the length");
                open |= step.opens.is_some();
                assert!(open || !step.kind.moves_money(), "{:?} without an order", step.kind);
            }
            assert!(script.step(script.len(2), 2).is_none());
        }
    }

    #[test]
    fn repetitions_are_told_in_place() {
        let told: Vec<(Kind, bool)> =
            (0..7).filter_map(|n| LOST_PHONE.step(n, 2)).map(|(s, first)| (s.kind, first)).collect();
        use Kind::{Freeze, Login, Payment, Unlock};
        let expected = [(Freeze, false), (Payment, true), (Payment, false), (Payment, true), (Payment, false)];
        assert_eq!(told, [&expected[..], &[(Unlock, false), (Login, false)]].concat());
        assert!(GUESSING.step(0, 0).is_none());
    }
}

//! What one event of a story is: its type, how it ends, who makes it, what money it is about, and how long after the
//! event before it comes.

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
    /// `refund_request`
    RefundRequest,
    /// `complaint`
    Complaint,
    /// `password_change`
    PasswordChange,
    /// `device_bind`
    DeviceBind,
    /// `payee_add`
    PayeeAdd,
    /// `limit_change`
    LimitChange,
    /// `freeze`
    Freeze,
    /// `unlock`
    Unlock,
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
            Kind::RefundRequest => "refund_request",
            Kind::Complaint => "complaint",
            Kind::PasswordChange => "password_change",
            Kind::DeviceBind => "device_bind",
            Kind::PayeeAdd => "payee_add",
            Kind::LimitChange => "limit_change",
            Kind::Freeze => "freeze",
            Kind::Unlock => "unlock",
        }
    }

    /// Whether the event carries an amount and an order.
    pub fn has_order(self) -> bool {
        matches!(
            self,
            Kind::Payment
                | Kind::Transfer
                | Kind::TopUp
                | Kind::Withdrawal
                | Kind::Refund
                | Kind::RefundRequest
                | Kind::Complaint
        )
    }

    /// Whether money leaves the account.
    pub fn is_outflow(self) -> bool {
        matches!(self, Kind::Payment | Kind::Transfer | Kind::Withdrawal)
    }

    /// Who stands in `counterparty`; an employer's pay is the exception.
    pub fn party(self) -> Party {
        match self {
            Kind::Payment | Kind::Refund | Kind::RefundRequest | Kind::Complaint => Party::Merchant,
            Kind::Transfer | Kind::PayeeAdd => Party::Payee,
            _ => Party::None,
        }
    }
}

/// What a counterparty is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Nobody.
    None,
    /// A merchant, with a category.
    Merchant,
    /// Another account.
    Payee,
    /// A company that pays wages.
    Employer,
}

impl Party {
    /// What the party's name begins with; a number follows.
    pub fn prefix(self) -> &'static str {
        match self {
            Party::None => "",
            Party::Merchant => "m",
            Party::Payee => "a",
            Party::Employer => "c",
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
    /// What this account pays at this merchant, or sends to people.
    Usual,
    /// A round sum.
    Round,
    /// Less than one unit.
    Tiny,
    /// A bus ride or a drink from a machine.
    Fare,
    /// A share of a bill, a red packet.
    Gift,
    /// A month's rent of this account.
    Rent,
    /// A month's wage of this account.
    Wage,
    /// What somebody is talked into sending.
    Scam,
    /// What a thief takes at once: from hundreds to tens of thousands of units, mostly thousands.
    Haul,
    /// Thousands of units.
    Large,
    /// A little less than the sum from which questions are asked.
    JustUnder,
}

/// Whom an order is with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// Mostly one this account always deals with.
    Habit,
    /// Anybody.
    Stranger,
    /// The one of the order before.
    Same,
    /// The account the story began with.
    Main,
    /// The one account behind all of a story.
    Gang,
    /// The account's landlord.
    Landlord,
    /// The account's employer.
    Employer,
}

/// Who is at the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// The account's owner, at home or travelling.
    Owner,
    /// The owner, on the phone that replaces the old one today.
    Upgrading,
    /// Somebody else, on a device of their own, in the same country or abroad.
    Intruder,
    /// Somebody else, far abroad.
    FarIntruder,
}

impl Who {
    /// Whether it is not the owner.
    pub fn is_intruder(self) -> bool {
        matches!(self, Who::Intruder | Who::FarIntruder)
    }
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
    /// Whether it begins a new order, with this price and this counterparty.
    pub opens: Option<(Price, Whom)>,
    /// Time since the step before, ms, closed range.
    pub wait: (u32, u32),
    /// By how much its time is stamped into the past, ms, closed range.
    pub back: (u32, u32),
    /// Whether it does damage in an attack: money is gone, or an account has been got into.
    pub damages: bool,
}

impl Step {
    /// Authentication factors that it shows at least: a prompt and a wrong code show no second one.
    pub fn factors(&self) -> u8 {
        let asks_for_two = matches!(
            self.kind,
            Kind::SecondFactor | Kind::PasswordChange | Kind::DeviceBind | Kind::PayeeAdd | Kind::LimitChange
        );
        1 + u8::from(asks_for_two && self.ending == Ending::Success)
    }

    /// The owner's step.
    pub const fn new(kind: Kind, ending: Ending, wait: (u32, u32)) -> Step {
        Step { kind, ending, who: Who::Owner, opens: None, wait, back: (0, 0), damages: false }
    }

    /// It begins an order.
    pub const fn opens(self, price: Price, whom: Whom) -> Step {
        Step { opens: Some((price, whom)), ..self }
    }

    /// Somebody does it.
    pub const fn by(self, who: Who) -> Step {
        Step { who, ..self }
    }

    /// An intruder does it.
    pub const fn intruder(self) -> Step {
        self.by(Who::Intruder)
    }

    /// It comes so many ms after the step before.
    pub const fn after(self, low: u32, high: u32) -> Step {
        Step { wait: (low, high), ..self }
    }

    /// It is stamped so many ms into the past.
    pub const fn back(self, low: u32, high: u32) -> Step {
        Step { back: (low, high), ..self }
    }

    /// It does damage.
    pub const fn damaging(self) -> Step {
        Step { damages: true, ..self }
    }
}

/// Milliseconds of a second.
pub const SECONDS: u32 = 1000;
/// Milliseconds of a minute.
pub const MINUTES: u32 = 60 * SECONDS;

/// A payment or transfer that ends badly.
pub const fn refused(kind: Kind, reason: &'static str) -> Step {
    Step::new(kind, Ending::Failure(reason), (300, 5 * SECONDS))
}

/// Somebody is let in.
pub const LOGIN: Step = Step::new(Kind::Login, Ending::Success, (2 * SECONDS, 15 * SECONDS));
/// Somebody is not.
pub const WRONG_PASSWORD: Step = Step::new(Kind::Login, Ending::Failure("wrong_password"), (3 * SECONDS, 20 * SECONDS));
/// A second factor is asked for.
pub const PROMPT: Step = Step::new(Kind::SecondFactor, Ending::Open, (SECONDS, 4 * SECONDS));
/// It is right.
pub const CODE: Step = Step::new(Kind::SecondFactor, Ending::Success, (5 * SECONDS, 40 * SECONDS));
/// It is wrong.
pub const WRONG_CODE: Step = Step::new(Kind::SecondFactor, Ending::Failure("wrong_code"), (5 * SECONDS, 40 * SECONDS));
/// The owner says no, or nothing.
pub const DECLINED: Step = Step::new(Kind::SecondFactor, Ending::Failure("declined"), (5 * SECONDS, 30 * SECONDS));
/// A payment is tried.
pub const PAY: Step =
    Step::new(Kind::Payment, Ending::Open, (10 * SECONDS, 4 * MINUTES)).opens(Price::Usual, Whom::Habit);
/// It is paid.
pub const PAID: Step = Step::new(Kind::Payment, Ending::Success, (300, 6 * SECONDS));
/// A transfer is tried.
pub const SEND: Step =
    Step::new(Kind::Transfer, Ending::Open, (10 * SECONDS, 2 * MINUTES)).opens(Price::Usual, Whom::Habit);
/// It is sent.
pub const SENT: Step = Step::new(Kind::Transfer, Ending::Success, (300, 4 * SECONDS));
/// Money is put in.
pub const TOP_UP: Step =
    Step::new(Kind::TopUp, Ending::Success, (5 * SECONDS, MINUTES)).opens(Price::Round, Whom::Habit);
/// Money is taken out.
pub const WITHDRAWAL: Step =
    Step::new(Kind::Withdrawal, Ending::Success, (5 * SECONDS, MINUTES)).opens(Price::Round, Whom::Habit);
/// A merchant gives the money of the order back.
pub const REFUND: Step = Step::new(Kind::Refund, Ending::Success, (5 * MINUTES, 180 * MINUTES));
/// The money of the order is asked back.
pub const REFUND_REQUEST: Step = Step::new(Kind::RefundRequest, Ending::Open, (20 * MINUTES, 120 * MINUTES));
/// A merchant is complained of.
pub const COMPLAINT: Step = Step::new(Kind::Complaint, Ending::Open, (30 * MINUTES, 150 * MINUTES));
/// The password is changed.
pub const NEW_PASSWORD: Step = Step::new(Kind::PasswordChange, Ending::Success, (20 * SECONDS, MINUTES));
/// A device is bound.
pub const BIND: Step = Step::new(Kind::DeviceBind, Ending::Success, (10 * SECONDS, MINUTES));
/// A limit is changed.
pub const NEW_LIMIT: Step = Step::new(Kind::LimitChange, Ending::Success, (15 * SECONDS, MINUTES));
/// A payee is added.
pub const PAYEE: Step =
    Step::new(Kind::PayeeAdd, Ending::Success, (15 * SECONDS, 90 * SECONDS)).opens(Price::Usual, Whom::Stranger);

//! Seeded wallet traffic with planted attacks, as JSON lines: for demos, tests, benchmarks and trying out rules.
//!
//! Pure: the same [`Options`] give the same bytes on every machine and in every version, which a committed hash of a
//! small run holds. Nothing here reads a clock, the system's randomness or a file, and memory does not grow with the
//! number of accounts.
//!
//! [`attack`] names what can be planted; [`step`] and [`script`] are what stories are made of, [`honest`], [`errand`] and
//! [`pattern`] hold all of them as data; [`story`] is one under way, [`world`] tells its steps, [`traffic`] puts the
//! events of all stories in order, [`told`] says which of them are an attack's, [`label`] says so in lines of its own.
//! [`people`], [`place`], [`trip`], [`wallets`], [`rhythm`], [`zipf`] and [`chance`] say who, where, when and how often; [`mod@line`], [`table`] and
//! [`feed`] write bytes.

mod attack;
mod chance;
mod errand;
mod feed;
mod honest;
mod label;
mod line;
mod pattern;
mod people;
mod place;
mod rhythm;
mod script;
mod step;
mod story;
mod table;
mod told;
mod traffic;
mod trip;
mod wallets;
mod world;
mod zipf;

#[cfg(test)]
mod tests;

pub use attack::{AttackError, AttackKind, Attacks};
pub use feed::{Stream, write_all, write_events};
pub use label::Labels;
pub use rhythm::local_day;
pub use step::Party;
pub use table::Format;
pub use told::{Part, Told};
pub use traffic::Traffic;
pub use wallets::{Wallet, WalletError, Wallets};

/// The first instant of year 1 and the first after year 9999, epoch ms.
const YEARS: std::ops::Range<i64> = -62_135_596_800_000..253_402_300_800_000;

/// What traffic to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Number of accounts, 1 to [`Options::MOST_ACCOUNTS`].
    pub accounts: u32,
    /// Number of events, those of attacks included.
    pub events: u64,
    /// Anything; another seed gives other people and other stories.
    pub seed: u64,
    /// Number of events that came before: ids, orders and stories are numbered from there on, and the same people
    /// live on.
    pub after: u64,
    /// Beginning of the period, epoch ms.
    pub start: i64,
    /// Length of the period, ms.
    pub length: i64,
    /// What is planted.
    pub attacks: Attacks,
    /// Between which shares of the traffic, per mille, attacks begin; the longest take four hours or so.
    pub attacks_begin: (u32, u32),
    /// How many of the busiest accounts are about equally busy. 0 is Zipf's pure law, under which one account makes
    /// a twelfth of all events or so; `None` is a tenth of the accounts.
    pub flatten: Option<u32>,
    /// Which events arrive late.
    pub late: Late,
    /// To which wallets the accounts belong.
    pub wallets: Wallets,
    /// Whether and where it is said what is fraud.
    pub labels: Labels,
    /// How lines are written.
    pub format: Format,
}

/// A share of events that arrive after later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Late {
    /// So many of a thousand.
    pub per_mille: u32,
    /// By at most so many ms.
    pub by: i64,
}

impl Default for Late {
    /// None; those asked for would be late by up to five minutes.
    fn default() -> Self {
        Late { per_mille: 0, by: 300_000 }
    }
}

impl Default for Options {
    /// A hundred thousand events of ten thousand accounts on Monday 2026-01-05 in Shanghai, without attacks.
    fn default() -> Self {
        Options {
            accounts: 10_000,
            events: 100_000,
            seed: 1,
            after: 0,
            start: 1_767_542_400_000,
            length: rhythm::DAY,
            attacks: Attacks::default(),
            // So that none is cut off at the end of a day.
            attacks_begin: (50, 900),
            flatten: None,
            late: Late::default(),
            wallets: Wallets::default(),
            labels: Labels::None,
            format: Format::Jsonl,
        }
    }
}

/// What is wrong with [`Options`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionsError {
    /// No account, or too many.
    #[error("{0} accounts: expected 1 to {most}", most = Options::MOST_ACCOUNTS)]
    Accounts(u32),
    /// The head cannot be larger than the whole.
    #[error("flatten {flatten} is more than the {accounts} accounts; give at most as many")]
    Flatten {
        /// As given.
        flatten: u32,
        /// As given.
        accounts: u32,
    },
    /// No share of the traffic.
    #[error("attacks begin between {} and {} per mille: expected 0 to 1000, in order", .0.0, .0.1)]
    AttacksBegin((u32, u32)),
    /// The period is empty or leaves the years 1 to 9999.
    #[error("the period must be at least a second long and lie within the years 1 to 9999; change start or days")]
    Period,
    /// More events than numbers for them.
    #[error("{after} events before and {events} events: together at most {}", u64::MAX)]
    Numbers {
        /// As given.
        after: u64,
        /// As asked for.
        events: u64,
    },
    /// Labels before their events, or after the end of time.
    #[error("labels come 0 to 3650 days after their events; change the delay")]
    Labels,
    /// More than all events late, or late by nothing.
    #[error("late events: expected at most 1000 of a thousand, late by 1 ms to 365 days")]
    Late,
    /// The attacks alone have more events.
    #[error(
        "the attacks have {planted} events, more than the {events} asked for; ask for more events or fewer attacks"
    )]
    TooFewEvents {
        /// As asked for.
        events: u64,
        /// Events of the attacks.
        planted: u64,
    },
}

impl Options {
    /// Most accounts that can be simulated.
    pub const MOST_ACCOUNTS: u32 = 1_000_000_000;

    /// Number of about equally busy accounts.
    fn head(&self) -> u32 {
        self.flatten.unwrap_or(self.accounts / 10)
    }

    fn check(&self) -> Result<(), OptionsError> {
        if !(1..=Self::MOST_ACCOUNTS).contains(&self.accounts) {
            return Err(OptionsError::Accounts(self.accounts));
        }
        if self.head() > self.accounts {
            return Err(OptionsError::Flatten { flatten: self.head(), accounts: self.accounts });
        }
        if self.attacks_begin.0 > self.attacks_begin.1 || self.attacks_begin.1 > 1000 {
            return Err(OptionsError::AttacksBegin(self.attacks_begin));
        }
        if self.after.checked_add(self.events).is_none() {
            return Err(OptionsError::Numbers { after: self.after, events: self.events });
        }
        let end = self.start.checked_add(self.length);
        let in_range = YEARS.contains(&self.start) && end.is_some_and(|end| end <= YEARS.end);
        if self.length < 1000 || !in_range {
            return Err(OptionsError::Period);
        }
        let delayed = self.late.per_mille > 0;
        if self.late.per_mille > 1000 || delayed && !(1..=365 * rhythm::DAY).contains(&self.late.by) {
            return Err(OptionsError::Late);
        }
        if self.labels.delay().is_some_and(|delay| !(0..=3650 * rhythm::DAY).contains(&delay)) {
            return Err(OptionsError::Labels);
        }
        Ok(())
    }
}

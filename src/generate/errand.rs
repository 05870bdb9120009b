//! What is done once a month or year and by everybody: wages come on pay days, rent is paid at the beginning of the
//! month, a phone is replaced now and then.
//!
//! Whose turn it is on a day follows from the account's number, so a counter per errand goes through all whose turn it is
//! and none is told twice. Where there are fewer events than errands some are left out.

use super::rhythm::{DAY, local_day};
use super::script::{Phase, Script};
use super::step::{BIND, CODE, LOGIN, PROMPT, Price, SEND, SENT, TOP_UP, Who, Whom};

/// Wages come in.
pub static PAYDAY: Script = Script::of_balances(&[Phase::once(&[TOP_UP.opens(Price::Wage, Whom::Employer)])]);
/// Rent is paid.
pub static RENT: Script = Script::of_balances(&[Phase::once(&[SEND.opens(Price::Rent, Whom::Landlord), SENT])]);
/// A new phone is set up.
pub static NEW_PHONE: Script = Script::new(&[Phase::once(&[
    LOGIN.by(Who::Upgrading),
    PROMPT.by(Who::Upgrading),
    CODE.by(Who::Upgrading),
    BIND.by(Who::Upgrading),
])]);

/// Days of the month on which wages come, one of them for each account.
const PAY_DAYS: [u32; 4] = [10, 15, 20, 25];
/// Rent is due from the first of the month to this day.
const RENT_DAYS: u32 = 5;
/// Days for which a phone is used.
const PHONE_DAYS: u32 = 400;
/// When people run errands, local hours.
const HOURS: std::ops::Range<i64> = 8..20;
/// New phones are set up before noon, when the old ones go.
const NOON: i64 = 12;

/// How many phones the account has had; the next replaces the last at noon of its day.
pub fn phones(account: u32, time: i64) -> u64 {
    let days = local_day(time + DAY / 2) - i64::from(account % PHONE_DAYS);
    // Long ago all had their first.
    days.div_euclid(i64::from(PHONE_DAYS)).max(0) as u64
}

/// Accounts whose turn it is: every `every`-th from `next` on.
#[derive(Debug, Clone, Copy)]
struct Turn {
    script: &'static Script,
    next: u32,
    every: u32,
    until: i64,
}

/// The errands of a day.
#[derive(Debug, Clone)]
pub struct Errands {
    accounts: u32,
    day: i64,
    turns: Vec<Turn>,
}

impl Errands {
    /// Errands of so many accounts.
    pub fn new(accounts: u32) -> Self {
        Errands { accounts, day: i64::MIN, turns: Vec::new() }
    }

    /// An errand that is due, and whose; `suits` says whether an account can run it.
    pub fn next(
        &mut self,
        time: i64,
        hour: i64,
        suits: impl Fn(&Script, u32) -> bool,
    ) -> Option<(&'static Script, u32)> {
        if !HOURS.contains(&hour) {
            return None;
        }
        let day = local_day(time);
        if day != self.day {
            self.begin(day);
        }
        let accounts = self.accounts;
        for turn in self.turns.iter_mut().filter(|turn| hour < turn.until) {
            while turn.next < accounts {
                let account = turn.next;
                // Both are at most a billion.
                turn.next += turn.every;
                if suits(turn.script, account) {
                    return Some((turn.script, account));
                }
            }
        }
        None
    }

    fn begin(&mut self, day: i64) {
        use chrono::Datelike;
        self.day = day;
        let date = chrono::DateTime::from_timestamp_millis(day.saturating_mul(DAY)).unwrap_or_default();
        let of_month = date.day();
        // Below `PHONE_DAYS`, a u32. The new phone's first whole day is the next.
        let phone = (day + 1).rem_euclid(i64::from(PHONE_DAYS)) as u32;
        self.turns.clear();
        self.turns.push(Turn { script: &NEW_PHONE, next: phone, every: PHONE_DAYS, until: NOON });
        if of_month <= RENT_DAYS {
            self.turns.push(Turn { script: &RENT, next: of_month - 1, every: RENT_DAYS, until: HOURS.end });
        }
        if let Some(group) = PAY_DAYS.iter().position(|pay_day| *pay_day == of_month) {
            let every = PAY_DAYS.len() as u32;
            self.turns.push(Turn { script: &PAYDAY, next: group as u32, every, until: HOURS.end });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rhythm::{HOUR, ZONE};
    use super::*;
    use std::collections::BTreeMap;

    /// Errands of a local day of 2026 at this hour, by script.
    fn run(month: u32, day: u32, hour: i64) -> BTreeMap<usize, Vec<u32>> {
        let date = chrono::NaiveDate::from_ymd_opt(2026, month, day).expect("a date");
        let midnight = date.and_hms_opt(0, 0, 0).expect("midnight").and_utc().timestamp_millis() - ZONE;
        let mut errands = Errands::new(1000);
        let mut found: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
        while let Some((script, account)) = errands.next(midnight + hour * HOUR, hour, |_, account| account % 3 != 0) {
            let index = [&NEW_PHONE, &RENT, &PAYDAY].iter().position(|known| std::ptr::eq(*known, script));
            found.entry(index.expect("a known script")).or_default().push(account);
        }
        found
    }

    #[test]
    fn everybody_has_a_turn_a_month_and_nobody_two() {
        for (index, expected) in [(1, 1), (2, 1)] {
            let mut turns: BTreeMap<u32, u32> = BTreeMap::new();
            for day in 1..=30 {
                for account in run(4, day, 9).remove(&index).unwrap_or_default() {
                    *turns.entry(account).or_default() += 1;
                }
            }
            assert_eq!(turns.len(), 666, "all that can");
            assert!(turns.values().all(|&count| count == expected));
        }
    }

    #[test]
    fn a_phone_is_replaced_at_noon_of_the_day_it_is_set_up() {
        let (date, noon) = (chrono::NaiveDate::from_ymd_opt(2026, 6, 7).expect("a date"), 12 * HOUR);
        let midnight = date.and_hms_opt(0, 0, 0).expect("midnight").and_utc().timestamp_millis() - ZONE;
        let set_up = run(6, 7, 9).remove(&0).expect("phones");
        assert!((1..=3).contains(&set_up.len()), "{set_up:?}");
        for account in 0..1000 {
            let (before, after) = (phones(account, midnight + noon - 1), phones(account, midnight + noon));
            assert!(before == after || account % PHONE_DAYS == set_up[0] % PHONE_DAYS, "{account}");
        }
        assert_eq!(phones(set_up[0], midnight + noon) - phones(set_up[0], midnight + noon - 1), 1);
        assert!(run(6, 7, 13).is_empty() && run(6, 7, 3).is_empty());
    }
}

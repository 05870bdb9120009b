//! The workload's 14 features: a hash map per family of keys, each key with its windows.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use super::event::Event;
use super::rules::Name;
use super::window::{Count, Distinct, Total};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// A value that rules compare and decisions show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value {
    Count(i64),
    Fen(i64),
    Yuan(f64),
}

/// What one event reads, by [`Name`]; `None` is a missing value.
pub type Row = [Option<Value>; Name::COUNT];

/// The windows of one account.
#[derive(Debug)]
struct Account {
    payments: [(Name, Count); 4],
    spent_1h: Total,
    spent_24h: Total,
    mean_spent_24h: Total,
    devices: Distinct,
    counterparties: Distinct,
    wrong_passwords: Count,
}

/// The windows of one device or one address.
#[derive(Debug)]
struct Shared {
    accounts: Distinct,
    events: Count,
}

/// All features of all keys. Keys stay once seen: within a day nearly all of them come back.
#[derive(Debug, Default)]
pub struct Features {
    accounts: HashMap<String, Account>,
    devices: HashMap<String, Shared>,
    addresses: HashMap<IpAddr, Shared>,
}

impl Features {
    /// Enters the event and reads what the rules need.
    pub fn update(&mut self, event: &Event, time: i64) -> Row {
        let mut row = [None; Name::COUNT];
        row[Name::Amount as usize] = event.fen().map(Value::Fen);
        row[Name::Kyc as usize] = event.kyc.map(Value::Count);
        row[Name::Factors as usize] = event.factors.map(Value::Count);

        let account = entry(&mut self.accounts, &*event.account, Account::new);
        account.push(event, time);
        account.read(time, &mut row);
        if !event.device.is_empty() {
            let device = entry(&mut self.devices, &*event.device, || Shared::new(HOUR, 10 * MINUTE));
            device.update(event, time, &mut row, [Name::DeviceAccounts1h, Name::DeviceEvents10m]);
        }
        if let Some(ip) = event.address() {
            let address = entry(&mut self.addresses, &ip, || Shared::new(10 * MINUTE, MINUTE));
            address.update(event, time, &mut row, [Name::IpAccounts10m, Name::IpEvents1m]);
        }
        row
    }
}

/// The key's state, made if new; the key is copied only then.
fn entry<'a, K, Q, V>(map: &'a mut HashMap<K, V>, key: &Q, new: impl FnOnce() -> V) -> &'a mut V
where
    K: Borrow<Q> + Hash + Eq,
    Q: ToOwned<Owned = K> + Hash + Eq + ?Sized,
{
    if !map.contains_key(key) {
        map.insert(key.to_owned(), new());
    }
    map.get_mut(key).expect("inserted above if it was missing")
}

impl Account {
    fn new() -> Self {
        Account {
            payments: [
                (Name::Payments1m, Count::new(MINUTE)),
                (Name::Payments5m, Count::new(5 * MINUTE)),
                (Name::Payments1h, Count::new(HOUR)),
                (Name::Payments24h, Count::new(DAY)),
            ],
            spent_1h: Total::new(HOUR),
            spent_24h: Total::new(DAY),
            mean_spent_24h: Total::new(DAY),
            devices: Distinct::new(DAY),
            counterparties: Distinct::new(HOUR),
            wrong_passwords: Count::new(15 * MINUTE),
        }
    }

    fn push(&mut self, event: &Event, time: i64) {
        if event.is_attempt() {
            self.push_attempt(event, time);
        }
        if event.kind == "login" && event.reason == "wrong_password" {
            self.wrong_passwords.push(time);
        }
        if !event.device.is_empty() {
            self.devices.push(time, &event.device);
        }
    }

    fn push_attempt(&mut self, event: &Event, time: i64) {
        if event.kind == "payment" {
            self.payments.iter_mut().for_each(|(_, count)| count.push(time));
        }
        if let Some(amount) = event.fen() {
            self.spent_1h.push(time, amount);
            self.spent_24h.push(time, amount);
            self.mean_spent_24h.push(time, amount);
        }
        if !event.counterparty.is_empty() {
            self.counterparties.push(time, &event.counterparty);
        }
    }

    fn read(&mut self, now: i64, row: &mut Row) {
        for (name, count) in &mut self.payments {
            row[*name as usize] = Some(Value::Count(count.read(now)));
        }
        row[Name::Spent1h as usize] = self.spent_1h.sum(now).map(Value::Fen);
        row[Name::Spent24h as usize] = self.spent_24h.sum(now).map(Value::Fen);
        row[Name::MeanSpent24h as usize] = self.mean_spent_24h.mean(now).map(Value::Yuan);
        row[Name::Devices24h as usize] = Some(Value::Count(self.devices.read(now)));
        row[Name::Counterparties1h as usize] = Some(Value::Count(self.counterparties.read(now)));
        row[Name::WrongPasswords15m as usize] = Some(Value::Count(self.wrong_passwords.read(now)));
    }
}

impl Shared {
    fn new(accounts: i64, events: i64) -> Self {
        Shared { accounts: Distinct::new(accounts), events: Count::new(events) }
    }

    fn update(&mut self, event: &Event, time: i64, row: &mut Row, [accounts, events]: [Name; 2]) {
        self.accounts.push(time, &event.account);
        self.events.push(time);
        row[accounts as usize] = Some(Value::Count(self.accounts.read(time)));
        row[events as usize] = Some(Value::Count(self.events.read(time)));
    }
}

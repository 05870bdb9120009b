//! The world stories are told in: each call tells one step as one event.

use super::Options;
use super::chance::{Chance, Spread, mix, scale};
use super::line::{Line, Stamp};
use super::people::{People, Surroundings};
use super::script::{Cast, Script};
use super::step::{Ending, Kind, Party, Price, Step, Whom};
use super::story::Story;
use super::told::Told;
use super::zipf::Zipf;

/// A transfer between two people usually moves this, minor units.
const USUAL_TRANSFER: u32 = 30_000;
/// From this amount on (minor units) a payment asks for a second factor.
const SECOND_FACTOR_FROM: u32 = 50_000;
/// From this sum on questions are asked, minor units.
const ASKED_FROM: u32 = 5_000_000;
/// No order is above this, minor units.
const HIGHEST: f64 = 100_000_000.0;
/// How often another account is drawn where the first cannot tell a story.
const DRAWS: u32 = 24;

/// What all stories share: people, chance, and the counters that make ids.
#[derive(Debug, Clone)]
pub struct World {
    /// The only source of randomness.
    pub chance: Chance,
    people: People,
    spread: Spread,
    accounts: Zipf,
    account_count: u32,
    events: u64,
    orders: u64,
    stamp: Stamp,
}

impl World {
    /// The world these options ask for.
    pub fn new(options: &Options) -> Self {
        let Options { seed, after, accounts, wallets, .. } = *options;
        World {
            // The people stay who they are, and chance begins anew.
            chance: Chance::new(if after == 0 { seed } else { mix(seed, after) }),
            people: People::new(seed, accounts, wallets),
            spread: Spread::new(0.8),
            accounts: Zipf::new(accounts, options.head()),
            account_count: accounts,
            events: after,
            orders: after,
            stamp: Stamp::new(),
        }
    }

    /// Whether this account can tell a story at this time.
    pub fn suits(&self, script: &Script, account: u32, time: i64) -> bool {
        (!script.needs_balance || self.people.wallet(account).has_balance())
            && !self.people.is_on_the_way(account, time)
    }

    /// An account drawn by how busy it is, which is not between two cities if that can be.
    pub fn awake(&mut self, time: i64) -> u32 {
        let mut account = self.accounts.draw(&mut self.chance);
        for _ in 0..DRAWS {
            if !self.people.is_on_the_way(account, time) {
                break;
            }
            account = self.accounts.draw(&mut self.chance);
        }
        account
    }

    /// An account drawn by how busy it is that can tell this story, if there is one.
    pub fn suitable(&mut self, script: &Script, time: i64) -> u32 {
        let mut account = self.accounts.draw(&mut self.chance);
        for _ in 0..DRAWS {
            if self.suits(script, account, time) {
                break;
            }
            account = self.accounts.draw(&mut self.chance);
        }
        account
    }

    /// Any account that can tell this story and is not the one the story began with, if there is one.
    fn any_other(&mut self, story: &Story) -> u32 {
        let mut account = self.any_account();
        for _ in 0..DRAWS {
            if account != story.main && self.suits(story.script, account, story.due) {
                break;
            }
            account = self.any_account();
        }
        account
    }

    fn any_account(&mut self) -> u32 {
        // Below `account_count`, a u32.
        self.chance.below(self.account_count.into()) as u32
    }

    /// Writes the story's next event and sets the time of the one after, at most `latest`; `None` if it is over.
    pub fn tell(&mut self, story: &mut Story, latest: i64, out: &mut Vec<u8>) -> Option<Told> {
        let step = story.step()?;
        match story.cast() {
            Some(Cast::Others) => story.account = self.any_other(story),
            Some(Cast::Main) => story.account = story.main,
            Some(Cast::Again) => story.go_back(),
            Some(Cast::Same) | None => {}
        }
        if let Some((price, whom)) = step.opens {
            self.open_order(story, step.kind.party(), price, whom);
        }
        let told = self.write(story, step, out);
        story.advance();
        if let Some(next) = story.step() {
            let wait = self.chance.between(next.wait);
            story.wait(wait, latest);
        }
        Some(told)
    }

    /// Number of the newest event.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn open_order(&mut self, story: &mut Story, party: Party, price: Price, whom: Whom) {
        self.orders += 1;
        let order = &mut story.order;
        order.number = self.orders;
        let account = story.account;
        let (before, main, gang) = (order.counterparty, story.main, mix(story.number, 5));
        story.order.counterparty = match (party, whom) {
            (_, Whom::Same) => before,
            (_, Whom::Employer) => (Party::Employer, self.people.employer(account)),
            (Party::Merchant, Whom::Habit) => (party, self.people.merchant(account, &mut self.chance)),
            (Party::Merchant, _) => (party, self.people.any_merchant(&mut self.chance)),
            (Party::Payee, Whom::Main) => (party, main),
            // Below the number of accounts, a u32.
            (Party::Payee, Whom::Gang) => (party, scale(gang, self.account_count.into()) as u32),
            (Party::Payee, Whom::Landlord) => (party, self.people.landlord(account)),
            (Party::Payee, Whom::Habit) => (party, self.payee(account)),
            (Party::Payee, Whom::Stranger) => (party, self.stranger(account)),
            (Party::None | Party::Employer, _) => (Party::None, 0),
        };
        story.order.amount = self.amount(price, account, story.order.counterparty);
    }

    /// Mostly a friend.
    fn payee(&mut self, account: u32) -> u32 {
        let bits = self.chance.bits();
        if bits & 15 == 0 { self.stranger(account) } else { self.people.friend(account, bits) }
    }

    /// Somebody else, as far as there is somebody else.
    fn stranger(&mut self, account: u32) -> u32 {
        let payee = self.any_account();
        if payee == account { (payee + 1) % self.account_count } else { payee }
    }

    fn amount(&mut self, price: Price, account: u32, counterparty: (Party, u32)) -> u32 {
        let means = self.people.person(account).means();
        match price {
            Price::Usual if counterparty.0 == Party::Merchant => {
                self.around(self.people.category(counterparty.1).1, means)
            }
            Price::Usual => self.around(USUAL_TRANSFER, means),
            Price::Round => self.chance.between((1, 20)) * 5_000,
            Price::Tiny => self.chance.between((1, 99)),
            Price::Fare => self.chance.between((2, 12)) * 50,
            Price::Gift => self.chance.between((5, 150)) * 100,
            Price::Rent => 1_200 * means / 100 * 100,
            Price::Wage => 7_000 * means,
            Price::Scam => self.chance.between((5, 60)) * 10_000,
            Price::Haul => self.around(400_000, 100).max(50_000),
            Price::Large => self.chance.between((300_000, 4_000_000)),
            Price::JustUnder => ASKED_FROM - self.chance.between((1, 40)) * 10_000,
        }
    }

    fn around(&mut self, price: u32, means: u32) -> u32 {
        let amount = f64::from(price) * f64::from(means) / 100.0 * self.spread.factor(self.chance.bits());
        amount.clamp(1.0, HIGHEST) as u32
    }

    fn write(&mut self, story: &mut Story, step: &Step, out: &mut Vec<u8>) -> Told {
        self.events += 1;
        let back = if step.back.1 == 0 { 0 } else { self.chance.between(step.back) };
        let time = story.due - i64::from(back);
        let mut line = Line::open(out, self.events);
        line.raw(r#"","type":""#).raw(step.kind.name()).raw(r#"","time":""#).raw(self.stamp.text(time));
        line.raw(r#"","account":"a"#).number(story.account);
        match step.ending {
            Ending::Open => &mut line,
            Ending::Success => line.raw(r#"","outcome":"success"#),
            Ending::Failure(reason) => line.raw(r#"","outcome":"failure","reason":""#).raw(reason),
        };
        let counterparty = self.write_money(story, step.kind, &mut line);
        let device = match step.kind {
            Kind::Unlock => {
                write_unlock(story, &mut line);
                None
            }
            _ => Some(self.write_surroundings(story, step, &mut line)),
        };
        line.close();
        let is_attempt = step.kind.is_outflow() && step.ending == Ending::Open;
        let (number, kind, account, part) = (self.events, step.kind.name(), story.account, story.part(step));
        Told { time, number, kind, account, device, counterparty, is_attempt, part }
    }

    /// Says whom it is with.
    fn write_money(&self, story: &Story, kind: Kind, line: &mut Line) -> (Party, u32) {
        if kind.has_order() {
            line.raw(r#"","amount":""#).amount(story.order.amount);
            line.raw(r#"","currency":"CNY","order":"o"#).base36(story.order.number);
        }
        let (party, number) = story.order.counterparty;
        let is_with = party != Party::None && (kind.party() == party || party == Party::Employer && kind.has_order());
        if !is_with {
            return (Party::None, 0);
        }
        line.raw(r#"","counterparty":""#).raw(party.prefix()).number(number);
        if party == Party::Merchant {
            line.raw(r#"","merchant_category":""#).raw(self.people.category(number).0);
        }
        (party, number)
    }

    /// Says on which device.
    fn write_surroundings(&self, story: &Story, step: &Step, line: &mut Line) -> u64 {
        let person = self.people.person(story.account);
        let Surroundings { device, channel, address, city, latitude, longitude } =
            self.people.surroundings(story.account, step.who, story.number, story.begun);
        line.raw(r#"","device":"d"#).base36(device).raw(r#"","channel":""#).raw(channel);
        line.raw(r#"","wallet":""#).raw(self.people.wallet(story.account).name());
        line.raw(r#"","kyc":"#).number(person.kyc().into());
        line.raw(r#","ip":""#).address(address).raw(r#"","country":""#).raw(city.country);
        line.raw(r#"","lat":"#).degrees(latitude).raw(r#","lon":"#).degrees(longitude);
        let is_costly = step.kind.has_order() && !step.who.is_intruder() && story.order.amount >= SECOND_FACTOR_FROM;
        line.raw(r#","factors":"#).number(step.factors().max(1 + u8::from(is_costly)).into());
        if step.kind == Kind::Freeze {
            line.raw(r#","by":"owner""#);
        }
        device
    }
}

/// An operator unlocks at a desk: no device of the owner is involved.
fn write_unlock(story: &Story, line: &mut Line) {
    line.raw(r#"","proof":"operator","by":"operator","case":"c"#).base36(story.number).raw("\"");
}

//! A story under way, and the world it is told in: each call tells one step as one event.

use std::cmp::Ordering;

use super::attack::AttackKind;
use super::chance::{Chance, Spread, mix};
use super::line::{Line, Stamp};
use super::people::{People, Surroundings, factors};
use super::script::{Ending, Kind, Party, Price, Script, Step, Who};
use super::told::{Part, Told};
use super::zipf::Zipf;

/// A transfer between two people usually moves this, minor units.
const USUAL_TRANSFER: u32 = 30_000;
/// From this amount on (minor units) a payment asks for a second factor.
const SECOND_FACTOR_FROM: u32 = 50_000;
/// No order is above this, minor units.
const HIGHEST: f64 = 100_000_000.0;

/// A story and how far it has been told. Stories compare by their next event, the earliest as the greatest.
#[derive(Debug, Clone)]
pub struct Story {
    /// Time of the next event, epoch ms.
    pub due: i64,
    number: u64,
    script: &'static Script,
    times: u32,
    position: u32,
    end: u32,
    account: u32,
    counterparty: u32,
    amount: u32,
    order: u64,
    attack: Option<Attack>,
}

/// How far an attack has come.
#[derive(Debug, Clone, Copy)]
struct Attack {
    kind: AttackKind,
    acted: u32,
    acts: u32,
}

impl Story {
    /// A story that begins at `due`, at most `most` events long; `number` is unique.
    pub fn new(script: &'static Script, number: u64, due: i64, most: u64, world: &mut World) -> Self {
        let times = if script.times.1 == 0 { 0 } else { world.chance.between(script.times) };
        // At most the script's length, a u32.
        let end = most.min(u64::from(script.len(times))) as u32;
        let account = world.accounts.draw(&mut world.chance);
        let (position, counterparty, amount, order, attack) = (0, 0, 0, 0, None);
        Story { due, number, script, times, position, end, account, counterparty, amount, order, attack }
    }

    /// The story is an attack.
    pub fn planted(mut self, kind: AttackKind) -> Self {
        let steps = (0..self.end).filter_map(|position| self.script.step(position, self.times));
        let acts = steps.filter(|(step, _)| self.script.is_act(step)).count() as u32;
        self.attack = Some(Attack { kind, acted: 0, acts });
        self
    }

    /// The part in an attack that the step just told has.
    fn part(&mut self, step: &Step) -> Option<Part> {
        let attack = self.attack.as_mut()?;
        let is_act = self.script.is_act(step);
        attack.acted += u32::from(is_act);
        let act = is_act.then_some(attack.acted);
        Some(Part { kind: attack.kind, attack: self.number, act, acts: attack.acts })
    }

    /// Number of events.
    pub fn len(&self) -> u64 {
        u64::from(self.end)
    }

    /// Whether all has been told.
    pub fn is_over(&self) -> bool {
        self.position >= self.end
    }

    fn key(&self) -> (i64, u64) {
        (self.due, self.number)
    }
}

impl PartialEq for Story {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Story {}

impl PartialOrd for Story {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Story {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

/// What all stories share: people, chance, and the counters that make ids.
#[derive(Debug, Clone)]
pub struct World {
    /// The only source of randomness.
    pub chance: Chance,
    people: People,
    spread: Spread,
    accounts: Zipf,
    merchants: Zipf,
    account_count: u32,
    events: u64,
    orders: u64,
    stamp: Stamp,
}

impl World {
    /// The world of a seed after so many events; `flatten` is the shift of the accounts' Zipf law.
    pub fn new(seed: u64, after: u64, accounts: u32, flatten: u32) -> Self {
        World {
            // The people stay who they are, and chance begins anew.
            chance: Chance::new(if after == 0 { seed } else { mix(seed, after) }),
            people: People::new(seed, accounts),
            spread: Spread::new(0.8),
            accounts: Zipf::new(accounts, flatten),
            merchants: Zipf::new(accounts / 20 + 20, 0),
            account_count: accounts,
            events: after,
            orders: after,
            stamp: Stamp::new(),
        }
    }

    /// Writes the story's next event and sets the time of the one after, at most `latest`; `None` if it is over.
    pub fn tell(&mut self, story: &mut Story, latest: i64, out: &mut Vec<u8>) -> Option<Told> {
        let (step, begins_round) = story.script.step(story.position, story.times)?;
        if begins_round && story.script.roams {
            story.account = self.any_account();
        }
        if let Some(price) = step.opens {
            self.open_order(story, step.kind.party(), price);
        }
        self.write(story, step, out);
        let (number, kind, part) = (self.events, step.kind.name(), story.part(step));
        let told = Told { time: story.due, number, kind, account: story.account, part };
        story.position += 1;
        if let Some((next, _)) = story.script.step(story.position, story.times) {
            story.due = (story.due + i64::from(self.chance.between(next.wait))).min(latest);
        }
        Some(told)
    }

    /// Number of the newest event.
    pub fn events(&self) -> u64 {
        self.events
    }

    fn any_account(&mut self) -> u32 {
        // Below `account_count`, a u32.
        self.chance.below(self.account_count.into()) as u32
    }

    fn open_order(&mut self, story: &mut Story, party: Party, price: Price) {
        self.orders += 1;
        story.order = self.orders;
        let usual = match party {
            Party::Merchant => {
                story.counterparty = self.merchants.draw(&mut self.chance);
                self.people.category(story.counterparty).1
            }
            Party::Payee => {
                story.counterparty = self.payee_of(story.account);
                USUAL_TRANSFER
            }
            Party::None => 0,
        };
        story.amount = match price {
            Price::Usual => self.usual_amount(usual, story.account),
            Price::Round => self.chance.between((1, 20)) * 5_000,
            Price::Tiny => self.chance.between((1, 99)),
            Price::Large => self.chance.between((300_000, 4_000_000)),
        };
    }

    /// Somebody else, as far as there is somebody else.
    fn payee_of(&mut self, account: u32) -> u32 {
        let payee = self.accounts.draw(&mut self.chance);
        if payee == account { (payee + 1) % self.account_count } else { payee }
    }

    fn usual_amount(&mut self, price: u32, account: u32) -> u32 {
        let means = f64::from(self.people.person(account).means()) / 100.0;
        let amount = f64::from(price) * means * self.spread.factor(self.chance.bits());
        amount.clamp(1.0, HIGHEST) as u32
    }

    fn write(&mut self, story: &Story, step: &Step, out: &mut Vec<u8>) {
        self.events += 1;
        let mut line = Line::open(out, self.events);
        line.raw(r#"","type":""#).raw(step.kind.name()).raw(r#"","time":""#).raw(self.stamp.text(story.due));
        line.raw(r#"","account":"a"#).number(story.account);
        match step.ending {
            Ending::Open => &mut line,
            Ending::Success => line.raw(r#"","outcome":"success"#),
            Ending::Failure(reason) => line.raw(r#"","outcome":"failure","reason":""#).raw(reason),
        };
        self.write_money(story, step.kind, &mut line);
        match step.kind {
            Kind::Unlock => write_unlock(story, &mut line),
            _ => self.write_surroundings(story, step, &mut line),
        }
        line.close();
    }

    fn write_money(&self, story: &Story, kind: Kind, line: &mut Line) {
        if kind.moves_money() {
            line.raw(r#"","amount":""#).amount(story.amount);
            line.raw(r#"","currency":"CNY","order":"o"#).base36(story.order);
        }
        match kind.party() {
            Party::Merchant => {
                line.raw(r#"","counterparty":"m"#).number(story.counterparty);
                line.raw(r#"","merchant_category":""#).raw(self.people.category(story.counterparty).0);
            }
            Party::Payee => {
                line.raw(r#"","counterparty":"a"#).number(story.counterparty);
            }
            Party::None => {}
        }
    }

    fn write_surroundings(&self, story: &Story, step: &Step, line: &mut Line) {
        let person = self.people.person(story.account);
        let Surroundings { device, channel, address, city, latitude, longitude } =
            self.people.surroundings(story.account, step.who, story.number, story.due);
        line.raw(r#"","device":"d"#).base36(device).raw(r#"","channel":""#).raw(channel);
        line.raw(r#"","wallet":""#).raw(person.wallet()).raw(r#"","kyc":"#).number(person.kyc().into());
        line.raw(r#","ip":""#).address(address).raw(r#"","country":""#).raw(city.country);
        line.raw(r#"","lat":"#).degrees(latitude).raw(r#","lon":"#).degrees(longitude);
        let costly = step.kind.moves_money() && step.who == Who::Owner && story.amount >= SECOND_FACTOR_FROM;
        line.raw(r#","factors":"#).number(factors(step.kind).max(1 + u8::from(costly)).into());
        if step.kind == Kind::Freeze {
            line.raw(r#","by":"owner""#);
        }
    }
}

/// An operator unlocks at a desk: no device of the owner is involved.
fn write_unlock(story: &Story, line: &mut Line) {
    line.raw(r#"","proof":"operator","by":"operator","case":"c"#).base36(story.number).raw("\"");
}

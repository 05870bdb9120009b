//! Who the accounts, merchants and intruders are: every attribute is a hash of a number, so ten million accounts
//! take no memory and a seed describes all of them.
//!
//! Addresses come from ranges that belong to nobody: private and documentation networks.

use super::chance::{Chance, mix, scale};
use super::errand::phones;
use super::place::{City, far_away, home, in_china};
use super::rhythm::{DAY, HOUR, ZONE};
use super::step::Who;
use super::trip::Trip;
use super::wallets::{Wallet, Wallets};
use super::zipf::Zipf;

/// What merchants sell, and what an order costs there in minor units.
const CATEGORIES: [(&str, u32); 10] = [
    ("restaurant", 4_500),
    ("groceries", 8_000),
    ("convenience", 1_800),
    ("transport", 1_200),
    ("fuel", 26_000),
    ("clothing", 22_000),
    ("electronics", 90_000),
    ("travel", 70_000),
    ("games", 6_000),
    ("pharmacy", 5_500),
];

/// An address that belongs to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// IPv4.
    V4([u8; 4]),
    /// The network half of an IPv6 address under `2001:db8::/32`; no group is 0.
    V6([u16; 2]),
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings {
    /// Number of the device.
    pub device: u64,
    /// `app` or `web`.
    pub channel: &'static str,
    /// Address.
    pub address: Address,
    /// Country.
    pub city: &'static City,
    /// Latitude in ten-thousandths of a degree.
    pub latitude: i32,
    /// Longitude in ten-thousandths of a degree.
    pub longitude: i32,
}

/// All accounts and merchants of a simulation.
#[derive(Debug, Clone, Copy)]
pub struct People {
    seed: u64,
    accounts: u32,
    /// Addresses of mobile carriers, each shared by some twenty accounts.
    carriers: u64,
    merchants: Zipf,
    wallets: Wallets,
}

/// One account; all else about it follows from its number.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    traits: u64,
}

/// Merchants somebody goes to again and again.
const SHOPS: u64 = 8;
/// People somebody sends money to again and again.
const FRIENDS: u64 = 6;

impl People {
    /// The people of a seed.
    pub fn new(seed: u64, accounts: u32, wallets: Wallets) -> Self {
        let carriers = u64::from(accounts / 20).max(8);
        // The largest merchants are about equally large: no town pays a tenth of its money at one till.
        let merchants = Zipf::new(accounts / 20 + 20, accounts / 200 + 5);
        People { seed: mix(seed, 3), accounts, carriers, merchants, wallets }
    }

    /// The owner of an account.
    pub fn person(&self, account: u32) -> Person {
        Person { traits: mix(self.seed, u64::from(account)) }
    }

    /// The wallet the account belongs to.
    pub fn wallet(&self, account: u32) -> Wallet {
        self.wallets.draw(self.person(account).traits)
    }

    /// Whether the owner is between two cities, where nobody pays.
    pub fn is_on_the_way(&self, account: u32, time: i64) -> bool {
        self.person(account).trip(time).is_some_and(|trip| trip.is_on_the_way(time))
    }

    /// A merchant; three times in four one of the account's own choice.
    pub fn merchant(&self, account: u32, chance: &mut Chance) -> u32 {
        let bits = chance.bits();
        if bits & 3 == 0 {
            return self.any_merchant(chance);
        }
        // Of two draws the lower: the first shops are gone to more often.
        let shop = scale(bits, SHOPS).min(scale(bits << 20, SHOPS));
        self.any_merchant(&mut Chance::new(mix(self.person(account).traits, 16 + shop)))
    }

    /// Any merchant.
    pub fn any_merchant(&self, chance: &mut Chance) -> u32 {
        self.merchants.draw(chance)
    }

    /// Somebody the account sends money to again and again.
    pub fn friend(&self, account: u32, bits: u64) -> u32 {
        self.acquaintance(account, 32 + scale(bits, FRIENDS))
    }

    /// Whom the account pays rent to.
    pub fn landlord(&self, account: u32) -> u32 {
        self.acquaintance(account, 48)
    }

    /// Number of the company that pays the account's wage.
    pub fn employer(&self, account: u32) -> u32 {
        // Below the number of accounts, a u32.
        scale(mix(self.person(account).traits, 49), u64::from(self.accounts / 50 + 1)) as u32
    }

    /// Another account, as far as there is another.
    fn acquaintance(&self, account: u32, which: u64) -> u32 {
        // Below the number of accounts, a u32.
        let other = scale(mix(self.person(account).traits, which), self.accounts.into()) as u32;
        if other == account { (other + 1) % self.accounts } else { other }
    }

    /// What a merchant sells and what it usually costs, minor units.
    pub fn category(&self, merchant: u32) -> (&'static str, u32) {
        let traits = mix(self.seed, (1 << 32) | u64::from(merchant));
        let (name, price) = CATEGORIES[scale(traits, CATEGORIES.len() as u64) as usize];
        // Within a factor of two either way: 50 % to 199 %.
        (name, price * (50 + (traits as u32 & 0xffff) * 150 / 0x1_0000) / 100)
    }

    /// Device, address and place of a story's event: the owner's at `time`, or the intruder's.
    pub fn surroundings(&self, account: u32, who: Who, story: u64, time: i64) -> Surroundings {
        match who {
            Who::Owner => self.of_owner(account, story, time, phones(account, time)),
            Who::Upgrading => self.of_owner(account, 0, time, phones(account, time + DAY / 2)),
            Who::Intruder => self.of_intruder(story, false),
            Who::FarIntruder => self.of_intruder(story, true),
        }
    }

    fn of_owner(&self, account: u32, story: u64, time: i64, phones: u64) -> Surroundings {
        let person = self.person(account);
        let draw = mix(self.seed ^ person.traits, story);
        let trip = person.trip(time);
        let city = trip.map_or(person.home(), |trip| trip.city);
        // Half of the stories are told from the home network; on the road all use a carrier.
        let is_at_home = trip.is_none() && draw & 1 == 0;
        let address = if is_at_home { self.household(account) } else { self.carrier(person, trip.is_some()) };
        // Where they are on that day: a phone that jumps within seconds would be faster than any plane.
        let place = mix(person.traits, 64 ^ person.day(time));
        let choice = if story == 0 { 0 } else { draw >> 8 };
        Surroundings {
            device: person.device(account, choice, phones),
            channel: if draw >> 60 == 0 { "web" } else { "app" },
            address,
            city,
            latitude: city.latitude + person.offset(8) + wobble(place),
            longitude: city.longitude + person.offset(24) + wobble(place >> 16),
        }
    }

    /// Half of them sit in China, the others where nobody lives whom they rob.
    fn of_intruder(&self, story: u64, is_far: bool) -> Surroundings {
        let draw = mix(self.seed ^ INTRUDERS, story);
        let city = if is_far || draw >> 40 & 1 == 0 { far_away(draw) } else { in_china(draw << 8) };
        let network = [[192, 0, 2], [198, 51, 100], [203, 0, 113]][scale(draw, 3) as usize];
        Surroundings {
            device: INTRUDERS | (draw >> 24),
            channel: if draw & 4 == 0 { "web" } else { "app" },
            address: Address::V4([network[0], network[1], network[2], (draw >> 8) as u8]),
            city,
            latitude: city.latitude,
            longitude: city.longitude,
        }
    }

    /// One network for two neighbours, in 10.0.0.0/9, or IPv6 for one household in sixteen.
    fn household(&self, account: u32) -> Address {
        let draw = mix(self.seed, (2 << 32) | u64::from(account / 2));
        if draw >> 60 == 0 {
            return Address::V6([0x1000 | draw as u16, 0x1000 | (draw >> 16) as u16]);
        }
        Address::V4([10, (draw >> 16) as u8 & 0x7f, (draw >> 8) as u8, draw as u8])
    }

    /// One of the carriers' addresses, in 10.128.0.0/9; a traveller is seen under another one.
    fn carrier(&self, person: Person, away: bool) -> Address {
        let number = scale(mix(person.traits, 4 + u64::from(away)), self.carriers) as u32;
        let [_, high, middle, low] = number.to_be_bytes();
        Address::V4([10, 0x80 | high, middle, low])
    }
}

/// Sets the devices of intruders apart from those of owners, which are below 2^48.
const INTRUDERS: u64 = 1 << 56;

/// A few hundred metres either way, in ten-thousandths of a degree.
fn wobble(bits: u64) -> i32 {
    (bits & 0x3f) as i32 - 32
}

impl Person {
    /// Identity-check class, 1 to 3.
    pub fn kyc(self) -> u8 {
        [1, 2, 2, 3, 3, 3, 3, 3][(self.traits >> 3 & 7) as usize]
    }

    /// How freely the owner spends, in percent: 40 to 250.
    pub fn means(self) -> u32 {
        let part = (self.traits >> 40 & 0xff) as u32;
        40 + part * part * 210 / (255 * 255)
    }

    fn home(self) -> &'static City {
        // One in sixteen lives abroad.
        home(mix(self.traits, 1), self.traits >> 60 == 0)
    }

    /// The trip the owner is on, the ways there and back included.
    fn trip(self, time: i64) -> Option<Trip> {
        Trip::at(self.traits, time, self.home())
    }

    /// The owner's day, counted from the epoch; each has a midnight of their own, so that not all move at once.
    fn day(self, time: i64) -> u64 {
        (time + ZONE + (self.traits >> 20 & 3) as i64 * HOUR).div_euclid(DAY) as u64
    }

    /// One to three devices, the first used three times in four and replaced now and then; every thirty-second pair of
    /// accounts shares them.
    fn device(self, account: u32, draw: u64, phones: u64) -> u64 {
        let count = 1 + (self.traits >> 50) % 3;
        let choice = if draw & 3 != 0 { 0 } else { (draw >> 2) % count };
        let owner = if account / 2 % 32 == 31 { account & !1 } else { account };
        let generation = if choice == 0 && owner == account { phones & 0x1fff } else { 0 };
        (generation << 34) | (u64::from(owner) * 4 + choice)
    }

    /// Up to 0.05 degrees from the middle of the city.
    fn offset(self, shift: u32) -> i32 {
        (self.traits >> shift & 0x3ff) as i32 - 512
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 4 * 3_600_000;

    #[test]
    fn people_keep_their_habits() {
        let people = People::new(5, 1000, Wallets::default());
        for account in 0..1000 {
            let mut devices: Vec<u64> =
                (0..50).map(|story| people.surroundings(account, Who::Owner, story, NOON).device).collect();
            devices.sort_unstable();
            devices.dedup();
            assert!((1..=3).contains(&devices.len()), "{devices:?}");
            assert!((1..=3).contains(&people.person(account).kyc()));
            assert!((40..=250).contains(&people.person(account).means()));
        }
    }

    #[test]
    fn most_are_at_home_in_china() {
        let people = People::new(5, 1000, Wallets::default());
        let at = |account| people.surroundings(account, Who::Owner, 0, NOON).city.country;
        let in_china = (0..1000).filter(|&account| at(account) == "CN").count();
        assert!((850..990).contains(&in_china), "{in_china}");
    }

    #[test]
    fn intruders_are_strangers() {
        let people = People::new(5, 1000, Wallets::default());
        let owner = people.surroundings(1, Who::Owner, 9, NOON);
        let intruder = people.surroundings(1, Who::Intruder, 9, NOON);
        assert!(intruder.device != owner.device && intruder.device >= INTRUDERS);
        assert_eq!(intruder.device, people.surroundings(2, Who::Intruder, 9, NOON).device);
        let country = |who, story| people.surroundings(1, who, story, NOON).city.country;
        let in_china = (0..1000).filter(|&story| country(Who::Intruder, story) == "CN").count();
        assert!((400..600).contains(&in_china), "{in_china}");
        assert!((0..1000).all(|story| !["CN", "HK", "SG", "JP", "GB"].contains(&country(Who::FarIntruder, story))));
    }

    /// Kilometres, roughly.
    fn distance(a: &Surroundings, b: &Surroundings) -> f64 {
        let (south, east) = (f64::from(a.latitude - b.latitude) / 1e4, f64::from(a.longitude - b.longitude) / 1e4);
        let east = if east.abs() > 180.0 { 360.0 - east.abs() } else { east };
        (south * south + east * east).sqrt() * 111.0
    }

    #[test]
    fn people_travel_but_not_faster_than_planes() {
        let people = People::new(5, 1000, Wallets::default());
        let (mut away, mut seen) = (0, 0);
        for account in 0..300 {
            let mut last: Option<(i64, Surroundings)> = None;
            for time in (0..60 * DAY).step_by(HOUR as usize / 2) {
                if people.is_on_the_way(account, time) {
                    continue;
                }
                let here = people.surroundings(account, Who::Owner, 7, time);
                seen += 1;
                away += u32::from(people.person(account).trip(time).is_some());
                if let Some((before, there)) = last.replace((time, here)) {
                    let hours = (time - before) as f64 / HOUR as f64;
                    assert!(distance(&there, &here) / hours < 900.0, "{account}: {there:?} {here:?} in {hours} h");
                }
            }
        }
        assert!((seen / 50..seen / 10).contains(&away), "{away} of {seen}");
    }

    #[test]
    fn habits_are_a_few_shops_and_friends() {
        let (people, mut chance) = (People::new(5, 10_000, Wallets::default()), Chance::new(1));
        for account in 0..50 {
            let mut shops = std::collections::BTreeMap::<u32, u32>::new();
            for _ in 0..400 {
                *shops.entry(people.merchant(account, &mut chance)).or_default() += 1;
            }
            let mut counts: Vec<u32> = shops.into_values().collect();
            counts.sort_unstable_by(|a, b| b.cmp(a));
            assert!((240..380).contains(&counts[..8].iter().sum::<u32>()), "{counts:?}");
            let friends: std::collections::BTreeSet<u32> =
                (0..100).map(|_| people.friend(account, chance.bits())).collect();
            assert!((1..=6).contains(&friends.len()) && !friends.contains(&account), "{friends:?}");
        }
    }

    #[test]
    fn a_new_phone_stays() {
        let people = People::new(5, 1000, Wallets::default());
        let noon = (0..800).map(|day| day * DAY + NOON).find(|&noon| phones(7, noon) > phones(7, noon - 1));
        let noon = noon.expect("a new phone");
        let device = |who, story, time| people.surroundings(7, who, story, time).device;
        let new = device(Who::Upgrading, 3, noon - HOUR);
        let main = |from| (1..40).map(|story| device(Who::Owner, story, from)).filter(|&seen| seen == new).count();
        assert_eq!((main(noon - 1), main(noon) > 20), (0, true));
    }

    #[test]
    fn prices_stay_near_their_category() {
        let people = People::new(5, 1000, Wallets::default());
        for merchant in 0..500 {
            let (name, price) = people.category(merchant);
            let usual = CATEGORIES.iter().find(|(other, _)| *other == name).map(|(_, price)| *price);
            assert!(usual.is_some_and(|usual| price * 2 >= usual && price <= usual * 2), "{name} {price}");
        }
    }
}

//! Who the accounts, merchants and intruders are: every attribute is a hash of a number, so ten million accounts
//! take no memory and a seed describes all of them.
//!
//! Addresses come from ranges that belong to nobody: private and documentation networks.

use super::chance::{mix, scale};
use super::rhythm::{DAY, ZONE};
use super::script::{Kind, Who};

/// A place people live in; degrees are in ten-thousandths.
#[derive(Debug)]
pub struct City {
    /// ISO 3166-1 alpha-2 code.
    pub country: &'static str,
    latitude: i32,
    longitude: i32,
}

const fn city(country: &'static str, latitude: i32, longitude: i32) -> City {
    City { country, latitude, longitude }
}

/// Where accounts are at home; the last four are abroad.
static HOMES: [City; 16] = [
    city("CN", 31_2304, 121_4737),
    city("CN", 39_9042, 116_4074),
    city("CN", 23_1291, 113_2644),
    city("CN", 22_5431, 114_0579),
    city("CN", 30_5728, 104_0668),
    city("CN", 30_2741, 120_1551),
    city("CN", 30_5928, 114_3055),
    city("CN", 34_3416, 108_9398),
    city("CN", 32_0603, 118_7969),
    city("CN", 29_5630, 106_5516),
    city("CN", 36_0671, 120_3826),
    city("CN", 25_0389, 102_7183),
    city("HK", 22_3193, 114_1694),
    city("SG", 1_3521, 103_8198),
    city("JP", 35_6762, 139_6503),
    city("GB", 51_5072, -1276),
];

/// Where intruders sit.
static FAR_AWAY: [City; 4] = [
    city("NL", 52_3676, 4_9041),
    city("BR", -23_5558, -46_6396),
    city("US", 40_7128, -74_0060),
    city("AU", -33_8688, 151_2093),
];

const WALLETS: [&str; 8] =
    ["alipay", "alipay", "alipay", "wechat_pay", "wechat_pay", "wechat_pay", "apple_pay", "google_pay"];

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
    /// Addresses of mobile carriers, each shared by some twenty accounts.
    carriers: u64,
}

/// One account; all else about it follows from its number.
#[derive(Debug, Clone, Copy)]
pub struct Person {
    traits: u64,
}

impl People {
    /// The people of a seed.
    pub fn new(seed: u64, accounts: u32) -> Self {
        People { seed: mix(seed, 3), carriers: u64::from(accounts / 20).max(8) }
    }

    /// The owner of an account.
    pub fn person(&self, account: u32) -> Person {
        Person { traits: mix(self.seed, u64::from(account)) }
    }

    /// What a merchant sells and what it usually costs, minor units.
    pub fn category(&self, merchant: u32) -> (&'static str, u32) {
        let traits = mix(self.seed, (1 << 32) | u64::from(merchant));
        let (name, price) = CATEGORIES[scale(traits, CATEGORIES.len() as u64) as usize];
        // Within a factor of two either way: 50 % to 199 %.
        (name, price * (50 + (traits as u32 & 0xffff) * 150 / 0x1_0000) / 100)
    }

    /// Device, address and place of one story's event: the owner's at `time`, or the intruder's.
    pub fn surroundings(&self, account: u32, who: Who, story: u64, time: i64) -> Surroundings {
        match who {
            Who::Owner => self.of_owner(account, story, time),
            Who::Intruder => self.of_intruder(story),
        }
    }

    fn of_owner(&self, account: u32, story: u64, time: i64) -> Surroundings {
        let person = self.person(account);
        let draw = mix(self.seed ^ person.traits, story);
        let away = person.is_away(time);
        let city = if away { person.trip(time) } else { person.home() };
        // Half of the stories are told from the home network; on the road all use a carrier.
        let at_home = !away && draw & 1 == 0;
        let address = if at_home { self.household(account) } else { self.carrier(person, away) };
        Surroundings {
            device: person.device(account, draw >> 8),
            channel: if draw >> 60 == 0 { "web" } else { "app" },
            address,
            city,
            latitude: city.latitude + person.offset(8) + wobble(draw >> 16),
            longitude: city.longitude + person.offset(24) + wobble(draw >> 32),
        }
    }

    fn of_intruder(&self, story: u64) -> Surroundings {
        let draw = mix(self.seed ^ INTRUDERS, story);
        let city = &FAR_AWAY[(draw & 3) as usize];
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

/// Sets the devices of intruders apart from those of owners, which are below 2^35.
const INTRUDERS: u64 = 1 << 42;

/// A few hundred metres either way, in ten-thousandths of a degree.
fn wobble(bits: u64) -> i32 {
    (bits & 0x3f) as i32 - 32
}

impl Person {
    /// The wallet the account belongs to.
    pub fn wallet(self) -> &'static str {
        WALLETS[(self.traits & 7) as usize]
    }

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
        let abroad = self.traits >> 60 == 0;
        let choice = mix(self.traits, 1);
        let index = if abroad { 12 + scale(choice, 4) } else { scale(choice, 12) };
        &HOMES[index as usize]
    }

    /// The local day, counted from the epoch.
    fn day(time: i64) -> u64 {
        (time + ZONE).div_euclid(DAY) as u64
    }

    /// One day in sixty-four is spent in another city.
    fn is_away(self, time: i64) -> bool {
        mix(self.traits, Self::day(time)) >> 58 == 0
    }

    fn trip(self, time: i64) -> &'static City {
        &HOMES[scale(mix(self.traits, Self::day(time) ^ 0xff_0000_0000), HOMES.len() as u64) as usize]
    }

    /// One to three devices, the first used three times in four; every thirty-second pair of accounts shares them.
    fn device(self, account: u32, draw: u64) -> u64 {
        let count = 1 + (self.traits >> 50) % 3;
        let choice = if draw & 3 != 0 { 0 } else { (draw >> 2) % count };
        let owner = if account / 2 % 32 == 31 { account & !1 } else { account };
        u64::from(owner) * 4 + choice
    }

    /// Up to 0.05 degrees from the middle of the city.
    fn offset(self, shift: u32) -> i32 {
        (self.traits >> shift & 0x3ff) as i32 - 512
    }
}

/// Authentication factors that an event of this kind shows.
pub fn factors(kind: Kind) -> u8 {
    match kind {
        Kind::SecondFactor | Kind::PasswordChange | Kind::DeviceBind | Kind::PayeeAdd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 4 * 3_600_000;

    #[test]
    fn people_keep_their_habits() {
        let people = People::new(5, 1000);
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
        let people = People::new(5, 1000);
        let at = |account| people.surroundings(account, Who::Owner, 0, NOON).city.country;
        let in_china = (0..1000).filter(|&account| at(account) == "CN").count();
        assert!((850..990).contains(&in_china), "{in_china}");
    }

    #[test]
    fn intruders_are_strangers() {
        let people = People::new(5, 1000);
        let owner = people.surroundings(1, Who::Owner, 9, NOON);
        let intruder = people.surroundings(1, Who::Intruder, 9, NOON);
        assert!(intruder.device != owner.device && intruder.device >= INTRUDERS);
        assert!(!["CN", "HK", "SG", "JP", "GB"].contains(&intruder.city.country));
        assert_eq!(intruder.device, people.surroundings(2, Who::Intruder, 9, NOON).device);
    }

    #[test]
    fn prices_stay_near_their_category() {
        let people = People::new(5, 1000);
        for merchant in 0..500 {
            let (name, price) = people.category(merchant);
            let usual = CATEGORIES.iter().find(|(other, _)| *other == name).map(|(_, price)| *price);
            assert!(usual.is_some_and(|usual| price * 2 >= usual && price <= usual * 2), "{name} {price}");
        }
    }
}

//! The places people live in, travel to, and attack from.

use super::chance::scale;

/// A place people live in; degrees are in ten-thousandths.
#[derive(Debug)]
pub struct City {
    /// ISO 3166-1 alpha-2 code.
    pub country: &'static str,
    /// Latitude in ten-thousandths of a degree.
    pub latitude: i32,
    /// Longitude in ten-thousandths of a degree.
    pub longitude: i32,
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

/// How many of the cities of [`HOMES`] are in China.
const IN_CHINA: u64 = 12;

/// Where intruders sit, if not in China.
static FAR_AWAY: [City; 4] = [
    city("NL", 52_3676, 4_9041),
    city("BR", -23_5558, -46_6396),
    city("US", 40_7128, -74_0060),
    city("AU", -33_8688, 151_2093),
];

/// A home, drawn by 64 bits.
pub fn home(bits: u64, is_abroad: bool) -> &'static City {
    let abroad = HOMES.len() as u64 - IN_CHINA;
    let index = if is_abroad { IN_CHINA + scale(bits, abroad) } else { scale(bits, IN_CHINA) };
    &HOMES[index as usize]
}

/// A city in China, drawn by 64 bits.
pub fn in_china(bits: u64) -> &'static City {
    home(bits, false)
}

/// A city where nobody lives, drawn by the lowest bits.
pub fn far_away(bits: u64) -> &'static City {
    &FAR_AWAY[bits as usize % FAR_AWAY.len()]
}

/// Where a trip goes, drawn by the lowest bits: mostly to another city in China.
pub fn destination(bits: u64) -> &'static City {
    let cities = if bits & 7 == 0 { HOMES.len() as u64 } else { IN_CHINA };
    &HOMES[((bits >> 3) % cities) as usize]
}

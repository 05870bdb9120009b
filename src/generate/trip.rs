//! Trips: some days in another city, with time for the way there and back, in which nobody pays.

use super::chance::{mix, scale};
use super::place::{City, destination};
use super::rhythm::{DAY, HOUR};

/// A stay in another city, with the way there and back.
#[derive(Debug, Clone, Copy)]
pub struct Trip {
    leaves: i64,
    returns: i64,
    /// How long the way takes, ms.
    way: i64,
    /// Where to.
    pub city: &'static City,
}

/// Length of the period in which somebody travels at most once, ms.
const SEASON: i64 = 24 * DAY;
/// In one season of so many somebody travels.
const SEASONS_PER_TRIP: u64 = 3;

impl Trip {
    /// The trip that somebody with these traits and this home is on, the ways there and back included.
    pub fn at(traits: u64, time: i64, home: &City) -> Option<Trip> {
        // Each has seasons that begin at another time.
        let shifted = time + (traits >> 44 & 0xff) as i64 * (SEASON >> 8);
        let draw = mix(traits, 0xff_0000_0000 ^ shifted.div_euclid(SEASON) as u64);
        if scale(draw, SEASONS_PER_TRIP) != 0 {
            return None;
        }
        let leaves = (1 + (draw & 15) as i64) * DAY;
        let returns = leaves + (2 + (draw >> 4 & 3) as i64) * DAY + (draw >> 8 & 7) as i64 * HOUR;
        let within = shifted.rem_euclid(SEASON);
        if !(leaves..returns).contains(&within) {
            return None;
        }
        let city = destination(draw >> 16);
        let way = if city.country == home.country { 5 * HOUR } else { 16 * HOUR };
        let begin = time - within;
        Some(Trip { leaves: begin + leaves, returns: begin + returns, way, city })
    }

    /// Whether it is the time between two cities.
    pub fn is_on_the_way(&self, time: i64) -> bool {
        time < self.leaves + self.way || time >= self.returns - self.way
    }
}

//! Zipf's law with exponent 1 in integers: no table, no logarithm, exact, and ready at once for any number of ranks.
//!
//! Ranks are cut into octaves `[2^k, 2^(k+1))`. An octave is proposed uniformly, a rank in it uniformly, and the
//! rank `i` is kept with probability `2^k / i`: together that is `1 / i` up to a constant. About two proposals in
//! three are kept.

use super::chance::{Chance, scale};

/// Draws from `[0, count)`, the value `r` with a weight of `1 / (r + 1 + shift)`.
#[derive(Debug, Clone, Copy)]
pub struct Zipf {
    first: u64,
    last: u64,
    low_octave: u32,
    octaves: u64,
}

impl Zipf {
    /// A law over `count` (at least 1) values. A `shift` above 0 flattens the head: the first `shift` values are then
    /// about as frequent as each other, and the tail stays Zipf's. Both below 2^31.
    pub fn new(count: u32, shift: u32) -> Self {
        let first = u64::from(shift) + 1;
        let last = u64::from(shift) + u64::from(count.max(1));
        let low_octave = first.ilog2();
        Zipf { first, last, low_octave, octaves: u64::from(last.ilog2() - low_octave + 1) }
    }

    /// One value.
    pub fn draw(&self, chance: &mut Chance) -> u32 {
        loop {
            let bits = chance.bits();
            // The high half chooses the octave, the low half the place in it; an octave is at most 2^32 wide.
            let octave = self.low_octave + (((bits >> 32) * self.octaves) >> 32) as u32;
            let width = 1u64 << octave;
            let rank = width | (bits & (width - 1));
            if rank >= self.first && rank <= self.last && scale(chance.bits(), rank) < width {
                // Below `count`, a u32.
                return (rank - self.first) as u32;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws often and compares every value's share with its weight, within five standard deviations.
    fn check(count: u32, shift: u32) {
        const DRAWS: u32 = 200_000;
        let (law, mut chance) = (Zipf::new(count, shift), Chance::new(11));
        let mut seen = vec![0u32; count as usize];
        for _ in 0..DRAWS {
            seen[law.draw(&mut chance) as usize] += 1;
        }
        let weight = |value: usize| 1.0 / (value as f64 + 1.0 + f64::from(shift));
        let total: f64 = (0..count as usize).map(weight).sum();
        for (value, &times) in seen.iter().enumerate() {
            let expected = f64::from(DRAWS) * weight(value) / total;
            let distance = (f64::from(times) - expected).abs();
            assert!(distance <= 5.0 * expected.sqrt(), "{count}/{shift}: {value} came {times}, expected {expected}");
        }
    }

    #[test]
    fn shares_follow_the_law() {
        for (count, shift) in [(1, 0), (2, 0), (7, 0), (8, 0), (1000, 0), (100, 10), (1000, 333), (1, 5)] {
            check(count, shift);
        }
    }

    #[test]
    fn ten_million_values_need_no_preparation() {
        let (law, mut chance) = (Zipf::new(10_000_000, 0), Chance::new(2));
        let drawn: Vec<u32> = (0..10_000).map(|_| law.draw(&mut chance)).collect();
        assert!(drawn.contains(&0) && drawn.iter().any(|&v| v > 5_000_000));
        assert!(drawn.iter().all(|&v| v < 10_000_000));
    }
}

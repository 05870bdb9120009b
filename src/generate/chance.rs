//! Chance that is the same for ever: one generator with a documented stream, one hash, and curves made of plain
//! arithmetic. The platform's `exp` or `ln` would differ in the last bit between machines, so none is called.

use rand_pcg::Pcg64Mcg;
use rand_pcg::rand_core::RngCore;

/// A seeded source of random numbers; the same seed gives the same numbers on every machine and in every version.
#[derive(Debug, Clone)]
pub struct Chance {
    source: Pcg64Mcg,
}

impl Chance {
    /// A source for this seed.
    pub fn new(seed: u64) -> Self {
        let state = (u128::from(mix(seed, 1)) << 64) | u128::from(mix(seed, 2));
        Chance { source: Pcg64Mcg::new(state) }
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.source.next_u64()
    }

    /// A number in `[0, limit)`; 0 where `limit` is 0. The bias is below `limit / 2^64`.
    pub fn below(&mut self, limit: u64) -> u64 {
        scale(self.bits(), limit)
    }

    /// A number in the closed range.
    pub fn between(&mut self, range: (u32, u32)) -> u32 {
        let width = u64::from(range.1.saturating_sub(range.0)) + 1;
        // Below 2^32, since it is at most the width of a u32 range minus one.
        range.0 + self.below(width) as u32
    }

    /// A number in `[0, 1)` with 53 random bits.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Maps 64 random bits to `[0, limit)` without a division.
pub fn scale(bits: u64, limit: u64) -> u64 {
    ((u128::from(bits) * u128::from(limit)) >> 64) as u64
}

/// A well-mixed hash of two numbers: attributes are derived with it instead of being stored.
pub fn mix(seed: u64, value: u64) -> u64 {
    let mut x = seed ^ value.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A log-normal factor around 1, by table: amounts differ by factors, not by sums.
#[derive(Debug, Clone)]
pub struct Spread {
    factors: Vec<f64>,
}

impl Spread {
    /// Steps of the table; the sum of four 16-bit numbers falls on 4096 of them, 64 apart.
    const STEPS: u32 = 4096;

    /// Factors `exp(sigma * z)`, where `z` is nearly normal and at most 3.5 deviations from 0.
    pub fn new(sigma: f64) -> Self {
        // A uniform 16-bit number has the variance 65536^2 / 12; four of them have the mean 2 * 65535.
        let deviation = 65536.0 / 3.0_f64.sqrt();
        let factor = |step: u32| exp(sigma * (f64::from(step) * 64.0 - 131_070.0) / deviation);
        Spread { factors: (0..=Self::STEPS).map(factor).collect() }
    }

    /// The factor drawn by 64 random bits.
    pub fn factor(&self, bits: u64) -> f64 {
        let sum = (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
        let (step, rest) = ((sum / 64) as usize, (sum % 64) as f64 / 64.0);
        self.factors[step] + (self.factors[step + 1] - self.factors[step]) * rest
    }
}

/// `e^x` for small `x` from additions and multiplications only, so that every machine gets the same bits.
fn exp(x: f64) -> f64 {
    const HALVINGS: i32 = 8;
    let small = x / f64::from(1 << HALVINGS);
    let series = (1..=8).rev().fold(1.0, |sum, n| 1.0 + small * sum / f64::from(n));
    (0..HALVINGS).fold(series, |power, _| power * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut chance = Chance::new(7);
        let drawn: Vec<u64> = (0..3).map(|_| chance.bits()).collect();
        assert_eq!(drawn, [9_687_233_242_971_516_874, 12_232_896_316_821_096_692, 7_344_515_478_109_755_998]);
    }

    #[test]
    fn ranges_are_closed_and_fully_used() {
        let mut chance = Chance::new(1);
        let mut seen = [0u32; 5];
        for _ in 0..1000 {
            seen[chance.between((3, 7)) as usize - 3] += 1;
        }
        assert!(seen.iter().all(|&n| n > 150), "{seen:?}");
        assert_eq!((chance.below(0), chance.below(1), chance.between((9, 9))), (0, 0, 9));
        assert!((0..1000).all(|_| (0.0..1.0).contains(&chance.unit())));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the platform's own is what it is compared with")]
    fn exp_is_close_to_the_platforms() {
        for x in [-4.0, -1.0, 0.0, 0.5, 3.8] {
            assert!((exp(x) / f64::exp(x) - 1.0).abs() < 1e-12, "exp({x}) = {}", exp(x));
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the tolerance is far wider than any platform's error")]
    fn the_spread_is_log_normal() {
        let (spread, mut chance) = (Spread::new(0.8), Chance::new(3));
        let logs: Vec<f64> = (0..20_000).map(|_| spread.factor(chance.bits()).ln() / 0.8).collect();
        let mean = logs.iter().sum::<f64>() / logs.len() as f64;
        let variance = logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / logs.len() as f64;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.03, "mean {mean}, variance {variance}");
        assert!(spread.factor(0) > 0.0 && spread.factor(u64::MAX) < 17.0);
    }
}

//! Integers of 256 and 512 bits: just what exact sums of squares and their comparison need.

use std::cmp::Ordering;

/// An unsigned 256-bit integer: `high * 2^128 + low`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct U256 {
    /// Upper 128 bits.
    pub high: u128,
    /// Lower 128 bits.
    pub low: u128,
}

impl From<u128> for U256 {
    fn from(low: u128) -> U256 {
        U256 { high: 0, low }
    }
}

impl U256 {
    /// The sum modulo 2^256.
    #[inline]
    pub fn wrapping_add(self, other: U256) -> U256 {
        let (low, carry) = self.low.overflowing_add(other.low);
        U256 { high: self.high.wrapping_add(other.high).wrapping_add(u128::from(carry)), low }
    }

    /// The sum, or `None` beyond 256 bits.
    pub fn checked_add(self, other: U256) -> Option<U256> {
        let sum = self.wrapping_add(other);
        (sum >= self).then_some(sum)
    }

    /// The difference, or `None` below zero.
    pub fn checked_sub(self, other: U256) -> Option<U256> {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        let high = self.high.checked_sub(other.high)?.checked_sub(u128::from(borrow))?;
        Some(U256 { high, low })
    }

    /// The product, or `None` beyond 256 bits.
    pub fn checked_mul(self, factor: u128) -> Option<U256> {
        let upper = U256::product(self.high, factor);
        if upper.high > 0 {
            return None;
        }
        U256 { high: upper.low, low: 0 }.checked_add(U256::product(self.low, factor))
    }

    /// The whole product of two 128-bit integers.
    pub fn product(left: u128, right: u128) -> U256 {
        let halves = |number: u128| (number >> 64, number & u128::from(u64::MAX));
        let ((left_high, left_low), (right_high, right_low)) = (halves(left), halves(right));
        let (cross, other) = (left_high * right_low, left_low * right_high);
        U256 { high: left_high * right_high, low: left_low * right_low }
            .wrapping_add(U256 { high: cross >> 64, low: cross << 64 })
            .wrapping_add(U256 { high: other >> 64, low: other << 64 })
    }

    /// The product with a factor, in 512 bits.
    pub(super) fn times(self, factor: u128) -> Wide {
        let (low, high) = (U256::product(self.low, factor), U256::product(self.high, factor));
        let middle = U256 { high: high.high, low: high.low }.wrapping_add(U256::from(low.high));
        Wide([low.low, middle.low, middle.high, 0])
    }

    /// A double within a few steps of it.
    pub(super) fn to_f64(self) -> f64 {
        self.high as f64 * 2f64.powi(128) + self.low as f64
    }
}

/// An unsigned 512-bit integer, the lowest 128 bits first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wide([u128; 4]);

impl From<U256> for Wide {
    fn from(number: U256) -> Wide {
        Wide([number.low, number.high, 0, 0])
    }
}

impl Ord for Wide {
    fn cmp(&self, other: &Wide) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl PartialOrd for Wide {
    fn partial_cmp(&self, other: &Wide) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Wide {
    /// Times `2^shift`; bits beyond 512 are lost.
    pub fn shifted(self, shift: u32) -> Wide {
        let (words, bits) = ((shift / 128) as usize, shift % 128);
        let mut shifted = [0; 4];
        for (from, word) in shifted.iter_mut().skip(words).enumerate() {
            let carried = if bits > 0 && from > 0 { self.0[from - 1] >> (128 - bits) } else { 0 };
            *word = self.0[from] << bits | carried;
        }
        Wide(shifted)
    }
}

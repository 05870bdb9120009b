//! Exact statistics with one rounding at the end.

/// An unsigned 256-bit integer: `high * 2^128 + low`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct U256 {
    /// Upper 128 bits.
    pub high: u128,
    /// Lower 128 bits.
    pub low: u128,
}

impl U256 {
    /// The sum, or `None` beyond 256 bits.
    pub fn checked_add(self, other: U256) -> Option<U256> {
        let (low, carry) = self.low.overflowing_add(other.low);
        let high = self.high.checked_add(other.high)?.checked_add(u128::from(carry))?;
        Some(U256 { high, low })
    }
}

//! Currencies and conversion rates.

/// A currency as ISO 4217 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Currency {
    /// Three upper-case letters.
    pub code: [u8; 3],
    /// Digits of the minor unit.
    pub exponent: u32,
}

/// Units of the rule set's currency per unit of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Exact decimal: mantissa.
    pub mantissa: i64,
    /// Digits after the point.
    pub scale: u32,
}

//! Short decimals such as `12.50` or `104.0487`, read eight bytes at once.
//!
//! Amounts and coordinates are the numbers that nearly every event has, and nearly all fit one word.

/// The digits of `[0-9]+(\.[0-9]+)?` as one integer, and how many of them stand where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// All digits without the point.
    pub mantissa: u64,
    /// How many stand before the point, from 1.
    pub whole: u32,
    /// How many stand behind the point.
    pub fraction: u32,
}

impl Decimal {
    /// How many bytes it takes.
    #[inline(always)]
    pub fn length(self) -> usize {
        (self.whole + self.fraction + u32::from(self.fraction > 0)) as usize
    }
}

const ONES: u64 = u64::from_le_bytes([1; 8]);

/// Reads a decimal of at most eight bytes; `None` for longer ones and for what is none.
#[inline(always)]
pub fn short_decimal(text: &[u8]) -> Option<Decimal> {
    leading_decimal(padded(text)?).filter(|decimal| decimal.length() == text.len())
}

/// Reads the longest decimal that the eight bytes of a word start with, the first byte lowest; it may go on behind
/// them. `None` if there is none, or a point without digits behind it.
#[inline(always)]
pub fn leading_decimal(word: u64) -> Option<Decimal> {
    let digits = word ^ (ONES * u64::from(b'0'));
    // Adding 0x76 carries into the high bit from 10 on; bytes beyond ASCII have it already.
    let others = (((digits & (ONES * 0x7f)) + ONES * 0x76) | digits) & (ONES * 0x80);
    let whole = others.trailing_zeros() / 8;
    if whole == 0 {
        return None;
    }
    let is_point = whole < 8 && (digits >> (8 * whole)) as u8 == b'.' ^ b'0';
    if !is_point {
        return Some(Decimal { mantissa: value(digits << (64 - 8 * whole)), whole, fraction: 0 });
    }
    let fraction = (others & (others - 1)).trailing_zeros() / 8 - whole - 1;
    if fraction == 0 {
        return None;
    }
    let before = (1 << (8 * whole)) - 1;
    let joined = (digits & before) | (digits >> 8 & !before);
    Some(Decimal { mantissa: value(joined << (64 - 8 * (whole + fraction))), whole, fraction })
}

/// One to eight bytes as a word, the first lowest, padded with zeros.
#[inline(always)]
fn padded(text: &[u8]) -> Option<u64> {
    let half = |chunk: &[u8; 4]| u64::from(u32::from_le_bytes(*chunk));
    match text.len() {
        // Two halves, which overlap.
        4..=8 => Some(half(text.first_chunk()?) | half(text.last_chunk()?) << (8 * (text.len() - 4))),
        1..4 => Some(text.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))),
        _ => None,
    }
}

/// The number that eight digits make, the first lowest.
#[inline(always)]
fn value(digits: u64) -> u64 {
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    (fours * 10_000 + (fours >> 32)) & 0xffff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(4000))]

        #[test]
        fn short_decimals_are_read_digit_by_digit(text in "[0-9]{0,7}[.]?[0-9]{0,7}[-+./:e0é]?") {
            let parts: Vec<&str> = text.split('.').collect();
            let valid = parts.len() <= 2 && parts.iter().all(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
            let expected = (valid && text.len() <= 8).then(|| Decimal {
                mantissa: parts.concat().parse().expect("digits"),
                whole: parts[0].len() as u32,
                fraction: parts.get(1).map_or(0, |part| part.len() as u32),
            });
            proptest::prop_assert_eq!(short_decimal(text.as_bytes()), expected, "{}", text);
        }
    }
}

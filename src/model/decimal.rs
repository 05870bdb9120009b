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

const ONES: u64 = u64::from_le_bytes([1; 8]);

/// Reads a decimal of at most eight bytes; `None` for longer ones and for what is none.
#[inline(always)]
pub fn short_decimal(text: &[u8]) -> Option<Decimal> {
    let len = text.len() as u32;
    let digits = padded(text)? ^ (ONES * u64::from(b'0'));
    let used = u64::MAX >> (64 - 8 * len);
    // Adding 0x76 carries into the high bit from 10 on; bytes beyond ASCII have it already.
    let others = (((digits & (ONES * 0x7f)) + ONES * 0x76) | digits) & (ONES * 0x80) & used;
    if others == 0 {
        return Some(Decimal { mantissa: value(digits << (64 - 8 * len)), whole: len, fraction: 0 });
    }
    let whole = others.trailing_zeros() / 8;
    let is_point = (digits >> (8 * whole)) as u8 == b'.' ^ b'0';
    let alone = others & (others - 1) == 0;
    if !is_point || !alone || whole == 0 || whole + 1 == len {
        return None;
    }
    let before = (1 << (8 * whole)) - 1;
    let joined = (digits & before) | (digits >> 8 & !before);
    Some(Decimal { mantissa: value(joined << (64 - 8 * (len - 1))), whole, fraction: len - 1 - whole })
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

//! How long a lock lasts at its level of escalation.

use super::lockbook::Chain;
use crate::ruleset::types::Backoff;

/// How long after its end a lock still counts towards the next level, ms.
pub fn memory(backoff: &Backoff) -> i64 {
    backoff.forget
}

/// The level of a lock that starts at `time`, after what the chain holds.
pub fn next_level(chain: Option<&Chain>, backoff: Option<&Backoff>, time: i64) -> u32 {
    let (Some(chain), Some(backoff)) = (chain, backoff) else { return 0 };
    match chain.locks.last() {
        Some(newest) if !chain.relaxed => match newest.end {
            Some(end) if end <= time && time.saturating_sub(end) <= backoff.forget => newest.level.saturating_add(1),
            _ => 0,
        },
        _ => 0,
    }
}

/// The duration in ms at a level; `None` is without end. `base` is the rule's `for`, positive.
pub fn duration(base: i64, backoff: Option<&Backoff>, level: u32) -> Option<i64> {
    let Some(backoff) = backoff else { return Some(base) };
    if backoff.until_unlocked_from.is_some_and(|from| level >= from) {
        return None;
    }
    let cap = |duration: i64| backoff.max.map_or(duration, |max| duration.min(max));
    let mut length = cap(base);
    for _ in 0..level {
        let next = cap(multiply(length, backoff.factor));
        if next == length {
            break;
        }
        length = next;
    }
    Some(length)
}

/// `duration * mantissa / 10^scale`, rounded down; saturates.
fn multiply(duration: i64, (mantissa, scale): (i64, u32)) -> i64 {
    let product = i128::from(duration) * i128::from(mantissa);
    let divisor = 10_i128.checked_pow(scale).unwrap_or(i128::MAX);
    i64::try_from(product.div_euclid(divisor)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(factor: (i64, u32), max: Option<i64>, from: Option<u32>, level: u32, expected: Option<i64>) {
        let backoff = Backoff { factor, max, forget: 0, until_unlocked_from: from, reset: None };
        assert_eq!(duration(1001, Some(&backoff), level), expected, "{factor:?} {max:?} {from:?} level {level}");
    }

    #[test]
    fn each_level_multiplies_rounds_down_and_caps() {
        check((2, 0), None, None, 0, Some(1001));
        check((2, 0), None, None, 3, Some(8008));
        check((15, 1), None, None, 1, Some(1501));
        check((15, 1), None, None, 2, Some(2251));
        check((2, 0), Some(3000), None, 2, Some(3000));
        check((2, 0), Some(500), None, 0, Some(500));
        check((2, 0), None, Some(2), 2, None);
        check((2, 0), None, None, u32::MAX, Some(i64::MAX));
        assert_eq!(duration(7, None, 5), Some(7));
    }
}

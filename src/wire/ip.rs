//! IP addresses: text to one 128-bit number, v4 as v4-mapped v6, so that both forms of an address are equal.

use std::net::IpAddr;

/// The v4-mapped part of v6.
const V4_MAPPED: u128 = 0xffff_0000_0000;

/// Reads an IPv4 or IPv6 address; no zone id, no port, no leading zeros in v4.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<u128> {
    let text = std::str::from_utf8(text).ok()?;
    match text.parse() {
        Ok(IpAddr::V4(address)) => Some(mapped(address.to_bits())),
        Ok(IpAddr::V6(address)) => Some(address.to_bits()),
        Err(_) => None,
    }
}

/// The number of a v4 address.
#[inline(always)]
pub(super) fn mapped(v4: u32) -> u128 {
    V4_MAPPED | u128::from(v4)
}

/// The v4 address at the start of a text, and its length.
#[inline(always)]
pub(super) fn leading_v4(text: &[u8; V4]) -> Option<(u32, usize)> {
    let (first, at) = octet(text, 0)?;
    let (second, at) = octet(text, point(text, at)?)?;
    let (third, at) = octet(text, point(text, at)?)?;
    let (fourth, at) = octet(text, point(text, at)?)?;
    Some((first << 24 | second << 16 | third << 8 | fourth, at))
}

/// The longest v4 address and one byte behind it.
pub(super) const V4: usize = 16;

#[inline(always)]
fn point(text: &[u8; V4], at: usize) -> Option<usize> {
    (text.get(at) == Some(&b'.')).then_some(at + 1)
}

/// The number up to 255 at `at`, of up to three digits and without leading zeros, and the position after it.
#[inline(always)]
fn octet(text: &[u8; V4], at: usize) -> Option<(u32, usize)> {
    let word = u32::from_le_bytes(*text.get(at..at + 4)?.first_chunk::<4>()?);
    let digits = word ^ u32::from_le_bytes([b'0'; 4]);
    // Adding 0x76 carries into the high bit from 10 on; bytes beyond ASCII have it already.
    let others = (((digits & 0x7f7f_7f7f) + 0x7676_7676) | digits) & 0x8080_8080;
    let len = others.trailing_zeros() / 8;
    if len == 0 || len > 3 {
        return None;
    }
    // The last digit becomes the highest byte; before the first there are zeros.
    let aligned = digits << (32 - 8 * len);
    let value = (aligned >> 24) + (aligned >> 16 & 0xff) * 10 + (aligned >> 8 & 0xff) * 100;
    let leading_zero = len > 1 && digits & 0xff == 0;
    (value <= 255 && !leading_zero).then_some((value, at + len as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_address_are_equal() {
        let cases = [
            ("1.2.3.4", Some(0xffff_0102_0304)),
            ("::ffff:1.2.3.4", Some(0xffff_0102_0304)),
            ("::FFFF:102:304", Some(0xffff_0102_0304)),
            ("::1", Some(1)),
            ("2001:db8::1", Some(0x2001_0db8 << 96 | 1)),
            ("2001:DB8:0:0:0:0:0:1", Some(0x2001_0db8 << 96 | 1)),
            ("0.0.0.0", Some(0xffff_0000_0000)),
            ("::", Some(0)),
            ("fe80::1%eth0", None),
            ("[::1]", None),
            ("1.2.3.4:80", None),
            ("01.2.3.4", None),
            ("1.2.3", None),
            ("1.2.3.256", None),
            ("1.2.3.4 ", None),
            ("1.2.3.٤", None),
            ("localhost", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text.as_bytes()), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn v4_reads_as_the_standard_library_reads_it(text in "([0-9]{1,3}[.]){3}[0-9]{0,3}[.x]?", next in "[,:é\"].{4}") {
            let known: Option<std::net::Ipv4Addr> = text.parse().ok();
            let behind = format!("{text}{next}{}", "0".repeat(V4));
            let window = behind.as_bytes().first_chunk().expect("sixteen bytes");
            let found = leading_v4(window).filter(|&(_, end)| end == text.len());
            proptest::prop_assert_eq!(found.map(|(address, _)| address), known.map(u32::from), "{}", text);
        }
    }
}

//! IP addresses: text to one 128-bit number, v4 as v4-mapped v6, so that both forms of an address are equal.

use std::net::Ipv6Addr;

/// The v4-mapped part of v6.
const V4_MAPPED: u128 = 0xffff_0000_0000;

/// Reads an IPv4 or IPv6 address; no zone id, no port, no leading zeros in v4.
#[inline]
pub(super) fn parse(text: &[u8]) -> Option<u128> {
    match parse_v4(text) {
        Some(address) => Some(V4_MAPPED | u128::from(address)),
        None => std::str::from_utf8(text).ok()?.parse::<Ipv6Addr>().ok().map(u128::from),
    }
}

/// Four numbers up to 255 with points between them.
#[inline]
fn parse_v4(text: &[u8]) -> Option<u32> {
    let (first, rest) = octet(text)?;
    let (second, rest) = octet(rest.strip_prefix(b".")?)?;
    let (third, rest) = octet(rest.strip_prefix(b".")?)?;
    let (fourth, rest) = octet(rest.strip_prefix(b".")?)?;
    rest.is_empty().then_some(first << 24 | second << 16 | third << 8 | fourth)
}

/// The number of up to three digits that `text` starts with, and what follows them.
#[inline(always)]
fn octet(text: &[u8]) -> Option<(u32, &[u8])> {
    let digit = |at: usize| text.get(at).map(|byte| u32::from(byte.wrapping_sub(b'0'))).filter(|&digit| digit <= 9);
    let first = digit(0)?;
    let (value, len) = match (digit(1), digit(2)) {
        (None, _) => (first, 1),
        (Some(second), None) => (first * 10 + second, 2),
        (Some(second), Some(third)) => (first * 100 + second * 10 + third, 3),
    };
    let leading_zero = len > 1 && first == 0;
    (value <= 255 && !leading_zero).then_some((value, text.get(len..)?))
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
        fn v4_reads_as_the_standard_library_reads_it(text in "([0-9]{1,3}[.]){3}[0-9]{0,3}[.x]?") {
            let known: Option<std::net::Ipv4Addr> = text.parse().ok();
            proptest::prop_assert_eq!(parse_v4(text.as_bytes()), known.map(u32::from), "{}", text);
        }
    }
}

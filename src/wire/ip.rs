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
    let (mut address, mut part, mut points, mut digits): (u32, u32, u32, u32) = (0, 0, 0, 0);
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            let leading_zero = part == 0 && digits > 0;
            part = part * 10 + u32::from(digit);
            digits += 1;
            if leading_zero || part > 255 {
                return None;
            }
        } else {
            if byte != b'.' || digits == 0 || points == 3 {
                return None;
            }
            address = address << 8 | part;
            (part, digits, points) = (0, 0, points + 1);
        }
    }
    (points == 3 && digits > 0).then_some(address << 8 | part)
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

//! IP addresses: text to one 128-bit number, v4 as v4-mapped v6, so that both forms of an address are equal.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Reads an IPv4 or IPv6 address; no zone id, no port, no leading zeros in v4.
pub(super) fn parse(text: &[u8]) -> Option<u128> {
    let text = std::str::from_utf8(text).ok()?;
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(u128::from);
    }
    let address: Ipv4Addr = text.parse().ok()?;
    Some(u128::from(address.to_ipv6_mapped()))
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
}

//! Named lists for `x in list('name')`: sorted texts, or networks as sorted disjoint address ranges.
//!
//! Both answer by binary search. IPv4 lives in the v4-mapped part of the IPv6 space, as in events, so one set holds
//! both families and an address never has two forms.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The content of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Texts, sorted by bytes, each once.
    Text(Vec<String>),
    /// Networks.
    Cidr(CidrSet),
}

impl List {
    /// A list of texts in any order.
    pub fn of_texts(mut texts: Vec<String>) -> Self {
        texts.sort_unstable();
        texts.dedup();
        List::Text(texts)
    }
}

/// A set of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CidrSet {
    /// First and last address of each range; sorted, disjoint, not adjacent.
    ranges: Vec<(u128, u128)>,
}

impl CidrSet {
    /// The set of the given networks.
    pub fn new(mut ranges: Vec<(u128, u128)>) -> Self {
        ranges.sort_unstable();
        let mut merged: Vec<(u128, u128)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match merged.last_mut() {
                Some(open) if first <= open.1.saturating_add(1) => open.1 = open.1.max(last),
                _ => merged.push((first, last)),
            }
        }
        CidrSet { ranges: merged }
    }

    /// The set of the networks written in `texts`, or what is wrong with each bad one and its index.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, Vec<(usize, String)>> {
        let mut ranges = Vec::new();
        let mut bad = Vec::new();
        for (index, text) in texts.into_iter().enumerate() {
            match parse_network(text) {
                Ok(range) => ranges.push(range),
                Err(message) => bad.push((index, message)),
            }
        }
        if bad.is_empty() { Ok(Self::new(ranges)) } else { Err(bad) }
    }

    /// Whether an address (v4 as v4-mapped v6) is in the set.
    pub fn contains(&self, address: u128) -> bool {
        let after = self.ranges.partition_point(|(first, _)| *first <= address);
        after > 0 && address <= self.ranges[after - 1].1
    }

    /// First and last address of each range, ascending.
    pub fn ranges(&self) -> &[(u128, u128)] {
        &self.ranges
    }
}

/// An address as text, v4 as v4-mapped v6; `None` where it is none or has a zone id.
pub fn parse_address(text: &str) -> Option<u128> {
    Some(match text.parse::<IpAddr>().ok()? {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    })
}

/// The address as v4 where it is v4-mapped.
pub fn as_v4(address: u128) -> Option<Ipv4Addr> {
    Ipv6Addr::from_bits(address).to_ipv4_mapped()
}

/// First and last address of `network/bits`; a bare address is a range of one.
pub fn parse_network(text: &str) -> Result<(u128, u128), String> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (text, None),
    };
    let start = parse_address(address).ok_or_else(|| format!("`{text}` is not an IP network such as 10.0.0.0/8"))?;
    let v4 = address.parse::<Ipv4Addr>().is_ok();
    let most = if v4 { 32 } else { 128 };
    let kept = match bits {
        None => most,
        Some(bits) => parse_bits(bits, most).ok_or_else(|| format!("`{text}` must have 0 to {most} bits after `/`"))?,
    };
    let free = host_mask(most - kept);
    if start & free != 0 {
        return Err(format!("`{text}` has bits set beyond its first {kept}"));
    }
    Ok((start, start | free))
}

/// The lowest `bits` bits set.
pub fn host_mask(bits: u32) -> u128 {
    if bits >= 128 { u128::MAX } else { (1 << bits) - 1 }
}

fn parse_bits(text: &str, most: u32) -> Option<u32> {
    let plain = !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|bits| plain && *bits <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(networks: &[&str], address: &str, expected: bool) {
        let set = CidrSet::parse(networks.iter().copied()).expect("networks");
        assert_eq!(set.contains(parse_address(address).expect("address")), expected, "{address} in {networks:?}");
    }

    #[test]
    fn membership() {
        check(&["10.0.0.0/8"], "10.255.255.255", true);
        check(&["10.0.0.0/8"], "11.0.0.0", false);
        check(&["10.0.0.0/8"], "::ffff:10.1.2.3", true);
        check(&["::ffff:10.0.0.0/104"], "10.1.2.3", true);
        check(&["10.0.0.1"], "10.0.0.1", true);
        check(&["10.0.0.1"], "10.0.0.2", false);
        check(&["2001:db8::/32"], "2001:db8:ffff::1", true);
        check(&["2001:db8::/32"], "2001:db9::", false);
        check(&["0.0.0.0/0"], "255.255.255.255", true);
        check(&["0.0.0.0/0"], "::1", false);
        check(&["::/0"], "10.0.0.1", true);
        check(&[], "10.0.0.1", false);
    }

    #[test]
    fn overlapping_and_adjacent_networks_merge() {
        let set = CidrSet::parse(["10.0.0.128/25", "10.0.0.0/25", "10.0.0.0/30", "::/1", "8000::/1"]).expect("set");
        assert_eq!(set.ranges(), [(0, u128::MAX)]);
        assert_eq!(CidrSet::parse(["10.0.0.128/25", "10.0.0.0/25"]), CidrSet::parse(["10.0.0.0/24"]));
    }

    #[test]
    fn bad_networks_are_told() {
        for text in ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0.1/8", "fe80::1%eth0", "host", "::/129"] {
            let bad = CidrSet::parse(["10.0.0.0/8", text]).expect_err(text);
            assert_eq!(bad.len(), 1, "{text}");
            assert_eq!(bad[0].0, 1, "{text}");
        }
    }

    #[test]
    fn texts_are_sorted_once() {
        let list = List::of_texts(vec!["b".into(), "a".into(), "b".into()]);
        assert_eq!(list, List::Text(vec!["a".into(), "b".into()]));
    }
}

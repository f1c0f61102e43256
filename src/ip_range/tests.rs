use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::Ipv4Net;
use proptest::prelude::*;
use rstest::rstest;

use super::{IpRange, parse_list};

fn range(text: &str) -> IpRange {
    text.parse().unwrap()
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[rstest]
#[case("192.0.2.10", "192.0.2.10")]
#[case(" 192.0.2.10/32 ", "192.0.2.10")]
#[case("10.0.0.0/8", "10.0.0.0/8")]
#[case("0.0.0.0/0", "0.0.0.0/0")]
#[case("2001:DB8:0::/32", "2001:db8::/32")]
#[case("2001:db8::1/128", "2001:db8::1")]
#[case("::/0", "::/0")]
#[case("::ffff:192.0.2.10", "192.0.2.10")]
#[case("::ffff:10.0.0.0/104", "10.0.0.0/8")]
#[case("::ffff:0:0/96", "0.0.0.0/0")]
fn ranges_are_written_in_one_way(#[case] typed: &str, #[case] stored: &str) {
    assert_eq!(range(typed).to_string(), stored);
    assert_eq!(range(stored), range(typed));
}

#[test]
fn a_refusal_says_what_to_write() {
    let said: String = [
        "",
        "10.0.0",
        "example.com",
        "192.0.2.10:80",
        "[::1]",
        "fe80::1%eth0",
        "010.0.0.1",
        "10.0.0.0/33",
        "10.0.0.0/",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0/8/8",
        "::/129",
        "10.0.0.5/8",
        "2001:db8::1/32",
        "::ffff:10.0.0.5/104",
        "::ffff:0:0/90",
    ]
    .into_iter()
    .map(|typed| format!("{typed}: {}\n", IpRange::parse(typed).unwrap_err()))
    .collect();
    insta::assert_snapshot!(said);
}

#[rstest]
#[case("10.0.0.0/8", "10.255.255.255", "11.0.0.0")]
#[case("192.0.2.128/25", "192.0.2.128", "192.0.2.127")]
#[case("192.0.2.10", "192.0.2.10", "192.0.2.11")]
#[case("0.0.0.0/0", "255.255.255.255", "::1")]
#[case("::/0", "2001:db8::1", "192.0.2.10")]
#[case("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::")]
#[case("10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3")]
#[case("::/0", "::1", "::ffff:10.1.2.3")]
// The older, deprecated embedding (RFC 4291, 2.5.5.1) is not the mapped one.
#[case("::/96", "::10.1.2.3", "10.1.2.3")]
fn addresses_are_in_or_out_by_their_first_bits(
    #[case] of: &str,
    #[case] inside: &str,
    #[case] outside: &str,
) {
    assert!(range(of).contains(ip(inside)), "{inside}");
    assert!(!range(of).contains(ip(outside)), "{outside}");
}

#[test]
fn a_list_keeps_what_is_good_and_names_what_is_not() {
    let list = parse_list("10.0.0.0/8, 10.0.0.0/8\n\n nonsense ,::1\r\n10.0.0.1/8");
    assert_eq!(list.items, [range("10.0.0.0/8"), range("::1")]);
    let refused: Vec<&str> = list.invalid.iter().map(|one| one.item.as_str()).collect();
    assert_eq!(refused, ["nonsense", "10.0.0.1/8"]);
}

#[test]
fn a_range_travels_as_text() {
    let json = serde_json::to_string(&range("10.0.0.0/8")).unwrap();
    assert_eq!(json, r#""10.0.0.0/8""#);
    assert_eq!(
        serde_json::from_str::<IpRange>(&json).unwrap(),
        range("10.0.0.0/8")
    );
    assert!(serde_json::from_str::<IpRange>(r#""10.0.0.1/8""#).is_err());
}

/// The first `prefix` bits of an address as text, computed without arithmetic.
fn leading_bits(address: IpAddr, prefix: usize) -> String {
    let bits = match address.to_canonical() {
        IpAddr::V4(address) => format!("4:{:032b}", address.to_bits()),
        IpAddr::V6(address) => format!("6:{:0128b}", address.to_bits()),
    };
    bits[..2 + prefix].to_owned()
}

fn check(first: IpAddr, prefix: u8, address: IpAddr) -> Result<(), TestCaseError> {
    let of = match IpRange::parse(&format!("{first}/{prefix}")) {
        Ok(range) => range,
        Err(super::IpRangeError::HostBits { range, .. }) => range,
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    prop_assert_eq!(IpRange::parse(&of.to_string()), Ok(of));
    let shared = of.0.addr().is_ipv4() == address.to_canonical().is_ipv4()
        && leading_bits(first, of.0.prefix_len().into())
            == leading_bits(address, of.0.prefix_len().into());
    prop_assert_eq!(of.contains(address), shared);
    Ok(())
}

#[test]
fn private_networks_restrict_a_key_and_all_public_ones_do_not() {
    for (text, expected) in [
        (
            "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10, 203.0.113.0/24, 2001:db8::/32, fd12:3456:789a::/48",
            true,
        ),
        ("0.0.0.0/2, 64.0.0.0/2, 128.0.0.0/2, 192.0.0.0/2", false),
        ("0.0.0.0/0", false),
        ("::ffff:0:0/96", false),
        ("2000::/3", false),
        ("2001::/16, 2002:1::/32", false),
        ("2001::/16, 2001:db8::/32", true),
        ("::/0", false),
        ("192.0.2.10, ::/1", false),
        ("192.0.2.10", true),
        ("", false),
    ] {
        let ranges = super::parse_list(text).items;
        assert_eq!(IpRange::restrict(&ranges), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn an_ipv4_range_holds_what_shares_its_bits(first: u32, prefix in 0u8..=32, noise: u32, keep in 0u32..=32) {
        // Use addresses close to the first one: random addresses would hardly ever be in the range.
        let address = first ^ noise.checked_shr(keep).unwrap_or(0);
        check(Ipv4Addr::from_bits(first).into(), prefix, Ipv4Addr::from_bits(address).into())?;
    }

    #[test]
    fn an_ipv6_range_holds_what_shares_its_bits(first: u128, prefix in 0u8..=128, noise: u128, keep in 0u32..=128) {
        let address = first ^ noise.checked_shr(keep).unwrap_or(0);
        check(Ipv6Addr::from_bits(first).into(), prefix, Ipv6Addr::from_bits(address).into())?;
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address(first: u32, prefix in 0u8..=32, address: u32) {
        let of = masked_range(first, prefix);
        let v4 = Ipv4Addr::from_bits(address);
        prop_assert_eq!(of.contains(v4.into()), of.contains(v4.to_ipv6_mapped().into()));
    }

    #[test]
    fn ranges_that_have_most_addresses_restrict_nothing_however_they_are_split(
        bits in 0u8..=7, split in 0u8..=7, own in any::<u32>(), base: u32,
    ) {
        // A network of at least a /7 and at most all addresses, in up to 128 parts of the same size.
        let (prefix, part) = (7 - bits, 7 - bits + split);
        let whole = masked_range(base, prefix);
        let size = 1_u64 << (32 - u32::from(part));
        let first = u64::from(match whole.0.addr() { IpAddr::V4(address) => address.to_bits(), IpAddr::V6(_) => 0 });
        let mut parts: Vec<IpRange> = (0..1_u64 << split)
            .map(|number| masked_range((first + number * size) as u32, part))
            .collect();
        // A /7 has 2^25 addresses, which is the most.
        prop_assert_eq!(IpRange::restrict(&parts), prefix == 7);
        parts.push(masked_range(own, 32));
        let outside = !whole.contains(Ipv4Addr::from_bits(own).into());
        prop_assert_eq!(IpRange::restrict(&parts), prefix == 7 && !outside);
    }

    #[test]
    fn a_range_more_never_restricts_more(ranges in prop::collection::vec((any::<u32>(), 0u8..=32), 1..20)) {
        let ranges: Vec<IpRange> = ranges.into_iter().map(|(base, prefix)| masked_range(base, prefix)).collect();
        for count in 2..=ranges.len() {
            prop_assert!(IpRange::restrict(&ranges[..count - 1]) || !IpRange::restrict(&ranges[..count]));
        }
    }

    #[test]
    fn no_text_makes_a_panic(text in "[0-9a-f:./%\\[\\] ]{0,60}|\\PC{0,60}") {
        if let Ok(range) = IpRange::parse(&text) {
            prop_assert_eq!(IpRange::parse(&range.to_string()), Ok(range));
        }
    }
}

fn masked_range(first: u32, prefix: u8) -> IpRange {
    let network = Ipv4Net::new(Ipv4Addr::from_bits(first), prefix).unwrap();
    range(&network.trunc().to_string())
}

#[test]
fn the_first_address_is_one_of_a_device() {
    for (range, first) in [
        ("10.0.0.0/8", "10.0.0.1"),
        ("192.0.2.8/31", "192.0.2.8"),
        ("192.0.2.10", "192.0.2.10"),
        ("0.0.0.0/0", "0.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
    ] {
        let address = IpRange::parse(range).unwrap().first_address();
        assert_eq!(address.to_string(), first, "{range}");
    }
    let range = IpRange::parse("2001:db8::/32").unwrap();
    assert!(range.contains(range.first_address()));
}

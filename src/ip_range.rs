//! IP ranges: the addresses from which a key works. The browser and the server parse them with the same code.

mod list;
#[cfg(test)]
#[cfg(feature = "native")]
mod tests;

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Serialize};

pub use self::list::{MAX_RANGES, TOO_MANY_RANGES, parse_list};
use crate::clip::clip;

/// A single address or a CIDR range (RFC 4632 and RFC 4291): `192.0.2.10`, `10.0.0.0/8`, `2001:db8::/32`.
///
/// `Display` writes the stored form, in which a range of a single address has no prefix length. IPv4-mapped IPv6
/// addresses (`::ffff:192.0.2.10`) are treated as IPv4 addresses, both in ranges and in [`IpRange::contains`], so that
/// the socket type through which a client connects does not matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange(IpNet);

/// The most IPv4 addresses in ranges that restrict a key: 1/128 of all. The largest networks are a /8, and all private ones
/// (RFC 1918 and RFC 6598) together with many of one's own are fewer.
pub const MOST_IPV4: u128 = 1 << 25;
/// The most IPv6 addresses in ranges that restrict a key: a /16. Organizations have a /32 or less, and private networks a /48
/// (RFC 4193).
pub const MOST_IPV6: u128 = 1 << 112;

/// Why a text is not a valid range. The messages say what to enter instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IpRangeError {
    /// The text is empty.
    #[error("Enter an IP address or a range, such as `192.0.2.10` or `10.0.0.0/8`.")]
    Empty,
    /// The text, or the part before the slash, is not an address.
    #[error(
        "`{0}` is not a valid IP address. Enter an address such as `192.0.2.10` or `2001:db8::1`, without a port or \
         host name."
    )]
    Address(String),
    /// The part after the slash is not a valid prefix length.
    #[error(
        "`/{text}` is not a valid range size. Enter the number of leading bits after the slash: 0 to {most}."
    )]
    Prefix {
        /// The text that was entered.
        text: String,
        /// The number of bits in the address.
        most: u8,
    },
    /// The address has bits set beyond the prefix length.
    #[error(
        "`{typed}` is an address inside a range. Enter `{range}` for the range, or `{address}` for the single address."
    )]
    HostBits {
        /// The text that was entered.
        typed: String,
        /// The range that contains the address.
        range: IpRange,
        /// The address alone.
        address: IpAddr,
    },
}

impl IpRange {
    /// Parses a range typed by a user.
    ///
    /// # Errors
    /// If the text is not a valid range. An address with bits beyond the prefix is rejected, not truncated:
    /// `10.0.0.5/8` could mean one address or sixteen million.
    pub fn parse(text: &str) -> Result<Self, IpRangeError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(IpRangeError::Empty);
        }
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let typed: IpAddr = address
            .parse()
            .map_err(|_| IpRangeError::Address(clip(address)))?;
        let single = IpNet::from(typed);
        let network = prefix.map_or(Ok(single), |text| {
            with_prefix(typed, text).ok_or_else(|| IpRangeError::Prefix {
                text: clip(text),
                most: single.max_prefix_len(),
            })
        })?;
        let network = canonical(network);
        let range = Self(network.trunc());
        if range.0 == network {
            Ok(range)
        } else {
            Err(IpRangeError::HostBits {
                typed: clip(text),
                range,
                address: network.addr(),
            })
        }
    }

    /// Whether the address is in the range. IPv6 ranges, including `::/0`, contain no IPv4 addresses.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// The first address in the range that a device can have: `10.0.0.1` in `10.0.0.0/8`.
    pub fn first_address(&self) -> IpAddr {
        self.0.hosts().next().unwrap_or_else(|| self.0.addr())
    }

    /// Whether these ranges restrict a key: there is one, and all of them together have at most [`MOST_IPV4`] and
    /// [`MOST_IPV6`] addresses. Addresses that are in several ranges count once.
    pub fn restrict(ranges: &[Self]) -> bool {
        let networks: Vec<IpNet> = ranges.iter().map(|range| range.0).collect();
        let (mut ipv4, mut ipv6) = (0_u128, 0_u128);
        for network in IpNet::aggregate(&networks) {
            let bits = u32::from(network.max_prefix_len() - network.prefix_len());
            let addresses = 1_u128.checked_shl(bits).unwrap_or(u128::MAX);
            let all = match network {
                IpNet::V4(_) => &mut ipv4,
                IpNet::V6(_) => &mut ipv6,
            };
            *all = all.saturating_add(addresses);
        }
        !ranges.is_empty() && ipv4 <= MOST_IPV4 && ipv6 <= MOST_IPV6
    }

    /// The word that is stored for whether ranges restrict a key.
    #[cfg(feature = "native")]
    pub(crate) const fn word(restrict: bool) -> &'static str {
        if restrict { "yes" } else { "no" }
    }

    /// Whether all addresses of the other range are in this one.
    pub fn covers(&self, other: &Self) -> bool {
        self.0.contains(&other.0)
    }
}

/// The word for the ranges of a key as they are stored, in JSON.
#[cfg(feature = "native")]
pub(crate) fn restricted(stored: &str) -> String {
    let ranges: Vec<IpRange> = serde_json::from_str(stored).unwrap_or_default();
    IpRange::word(IpRange::restrict(&ranges)).to_owned()
}

/// The network with a prefix of `prefix` bits, given in decimal without sign or leading zeros.
fn with_prefix(address: IpAddr, prefix: &str) -> Option<IpNet> {
    let digits = prefix.bytes().all(|byte| byte.is_ascii_digit());
    let is_canonical = digits && (prefix == "0" || !prefix.starts_with('0'));
    let bits = prefix.parse().ok().filter(|_| is_canonical)?;
    IpNet::new(address, bits).ok()
}

/// Converts an IPv4-mapped network to the IPv4 network, dropping the 96 bits of the mapping prefix.
fn canonical(network: IpNet) -> IpNet {
    match (
        network.addr().to_canonical(),
        network.prefix_len().checked_sub(96),
    ) {
        (IpAddr::V4(address), Some(bits)) => Ipv4Net::new(address, bits).map_or(network, IpNet::V4),
        _ => network,
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            self.0.addr().fmt(f)
        } else {
            self.0.fmt(f)
        }
    }
}

impl FromStr for IpRange {
    type Err = IpRangeError;
    fn from_str(text: &str) -> Result<Self, IpRangeError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for IpRange {
    type Error = IpRangeError;
    fn try_from(text: String) -> Result<Self, IpRangeError> {
        Self::parse(&text)
    }
}

impl From<IpRange> for String {
    fn from(range: IpRange) -> Self {
        range.to_string()
    }
}

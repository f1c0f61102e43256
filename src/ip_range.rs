//! IP ranges: the addresses from which a key works. The browser reads them with the same code as the server.

mod list;
#[cfg(test)]
#[cfg(feature = "native")]
mod tests;

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

pub use self::list::{MAX_RANGES, TOO_MANY_RANGES, parse_list};
use crate::clip::clip;

/// One address, or all that share the first bits with it (CIDR, RFC 4632 and RFC 4291): `192.0.2.10`, `10.0.0.0/8`,
/// `2001:db8::/32`.
///
/// Its `Display` is the form in which it is stored; a range of one address has no prefix length there. IPv4-mapped IPv6
/// addresses (`::ffff:192.0.2.10`) are IPv4 addresses here, in ranges as in [`IpRange::contains`], so that it does not
/// matter on what kind of socket a client arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IpRange {
    first: IpAddr,
    /// How many leading bits are shared: at most 32 for IPv4, 128 for IPv6.
    prefix: u8,
}

/// Why a text is not a range, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IpRangeError {
    /// Nothing there.
    #[error("Enter an IP address or a range, such as `192.0.2.10` or `10.0.0.0/8`.")]
    Empty,
    /// What stands before the slash, or alone, is no address.
    #[error(
        "`{0}` is not a valid IP address. Enter an address such as `192.0.2.10` or `2001:db8::1`, without a port or \
         host name."
    )]
    Address(String),
    /// What stands after the slash is no number of bits.
    #[error(
        "`/{text}` is not a valid range size. Enter the number of leading bits after the slash: 0 to {most}."
    )]
    Prefix {
        /// As typed.
        text: String,
        /// How many bits the address has.
        most: u8,
    },
    /// The address has bits set that do not count.
    #[error(
        "`{typed}` is an address inside a range. Enter `{range}` for the range, or `{address}` for the single address."
    )]
    HostBits {
        /// As typed.
        typed: String,
        /// The range that the address is in.
        range: IpRange,
        /// The address alone.
        address: IpAddr,
    },
}

impl IpRange {
    /// Reads what a person typed.
    ///
    /// # Errors
    /// Says what to write instead. An address with bits beyond the prefix is refused rather than cut: `10.0.0.5/8` may
    /// mean one address or sixteen million.
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
        let most = bits(typed);
        let prefix = prefix.map_or(Ok(most), |text| {
            read_prefix(text, most).ok_or_else(|| IpRangeError::Prefix {
                text: clip(text),
                most,
            })
        })?;
        let (address, prefix) = match typed {
            // The first 96 bits of a mapped address say only that it is one.
            IpAddr::V6(_) if prefix >= 96 => {
                let address = typed.to_canonical();
                (address, prefix - (most - bits(address)))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => (typed, prefix),
        };
        let first = masked(address, prefix);
        let range = Self { first, prefix };
        if first == address {
            Ok(range)
        } else {
            Err(IpRangeError::HostBits {
                typed: clip(text),
                range,
                address,
            })
        }
    }

    /// Whether the address is in the range. An IPv4 address is in no IPv6 range, not even `::/0`.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && masked(address, self.prefix) == self.first
    }
}

const fn bits(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

/// The number in decimal, without a sign or a leading zero.
fn read_prefix(text: &str, most: u8) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|prefix| canonical && *prefix <= most)
}

/// The address with all but its first `prefix` bits cleared.
fn masked(address: IpAddr, prefix: u8) -> IpAddr {
    let cleared = u32::from(bits(address).saturating_sub(prefix));
    match address {
        // A shift by all the bits that there are is none to Rust: `checked_shl` gives nothing then.
        IpAddr::V4(address) => {
            let mask = u32::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv4Addr::from_bits(address.to_bits() & mask).into()
        }
        IpAddr::V6(address) => {
            let mask = u128::MAX.checked_shl(cleared).unwrap_or(0);
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

impl fmt::Display for IpRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.prefix == bits(self.first) {
            Ok(())
        } else {
            write!(f, "/{}", self.prefix)
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

//! Schemes, labels and addresses, shared by patterns and origins and parsed as the WHATWG URL standard specifies.

use std::{
    fmt::{self, Write},
    net::{Ipv4Addr, Ipv6Addr},
};

/// The schemes that a page with a widget can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// Parses a scheme, ignoring case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }

    /// The scheme's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that URLs of this scheme omit.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The host of pages on the local machine.
pub const LOCALHOST: &str = "localhost";
/// The maximum length of a DNS name, without the trailing dot of the root.
pub(super) const MAX_NAME_BYTES: usize = 253;
pub(super) const MAX_LABEL_BYTES: usize = 63;

/// Removes the trailing dot of the DNS root.
pub(super) fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether a browser parses the host as an IPv4 address, in any of its notations, or rejects it.
pub(super) fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_hexadecimal =
        hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Parses an IPv4 address in the canonical notation, the only one in which browsers serialize it.
pub(super) fn canonical_ipv4(name: &str) -> Option<Ipv4Addr> {
    name.parse().ok()
}

/// Parses the IPv6 address between the brackets in the canonical notation, the only one in which browsers serialize it.
pub(super) fn canonical_ipv6(text: &str) -> Option<Ipv6Addr> {
    let address = text.parse().ok()?;
    let mut left = Unwritten(text);
    write!(left, "{}", Ipv6Text(address)).ok()?;
    left.0.is_empty().then_some(address)
}

/// An IPv6 address as browsers write it. Unlike Rust, they do not use the dotted notation for mapped addresses.
pub(super) struct Ipv6Text(pub Ipv6Addr);

impl fmt::Display for Ipv6Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.to_ipv4_mapped(), self.0.segments()) {
            (Some(_), [.., high, low]) => write!(f, "::ffff:{high:x}:{low:x}"),
            _ => write!(f, "{}", self.0),
        }
    }
}

/// The rest of an expected text. Compares what is written with it, ignoring case and without copying.
struct Unwritten<'a>(&'a str);

impl Write for Unwritten<'_> {
    fn write_str(&mut self, written: &str) -> fmt::Result {
        match self.0.split_at_checked(written.len()) {
            Some((expected, left)) if expected.eq_ignore_ascii_case(written) => {
                self.0 = left;
                Ok(())
            }
            _ => Err(fmt::Error),
        }
    }
}

/// Parses a port as browsers write it: no sign and no leading zero.
pub(super) fn canonical_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// Whether `name` is a subdomain of `base`: it has more labels, and its last ones equal those of `base`, ignoring case.
pub(super) fn is_subdomain(name: &str, base: &str) -> bool {
    let mut labels = name.rsplit('.');
    let same = base.rsplit('.').all(|expected| {
        labels
            .next()
            .is_some_and(|label| label.eq_ignore_ascii_case(expected))
    });
    same && labels.next().is_some()
}

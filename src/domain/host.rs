//! What patterns and origins have in common: schemes, labels and addresses, as the WHATWG URL standard reads them.

use std::{
    fmt::{self, Write},
    net::{Ipv4Addr, Ipv6Addr},
};

/// The schemes that a page with a widget on it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Scheme {
    /// The scheme of this name, in any case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Http, Self::Https]
            .into_iter()
            .find(|scheme| scheme.as_str().eq_ignore_ascii_case(text))
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    /// The port that its URLs leave out.
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// The host of pages on one's own machine.
pub const LOCALHOST: &str = "localhost";
/// The longest name that DNS carries, without the root's dot.
pub(super) const MAX_NAME_BYTES: usize = 253;
pub(super) const MAX_LABEL_BYTES: usize = 63;

/// Without the dot that stands for DNS's root.
pub(super) fn without_root(name: &str) -> &str {
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether a browser takes the host for an IPv4 address, in one of the notations that there are, or for nothing.
pub(super) fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    let is_hexadecimal =
        hexadecimal.is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    is_hexadecimal || (!last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The address, if it stands in the one notation in which a browser would write it.
pub(super) fn canonical_ipv4(name: &str) -> Option<Ipv4Addr> {
    name.parse().ok()
}

/// The address between the brackets, if it stands in the one notation in which a browser would write it.
pub(super) fn canonical_ipv6(text: &str) -> Option<Ipv6Addr> {
    let address = text.parse().ok()?;
    let mut left = Unwritten(text);
    write!(left, "{}", Ipv6Text(address)).ok()?;
    left.0.is_empty().then_some(address)
}

/// An IPv6 address as browsers write it: unlike Rust, they have no dotted notation for the mapped ones.
pub(super) struct Ipv6Text(pub Ipv6Addr);

impl fmt::Display for Ipv6Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.to_ipv4_mapped(), self.0.segments()) {
            (Some(_), [.., high, low]) => write!(f, "::ffff:{high:x}:{low:x}"),
            _ => write!(f, "{}", self.0),
        }
    }
}

/// What is left of an expected text, which is compared, case aside, without being copied.
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

/// A port as browsers write it: no sign, no leading zero.
pub(super) fn canonical_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = digits && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}

/// Whether `name` is a subdomain of `base`: its last labels are those of `base`, case aside, and it has more.
pub(super) fn is_subdomain(name: &str, base: &str) -> bool {
    let mut labels = name.rsplit('.');
    let same = base.rsplit('.').all(|expected| {
        labels
            .next()
            .is_some_and(|label| label.eq_ignore_ascii_case(expected))
    });
    same && labels.next().is_some()
}

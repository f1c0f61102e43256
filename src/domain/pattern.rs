//! An entry in a list of allowed domains.

mod error;

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

use serde::{Deserialize, Serialize};

pub use self::error::PatternError;
use super::{
    host::{
        Ipv6Text, LOCALHOST, MAX_LABEL_BYTES, MAX_NAME_BYTES, Scheme, canonical_ipv4,
        canonical_port, ends_in_number, is_subdomain, without_root,
    },
    origin::{Origin, OriginHost},
};
use crate::clip::clip;

/// A host, `*.host`, `localhost` or an IP address, with an optional scheme and port.
///
/// `Display` writes the stored form: ASCII, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainPattern {
    host: Host,
    scheme: Option<Scheme>,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Host {
    /// This name, and its subdomains if the convention includes them.
    Name(Box<str>),
    /// Every subdomain of this name, but not the name itself.
    Under(Box<str>),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

fn is_loopback(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

impl DomainPattern {
    /// Parses a pattern typed by a user. The server rejects public suffixes and converts international names to
    /// punycode. The browser has the tables for neither: it accepts public suffixes and leaves international names to
    /// the server.
    #[cfg(feature = "native")]
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        use super::public_suffix::{is_public_suffix, to_ascii};
        fn as_dns_carries(name: &str) -> Result<Cow<'_, str>, PatternError> {
            to_ascii(name).ok_or_else(|| PatternError::international(name))
        }
        let pattern = match Self::read(text, as_dns_carries) {
            // For `com`, report that it is a public suffix, not that it has no dot.
            Err(PatternError::NoDot(name)) if is_public_suffix(&name) => {
                return Err(PatternError::PublicSuffix(name));
            }
            read => read?,
        };
        match &pattern.host {
            Host::Name(name) | Host::Under(name) if is_public_suffix(name) => {
                Err(PatternError::PublicSuffix(name.to_string()))
            }
            Host::Name(_) | Host::Under(_) | Host::V4(_) | Host::V6(_) => Ok(pattern),
        }
    }

    /// Parses a pattern typed by a user. The server rejects public suffixes and converts international names to
    /// punycode. The browser has the tables for neither: it accepts public suffixes and leaves international names to
    /// the server.
    #[cfg(not(feature = "native"))]
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_stored(text)
    }

    /// Parses a pattern that [`DomainPattern::parse`] accepted earlier. Public suffixes are not checked again: the list
    /// changes, and a change must not remove domains from a key in use.
    pub fn parse_stored(text: &str) -> Result<Self, PatternError> {
        Self::read(text, |name| {
            if name.is_ascii() {
                Ok(Cow::Borrowed(name))
            } else {
                Err(PatternError::NotAscii)
            }
        })
    }

    fn read(
        text: &str,
        to_ascii: fn(&str) -> Result<Cow<'_, str>, PatternError>,
    ) -> Result<Self, PatternError> {
        let text = text.trim();
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (
                Some(Scheme::parse(scheme).ok_or_else(|| PatternError::Scheme(clip(scheme)))?),
                rest,
            ),
            None => (None, text),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains('@') {
            return Err(PatternError::UserInfo);
        }
        if authority.contains(['/', '?', '#', '\\']) {
            return Err(PatternError::Path);
        }
        if let Some(bracketed) = authority.strip_prefix('[') {
            let (address, port) = bracketed.split_once(']').ok_or(PatternError::Ipv6)?;
            let address = address.parse().map_err(|_| PatternError::Ipv6)?;
            return Ok(Self {
                host: Host::V6(address),
                scheme,
                port: read_port(port)?,
            });
        }
        if authority.parse::<Ipv6Addr>().is_ok() {
            return Err(PatternError::Ipv6);
        }
        let (name, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
        let host = read_host(name, to_ascii)?;
        Ok(Self {
            host,
            scheme,
            port: read_port(port)?,
        })
    }

    /// Whether the pattern's host is `localhost`.
    pub fn is_localhost(&self) -> bool {
        matches!(&self.host, Host::Name(name) if **name == *LOCALHOST)
    }

    /// Whether browsers find the pattern's host on the machine that they run on: `localhost`, a name below it (RFC 6761,
    /// section 6.3), a loopback address, or the unspecified address, which browsers take for one.
    pub fn is_loopback(&self) -> bool {
        match &self.host {
            Host::Name(name) | Host::Under(name) => {
                **name == *LOCALHOST || is_subdomain(name, LOCALHOST)
            }
            Host::V4(address) => is_loopback((*address).into()),
            Host::V6(address) => is_loopback(address.to_canonical()),
        }
    }

    /// Whether that host is another than `localhost`, which no rule and no switch for localhost concerns.
    pub fn is_other_loopback(&self) -> bool {
        self.is_loopback() && !self.is_localhost()
    }

    /// The host without wildcard, scheme or port, as in an origin.
    #[cfg(feature = "native")]
    pub(super) fn host_text(&self) -> String {
        match &self.host {
            Host::Name(name) | Host::Under(name) => name.to_string(),
            Host::V4(address) => address.to_string(),
            Host::V6(address) => format!("[{}]", Ipv6Text(*address)),
        }
    }

    /// Whether the pattern covers this origin.
    pub(super) fn covers(&self, origin: &Origin<'_>, with_subdomains: bool) -> bool {
        self.covers_host(origin, with_subdomains)
            && self.scheme.is_none_or(|scheme| scheme == origin.scheme())
            && self.port.is_none_or(|port| port == origin.port())
    }

    /// Whether the pattern covers some origin with the host of this one.
    pub(super) fn covers_host(&self, origin: &Origin<'_>, with_subdomains: bool) -> bool {
        match (&self.host, origin.host()) {
            (Host::Name(name), OriginHost::Name(origin)) => {
                name.eq_ignore_ascii_case(origin)
                    || (with_subdomains && **name != *LOCALHOST && is_subdomain(origin, name))
            }
            (Host::Under(base), OriginHost::Name(origin)) => is_subdomain(origin, base),
            (Host::V4(address), OriginHost::V4(origin)) => *address == origin,
            (Host::V6(address), OriginHost::V6(origin)) => *address == origin,
            _ => false,
        }
    }
}

fn read_host(
    text: &str,
    to_ascii: fn(&str) -> Result<Cow<'_, str>, PatternError>,
) -> Result<Host, PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty);
    }
    if matches!(text, "*" | "*.") {
        return Err(PatternError::EverySite);
    }
    let (wildcard, name) = text
        .strip_prefix("*.")
        .map_or((false, text), |base| (true, base));
    if name.contains('*') {
        return Err(PatternError::Wildcard);
    }
    if name.starts_with('.') {
        return Err(if wildcard {
            PatternError::EmptyLabel
        } else {
            PatternError::LeadingDot
        });
    }
    let name = to_ascii(name)?;
    let name = without_root(&name).to_ascii_lowercase();
    if ends_in_number(&name) {
        let address = canonical_ipv4(&name).ok_or_else(|| PatternError::Ipv4(clip(&name)))?;
        return if wildcard {
            Err(PatternError::WildcardAddress)
        } else {
            Ok(Host::V4(address))
        };
    }
    name.split('.').try_for_each(check_label)?;
    if name.len() > MAX_NAME_BYTES {
        return Err(PatternError::TooLong);
    }
    if name == LOCALHOST && wildcard {
        return Err(PatternError::WildcardLocalhost);
    }
    if !name.contains('.') && name != LOCALHOST {
        return Err(PatternError::NoDot(name));
    }
    let name = name.into_boxed_str();
    Ok(if wildcard {
        Host::Under(name)
    } else {
        Host::Name(name)
    })
}

/// Labels as defined by RFC 1123, section 2.1.
fn check_label(label: &str) -> Result<(), PatternError> {
    let allowed = label
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if label.is_empty() {
        Err(PatternError::EmptyLabel)
    } else if label.len() > MAX_LABEL_BYTES
        || !allowed
        || label.starts_with('-')
        || label.ends_with('-')
    {
        Err(PatternError::Label(clip(label)))
    } else {
        Ok(())
    }
}

/// Parses the text after the host: empty, or a colon and a port.
fn read_port(text: &str) -> Result<Option<u16>, PatternError> {
    if text.is_empty() {
        return Ok(None);
    }
    let port = text
        .strip_prefix(':')
        .and_then(canonical_port)
        .filter(|port| *port != 0);
    port.map(Some)
        .ok_or_else(|| PatternError::Port(clip(text.trim_start_matches(':'))))
}

impl fmt::Display for DomainPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(scheme) = self.scheme {
            write!(f, "{}://", scheme.as_str())?;
        }
        match &self.host {
            Host::Name(name) => f.write_str(name)?,
            Host::Under(base) => write!(f, "*.{base}")?,
            Host::V4(address) => write!(f, "{address}")?,
            Host::V6(address) => write!(f, "[{}]", Ipv6Text(*address))?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for DomainPattern {
    type Err = PatternError;
    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for DomainPattern {
    type Error = PatternError;
    fn try_from(text: String) -> Result<Self, PatternError> {
        Self::parse(&text)
    }
}

impl From<DomainPattern> for String {
    fn from(pattern: DomainPattern) -> Self {
        pattern.to_string()
    }
}

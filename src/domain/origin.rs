//! The origin of a request.

#[cfg(test)]
mod tests;

use std::{
    fmt::{self, Write},
    net::{Ipv4Addr, Ipv6Addr},
};

use super::host::{
    Ipv6Text, LOCALHOST, MAX_LABEL_BYTES, MAX_NAME_BYTES, Scheme, canonical_ipv4, canonical_ipv6,
    canonical_port, ends_in_number, without_root,
};

/// The scheme, host and port of the page that sent a request. Borrows from the header.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    scheme: Scheme,
    host: OriginHost<'a>,
    port: u16,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum OriginHost<'a> {
    /// In its original case, without the trailing dot of the DNS root.
    Name(&'a str),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

/// Why a request has no origin that a list could allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// The request has neither an `Origin` nor a `Referer` header.
    #[error("The request has no Origin or Referer header.")]
    Absent,
    /// The `Origin` header is empty.
    #[error("The Origin header is empty.")]
    Empty,
    /// Sent by browsers for sandboxed frames, files and some redirects.
    #[error("The origin is `null`, which any page can send.")]
    Null,
    /// The page's scheme is neither http nor https.
    #[error("The origin is not an http or https address.")]
    Scheme,
    /// The header is not a single origin as browsers serialize it.
    #[error(
        "The origin must be a scheme, host and optional port, such as `https://www.example.com`."
    )]
    Malformed,
}

impl<'a> Origin<'a> {
    /// The origin of a request with these headers. `Referer` is used only if there is no `Origin` header.
    pub fn of_request(
        origin: Option<&'a str>,
        referer: Option<&'a str>,
    ) -> Result<Self, OriginError> {
        match (origin, referer) {
            (Some(origin), _) => Self::parse(origin),
            (None, Some(referer)) => Self::from_referer(referer),
            (None, None) => Err(OriginError::Absent),
        }
    }

    /// Parses an `Origin` header: exactly one ASCII http or https origin whose serialization equals the header, except
    /// for case, one trailing dot and a default port.
    pub fn parse(header: &'a str) -> Result<Self, OriginError> {
        match header {
            "" => return Err(OriginError::Empty),
            "null" => return Err(OriginError::Null),
            _ => {}
        }
        let (scheme, authority) = header.split_once("://").ok_or(OriginError::Malformed)?;
        let scheme = Scheme::parse(scheme).ok_or(OriginError::Scheme)?;
        let (host, port) = match authority.strip_prefix('[') {
            Some(bracketed) => {
                let (address, port) = bracketed.split_once(']').ok_or(OriginError::Malformed)?;
                (canonical_ipv6(address).map(OriginHost::V6), port)
            }
            None => {
                let (name, port) =
                    authority.split_at(authority.find(':').unwrap_or(authority.len()));
                (named(without_root(name)), port)
            }
        };
        let host = host.ok_or(OriginError::Malformed)?;
        let port = match port.strip_prefix(':') {
            Some(port) => canonical_port(port).ok_or(OriginError::Malformed)?,
            None if port.is_empty() => scheme.default_port(),
            None => return Err(OriginError::Malformed),
        };
        Ok(Self { scheme, host, port })
    }

    /// Parses the origin of the URL in a `Referer` header. Only for requests without an `Origin` header, see
    /// [`Origin::of_request`].
    pub fn from_referer(header: &'a str) -> Result<Self, OriginError> {
        if header.is_empty() {
            return Err(OriginError::Empty);
        }
        let start = header.find("://").ok_or(OriginError::Malformed)? + "://".len();
        let (_, rest) = header.split_at(start);
        let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (origin, _) = header.split_at(start + length);
        Self::parse(origin)
    }

    /// Whether the host is `localhost`.
    pub fn is_localhost(&self) -> bool {
        matches!(self.host, OriginHost::Name(name) if name.eq_ignore_ascii_case(LOCALHOST))
    }

    /// The origin's scheme.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// The origin's port; the scheme's default port if the header has none.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The host without scheme and port, as browsers write it.
    #[cfg(feature = "native")]
    pub fn host_text(&self) -> String {
        self.host.to_string()
    }

    /// The host as it was sent, if it is a name.
    #[cfg(feature = "native")]
    pub(crate) fn name(&self) -> Option<&'a str> {
        match self.host {
            OriginHost::Name(name) => Some(name),
            OriginHost::V4(_) | OriginHost::V6(_) => None,
        }
    }

    pub(super) fn host(&self) -> OriginHost<'a> {
        self.host
    }
}

/// Parses names like browsers, which allow more than DNS: underscores, and hyphens anywhere.
fn named(name: &str) -> Option<OriginHost<'_>> {
    if ends_in_number(name) {
        return canonical_ipv4(name).map(OriginHost::V4);
    }
    let is_label = |label: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        (1..=MAX_LABEL_BYTES).contains(&label.len()) && label.bytes().all(allowed)
    };
    (name.len() <= MAX_NAME_BYTES && name.split('.').all(is_label))
        .then_some(OriginHost::Name(name))
}

/// As browsers write it: lower case, with IPv6 addresses in brackets.
impl fmt::Display for OriginHost<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name
                .chars()
                .try_for_each(|char| f.write_char(char.to_ascii_lowercase())),
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(address) => write!(f, "[{}]", Ipv6Text(*address)),
        }
    }
}

/// As browsers write it: lower case, no trailing dot, no default port.
impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)?;
        if self.port == self.scheme.default_port() {
            Ok(())
        } else {
            write!(f, ":{}", self.port)
        }
    }
}

//! Why a text is not a pattern.

/// Why a text is not a pattern, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there.
    #[error("Write a domain, such as `mysite.com`.")]
    Empty,
    /// `*` alone.
    #[error(
        "`*` alone would allow every site. Write the domains themselves, such as `*.mysite.com`."
    )]
    EverySite,
    /// `*` elsewhere than as the first label.
    #[error("`*` can only stand in front, as in `*.mysite.com`, for all subdomains.")]
    Wildcard,
    /// `*` before an IP address.
    #[error("An IP address has no subdomains. Write it without `*.`.")]
    WildcardAddress,
    /// `*` before `localhost`.
    #[error(
        "`localhost` has no subdomains here. Write `localhost`, which allows every port of it."
    )]
    WildcardLocalhost,
    /// A dot in front.
    #[error("A dot in front means nothing here. Write `*.mysite.com` for all subdomains.")]
    LeadingDot,
    /// A scheme other than http and https.
    #[error("`{0}` is no scheme of a web site. Write `https://` or `http://`, or none for both.")]
    Scheme(String),
    /// A user name or password.
    #[error("Leave out what stands before the `@`: a site is allowed for whoever visits it.")]
    UserInfo,
    /// A path, query or fragment.
    #[error(
        "Leave out the path: browsers tell only the scheme, host and port of a page, so that no path can be checked."
    )]
    Path,
    /// The part after the colon is no port.
    #[error(
        "`{0}` is not a port. Write a number from 1 to 65535 after the colon, or leave both out for any port."
    )]
    Port(String),
    /// Not an IPv6 address, or one without brackets.
    #[error("Write an IPv6 address in brackets, such as `[2001:db8::1]`.")]
    Ipv6,
    /// Ends in a number but is not four decimal ones.
    #[error("`{0}` is not an IP address. Write four numbers from 0 to 255, such as `192.0.2.10`.")]
    Ipv4(String),
    /// Two dots in a row, or nothing where a name should be.
    #[error("There is an empty part between two dots. Write the domain as in `www.mysite.com`.")]
    EmptyLabel,
    /// A part of the name that DNS does not carry.
    #[error(
        "`{0}` cannot be part of a domain: each part is 1 to 63 letters, digits and hyphens, with no hyphen at either end."
    )]
    Label(String),
    /// A name that DNS does not carry.
    #[error("A domain has at most 253 characters.")]
    TooLong,
    /// One label, and not `localhost`.
    #[error("`{0}` is not a whole domain. Write all of it, such as `www.mysite.com`.")]
    NoDot(String),
    /// A name outside ASCII, which the browser leaves to the server.
    #[error("Letters beyond a–z are checked when you save.")]
    NotAscii,
    /// A name that has no valid punycode.
    #[error(
        "`{0}` is not a valid international domain. Check its letters, or write its `xn--` form."
    )]
    International(String),
    /// A name under which anyone may register another.
    #[error("Anyone can have a site under `{0}`. Write your own domain, such as `mysite.{0}`.")]
    PublicSuffix(String),
}

impl PatternError {
    /// Whether the browser has nothing against the text, but cannot tell.
    pub fn is_left_to_server(&self) -> bool {
        *self == Self::NotAscii
    }

    #[cfg(feature = "native")]
    pub(in crate::domain) fn international(name: &str) -> Self {
        Self::International(crate::clip::clip(name))
    }
}

//! Pattern errors.

/// Why a text is not a valid pattern. The messages say what to enter instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// The text is empty.
    #[error("Enter a domain, such as `mysite.com`.")]
    Empty,
    /// `*` alone.
    #[error("`*` alone would allow every site. Enter specific domains, such as `*.mysite.com`.")]
    EverySite,
    /// `*` elsewhere than as the first label.
    #[error(
        "`*` is allowed only at the start, as in `*.mysite.com`, which matches all subdomains."
    )]
    Wildcard,
    /// `*.` before an IP address.
    #[error("An IP address has no subdomains. Enter it without `*.`.")]
    WildcardAddress,
    /// `*.` before `localhost`.
    #[error(
        "Subdomains of `localhost` are not supported. Enter `localhost`, which allows every port."
    )]
    WildcardLocalhost,
    /// A leading dot.
    #[error("A domain cannot start with a dot. For all subdomains, enter `*.mysite.com`.")]
    LeadingDot,
    /// A scheme other than http and https.
    #[error("`{0}` is not a web scheme. Use `https://` or `http://`, or omit it to allow both.")]
    Scheme(String),
    /// A user name or password.
    #[error("Remove the part before the `@`. A domain is allowed for all of its visitors.")]
    UserInfo,
    /// A path, query or fragment.
    #[error(
        "Remove the path. Browsers send only the scheme, host and port of a page, so paths cannot be checked."
    )]
    Path,
    /// The part after the colon is not a port.
    #[error(
        "`{0}` is not a valid port. Enter a number from 1 to 65535 after the colon, or omit both to allow any port."
    )]
    Port(String),
    /// An invalid IPv6 address, or one without brackets.
    #[error("Enter IPv6 addresses in brackets, such as `[2001:db8::1]`.")]
    Ipv6,
    /// A host that ends in a number but is not four decimal numbers.
    #[error(
        "`{0}` is not a valid IP address. Enter four numbers from 0 to 255, such as `192.0.2.10`."
    )]
    Ipv4(String),
    /// Two dots in a row, or an empty name.
    #[error("The domain has an empty part between two dots. Enter it as in `www.mysite.com`.")]
    EmptyLabel,
    /// A label that is not valid in DNS.
    #[error(
        "`{0}` cannot be part of a domain. Each part must have 1 to 63 letters, digits and hyphens, and cannot start \
         or end with a hyphen."
    )]
    Label(String),
    /// A name that is too long for DNS.
    #[error("A domain must have at most 253 characters.")]
    TooLong,
    /// A single label other than `localhost`.
    #[error("`{0}` is not a complete domain. Enter all of it, such as `www.mysite.com`.")]
    NoDot(String),
    /// A non-ASCII name, which the browser leaves to the server.
    #[error("International domains are checked when you save.")]
    NotAscii,
    /// A name without a valid punycode form.
    #[error(
        "`{0}` is not a valid international domain. Check its letters, or enter its `xn--` form."
    )]
    International(String),
    /// A public suffix, under which anyone can register a domain.
    #[error("Anyone can have a site under `{0}`. Enter your own domain, such as `mysite.{0}`.")]
    PublicSuffix(String),
}

impl PatternError {
    /// Whether only the server can decide if the text is valid.
    pub fn is_left_to_server(&self) -> bool {
        *self == Self::NotAscii
    }

    #[cfg(feature = "native")]
    pub(in crate::domain) fn international(name: &str) -> Self {
        Self::International(crate::clip::clip(name))
    }
}

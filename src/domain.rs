//! Allowed domains (design §5): the patterns on a key's list, the origin of a request, and whether a pattern covers an
//! origin. The browser runs the same code for its live check, with the exceptions that [`DomainPattern::parse`]
//! documents.

mod host;
#[cfg(feature = "native")]
mod index;
mod list;
mod origin;
mod pattern;
#[cfg(test)]
#[cfg(feature = "native")]
mod properties;
#[cfg(feature = "native")]
mod public_suffix;
#[cfg(test)]
#[cfg(feature = "native")]
mod tests;

use serde::{Deserialize, Serialize};

#[cfg(feature = "native")]
pub use self::index::PatternIndex;
#[cfg(feature = "native")]
pub(crate) use self::list::{lists_loopback, loopback_word};
pub use self::{
    host::{LOCALHOST, Scheme},
    list::{MAX_PATTERNS, TOO_MANY_PATTERNS, parse_list, stored_patterns},
    origin::{Origin, OriginError},
    pattern::{DomainPattern, PatternError},
};

/// How a list of allowed domains is matched, according to the convention and the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRule {
    /// Whether `mysite.com` covers `www.mysite.com`.
    pub covers_subdomains: bool,
    /// When pages on localhost are allowed.
    pub localhost: LocalhostRule,
}

/// When pages on the host `localhost` are allowed, on any port. `127.0.0.1` and `app.localhost` are other hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalhostRule {
    /// Always, regardless of the list.
    Always,
    /// Only if listed, like any other host.
    IfListed,
    /// Never, even if listed.
    Never,
}

/// The reason why an origin is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// The first pattern on the list that covers the origin.
    Pattern(&'a DomainPattern),
    /// [`LocalhostRule::Always`].
    Localhost,
}

/// Returns what allows this origin, or `None` if it is not allowed.
pub fn matching<'a>(
    patterns: &'a [DomainPattern],
    origin: &Origin<'_>,
    rule: DomainRule,
) -> Option<Match<'a>> {
    find(patterns, origin, rule, |pattern| {
        pattern.covers(origin, rule.covers_subdomains)
    })
}

/// Whether some page on a host is allowed, on some port.
#[cfg(feature = "native")]
pub(crate) fn allows_host(patterns: &[DomainPattern], host: &str, rule: DomainRule) -> bool {
    let origin = format!("https://{host}");
    Origin::parse(&origin).is_ok_and(|origin| {
        let covers = |pattern: &DomainPattern| pattern.covers_host(&origin, rule.covers_subdomains);
        find(patterns, &origin, rule, covers).is_some()
    })
}

fn find<'a>(
    patterns: &'a [DomainPattern],
    origin: &Origin<'_>,
    rule: DomainRule,
    covers: impl Fn(&DomainPattern) -> bool,
) -> Option<Match<'a>> {
    match rule.localhost {
        LocalhostRule::Always if origin.is_localhost() => return Some(Match::Localhost),
        LocalhostRule::Never if origin.is_localhost() => return None,
        LocalhostRule::Always | LocalhostRule::IfListed | LocalhostRule::Never => {}
    }
    patterns
        .iter()
        .find(|pattern| covers(pattern))
        .map(Match::Pattern)
}

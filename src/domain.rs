//! Allowed domains (design §5): the patterns that a key's owner writes, the origin that a request states, and whether
//! one covers the other. The browser runs the same code for its live check, short of what [`DomainPattern::parse`] says.

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
pub use self::{
    host::{LOCALHOST, Scheme},
    list::{MAX_PATTERNS, TOO_MANY_PATTERNS, parse_list},
    origin::{Origin, OriginError},
    pattern::{DomainPattern, PatternError},
};

/// How a convention and a key read the list of allowed domains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainRule {
    /// Whether `mysite.com` covers `www.mysite.com`.
    pub covers_subdomains: bool,
    /// When pages on localhost are allowed.
    pub localhost: LocalhostRule,
}

/// When pages on the host `localhost`, at whatever port, are allowed. `127.0.0.1` and `app.localhost` are other hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalhostRule {
    /// Whatever the list says.
    Always,
    /// As any other host.
    IfListed,
    /// Not even when listed.
    Never,
}

/// What allowed an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Match<'a> {
    /// The first pattern on the list that covers it.
    Pattern(&'a DomainPattern),
    /// [`LocalhostRule::Always`].
    Localhost,
}

/// What allows this origin, if anything does.
pub fn matching<'a>(
    patterns: &'a [DomainPattern],
    origin: &Origin<'_>,
    rule: DomainRule,
) -> Option<Match<'a>> {
    match rule.localhost {
        LocalhostRule::Always if origin.is_localhost() => return Some(Match::Localhost),
        LocalhostRule::Never if origin.is_localhost() => return None,
        LocalhostRule::Always | LocalhostRule::IfListed | LocalhostRule::Never => {}
    }
    patterns
        .iter()
        .find(|pattern| pattern.covers(origin, rule.covers_subdomains))
        .map(Match::Pattern)
}

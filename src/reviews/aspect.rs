//! What a request about a key is about, and which changes of a key answer it.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use super::Verdict;
use crate::{convention::Convention, key::Kind};

/// The part of a key that its owners are asked to narrow, or why they are asked to rotate or revoke it. A request without one
/// is about any part, or has no such reason.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    Display,
    EnumString,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidAspect, parse_err_fn = invalid_aspect)]
pub enum Aspect {
    /// Fewer scopes, or scopes instead of full access.
    Scopes,
    /// An earlier expiry date.
    Expiry,
    /// IP ranges, or smaller ones.
    IpRanges,
    /// Fewer domains.
    Domains,
    /// No pages on localhost.
    Localhost,
    /// No part: someone who should not have the secret knows it.
    Leaked,
}

impl Aspect {
    /// Every aspect.
    pub const ALL: [Self; 6] = [
        Self::Scopes,
        Self::Expiry,
        Self::IpRanges,
        Self::Domains,
        Self::Localhost,
        Self::Leaked,
    ];

    /// The aspect on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scopes => "scopes",
            Self::Expiry => "expiry",
            Self::IpRanges => "ip_ranges",
            Self::Domains => "domains",
            Self::Localhost => "localhost",
            Self::Leaked => "leaked",
        }
    }

    /// Whether it is about something that a request with this verdict asks.
    pub const fn is_for(self, verdict: Verdict) -> bool {
        match self {
            Self::Leaked => matches!(verdict, Verdict::Rotate | Verdict::Revoke),
            _ => matches!(verdict, Verdict::Narrow),
        }
    }

    /// Whether a key of this kind has something of it that its owners can restrict.
    pub fn is_of(self, kind: Kind, convention: &Convention) -> bool {
        let is_widget = kind == Kind::Widget;
        match self {
            Self::Scopes => convention.has_scopes(),
            Self::Expiry | Self::IpRanges | Self::Leaked => true,
            Self::Domains => is_widget,
            Self::Localhost => is_widget && convention.can_block_localhost(),
        }
    }
}

/// The text is not an aspect of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be `scopes`, `expiry`, `ip_ranges`, `domains`, `localhost` or `leaked`")]
pub struct InvalidAspect;

const fn invalid_aspect(_: &str) -> InvalidAspect {
    InvalidAspect
}

#[cfg(feature = "native")]
crate::db::text_column!(Aspect);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(feature = "native")]
    fn only_parts_that_a_key_has_can_be_restricted() {
        let parts = |convention: &str, kind: Kind| {
            let convention = Convention::built_in(convention).unwrap();
            let parts = Aspect::ALL
                .into_iter()
                .filter(|aspect| aspect.is_for(Verdict::Narrow) && aspect.is_of(kind, &convention));
            parts.map(Aspect::as_str).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(parts("latchkey", Kind::Secret), "scopes expiry ip_ranges");
        assert_eq!(
            parts("latchkey", Kind::Widget),
            "scopes expiry ip_ranges domains localhost"
        );
        assert_eq!(
            parts("cencori", Kind::Widget),
            "expiry ip_ranges domains localhost"
        );
        // Pages on localhost are always allowed there.
        assert_eq!(parts("talkifai", Kind::Widget), "expiry ip_ranges domains");
    }

    #[test]
    fn aspects_are_read_back() {
        for aspect in Aspect::ALL {
            assert_eq!(aspect.as_str().parse(), Ok(aspect));
            assert_eq!(aspect.to_string(), aspect.as_str());
        }
        assert_eq!("name".parse::<Aspect>(), Err(InvalidAspect));
    }
}

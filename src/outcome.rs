//! What a verification answers (design §6).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! outcomes {
    ($($(#[$doc:meta])* $name:ident $code:literal $status:literal $title:literal,)*) => {
        /// The result code of one verification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $($(#[$doc])* $name,)* }

        impl Outcome {
            /// Every outcome, in the order in which the checks are made.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code on the wire and in the database.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The HTTP status that an API server should give its client.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The outcome as a heading.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }
    };
}

outcomes! {
    /// The key is valid.
    Valid "VALID" 200 "Passed",
    /// Neither a key nor an agent was given.
    MissingApiKey "MISSING_API_KEY" 401 "No key provided",
    /// Malformed, unknown, disabled or revoked.
    InvalidApiKey "INVALID_API_KEY" 401 "Invalid key",
    /// Past its expiry.
    ExpiredApiKey "EXPIRED_API_KEY" 401 "Expired",
    /// No such agent.
    AgentNotFound "AGENT_NOT_FOUND" 404 "Unknown agent",
    /// The agent belongs to another org.
    OrgMismatch "ORG_MISMATCH" 403 "Agent of another organization",
    /// A widget key from a domain that is not on its list.
    OriginNotAllowed "ORIGIN_NOT_ALLOWED" 403 "Origin not allowed",
    /// A secret key on a request that a browser made.
    SecretKeyInBrowser "SECRET_KEY_IN_BROWSER" 403 "Secret key in a browser",
    /// The end client's address is outside the key's ranges.
    IpNotAllowed "IP_NOT_ALLOWED" 403 "IP address not allowed",
    /// A scope is missing.
    InsufficientScope "INSUFFICIENT_SCOPE" 403 "Missing scope",
    /// The org's credits do not cover the cost.
    InsufficientCredits "INSUFFICIENT_CREDITS" 402 "Out of credits",
    /// The monthly quota is used up.
    QuotaExceeded "QUOTA_EXCEEDED" 429 "Monthly quota exceeded",
    /// More requests than the class allows.
    RateLimited "RATE_LIMITED" 429 "Rate limited",
}

/// Outcomes as charts and totals group them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeGroup {
    /// Let through.
    Passed,
    /// Refused for now: a rate limit, a quota or credits.
    Limited,
    /// Refused.
    Refused,
}

impl Outcome {
    /// The group that the outcome is counted under.
    pub const fn group(self) -> OutcomeGroup {
        match self {
            Self::Valid => OutcomeGroup::Passed,
            Self::InsufficientCredits | Self::QuotaExceeded | Self::RateLimited => {
                OutcomeGroup::Limited
            }
            _ => OutcomeGroup::Refused,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is not an outcome's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an outcome code")]
pub struct InvalidOutcome;

impl FromStr for Outcome {
    type Err = InvalidOutcome;
    fn from_str(text: &str) -> Result<Self, InvalidOutcome> {
        Self::ALL
            .iter()
            .copied()
            .find(|outcome| outcome.code() == text)
            .ok_or(InvalidOutcome)
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Outcome {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "native")]
crate::db::text_column!(Outcome);

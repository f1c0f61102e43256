//! The outcomes of a verification (design §6). `/v1/verify`, `/docs/errors` and the README use this table to describe
//! each outcome.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

#[cfg(feature = "native")]
use crate::convention::BoundTo;

macro_rules! outcomes {
    ($($name:ident {
        code: $code:literal,
        number: $number:literal,
        status: $status:literal,
        title: $title:literal,
        detail: $detail:literal,
        meaning: $meaning:literal,
        advice: $advice:literal,
    })*) => {
        /// The result code of a verification.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Outcome { $(#[doc = $meaning] $name,)* }

        impl Outcome {
            /// Every outcome, in the order of the checks.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code in the API.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// The number by which counts are stored. It never changes, and a removed outcome's number is not used again.
            pub const fn number(self) -> i64 {
                match self { $(Self::$name => $number,)* }
            }

            /// The HTTP status that an API server should return to its client.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The outcome as a heading.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }
        }

        // Long texts that the islands do not use.
        #[cfg(feature = "native")]
        impl Outcome {
            /// The message for the client that sent the key. It depends on whether keys are bound to orgs or projects.
            pub const fn detail(self, bound_to: BoundTo) -> &'static str {
                match (self, bound_to) {
                    (Self::OrgMismatch, BoundTo::Project) => {
                        "The agent belongs to another project or organization. Use a key of that project."
                    }
                    $((Self::$name, _) => $detail,)*
                }
            }

            /// The explanation for developers of the API server or its client. Text in backticks is code.
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }

            /// What to do about the outcome.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

outcomes! {
    Valid {
        code: "VALID",
        number: 0,
        status: 200,
        title: "Passed",
        detail: "The key is valid.",
        meaning: "The key is valid.",
        advice: "No action is needed.",
    }
    MissingApiKey {
        code: "MISSING_API_KEY",
        number: 1,
        status: 401,
        title: "No key provided",
        detail: "Send an API key with the request.",
        meaning: "The request has no key.",
        advice: "Send the key in a header that this instance accepts, usually `Authorization: Bearer KEY`. Check that no \
                 proxy removes the header and that the environment variable with the key is set.",
    }
    // The same detail for every reason, so that the holder of a revoked key does not learn that it was once valid.
    InvalidApiKey {
        code: "INVALID_API_KEY",
        number: 2,
        status: 401,
        title: "Invalid key",
        detail: "The API key is invalid. Check that you copied all of it and that it has not been disabled or revoked.",
        meaning: "The key is malformed or unknown, or it was disabled, revoked or replaced by a rotation. `reason` shows \
                  which.",
        advice: "Check that you copied all of the key, without spaces, quotes or line breaks, and that it belongs to this \
                 service. Check its status in the list of keys. You can enable a disabled key; replace a revoked key with \
                 a new one. New keys work immediately. Keys that were created by another instance or on the command line \
                 work within one second.",
    }
    ExpiredApiKey {
        code: "EXPIRED_API_KEY",
        number: 3,
        status: 401,
        title: "Expired",
        detail: "The key has expired. Create a new one.",
        meaning: "The key has expired.",
        advice: "Create a new key and replace the old one. The list of keys marks keys two weeks before they expire.",
    }
    AgentNotFound {
        code: "AGENT_NOT_FOUND",
        number: 4,
        status: 404,
        title: "Unknown agent",
        detail: "The agent was not found. Check its public ID.",
        meaning: "No agent has this public ID.",
        advice: "Copy the public ID from the agent's page. Check that the agent has not been deleted.",
    }
    OrgMismatch {
        code: "ORG_MISMATCH",
        number: 5,
        status: 403,
        title: "Agent of another organization",
        detail: "The agent belongs to another organization. Use a key of that organization.",
        meaning: "The agent belongs to another organization than the key or, if keys are bound to projects, to another \
                  project.",
        advice: "Use a key of the organization or project that owns the agent.",
    }
    WrongEnvironment {
        code: "WRONG_ENVIRONMENT",
        number: 6,
        status: 403,
        title: "Key of another environment",
        detail: "The key belongs to another environment. Use a key of this environment.",
        meaning: "The key does not belong to the `environment` that the request requires.",
        advice: "Use a live key in production and a test key everywhere else. API servers state their own environment in \
                 `environment`, so that test keys do not work in production.",
    }
    WrongProject {
        code: "WRONG_PROJECT",
        number: 7,
        status: 403,
        title: "Key of another project",
        detail: "The key belongs to another project. Use a key of this project.",
        meaning: "The key, or the agent that replaces it, does not belong to the `project` that the request requires.",
        advice: "Use a key of the project, or move the key to the project. If the API server serves several projects, omit \
                 `project` from its verification requests.",
    }
    OriginNotAllowed {
        code: "ORIGIN_NOT_ALLOWED",
        number: 8,
        status: 403,
        title: "Origin not allowed",
        detail: "The key does not work on this site. Add its domain to the key's allowed domains.",
        meaning: "A page used a widget key or an agent's public ID on a site that is not in its allowed domains. Browsers \
                  show this as a CORS error.",
        advice: "Add the site to the key's allowed domains, and to the agent's if it has any. If domains do not include \
                 subdomains on your instance, add both the apex domain and `www`. The port matters only if the allowed \
                 domain has one. The origin tester on the key's page shows which entry allows a site. Requests without the \
                 headers `Origin` and `Referer` are also rejected. Pages opened from a file and some sandboxed frames do not \
                 send them.",
    }
    SecretKeyInBrowser {
        code: "SECRET_KEY_IN_BROWSER",
        number: 9,
        status: 403,
        title: "Secret key in a browser",
        detail: "Secret keys cannot be used in a browser. Use a widget key.",
        meaning: "A browser sent a request with a secret key. Anyone who opens that page can read the key.",
        advice: "Revoke the key, because it has been exposed. In pages, use a widget key, or call your own server and keep \
                 the secret key there. An owner can turn this check off in the organization's settings.",
    }
    IpNotAllowed {
        code: "IP_NOT_ALLOWED",
        number: 10,
        status: 403,
        title: "IP address not allowed",
        detail: "The key does not work from this IP address. Add the address to the key's IP ranges.",
        meaning: "The client's address is outside the key's IP ranges, or was not sent.",
        advice: "Add the client's public IP address to the key's IP ranges. Check that your API server sends the address \
                 of its client as `ip`, not its own.",
    }
    InsufficientScope {
        code: "INSUFFICIENT_SCOPE",
        number: 11,
        status: 403,
        title: "Missing scope",
        detail: "The key does not have a required scope. Use a key that has it.",
        meaning: "The key does not have a scope that the request requires. `missing_scopes` lists these scopes. A key \
                  without scopes has full access, unless the convention says otherwise.",
        advice: "Use a key with the scope, or add the scope to this key. Give each key only the scopes that it needs.",
    }
    InsufficientCredits {
        code: "INSUFFICIENT_CREDITS",
        number: 12,
        status: 402,
        title: "Out of credits",
        detail: "The organization does not have enough credits. Add credits and try again.",
        meaning: "The organization does not have enough credits for the request. Reserved: credits are not counted yet.",
        advice: "Add credits and try again. Rejected requests cost nothing.",
    }
    QuotaExceeded {
        code: "QUOTA_EXCEEDED",
        number: 13,
        status: 429,
        title: "Monthly quota exceeded",
        detail: "The organization has reached its monthly quota. Wait until next month, or change the plan.",
        meaning: "The organization has reached its monthly quota. Reserved: quotas are not counted yet.",
        advice: "Wait until next month, or change the plan. Rejected requests cost nothing.",
    }
    RateLimited {
        code: "RATE_LIMITED",
        number: 14,
        status: 429,
        title: "Rate limited",
        detail: "Too many requests. Wait and try again.",
        meaning: "The key sent more requests in one minute than its endpoint class allows, each counted with its `cost`. \
                  `retry_after` is the number of seconds to wait.",
        advice: "Wait for the number of seconds in `Retry-After`, then send requests more slowly. Use exponential backoff, \
                 and spread bulk work over time.",
    }
}

/// The message of [`Outcome::IpNotAllowed`] for a request without an address. Another range would not help.
#[cfg(feature = "native")]
pub const NO_ADDRESS: &str = "The key works only from certain IP addresses, and the request to Latchkey has no `ip`. Send the \
     address of your client as `ip`.";

/// The groups of outcomes in charts and totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeGroup {
    /// Allowed.
    Passed,
    /// Rejected temporarily, because of a rate limit, a quota or credits.
    Limited,
    /// Rejected.
    Refused,
}

impl Outcome {
    /// The group in which the outcome is counted.
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

#[cfg(feature = "native")]
impl Outcome {
    /// The outcome that is stored by this number.
    pub(crate) fn of_number(number: i64) -> Result<Self, crate::db::StorageError> {
        let mut all = Self::ALL.iter().copied();
        all.find(|outcome| outcome.number() == number)
            .ok_or_else(|| crate::db::StorageError::unreadable(InvalidOutcome))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The text is not the code of an outcome.
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

#[cfg(test)]
#[cfg(feature = "native")]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_stored_counts_never_change() {
        let numbers: Vec<String> = Outcome::ALL
            .iter()
            .map(|outcome| format!("{} {}", outcome.number(), outcome.code()))
            .collect();
        let stored = [
            "0 VALID",
            "1 MISSING_API_KEY",
            "2 INVALID_API_KEY",
            "3 EXPIRED_API_KEY",
            "4 AGENT_NOT_FOUND",
            "5 ORG_MISMATCH",
            "6 WRONG_ENVIRONMENT",
            "7 WRONG_PROJECT",
            "8 ORIGIN_NOT_ALLOWED",
            "9 SECRET_KEY_IN_BROWSER",
            "10 IP_NOT_ALLOWED",
            "11 INSUFFICIENT_SCOPE",
            "12 INSUFFICIENT_CREDITS",
            "13 QUOTA_EXCEEDED",
            "14 RATE_LIMITED",
        ];
        assert_eq!(numbers, stored, "a new outcome gets a number of its own");
        for folder in ["sqlite", "postgres"] {
            let file = format!("migrations/{folder}/0028_usage.sql");
            let migration = std::fs::read_to_string(file).unwrap();
            for outcome in Outcome::ALL {
                let row = format!("({}, '{}')", outcome.number(), outcome.code());
                assert!(migration.contains(&row), "{row} in {folder}");
            }
            assert_eq!(Outcome::of_number(14).unwrap(), Outcome::RateLimited);
        }
    }

    #[test]
    fn the_readme_has_this_table() {
        let rows: String = Outcome::ALL
            .iter()
            .map(|outcome| {
                let (code, status, meaning) = (outcome.code(), outcome.status(), outcome.meaning());
                format!("| `{code}` | {status} | {meaning} |\n")
            })
            .collect();
        let table = format!("\n| code | status | meaning |\n|---|---|---|\n{rows}\n");
        assert!(
            include_str!("../README.md").contains(&table),
            "the table of codes in README.md must be:\n{table}"
        );
    }
}

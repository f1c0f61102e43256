//! Findings: what the owners of a key should look at (design §8). They are computed from facts about the key by one pure
//! function. Badges, filters, counts and the API are views of it; [`condition`] says the same in SQL.

#[cfg(feature = "native")]
pub(crate) mod condition;
#[cfg(feature = "native")]
pub mod facts;
#[cfg(feature = "native")]
pub mod list;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    convention::{Convention, Scope},
    key::{Environment, Kind, Lifecycle, Status},
    policy::KeyPolicy,
    time::{DAY, Timestamp},
};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident $word:literal $title:literal $advice:literal)*) => {
        /// What was found, most urgent first among findings of the same severity.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Code { $($(#[$doc])* #[serde(rename = $word)] $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The code in the API and in URLs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// A few words for a badge.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// What to do about it.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)* }
            }
        }
    };
}

codes! {
    /// A browser sent a secret key. A rotation resolves it.
    SeenInBrowser "seen_in_browser" "Seen in a browser"
        "Anyone who opens that page can read the key. Remove it from the page, then rotate or revoke it."
    /// The key is allowed to do everything.
    FullAccess "full_access" "Full access"
        "Restrict the key to the scopes that its application requires."
    /// The key expires within [`EXPIRES_SOON`].
    ExpiresSoon "expires_soon" "Expires soon"
        "Extend the key, or replace it before it expires."
    /// The user who created the key is no longer a member.
    MakerLeft "maker_left" "Creator left"
        "Find out who uses the key now. If the former member can have a copy, rotate it."
    /// The key expires later than the policy of its org allows.
    TooLongLife "too_long_life" "Expires too late"
        "Give the key an earlier expiry date."
    /// A live secret key can be used from any address, which the policy of its org forbids.
    NoIpRanges "no_ip_ranges" "No IP ranges"
        "Enter the addresses of the servers that use the key."
    /// Pages on domains that are not allowed sent many requests.
    RefusedOrigins "refused_origins" "Origins rejected"
        "Allow the domains that are yours. If you don't recognize them, the key was copied to other sites."
    /// A live widget key works on localhost.
    LocalhostLive "localhost_live" "Works on localhost"
        "If nobody develops with this key any more, block localhost."
    /// The key has not been used for [`UNUSED_LONG`].
    Unused90d "unused_90d" "Unused for 90 days"
        "Disable the key. If nothing breaks, revoke it."
    /// The key has existed for at least [`NEVER_USED_AFTER`] and was never used.
    NeverUsed "never_used" "Never used"
        "Revoke the key if its application is not going to use it."
    /// The current secret is older than the rotation period.
    RotationDue "rotation_due" "Rotation due"
        "Rotate the key. The old secret can keep working while you replace it."
    /// The key has not been used for [`UNUSED`].
    Unused30d "unused_30d" "Unused for 30 days"
        "Check whether the key is still needed."
    /// Requests use some of the key's scopes, and never the others (see [`UNUSED_SCOPES_AFTER`]).
    ScopesUnused "scopes_unused" "Unused scopes"
        "Remove the scopes that the application does not use."
    /// The key never expires.
    NoExpiry "no_expiry" "No expiry"
        "Set an expiry date, so that a forgotten key stops working."
}

/// How urgent a finding is. High and medium ones need attention: they are counted, and the list of keys shows them. Low ones
/// are on the key's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Someone else can use the key.
    High,
    /// Something breaks or is misused unless someone acts now.
    Medium,
    /// Good practice, for a review. Most new keys have such findings.
    Low,
}

impl Severity {
    /// Every severity.
    pub const ALL: &'static [Self] = &[Self::High, Self::Medium, Self::Low];

    /// The severity in the API and in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }

    /// Whether it needs attention.
    pub const fn needs_attention(self) -> bool {
        !matches!(self, Self::Low)
    }
}

macro_rules! words {
    ($type:ident $error:ident $message:literal) => {
        #[doc = concat!("The text is not one of the words of [`", stringify!($type), "`].")]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $error;

        impl FromStr for $type {
            type Err = $error;
            fn from_str(text: &str) -> Result<Self, $error> {
                let mut all = Self::ALL.iter().copied();
                all.find(|value| value.as_str() == text).ok_or($error)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
words!(Code InvalidCode "must be the code of a finding");
words!(Severity InvalidSeverity "must be `high`, `medium` or `low`");

/// How long a key must have existed before it counts as never used.
pub const NEVER_USED_AFTER: i64 = 7 * DAY;
/// How long a live widget key must have existed before localhost is a finding: new ones are still tested there.
pub const LOCALHOST_AFTER: i64 = 7 * DAY;
/// The first period without use that is a finding, and after which a key that was never used needs attention.
pub const UNUSED: i64 = 30 * DAY;
/// The second period without use that is a finding.
pub const UNUSED_LONG: i64 = 90 * DAY;
/// How long a key must have existed before scopes that no request required are a finding.
pub const UNUSED_SCOPES_AFTER: i64 = 30 * DAY;
/// How long before its expiry a key needs attention.
pub const EXPIRES_SOON: i64 = 14 * DAY;
/// The period in which rejected origins are counted, from the start of its first day (UTC).
pub const REFUSED_WITHIN: i64 = 7 * DAY;
/// The number of requests from rejected origins from which they are a finding: a few are mistakes.
pub const MANY_REFUSED: i64 = 10;

/// The rules that findings depend on: those of the instance and of the org.
#[derive(Debug, Clone, Copy)]
pub struct Policy<'a> {
    convention: &'a Convention,
    keys: KeyPolicy,
}

impl<'a> Policy<'a> {
    /// The rules of an instance with this convention, and of an org with these policies.
    pub fn of(convention: &'a Convention, keys: KeyPolicy) -> Self {
        let keys = keys.under(convention);
        Self { convention, keys }
    }

    /// The severity of a finding of low severity, which is higher if a policy forbids what was found.
    fn severity(is_forbidden: bool) -> Severity {
        match is_forbidden {
            true => Severity::Medium,
            false => Severity::Low,
        }
    }

    /// How long a live widget key must have existed before localhost is a finding.
    fn localhost_after(&self) -> i64 {
        match self.keys.localhost_forbidden {
            true => 0,
            false => LOCALHOST_AFTER,
        }
    }
}

/// What findings are computed from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Secret or widget.
    pub kind: Kind,
    /// Live or test.
    pub environment: Environment,
    /// When the key was created.
    pub created_at: Timestamp,
    /// When the key was last used in a valid request.
    pub last_used_at: Option<Timestamp>,
    /// The timestamps that determine the status.
    pub lifecycle: Lifecycle,
    /// The key's scopes.
    pub scopes: Vec<Scope>,
    /// Whether the key's own switch forbids localhost.
    pub localhost_forbidden: bool,
    /// Whether its allowed domains include localhost.
    pub lists_localhost: bool,
    /// Whether the key has IP ranges.
    pub has_ip_ranges: bool,
    /// When the current secret was created.
    pub secret_created_at: Timestamp,
    /// Whether the user who created the key is no longer a member or was disabled.
    pub maker_left: bool,
    /// Requests from browsers, if the key is a secret key.
    pub in_browser: Option<InBrowser>,
    /// Requests from rejected origins within [`REFUSED_WITHIN`].
    pub refused: Refused,
    /// The scopes that valid requests required, as far as they are remembered.
    pub scopes_seen: Vec<Scope>,
    /// The key's last review, if it says that the key can be kept.
    pub kept: Option<Kept>,
}

/// A review that says that a key can be kept as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// When the key was reviewed.
    pub at: Timestamp,
    /// Until when the review is valid.
    pub until: Timestamp,
    /// The findings that the reviewer saw.
    pub codes: Vec<Code>,
}

impl Kept {
    /// Whether the review covers a finding. A secret that was created after the review and that a browser sent is a new
    /// leak.
    fn covers(&self, code: Code, facts: &Facts, now: Timestamp) -> bool {
        let is_new_leak = code == Code::SeenInBrowser && facts.secret_created_at > self.at;
        self.until > now && self.codes.contains(&code) && !is_new_leak
    }
}

/// Requests of browsers with a secret key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InBrowser {
    /// The first one.
    pub first_at: Timestamp,
    /// The last one.
    pub last_at: Timestamp,
    /// How many.
    pub count: i64,
    /// The origin of the last one. Empty if it could not be parsed.
    pub origin: String,
}

/// Requests from rejected origins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// How many.
    pub count: i64,
    /// The most frequent hosts.
    pub hosts: Vec<String>,
}

/// One thing to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How urgent it is.
    pub severity: Severity,
    /// Since when it applies, if that is known.
    pub since: Option<Timestamp>,
    /// What shows it.
    pub evidence: Evidence,
    /// Until when a review covers it. Until then, it does not need attention.
    pub reviewed_until: Option<Timestamp>,
}

impl Finding {
    /// Whether it needs attention: it is urgent, and nobody has reviewed it.
    pub fn needs_attention(&self) -> bool {
        self.severity.needs_attention() && self.reviewed_until.is_none()
    }
}

/// What shows a finding. Fields that do not apply are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// The number of requests.
    pub requests: Option<i64>,
    /// Origins or hosts of requests, most frequent first.
    pub origins: Vec<String>,
    /// The key's scopes, or those that no request required. Empty for a key without scopes.
    pub scopes: Vec<String>,
    /// The last such request.
    pub last_at: Option<Timestamp>,
    /// When the key expires.
    pub expires_at: Option<Timestamp>,
}

/// Computes the findings of a key, most urgent first. Only keys that work have findings.
pub fn findings(facts: &Facts, policy: &Policy<'_>, now: Timestamp) -> Vec<Finding> {
    if facts.lifecycle.status(now) != Status::Active {
        return Vec::new();
    }
    let mut found: Vec<Finding> = Code::ALL
        .iter()
        .filter_map(|code| finding(*code, facts, policy, now))
        .collect();
    found.sort_by_key(|finding| (finding.severity, finding.code));
    found
}

fn finding(code: Code, facts: &Facts, policy: &Policy<'_>, now: Timestamp) -> Option<Finding> {
    let (convention, keys) = (policy.convention, &policy.keys);
    let is_widget = facts.kind == Kind::Widget;
    let is_live = facts.environment == Environment::Live;
    let none = Evidence::default;
    let (severity, since, evidence) = match code {
        Code::SeenInBrowser => {
            let seen = facts
                .in_browser
                .as_ref()
                .filter(|seen| !is_widget && seen.last_at >= facts.secret_created_at)?;
            let evidence = Evidence {
                requests: Some(seen.count),
                origins: Some(seen.origin.clone())
                    .filter(|origin| !origin.is_empty())
                    .into_iter()
                    .collect(),
                last_at: Some(seen.last_at),
                ..none()
            };
            (Severity::High, Some(seen.first_at), evidence)
        }
        Code::FullAccess if convention.is_full_access(&facts.scopes) => {
            // Anyone who opens the page can read a widget key.
            let is_public = is_widget && facts.last_used_at.is_some();
            let severity = Policy::severity(is_public || keys.scopes_required);
            let scopes = facts.scopes.iter().map(|scope| scope.as_str().to_owned());
            let evidence = Evidence {
                scopes: scopes.collect(),
                ..none()
            };
            (severity, None, evidence)
        }
        Code::ExpiresSoon => {
            let expires_at = facts.lifecycle.expires_at?;
            let since = expires_at.plus(-EXPIRES_SOON);
            let evidence = Evidence {
                expires_at: Some(expires_at),
                ..none()
            };
            (since <= now).then_some((Severity::Medium, Some(since), evidence))?
        }
        Code::MakerLeft if facts.maker_left => (Severity::Medium, None, none()),
        Code::TooLongLife => {
            let expires_at = facts.lifecycle.expires_at?;
            let evidence = Evidence {
                expires_at: Some(expires_at),
                ..none()
            };
            let is_too_late = keys
                .latest_expiry(now)
                .is_some_and(|latest| expires_at > latest);
            is_too_late.then_some((Severity::Medium, None, evidence))?
        }
        Code::NoIpRanges
            if keys.ip_ranges_required
                && !is_widget
                && is_live
                && !facts.has_ip_ranges
                && !convention.allows_secret_in_browser(&facts.scopes) =>
        {
            (Severity::Medium, None, none())
        }
        Code::RefusedOrigins if is_widget && facts.refused.count >= MANY_REFUSED => {
            let evidence = Evidence {
                requests: Some(facts.refused.count),
                origins: facts.refused.hosts.clone(),
                ..none()
            };
            (Severity::Medium, Some(refused_since(now)), evidence)
        }
        Code::LocalhostLive
            if is_widget
                && is_live
                && facts.created_at <= now.plus(-policy.localhost_after())
                && convention
                    .allows_localhost(facts.lists_localhost, facts.localhost_forbidden) =>
        {
            (Policy::severity(keys.localhost_forbidden), None, none())
        }
        Code::Unused90d | Code::Unused30d => {
            let last = facts.last_used_at?;
            let (severity, is_it) = if code == Code::Unused90d {
                (Severity::Medium, last <= now.plus(-UNUSED_LONG))
            } else {
                let is_unused = last <= now.plus(-UNUSED);
                (Severity::Low, is_unused && last > now.plus(-UNUSED_LONG))
            };
            is_it.then_some((severity, Some(last), none()))?
        }
        Code::NeverUsed
            if facts.last_used_at.is_none() && facts.created_at <= now.plus(-NEVER_USED_AFTER) =>
        {
            let severity = if facts.created_at <= now.plus(-UNUSED) {
                Severity::Medium
            } else {
                Severity::Low
            };
            (severity, Some(facts.created_at), none())
        }
        Code::RotationDue => {
            let since = facts.secret_created_at.plus(keys.rotation()?);
            (since <= now).then_some((Severity::Low, Some(since), none()))?
        }
        Code::ScopesUnused if facts.created_at <= now.plus(-UNUSED_SCOPES_AFTER) => {
            let (used, unused): (Vec<&Scope>, Vec<&Scope>) = facts
                .scopes
                .iter()
                .partition(|scope| facts.scopes_seen.contains(scope));
            // If no request required any scope, the application may not send them. Full access is a finding of its own.
            let is_it = !used.is_empty() && !unused.is_empty();
            let evidence = Evidence {
                scopes: unused.iter().map(|scope| scope.to_string()).collect(),
                ..none()
            };
            (is_it && !policy.convention.is_full_access(&facts.scopes)).then_some((
                Severity::Low,
                None,
                evidence,
            ))?
        }
        Code::NoExpiry if facts.lifecycle.expires_at.is_none() => {
            let severity = Policy::severity(keys.longest_life_days.is_some());
            (severity, Some(facts.created_at), none())
        }
        _ => return None,
    };
    let kept = facts.kept.as_ref();
    let kept = kept.filter(|kept| kept.covers(code, facts, now));
    Some(Finding {
        code,
        severity,
        since,
        evidence,
        reviewed_until: kept.map(|kept| kept.until),
    })
}

/// The start of the first day in which rejected origins are counted.
pub(crate) fn refused_since(now: Timestamp) -> Timestamp {
    now.plus(-REFUSED_WITHIN).floor(DAY)
}

#[cfg(test)]
#[cfg(feature = "native")]
mod tests;

//! What can be found, and how urgent it is.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

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
    /// A browser sent a secret key. It lasts until the secret that was sent no longer works.
    SeenInBrowser "seen_in_browser" "Seen in a browser"
        "Anyone who opens that page can read the key. Remove it from the page, then rotate or revoke it."
    /// Someone reported that the key leaked, and asked the owners to rotate or revoke it. It lasts as long as the request is open.
    ReportedLeaked "reported_leaked" "Reported as leaked"
        "Rotate the key and end the old secret at once, or revoke the key."
    /// The key is allowed to do everything.
    FullAccess "full_access" "Full access"
        "Restrict the key to the scopes that its application requires."
    /// The key expires within [`EXPIRES_SOON`](super::EXPIRES_SOON).
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
        "If nobody develops with this key any more, block localhost, and remove loopback addresses from the allowed domains."
    /// The key has not been used for [`UNUSED_LONG`](super::UNUSED_LONG).
    Unused90d "unused_90d" "Unused for 90 days"
        "Disable the key. If nothing breaks, revoke it."
    /// The key has existed for at least [`NEVER_USED_AFTER`](super::NEVER_USED_AFTER) and was never used.
    NeverUsed "never_used" "Never used"
        "Revoke the key if its application is not going to use it."
    /// The current secret is older than the rotation period.
    RotationDue "rotation_due" "Rotation due"
        "Rotate the key. The old secret can keep working while you replace it."
    /// The key has not been used for [`UNUSED`].
    Unused30d "unused_30d" "Unused for 30 days"
        "Check whether the key is still needed."
    /// Requests use some of the key's scopes, and never the others (see [`UNUSED_SCOPES_AFTER`](super::UNUSED_SCOPES_AFTER)).
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

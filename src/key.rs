//! Keys (design §3): their kind, environment, status and text.

#[cfg(feature = "native")]
pub mod digest;
pub mod metadata;
#[cfg(feature = "native")]
pub(crate) mod rewritten;
pub mod secret_text;
pub mod settings;
pub mod text;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* } $invalid:ident $message:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// All values, in the order in which forms list them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The value in the API and the database.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        #[doc = concat!("The text is not one of the words of [`", stringify!($name), "`].")]
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        #[error($message)]
        pub struct $invalid;

        impl FromStr for $name {
            type Err = $invalid;
            fn from_str(text: &str) -> Result<Self, $invalid> {
                Self::ALL.iter().copied().find(|value| value.as_str() == text).ok_or($invalid)
            }
        }

        #[cfg(feature = "native")]
        crate::db::text_column!($name);
    };
}

words! {
    /// Where a key is used.
    Kind {
        /// For servers. Must never reach a browser.
        Secret = "secret",
        /// For browsers. Works only on its allowed domains.
        Widget = "widget",
    }
    InvalidKind "Must be `secret` or `widget`."
}

words! {
    /// The environment that a key belongs to.
    Environment {
        /// Production.
        Live = "live",
        /// Everything else.
        Test = "test",
    }
    InvalidEnvironment "Must be `live` or `test`."
}

words! {
    /// Why a key was revoked.
    RevokeReason {
        /// Someone else may have the key.
        Compromised = "compromised",
        /// Another key replaced it.
        Superseded = "superseded",
        /// The key was not in use.
        Unused = "unused",
        /// The person who used it has left.
        LeftTeam = "left-team",
        /// Any other reason.
        Other = "other",
    }
    InvalidRevokeReason "Must be `compromised`, `superseded`, `unused`, `left-team` or `other`."
}

words! {
    /// Whether a key works, or why it does not.
    Status {
        /// The key works.
        Active = "active",
        /// Disabled; can be enabled again.
        Disabled = "disabled",
        /// Past its expiry.
        Expired = "expired",
        /// Revoked permanently.
        Revoked = "revoked",
    }
    InvalidStatus "Must be `active`, `disabled`, `expired` or `revoked`."
}

/// The stored timestamps that determine a key's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "native", derive(sqlx::FromRow))]
pub struct Lifecycle {
    /// When the key expires; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// When the key was disabled, if it is.
    pub disabled_at: Option<Timestamp>,
    /// When the key was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Lifecycle {
    /// The status at `now`. If several apply, the one that is hardest to undo.
    pub fn status(&self, now: Timestamp) -> Status {
        if self.revoked_at.is_some() {
            Status::Revoked
        } else if self.expires_at.is_some_and(|at| at <= now) {
            Status::Expired
        } else if self.disabled_at.is_some() {
            Status::Disabled
        } else {
            Status::Active
        }
    }
}

//! What a key is (design §3): its kind, environment and states, and its text.

#[cfg(feature = "native")]
pub mod digest;
pub mod metadata;
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
            /// Every value, in the order in which forms offer them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire and in the database.
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
    /// What a key is for.
    Kind {
        /// For servers: never shown to a browser.
        Secret = "secret",
        /// For browsers: works only from its allowed domains.
        Widget = "widget",
    }
    InvalidKind "Must be `secret` or `widget`."
}

words! {
    /// What a key works on.
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
        /// Someone else may have it.
        Compromised = "compromised",
        /// Another key took its place.
        Superseded = "superseded",
        /// Nothing used it.
        Unused = "unused",
        /// Whoever used it is no longer there.
        LeftTeam = "left-team",
        /// None of these.
        Other = "other",
    }
    InvalidRevokeReason "Must be `compromised`, `superseded`, `unused`, `left-team` or `other`."
}

words! {
    /// Whether a key works, and if not, why not.
    Status {
        /// It works.
        Active = "active",
        /// Switched off, and can be switched on again.
        Disabled = "disabled",
        /// Past its expiry.
        Expired = "expired",
        /// Ended for good.
        Revoked = "revoked",
    }
    InvalidStatus "Must be `active`, `disabled`, `expired` or `revoked`."
}

/// The stored facts that decide a key's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "native", derive(sqlx::FromRow))]
pub struct Lifecycle {
    /// When it stops by itself; `None` means never.
    pub expires_at: Option<Timestamp>,
    /// When it was switched off, if it is.
    pub disabled_at: Option<Timestamp>,
    /// When it was ended, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl Lifecycle {
    /// The status at `now`. Of several that hold, the one that is hardest to undo.
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

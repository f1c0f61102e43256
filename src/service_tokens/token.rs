//! A cached service token and its scope.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use crate::{id::ServiceTokenId, time::Timestamp};

/// What a service token can be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidTokenScope, parse_err_fn = invalid_scope)]
pub enum TokenScope {
    /// Verifying keys.
    Verify,
    /// Everything that the operator can do, including verification.
    Manage,
}

/// The text is not a scope of service tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a service token's scope must be `verify` or `manage`")]
pub struct InvalidTokenScope;

const fn invalid_scope(_: &str) -> InvalidTokenScope {
    InvalidTokenScope
}

crate::db::text_column!(TokenScope);

/// A token that was recognized.
#[derive(Debug)]
pub struct ServiceToken {
    /// The token's ID.
    pub id: ServiceTokenId,
    /// What the token can be used for.
    pub scope: TokenScope,
    pub(super) expires_at: Option<Timestamp>,
    /// In Unix milliseconds; 0 if it was never used.
    pub(super) last_used_at: AtomicI64,
    pub(super) stored_last_used_at: AtomicI64,
}

impl ServiceToken {
    /// Records the use of the token, unless it has expired. Returns whether it is valid.
    pub(super) fn is_used(&self, now: Timestamp) -> bool {
        let is_valid = self.expires_at.is_none_or(|at| at > now);
        if is_valid {
            self.last_used_at
                .fetch_max(now.as_millis(), Ordering::Relaxed);
        }
        is_valid
    }
}

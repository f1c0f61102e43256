//! A service token in memory, and what one may be used for.

use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString};

use crate::{id::ServiceTokenId, time::Timestamp};

/// What a service token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Display, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", parse_err_ty = InvalidTokenScope, parse_err_fn = invalid_scope)]
pub enum TokenScope {
    /// Asking whether a key may pass.
    Verify,
    /// Everything that the operator may do, verification included.
    Manage,
}

/// The text is not a scope of service tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a service token's scope is `verify` or `manage`")]
pub struct InvalidTokenScope;

const fn invalid_scope(_: &str) -> InvalidTokenScope {
    InvalidTokenScope
}

crate::db::text_column!(TokenScope);

/// A token that was recognised.
#[derive(Debug)]
pub struct ServiceToken {
    /// Its id.
    pub id: ServiceTokenId,
    /// What it may be used for.
    pub scope: TokenScope,
    pub(super) expires_at: Option<Timestamp>,
    /// In Unix milliseconds; 0 for never.
    pub(super) last_used_at: AtomicI64,
    pub(super) stored_last_used_at: AtomicI64,
}

impl ServiceToken {
    /// Notes that it is used, unless it has expired.
    pub(super) fn is_used(&self, now: Timestamp) -> bool {
        let is_valid = self.expires_at.is_none_or(|at| at > now);
        if is_valid {
            self.last_used_at
                .fetch_max(now.as_millis(), Ordering::Relaxed);
        }
        is_valid
    }
}

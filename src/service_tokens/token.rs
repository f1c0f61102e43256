//! A cached service token.

use std::sync::atomic::{AtomicI64, Ordering};

use super::TokenScope;
use crate::{
    id::{OrgId, ServiceTokenId, UserId},
    time::Timestamp,
};

/// A token that was recognized.
#[derive(Debug)]
pub struct ServiceToken {
    /// The token's ID.
    pub id: ServiceTokenId,
    /// The scope.
    pub scope: TokenScope,
    /// The organization that the token can access; `None` for a token of the operator, which can access all.
    pub org_id: Option<OrgId>,
    /// The user who created it.
    pub(crate) created_by: Option<UserId>,
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

#[cfg(test)]
impl ServiceToken {
    /// A token that does not expire.
    pub(crate) fn example(number: u64) -> Self {
        let mut random = [0; 10];
        random[..8].copy_from_slice(&number.to_le_bytes());
        Self {
            id: ServiceTokenId::new(0, random),
            scope: TokenScope::Verify,
            org_id: None,
            created_by: None,
            expires_at: None,
            last_used_at: AtomicI64::new(0),
            stored_last_used_at: AtomicI64::new(0),
        }
    }
}

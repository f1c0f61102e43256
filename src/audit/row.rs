//! A stored entry of the audit log.

use crate::time::Timestamp;

/// A row of `audit_log`.
#[derive(Debug, Clone, PartialEq, sqlx::FromRow)]
pub(crate) struct Row {
    pub position: i64,
    pub org_id: Option<String>,
    pub seq: i64,
    pub at: Timestamp,
    pub event: String,
    pub actor_kind: String,
    pub actor_id: Option<String>,
    pub via: String,
    pub network: Option<String>,
    pub client: Option<String>,
    pub request_id: Option<String>,
    pub target_kind: Option<String>,
    pub target_id: Option<String>,
    pub changes: String,
    pub pepper_version: i32,
    pub hash: Vec<u8>,
}

/// The columns of a [`Row`].
pub(crate) const COLUMNS: &str = "position, org_id, seq, at, event, actor_kind, actor_id, via, network, client, \
     request_id, target_kind, target_id, changes, pepper_version, hash";

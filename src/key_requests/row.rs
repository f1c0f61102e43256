//! Reads and writes the rows of requests.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use super::{Decision, KeyRequest, State, Wanted};
use crate::{
    access::has_required_factor,
    db::{StorageError, Tx, from_json, on},
    id::{KeyId, KeyRequestId, OrgId, UserId},
    key::{Environment, Kind, settings::KeySettings},
    name::{DisplayName, KeyName},
    revision::fields_of,
    time::Timestamp,
};

/// The state of a request at the time `$2`. An approval counts as long as the approver is an owner who can sign in, with the
/// second factor that the org requires.
pub(super) const STATE: &str = concat!(
    "CASE WHEN key_requests.state <> 'approved' THEN key_requests.state \
     WHEN key_requests.approved_until <= $2 THEN 'expired' \
     WHEN EXISTS (SELECT 1 FROM memberships AS approving \
     JOIN users AS approvers ON approvers.id = approving.user_id AND approvers.disabled_at IS NULL \
     JOIN orgs AS approved_in ON approved_in.id = approving.org_id AND ",
    has_required_factor!("approvers", "approved_in"),
    " WHERE approving.org_id = key_requests.org_id AND approving.user_id = key_requests.decided_by \
     AND approving.role = 'owner') THEN 'approved' ELSE 'open' END"
);

/// Selects the requests of the org `$1` at the time `$2`.
pub(super) fn select() -> String {
    format!(
        "SELECT key_requests.id, key_requests.user_id, users.name AS requester, key_requests.name, key_requests.purpose, \
         key_requests.kind, key_requests.environment, key_requests.settings, key_requests.expires_in_days, {STATE} AS state, \
         key_requests.version, key_requests.created_at, changers.name AS changer, key_requests.decided_by, \
         deciders.name AS decider, key_requests.decided_at, key_requests.comment, key_requests.approved_until, \
         key_requests.key_id, key_requests.asked FROM key_requests JOIN users ON users.id = key_requests.user_id \
         LEFT JOIN users AS changers ON changers.id = key_requests.changed_by \
         LEFT JOIN users AS deciders ON deciders.id = key_requests.decided_by WHERE key_requests.org_id = $1"
    )
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    id: KeyRequestId,
    user_id: UserId,
    requester: DisplayName,
    name: KeyName,
    purpose: String,
    kind: Kind,
    environment: Environment,
    settings: String,
    expires_in_days: Option<i64>,
    state: State,
    version: i64,
    created_at: Timestamp,
    changer: Option<DisplayName>,
    decided_by: Option<UserId>,
    decider: Option<DisplayName>,
    decided_at: Option<Timestamp>,
    comment: String,
    approved_until: Option<Timestamp>,
    key_id: Option<KeyId>,
    asked: Option<String>,
}

impl Row {
    pub fn read(self) -> Result<KeyRequest, StorageError> {
        let days = self.expires_in_days;
        let days = days.and_then(|days| NonZeroU32::new(u32::try_from(days).ok()?));
        let by = self.decided_by.zip(self.decider);
        Ok(KeyRequest {
            id: self.id,
            requester: (self.user_id, self.requester),
            purpose: self.purpose,
            asked: self
                .asked
                .as_deref()
                .map(|json| read_stored(&self.name, json))
                .transpose()?,
            wanted: Wanted {
                kind: self.kind,
                environment: self.environment,
                settings: read_settings(self.name, &self.settings)?,
                expires_in_days: days,
            },
            state: self.state,
            version: self.version,
            created_at: self.created_at,
            changed_by: self.changer,
            decision: by.zip(self.decided_at).map(|(by, at)| Decision {
                by,
                at,
                comment: self.comment,
                until: self.approved_until,
            }),
            key: self.key_id,
        })
    }
}

/// Reads stored settings. A setting that did not exist yet when they were stored has its default.
fn read_settings(name: KeyName, json: &str) -> Result<KeySettings, StorageError> {
    let mut fields = fields_of(&KeySettings::named(name));
    fields.extend(from_json::<serde_json::Map<String, Value>>(json)?);
    serde_json::from_value(fields.into()).map_err(StorageError::unreadable)
}

/// What was asked for before owners changed it.
#[derive(Serialize, Deserialize)]
struct Stored {
    kind: Kind,
    environment: Environment,
    settings: serde_json::Map<String, Value>,
    expires_in_days: Option<NonZeroU32>,
}

/// A key as it was asked for, as it is stored once an owner changes it.
pub(super) fn stored(wanted: &Wanted) -> String {
    let stored = Stored {
        kind: wanted.kind,
        environment: wanted.environment,
        settings: fields_of(&wanted.settings),
        expires_in_days: wanted.expires_in_days,
    };
    Value::from(fields_of(&stored)).to_string()
}

/// The settings have the name that was asked for; `name` is that of now.
fn read_stored(name: &KeyName, json: &str) -> Result<Wanted, StorageError> {
    let stored: Stored = from_json(json)?;
    let settings = Value::from(stored.settings).to_string();
    Ok(Wanted {
        kind: stored.kind,
        environment: stored.environment,
        settings: read_settings(name.clone(), &settings)?,
        expires_in_days: stored.expires_in_days,
    })
}

/// Settings as they are stored.
pub(super) fn stored_settings(settings: &KeySettings) -> String {
    Value::from(fields_of(settings)).to_string()
}

/// Reads a request in a transaction that has locked the org.
pub(super) async fn find(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyRequestId,
    now: Timestamp,
) -> Result<Option<KeyRequest>, StorageError> {
    let sql = format!("{} AND key_requests.id = $3", select());
    let row: Option<Row> = on!(tx.on(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(org_id).bind(now).bind(id).fetch_optional(c).await)?;
    row.map(Row::read).transpose()
}

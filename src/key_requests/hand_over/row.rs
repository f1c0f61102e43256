//! Reads the rows.

use sqlx::AssertSqlSafe;

use super::HandOver;
use crate::{
    Engine,
    access::{Permit, has_required_factor, to},
    db::{StorageError, Tx, on},
    id::{KeyId, OrgId, UserId},
    name::DisplayName,
    time::Timestamp,
};

/// Selects those in the org `$1` that count at the time `$2`. A key that has expired gets no new secret.
const OPEN: &str = concat!(
    "SELECT key_hand_overs.key_id, keys.name AS key_name, key_hand_overs.user_id, people.name AS member, \
     key_hand_overs.offered_by, offerers.name AS offerer, key_hand_overs.overlap_seconds, key_hand_overs.created_at, \
     key_hand_overs.expires_at, key_hand_overs.token FROM key_hand_overs \
     JOIN keys ON keys.id = key_hand_overs.key_id AND (keys.expires_at IS NULL OR keys.expires_at > $2) \
     JOIN users AS people ON people.id = key_hand_overs.user_id \
     JOIN users AS offerers ON offerers.id = key_hand_overs.offered_by AND offerers.disabled_at IS NULL \
     JOIN orgs AS offered_in ON offered_in.id = key_hand_overs.org_id AND ",
    has_required_factor!("offerers", "offered_in"),
    " JOIN memberships AS offering ON offering.org_id = key_hand_overs.org_id \
     AND offering.user_id = key_hand_overs.offered_by \
     AND (offering.role = 'owner' OR (offering.role = 'admin' AND offered_in.admin_rights = 'manage_keys')) \
     WHERE key_hand_overs.org_id = $1 AND key_hand_overs.expires_at > $2"
);
/// The same of the key `$3`.
const OF_KEY: &str = " AND key_hand_overs.key_id = $3";
/// The same of the member `$3`, the newest first.
const OF_MEMBER: &str =
    " AND key_hand_overs.user_id = $3 ORDER BY key_hand_overs.created_at DESC LIMIT 100";

/// Returns those that wait for the caller, at most a hundred.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_own(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
) -> Result<Vec<HandOver>, StorageError> {
    let Some(caller) = permit.caller().actor.user_id() else {
        return Ok(Vec::new());
    };
    let sql = format!("{OPEN}{OF_MEMBER}");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(engine.clock.now()).bind(caller).fetch_all(c).await)?,
    )
}

/// Returns the new secret of a key that waits for a member, if one does.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    id: KeyId,
) -> Result<Option<HandOver>, StorageError> {
    read(engine, permit.org_id(), id).await
}

/// The same, if it waits for the caller.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find_own(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    id: KeyId,
) -> Result<Option<HandOver>, StorageError> {
    let caller = permit.caller().actor.user_id();
    let found = read(engine, permit.org_id(), id).await?;
    Ok(found.filter(|open| Some(open.user_id) == caller))
}

async fn read(engine: &Engine, org_id: OrgId, id: KeyId) -> Result<Option<HandOver>, StorageError> {
    let sql = format!("{OPEN}{OF_KEY}");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(org_id).bind(engine.clock.now()).bind(id).fetch_optional(c).await)?,
    )
}

/// The same in a transaction.
pub(super) async fn open(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    now: Timestamp,
) -> Result<Option<HandOver>, StorageError> {
    let sql = format!("{OPEN}{OF_KEY}");
    Ok(on!(tx.on(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(org_id).bind(now).bind(id).fetch_optional(c).await)?)
}

/// Selects the member who asked for the key `$2` in the org `$1`, if they are someone else than `$3` and can sign in.
const RECIPIENT: &str = "SELECT users.id, users.name FROM keys JOIN users ON users.id = keys.created_by AND users.disabled_at IS NULL \
     JOIN memberships ON memberships.org_id = keys.org_id AND memberships.user_id = users.id \
     WHERE keys.org_id = $1 AND keys.id = $2 AND keys.approved_by IS NOT NULL AND users.id <> $3";

/// Returns the name of the member who asked for a key and can reveal its new secret in place of the caller. `None` if there is no
/// such member, or the caller is not a person.
///
/// # Errors
/// If the database cannot be reached.
pub async fn recipient(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    id: KeyId,
) -> Result<Option<DisplayName>, StorageError> {
    let Some(caller) = permit.caller().actor.user_id() else {
        return Ok(None);
    };
    let found: Option<(UserId, DisplayName)> = on!(engine.db.read(), c => sqlx::query_as(RECIPIENT)
        .bind(permit.org_id()).bind(id).bind(caller).fetch_optional(c).await)?;
    Ok(found.map(|(_, name)| name))
}

/// The ID of that member, in a transaction.
pub(super) async fn recipient_id(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    caller: UserId,
) -> Result<Option<UserId>, StorageError> {
    let found: Option<(UserId, DisplayName)> = on!(tx.on(), c => sqlx::query_as(RECIPIENT)
        .bind(org_id).bind(id).bind(caller).fetch_optional(c).await)?;
    Ok(found.map(|(id, _)| id))
}

/// Who created a key; `None` if the org has no such key.
pub(super) async fn creator(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
) -> Result<Option<Option<UserId>>, StorageError> {
    const SQL: &str = "SELECT created_by FROM keys WHERE org_id = $1 AND id = $2";
    Ok(on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(id).fetch_optional(c).await)?)
}

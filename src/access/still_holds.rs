//! Whether a permit still holds when its change begins: between the check and the change, a body arrives, a password is
//! hashed or a queue is waited for, and meanwhile the right can be taken away.

use super::{Basis, Permit};
use crate::{
    Engine,
    accounts::sessions::ABSOLUTE_LIFETIME,
    caller::{Actor, Caller, Person},
    db::{StorageError, Tx, on},
    id::{OrgId, ServiceTokenId, UserId},
    role::Rights,
    time::Timestamp,
};

const SESSION_LIVES: &str = "SELECT 1 FROM sessions JOIN users ON users.id = sessions.user_id AND users.epoch = sessions.epoch \
     AND users.disabled_at IS NULL \
     WHERE sessions.id_hash = $1 AND sessions.user_id = $2 AND sessions.expires_at > $3 AND sessions.created_at > $4";

/// Checks, within the transaction of a change, that the caller can still do what the permit allows.
///
/// # Errors
/// [`StorageError::is_of_ended_permit`] if not, or the database cannot be reached.
pub(crate) async fn still_holds<A>(
    tx: &mut Tx,
    permit: &Permit<A>,
    now: Timestamp,
) -> Result<(), StorageError> {
    let holds = match (permit.basis, permit.caller.actor) {
        (Basis::Operator, _) => return operator_still_is(tx, &permit.caller, now).await,
        (Basis::Member | Basis::LeavingMember, Actor::User(user_id)) => {
            is_allowed(tx, permit, user_id).await?
        }
        (_, Actor::Token(id)) => is_valid(tx, id, now).await?,
        (_, Actor::CommandLine) => true,
        // Nobody else gets a permit.
        (Basis::OrgToken, Actor::User(_)) | (_, Actor::Unknown) => false,
    };
    ended_unless(holds)
}

/// Checks, within the transaction of a change, that the caller still is an operator, or a token that acts for one.
///
/// # Errors
/// [`StorageError::is_of_ended_permit`] if not, or the database cannot be reached.
pub(crate) async fn operator_still_is(
    tx: &mut Tx,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), StorageError> {
    ended_unless(match caller.actor {
        Actor::User(user_id) => is_operator(tx, user_id).await?,
        Actor::Token(id) => is_valid(tx, id, now).await?,
        Actor::CommandLine => true,
        Actor::Unknown => false,
    })
}

fn ended_unless(holds: bool) -> Result<(), StorageError> {
    match holds {
        true => Ok(()),
        false => Err(StorageError::permit_ended()),
    }
}

/// Checks, within the transaction of a change, that the session from which a user makes it has not ended: it can end while a
/// password is hashed. Callers without a session pass.
///
/// # Errors
/// [`StorageError::is_of_ended_session`] if it has ended, or the database cannot be reached.
pub(crate) async fn session_still_lives(
    tx: &mut Tx,
    caller: &Caller,
    now: Timestamp,
) -> Result<(), StorageError> {
    let (Some(session), Actor::User(user_id)) = (caller.visit.session, caller.actor) else {
        return Ok(());
    };
    let lives = on!(tx.on(), c => sqlx::query(SESSION_LIVES)
        .bind(&session.as_bytes()[..]).bind(user_id).bind(now).bind(now.plus(-ABSOLUTE_LIFETIME))
        .fetch_optional(c).await.map(|row| row.is_some()))?;
    match lives {
        true => Ok(()),
        false => Err(StorageError::session_ended()),
    }
}

/// Whether the session of a signed-in user lasts, for a response that takes longer than its request. Callers without a session
/// keep their right until the response ends.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn session_lasts(engine: &Engine, person: &Person) -> Result<bool, StorageError> {
    let Some(session) = person.visit.session else {
        return Ok(true);
    };
    let now = engine.clock.now();
    Ok(on!(engine.db.read(), c => sqlx::query(SESSION_LIVES)
        .bind(&session.as_bytes()[..]).bind(person.user_id).bind(now).bind(now.plus(-ABSOLUTE_LIFETIME))
        .fetch_optional(c).await.map(|row| row.is_some()))?)
}

async fn is_operator(tx: &mut Tx, user_id: UserId) -> Result<bool, StorageError> {
    const SQL: &str =
        "SELECT 1 FROM users WHERE id = $1 AND operator_since IS NOT NULL AND disabled_at IS NULL";
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?)
}

async fn is_valid(tx: &mut Tx, id: ServiceTokenId, now: Timestamp) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM service_tokens WHERE id = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)";
    Ok(on!(tx.on(), c => sqlx::query(SQL)
        .bind(id).bind(now).fetch_optional(c).await.map(|row| row.is_some()))?)
}

async fn is_allowed<A>(
    tx: &mut Tx,
    permit: &Permit<A>,
    user_id: UserId,
) -> Result<bool, StorageError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        rights: Rights,
        lacks_factor: bool,
    }
    const SQL: &str = "SELECT memberships.role, orgs.admin_rights, orgs.second_factor_required AND NOT EXISTS \
         (SELECT 1 FROM second_factors WHERE second_factors.user_id = users.id) AS lacks_factor \
         FROM memberships JOIN orgs ON orgs.id = memberships.org_id \
         JOIN users ON users.id = memberships.user_id AND users.disabled_at IS NULL \
         WHERE memberships.user_id = $1 AND memberships.org_id = $2";
    let org_id: OrgId = permit.org_id;
    let row: Option<Row> = on!(tx.on(), c => sqlx::query_as(SQL)
        .bind(user_id).bind(org_id).fetch_optional(c).await)?;
    let leaves = permit.basis == Basis::LeavingMember;
    Ok(row.is_some_and(|row| row.rights.may(permit.action) && (leaves || !row.lacks_factor)))
}

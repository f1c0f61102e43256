//! Deleting one's own account.
//!
//! The row of the user remains, without anything about the person, since keys and log entries refer to it: they show a
//! deleted user. Everything else that belongs to the user is removed. Log entries hold IDs, not names or addresses.

use crate::{
    Engine,
    access::Org,
    caller::{Caller, Person},
    change::{Events, Happened},
    db::{StorageError, Tx, on},
    email::EmailAddress,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::UserId,
    mail::{Content, Letter},
    name::DisplayName,
    operators::{LastOperator, keeps_one},
    orgs,
    search::folded,
};

use super::{User, find_user, lock::lock_user_to_delete};

/// The name that a deleted user has.
const NAME: &str = "Deleted user";

/// The tables with rows that belong to a user, by their column `user_id`. Those that refer to a user as the creator of
/// something are not among them.
pub const TABLES: [&str; 8] = [
    "sessions",
    "memberships",
    "second_factors",
    "recovery_codes",
    "account_links",
    "accepted_invitations",
    "key_requests",
    "key_hand_overs",
];

/// Why an account was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteAccountError {
    /// Organizations have no other owner who can sign in.
    #[error("You are the only owner of {}. Make someone else an owner or delete the organization first.", names(.0))]
    OnlyOwner(Vec<Org>),
    /// Nobody else is an operator.
    #[error(transparent)]
    LastOperator(#[from] LastOperator),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(DeleteAccountError);

fn names(orgs: &[Org]) -> String {
    let names: Vec<String> = orgs.iter().map(|org| org.name.to_string()).collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => String::new(),
    }
}

/// Returns the organizations whose only owner is this user, so that they cannot delete their account.
///
/// # Errors
/// If the database cannot be reached.
pub async fn only_owner_of(engine: &Engine, user_id: UserId) -> Result<Vec<Org>, StorageError> {
    Ok(on!(engine.db.read(), c => sqlx::query_as(ONLY_OWNER).bind(user_id).fetch_all(c).await)?)
}

/// An owner whose account is disabled cannot do anything, so they do not count.
const ONLY_OWNER: &str = "SELECT orgs.id, orgs.slug, orgs.name FROM memberships \
     JOIN orgs ON orgs.id = memberships.org_id AND orgs.deleted_at IS NULL \
     WHERE memberships.user_id = $1 AND memberships.role = 'owner' AND NOT EXISTS \
     (SELECT 1 FROM memberships AS others JOIN users ON users.id = others.user_id AND users.disabled_at IS NULL \
     WHERE others.org_id = memberships.org_id AND others.role = 'owner' AND others.user_id <> $1) ORDER BY orgs.slug";

/// Deletes the account of a signed-in user, and tells them by mail. Their sessions end, and their memberships. Runs as a
/// task of its own.
///
/// # Errors
/// If an organization would have no owner, or the instance no operator. Nothing is changed.
pub async fn delete(engine: &Engine, person: Person) -> Result<(), DeleteAccountError> {
    let deleting = engine.clone();
    let deleted = engine.commits.spawn(async move {
        let (engine, user_id) = (&deleting, person.user_id);
        let user = find_user(engine, user_id).await?;
        delete_now(engine, person).await?;
        if let Some(User { email: to, .. }) = user {
            let content = Content::AccountDeleted;
            engine.tell(user_id, Letter { to, content });
        }
        Ok(())
    });
    deleted.await.map_err(|_| StorageError::interrupted())?
}

async fn delete_now(engine: &Engine, person: Person) -> Result<(), DeleteAccountError> {
    const ORGS: &str = "SELECT orgs.id, orgs.slug, orgs.name FROM memberships \
         JOIN orgs ON orgs.id = memberships.org_id AND orgs.deleted_at IS NULL \
         WHERE memberships.user_id = $1 ORDER BY orgs.id";
    const DISABLE: &str = "UPDATE users SET disabled_at = $1, deleted_at = $1, operator_since = NULL, last_seen_at = NULL, \
         name = $2, search = $5, email = $3, password_hash = '', time_zone = 'UTC', epoch = epoch + 1 WHERE id = $4 AND deleted_at IS NULL";
    let user_id = person.user_id;
    let caller = Caller::from(person);
    let mut change = engine.change_account(caller.clone()).await?;
    lock_user_to_delete(change.tx(), user_id).await?;
    let was_operator = is_operator(change.tx(), user_id).await?;
    let orgs: Vec<Org> =
        on!(change.on(), c => sqlx::query_as(ORGS).bind(user_id).fetch_all(c).await)?;
    // Of two owners who delete their accounts concurrently, the second one sees what the first one did. Always in the same
    // order, so that two people with the same organizations do not wait for each other.
    let mut left = Vec::with_capacity(orgs.len());
    for org in orgs {
        match orgs::lock(change.tx(), org.id).await {
            Ok(()) => left.push(org),
            Err(error) if error.is_of_deleted_org() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let only: Vec<Org> =
        on!(change.on(), c => sqlx::query_as(ONLY_OWNER).bind(user_id).fetch_all(c).await)?;
    if !only.is_empty() {
        return Err(DeleteAccountError::OnlyOwner(only));
    }
    let name: DisplayName = NAME.parse().map_err(|_| StorageError::interrupted())?;
    let email = EmailAddress::of_deleted(user_id);
    on!(change.on(), c => sqlx::query(DISABLE)
        .bind(engine.clock.now()).bind(name).bind(email).bind(user_id).bind(folded(NAME)).execute(c).await.map(drop))?;
    remove_rows(change.tx(), user_id).await?;
    if was_operator {
        keeps_one(change.tx(), &caller, user_id).await??;
    }
    let deleted = Happened::new(Event::AccountDeleted, Target::User(user_id)).in_instance();
    let mut events = Events::from(deleted);
    for org in left {
        let left = Happened::new(Event::MemberLeft, Target::User(user_id));
        events = events.and(left.in_org(org.id));
    }
    Ok(change.commit(events).await?)
}

async fn is_operator(tx: &mut Tx, user_id: UserId) -> Result<bool, StorageError> {
    const IS_OPERATOR: &str = "SELECT 1 FROM users WHERE id = $1 AND operator_since IS NOT NULL";
    Ok(on!(tx.on(), c => sqlx::query(IS_OPERATOR)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?)
}

async fn remove_rows(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE user_id = $1");
        on!(tx.on(), c => sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(user_id).execute(c).await.map(drop))?;
    }
    Ok(())
}

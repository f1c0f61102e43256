//! The members of an org: who they are, changes of their roles, and how they leave.

mod change_role;
mod list;
mod remove;

pub use self::{
    change_role::change_role,
    list::{Member, find, list, page},
    remove::{leave, remove},
};

use crate::{
    accounts::confirmed::PasswordNeeded,
    db::{On, StorageError, Tx, on},
    fault::{Fault, from_fault},
    id::{OrgId, UserId},
    name::DisplayName,
    role::Role,
    time::Timestamp,
};

/// Why a member was not changed.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The user is not a member of the org.
    #[error("This person is not a member of the organization.")]
    NotFound,
    /// Only a user who has just entered their password makes someone an owner.
    #[error(transparent)]
    PasswordNeeded(#[from] PasswordNeeded),
    /// No other owner could sign in.
    #[error("{0} is the only owner. Make someone else an owner first.")]
    LastOwner(DisplayName),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(MemberError);

/// The columns of a member that rules on changes need.
#[derive(sqlx::FromRow)]
struct Standing {
    name: DisplayName,
    role: Role,
}

impl Standing {
    /// Reads them within a transaction that holds the org's lock.
    async fn of(tx: &mut Tx, org_id: OrgId, user_id: UserId) -> Result<Self, MemberError> {
        const SQL: &str = "SELECT users.name, memberships.role FROM memberships \
             JOIN users ON users.id = memberships.user_id \
             WHERE memberships.org_id = $1 AND memberships.user_id = $2";
        let found: Option<Self> = on!(tx.on(), c => sqlx::query_as(SQL)
            .bind(org_id).bind(user_id).fetch_optional(c).await)?;
        found.ok_or(MemberError::NotFound)
    }

    /// Checks that the org keeps an owner when this one is an owner no longer. An owner whose account is disabled
    /// cannot do anything, so they do not count.
    async fn check_replaceable(
        &self,
        tx: &mut Tx,
        org_id: OrgId,
        user_id: UserId,
    ) -> Result<(), MemberError> {
        const SQL: &str = "SELECT 1 FROM memberships JOIN users ON users.id = memberships.user_id \
             WHERE memberships.org_id = $1 AND memberships.role = 'owner' AND memberships.user_id <> $2 \
             AND users.disabled_at IS NULL LIMIT 1";
        if self.role != Role::Owner {
            return Ok(());
        }
        let has_another = on!(tx.on(), c => sqlx::query(SQL)
            .bind(org_id).bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?;
        if has_another {
            Ok(())
        } else {
            Err(MemberError::LastOwner(self.name.clone()))
        }
    }
}

/// Adds a user to an org within a transaction.
pub(crate) async fn insert(
    tx: &mut Tx,
    org_id: OrgId,
    user_id: UserId,
    role: Role,
    now: Timestamp,
) -> Result<(), StorageError> {
    keep_user(tx, user_id).await?;
    const SQL: &str =
        "INSERT INTO memberships (org_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
    on!(tx.on(), c => sqlx::query(SQL).bind(org_id).bind(user_id).bind(role).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

/// Keeps the user from deleting their account until the transaction ends, so that no membership of a deleted user remains.
///
/// # Errors
/// If they have deleted it, or the database cannot be reached.
pub(crate) async fn keep_user(tx: &mut Tx, user_id: UserId) -> Result<(), StorageError> {
    const SQL: &str = "SELECT 1 FROM users WHERE id = $1 AND deleted_at IS NULL";
    let exists = match tx.on() {
        On::Sqlite(c) => sqlx::query(SQL)
            .bind(user_id)
            .fetch_optional(c)
            .await?
            .is_some(),
        On::Postgres(c) => {
            let sql = sqlx::AssertSqlSafe(format!("{SQL} FOR KEY SHARE"));
            sqlx::query(sql)
                .bind(user_id)
                .fetch_optional(c)
                .await?
                .is_some()
        }
    };
    match exists {
        true => Ok(()),
        false => Err(sqlx::Error::RowNotFound.into()),
    }
}

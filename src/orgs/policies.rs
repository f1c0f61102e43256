//! The policies of an org, which only owners can change. What creates or changes keys reads them under a lock, so that a
//! change of the policies waits for it or is seen by it.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    convention::Convention,
    db::{On, StorageError, Tx, on, select_locked},
    event::{Event, Target},
    id::OrgId,
    policy::{KeyPolicy, PolicyChange},
    revision::{Known, Revision, fields_of},
};

/// Why the policies were not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePoliciesError {
    /// The policies were changed since the caller read them.
    #[error("Someone else changed these policies in the meantime.")]
    ChangedMeanwhile,
    /// A period is not in [`KeyPolicy::DAYS`].
    #[error("A period must be from 1 to 3,650 days.")]
    InvalidPeriod,
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[derive(sqlx::FromRow)]
struct Row {
    rotation_days: Option<i64>,
    longest_life_days: Option<i64>,
    scopes_required: bool,
    ip_ranges_required: bool,
    localhost_forbidden: bool,
}

impl Row {
    fn read(self, convention: &Convention) -> KeyPolicy {
        let days = |days: Option<i64>| days.and_then(|days| u32::try_from(days).ok());
        let stored = KeyPolicy {
            rotation_days: days(self.rotation_days),
            longest_life_days: days(self.longest_life_days),
            scopes_required: self.scopes_required,
            ip_ranges_required: self.ip_ranges_required,
            localhost_forbidden: self.localhost_forbidden,
        };
        stored.under(convention)
    }
}

const SELECT: &str = "SELECT rotation_days, longest_life_days, scopes_required, ip_ranges_required, localhost_forbidden \
     FROM key_policies WHERE org_id = $1";

/// Returns the current policies. They are no secret from anyone who can do something with the org's keys.
///
/// # Errors
/// If the database cannot be reached.
pub async fn read<A>(engine: &Engine, permit: &Permit<A>) -> Result<KeyPolicy, StorageError> {
    of_org(engine, permit.org_id()).await
}

/// Like [`read`], for operations that hold no permit at this point.
pub(crate) async fn of_org(engine: &Engine, org_id: OrgId) -> Result<KeyPolicy, StorageError> {
    let row: Option<Row> =
        on!(engine.db.read(), c => sqlx::query_as(SELECT).bind(org_id).fetch_optional(c).await)?;
    Ok(row.map_or_else(KeyPolicy::default, |row| row.read(&engine.convention)))
}

/// Like [`of_org`], on the connection of a transaction, and without a lock.
pub(crate) async fn within(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
) -> Result<KeyPolicy, StorageError> {
    let row: Option<Row> =
        on!(tx.on(), c => sqlx::query_as(SELECT).bind(org_id).fetch_optional(c).await)?;
    Ok(row.map_or_else(KeyPolicy::default, |row| row.read(&engine.convention)))
}

/// Returns the policies, which cannot be changed until the transaction ends. Others can read them.
pub(crate) async fn locked(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
) -> Result<KeyPolicy, StorageError> {
    let mut row = shared(tx, org_id).await?;
    if row.is_none() {
        insert_default(tx, org_id).await?;
        row = shared(tx, org_id).await?;
    }
    let row = row.ok_or(StorageError::from(sqlx::Error::RowNotFound))?;
    Ok(row.read(&engine.convention))
}

/// Reads the row under a shared lock. SQLite needs none: it has a single writer.
async fn shared(tx: &mut Tx, org_id: OrgId) -> Result<Option<Row>, StorageError> {
    let lock = match tx.on() {
        On::Sqlite(_) => "",
        On::Postgres(_) => "FOR SHARE",
    };
    let sql = format!("{SELECT} {lock}");
    Ok(
        on!(tx.on(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(org_id).fetch_optional(c).await)?,
    )
}

/// Creates the row, since only a row can be locked. Waits for a transaction that does the same.
async fn insert_default(tx: &mut Tx, org_id: OrgId) -> Result<(), StorageError> {
    const INSERT: &str = "INSERT INTO key_policies (org_id, rotation_days, longest_life_days, scopes_required, \
         ip_ranges_required, localhost_forbidden) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (org_id) DO NOTHING";
    let default = KeyPolicy::default();
    on!(tx.on(), c => sqlx::query(INSERT)
        .bind(org_id).bind(default.rotation_days.map(i64::from)).bind(default.longest_life_days.map(i64::from))
        .bind(default.scopes_required).bind(default.ip_ranges_required).bind(default.localhost_forbidden)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// A fingerprint of each policy. A form of the policies is rendered with it.
pub fn revision(policy: &KeyPolicy) -> Revision {
    Revision::of(policy)
}

/// Changes the policies, and returns all of them. They apply to every key that is created or changed from then on, on every
/// instance.
///
/// # Errors
/// If `known` is outdated, or a period is out of range.
pub async fn change(
    engine: &Engine,
    permit: &Permit<to::EditOrg>,
    policy: impl Into<PolicyChange>,
    known: &Known,
) -> Result<KeyPolicy, ChangePoliciesError> {
    const UPDATE: &str = "UPDATE key_policies SET rotation_days = $2, longest_life_days = $3, scopes_required = $4, \
         ip_ranges_required = $5, localhost_forbidden = $6 WHERE org_id = $1";
    let policy: PolicyChange = policy.into();
    let periods = [policy.rotation_days, policy.longest_life_days];
    let mut periods = periods.into_iter().flatten().flatten();
    if !periods.all(|days| KeyPolicy::DAYS.contains(&days)) {
        return Err(ChangePoliciesError::InvalidPeriod);
    }
    let org_id = permit.org_id();
    let mut change = engine.change(permit).await?;
    insert_default(change.tx(), org_id).await?;
    let stored: Option<Row> = select_locked!(
        change,
        "SELECT rotation_days, longest_life_days, scopes_required, ip_ranges_required, localhost_forbidden \
         FROM key_policies WHERE org_id = $1",
        org_id
    )?;
    let stored = stored.ok_or(StorageError::from(sqlx::Error::RowNotFound))?;
    let before = stored.read(&engine.convention);
    let (sent, now) = (Revision::of(&policy), revision(&before));
    if known.is_outdated(&sent, &now, || now.to_string()) {
        return Err(ChangePoliciesError::ChangedMeanwhile);
    }
    let mut after = before;
    policy.apply(&mut after, |field| known.is_change(field, &sent));
    let after = after.under(&engine.convention);
    let mut values = fields_of(&after);
    let updated = fields_of(&before).into_iter().fold(
        Happened::new(Event::OrgUpdated, Target::Org(org_id)),
        |updated, (field, was)| {
            let is = values.remove(&field).unwrap_or_default();
            updated.changed(&field, was, is)
        },
    );
    if updated.changes.is_empty() {
        return Ok(before);
    }
    on!(change.on(), c => sqlx::query(UPDATE)
        .bind(org_id).bind(after.rotation_days.map(i64::from)).bind(after.longest_life_days.map(i64::from))
        .bind(after.scopes_required).bind(after.ip_ranges_required).bind(after.localhost_forbidden)
        .execute(c).await.map(drop))
    .map_err(StorageError::from)?;
    change.commit(updated).await?;
    Ok(after)
}

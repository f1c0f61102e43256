//! Removes the rows of deleted organizations, in the background and in small batches, so that on SQLite no other writer
//! waits for long: an organization can have 10,000 keys with 90 days of use, a million rows.

use std::time::Duration;

use tokio::{sync::Notify, time::sleep};

use crate::{
    Engine,
    db::{On, StorageError, Tx, on, places},
    id::OrgId,
    time::{DAY, Timestamp},
};

/// Rows that one transaction removes, which takes some milliseconds.
const ROWS_AT_ONCE: i64 = 500;
/// The pause between two transactions, in which others write.
const PAUSE: Duration = Duration::from_millis(20);
/// How long after a deletion rows can still arrive: usage that another instance counted before it knew of the deletion and
/// could not store.
const ARRIVES_FOR: i64 = DAY;
/// The ID of Postgres's advisory lock that the instance takes which removes rows: "latchorg".
const LOCK: i64 = i64::from_be_bytes(*b"latchorg");

const OF_ORG: &str = "org_id = $1";

/// The tables with rows of an organization: the primary key, and which rows. Each follows the tables that reference it.
const TABLES: [(&str, &str, &str); 19] = [
    ("memberships", "org_id, user_id", OF_ORG),
    ("invitations", "id", OF_ORG),
    ("accepted_invitations", "digest", OF_ORG),
    ("key_requests", "id", OF_ORG),
    ("key_hand_overs", "key_id", OF_ORG),
    (
        "idempotency_keys",
        "service_token_id, idempotency_key",
        "service_token_id IN (SELECT id FROM service_tokens WHERE org_id = $1)",
    ),
    ("service_tokens", "id", OF_ORG),
    ("reviews", "id", OF_ORG),
    ("keys", "id", OF_ORG),
    ("agents", "id", OF_ORG),
    ("projects", "id", OF_ORG),
    ("key_findings", "org_id, key_id, secret_id, finding", OF_ORG),
    ("refusals", "org_id, id", OF_ORG),
    ("alerts", "org_id, key_id, measure, day", OF_ORG),
    ("alert_settings", "org_id", OF_ORG),
    ("alert_digests", "org_id", OF_ORG),
    ("key_policies", "org_id", OF_ORG),
    ("key_reminders", "org_id, key_id, reason", OF_ORG),
    (
        "usage_domains",
        "org_id, subject_id, starts_at, passed, domain",
        OF_ORG,
    ),
];

/// The tables with counts, and their primary keys. They name an organization's subjects, not the organization.
const COUNTS: [(&str, &str); 5] = [
    ("usage_minutes", "subject, starts_at, class, outcome"),
    ("usage_hours", "subject, starts_at, class, outcome"),
    ("usage_days", "subject, starts_at, class, outcome"),
    ("usage_totals", "org, kind, subject, class, outcome"),
    ("usage_seen", "subject, kind, value"),
];
/// The number of subjects whose counts one transaction looks for.
const SUBJECTS_AT_ONCE: i64 = 50;

/// Wakes the removal when an organization was deleted.
#[derive(Debug, Default)]
pub(crate) struct Emptying(Notify);

impl Emptying {
    pub(crate) fn wake(&self) {
        self.0.notify_one();
    }
}

/// Resolves when an organization was deleted since it last resolved.
pub async fn deleted(engine: &Engine) {
    engine.emptying.0.notified().await;
}

/// Removes the rows of all deleted organizations. On Postgres, one instance does so at a time.
///
/// # Errors
/// If the database cannot be reached. The next call continues.
pub async fn empty_deleted(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "SELECT id, deleted_at FROM orgs WHERE deleted_at IS NOT NULL AND emptied_at IS NULL \
         ORDER BY deleted_at LIMIT 1000";
    let orgs: Vec<(OrgId, Timestamp)> =
        on!(engine.db.read(), c => sqlx::query_as(SQL).fetch_all(c).await)?;
    for (org_id, deleted_at) in orgs {
        if !empty(engine, org_id).await? || !remove_counts(engine, org_id).await? {
            return Ok(());
        }
        if engine.clock.now().since(deleted_at) >= ARRIVES_FOR {
            // Only now, since counts that arrive late name them.
            const DELETE_SUBJECTS: &str = "DELETE FROM usage_subjects WHERE org_id = $1";
            on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE_SUBJECTS)
                .bind(org_id).execute(c).await.map(drop))?;
            const EMPTIED: &str = "UPDATE orgs SET emptied_at = $1 WHERE id = $2";
            on!(engine.db.write_unrecorded(), c => sqlx::query(EMPTIED)
                .bind(engine.clock.now()).bind(org_id).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// Removes the rows of one organization. Returns whether this instance is the one that removes rows.
async fn empty(engine: &Engine, org_id: OrgId) -> Result<bool, StorageError> {
    for (table, key, of_org) in TABLES {
        let has_rows = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE {of_org})");
        loop {
            let has_rows: bool = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(has_rows.clone()))
                .bind(org_id).fetch_one(c).await)?;
            if !has_rows {
                break;
            }
            let mut tx = engine.db.begin_unrecorded().await?;
            if !is_alone(&mut tx).await? {
                return Ok(false);
            }
            let delete = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {of_org} LIMIT $2)"
            );
            on!(tx.on(), c => sqlx::query(sqlx::AssertSqlSafe(delete))
                .bind(org_id).bind(ROWS_AT_ONCE).execute(c).await.map(drop))?;
            tx.commit().await?;
            sleep(PAUSE).await;
        }
    }
    Ok(true)
}

/// Removes the counts of one organization, some subjects at a time. Returns whether this instance is the one that removes
/// rows.
async fn remove_counts(engine: &Engine, org_id: OrgId) -> Result<bool, StorageError> {
    const SUBJECTS: &str = "SELECT CAST(id AS BIGINT) FROM usage_subjects WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let mut after = 0;
    loop {
        let subjects: Vec<i64> = on!(engine.db.read(), c => sqlx::query_scalar(SUBJECTS)
            .bind(org_id).bind(after).bind(SUBJECTS_AT_ONCE).fetch_all(c).await)?;
        let Some(last) = subjects.last() else {
            return Ok(true);
        };
        let of_subjects = format!("subject IN ({})", places(1, subjects.len()));
        for (table, key) in COUNTS {
            let delete = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {of_subjects} LIMIT {ROWS_AT_ONCE})"
            );
            loop {
                let mut tx = engine.db.begin_unrecorded().await?;
                if !is_alone(&mut tx).await? {
                    return Ok(false);
                }
                let deleted = on!(tx.on(), c => {
                    let mut query = sqlx::query(sqlx::AssertSqlSafe(delete.clone())).persistent(false);
                    for subject in &subjects {
                        query = query.bind(*subject);
                    }
                    query.execute(c).await.map(|done| done.rows_affected())
                })?;
                tx.commit().await?;
                if deleted == 0 {
                    break;
                }
                sleep(PAUSE).await;
            }
        }
        after = *last;
    }
}

/// Whether no other instance removes rows until the transaction ends.
async fn is_alone(tx: &mut Tx) -> Result<bool, StorageError> {
    match tx.on() {
        On::Sqlite(_) => Ok(true),
        On::Postgres(c) => Ok(sqlx::query_scalar("SELECT pg_try_advisory_xact_lock($1)")
            .bind(LOCK)
            .fetch_one(c)
            .await?),
    }
}

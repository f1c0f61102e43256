//! The alerts of an organization.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on},
    id::KeyId,
    name::KeyName,
    time::{DAY, Timestamp},
    usage::resolution::DAYS,
};

use super::rule::Measure;

/// How long alerts are kept, and for how long they are listed, in milliseconds.
const KEPT_FOR: i64 = 30 * DAY;
const LISTED_FOR: i64 = 7 * DAY;
/// The most alerts in a list.
const MAX_LISTED: i64 = 50;

/// A key that stood out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// The key's ID.
    pub key_id: KeyId,
    /// The key's current name.
    pub key_name: KeyName,
    /// What stood out.
    pub measure: Measure,
    /// When it was first noticed on that day (UTC), at the end of the first 24 hours that stood out.
    pub noticed_at: Timestamp,
    /// The most in 24 hours.
    pub count: i64,
    /// The count of a usual busy day of the key.
    pub usual: i64,
}

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    key_id: KeyId,
    key_name: KeyName,
    measure: String,
    noticed_at: Timestamp,
    count: i64,
    usual: i64,
}

impl Row {
    /// The alert, unless a later version has stored what this one does not know.
    pub(super) fn alert(self) -> Option<Alert> {
        Some(Alert {
            key_id: self.key_id,
            key_name: self.key_name,
            measure: self.measure.parse().ok()?,
            noticed_at: self.noticed_at,
            count: self.count,
            usual: self.usual,
        })
    }
}

/// The columns of a [`Row`].
pub(super) const SELECT: &str = "SELECT alerts.key_id, keys.name AS key_name, alerts.measure, alerts.noticed_at, alerts.count, \
     alerts.usual FROM alerts JOIN keys ON keys.id = alerts.key_id AND keys.org_id = alerts.org_id WHERE alerts.org_id = $1";

/// Returns the alerts of an org of the last seven days, the latest first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn recent(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
) -> Result<Vec<Alert>, StorageError> {
    let sql = format!(
        "{SELECT} AND alerts.day > $2 ORDER BY alerts.day DESC, alerts.noticed_at DESC, alerts.key_id, alerts.measure LIMIT $3"
    );
    let since = DAYS.step(engine.clock.now().plus(-LISTED_FOR));
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(since).bind(MAX_LISTED).fetch_all(c).await)?;
    Ok(rows.into_iter().filter_map(Row::alert).collect())
}

/// Deletes alerts past their retention period.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const DELETE: &str = "DELETE FROM alerts WHERE day < $1";
    let oldest = DAYS.step(engine.clock.now().plus(-KEPT_FOR));
    on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE).bind(oldest).execute(c).await.map(drop))?;
    Ok(())
}

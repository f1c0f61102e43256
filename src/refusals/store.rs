//! Writing refusals, and deleting old ones.

use std::collections::BTreeSet;

use super::{KEPT, KEPT_FOR, memory::Noted};
use crate::{
    Engine,
    db::{StorageError, Tx, on},
    fault::Fault,
    id::{OrgId, RefusalId},
};

/// The columns, in the order in which rows are bound.
const COLUMNS: &str = "org_id, id, at, code, reason, key_id, agent_id, prefix, class, origin, network, client, missing_scopes";
/// Rows per statement, far below the limits of parameters of both databases.
const ROWS_AT_ONCE: usize = 100;

/// Stores the refusals in memory, and deletes those of the same organizations beyond the newest [`KEPT`]. Those that
/// cannot be stored are kept and stored with the next call, while newer ones wait in their bounded memory.
///
/// # Errors
/// If the database cannot be reached.
pub async fn store(engine: &Engine) -> Result<(), Fault> {
    let mut unstored = engine.refusals.unstored.lock().await;
    if unstored.is_empty() {
        for (org_id, noted) in engine.refusals.take() {
            let id = RefusalId::new(noted.at.as_millis(), engine.random.bytes()?);
            unstored.push((org_id, id, noted));
        }
        // Sorted, so that instances that store at the same time lock rows in the same order.
        unstored.sort_unstable_by_key(|(org_id, id, _)| (*org_id, *id));
    }
    if unstored.is_empty() {
        return Ok(());
    }
    let mut tx = engine.db.begin_unrecorded().await?;
    for rows in unstored.chunks(ROWS_AT_ONCE) {
        insert(engine, &mut tx, rows).await?;
    }
    let orgs: BTreeSet<OrgId> = unstored.iter().map(|(org_id, _, _)| *org_id).collect();
    const DELETE: &str = "DELETE FROM refusals WHERE org_id = $1 AND id <= \
         (SELECT id FROM refusals WHERE org_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $2)";
    for org_id in orgs {
        on!(tx.on(), c => sqlx::query(DELETE).bind(org_id).bind(KEPT).execute(c).await.map(drop))?;
    }
    tx.commit().await?;
    unstored.clear();
    Ok(())
}

async fn insert(
    engine: &Engine,
    tx: &mut Tx,
    rows: &[(OrgId, RefusalId, Noted)],
) -> Result<(), StorageError> {
    // A commit can succeed although its response is lost.
    let sql = format!(
        "INSERT INTO refusals ({COLUMNS}) VALUES {} ON CONFLICT DO NOTHING",
        tx.places_of_rows(rows.len(), COLUMNS.split(", ").count())
    );
    Ok(on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (org_id, id, noted) in rows {
            query = query.bind(org_id).bind(id).bind(noted.at).bind(noted.outcome)
                .bind(noted.reason.map(|reason| reason.as_str())).bind(noted.key_id).bind(noted.agent_id)
                .bind(noted.prefix.as_deref()).bind(noted.class.name(&engine.convention)).bind(noted.origin.as_deref())
                .bind(noted.network.map(|network| network.to_string()))
                .bind(noted.client.as_ref().map(|client| client.as_str())).bind(noted.missing_scopes.as_str());
        }
        query.execute(c).await.map(drop)
    })?)
}

/// Deletes refusals past their retention period, one organization at a time.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_old(engine: &Engine) -> Result<(), StorageError> {
    const ORGS: &str = "SELECT id FROM orgs";
    const DELETE: &str = "DELETE FROM refusals WHERE org_id = $1 AND id < $2";
    let orgs: Vec<OrgId> = on!(engine.db.read(), c => sqlx::query_scalar(ORGS).fetch_all(c).await)?;
    let oldest = RefusalId::new(engine.clock.now().plus(-KEPT_FOR).as_millis(), [0; 10]);
    for org_id in orgs {
        on!(engine.db.write_unrecorded(), c => sqlx::query(DELETE)
            .bind(org_id).bind(oldest).execute(c).await.map(drop))?;
    }
    Ok(())
}

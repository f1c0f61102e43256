//! Appending to the audit log.

use std::{collections::HashMap, net::IpAddr};

use serde_json::{Map, Value};

use super::{
    chain,
    row::{COLUMNS, Row},
};
use crate::{
    Engine,
    caller::Caller,
    db::{On, StorageError, Tx, on},
    event::{Event, Target},
    id::OrgId,
    network::Network,
    time::Timestamp,
};

/// The channel on which Postgres notifies other instances of new rows.
pub const CHANNEL: &str = "latchkey_audit_log";
/// The number of rows per INSERT statement, far below the parameter limits of SQLite and Postgres.
const ROWS_AT_ONCE: usize = 250;
/// The ID of Postgres's advisory lock on the log: the first bytes of "latchkey".
const LOCK: i64 = i64::from_be_bytes(*b"latchkey");

/// An entry to be appended.
#[derive(Debug, Clone)]
pub(crate) struct NewEntry {
    /// The org whose log the entry belongs to; `None` for events outside any org.
    pub org_id: Option<OrgId>,
    pub at: Timestamp,
    pub caller: Caller,
    pub event: Event,
    pub target: Option<Target>,
    /// By field: `{"from": …, "to": …}`.
    pub changes: Map<String, Value>,
}

/// The range of positions that one transaction appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Positions {
    pub first: i64,
    pub last: i64,
}

/// The positions of appended rows, and the hash of the last row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Appended {
    pub positions: Positions,
    pub hash: Vec<u8>,
}

impl Appended {
    /// Whether the log contains the rows. Takes the lock first, so that a commit with an unknown outcome has finished
    /// by then.
    pub async fn is_stored(&self, engine: &Engine, tx: &mut Tx) -> Result<bool, StorageError> {
        lock(engine, tx).await?;
        const SQL: &str =
            "SELECT EXISTS (SELECT 1 FROM audit_log WHERE position = $1 AND hash = $2)";
        Ok(on!(tx.on(), c => sqlx::query_scalar(SQL)
            .bind(self.positions.last).bind(&self.hash).fetch_one(c).await)?)
    }
}

/// Appends entries. Must be the last step of the transaction: from here to the commit no other transaction can
/// append, so a reader that has seen a position has seen every position before it.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn append(
    engine: &Engine,
    tx: &mut Tx,
    entries: &[NewEntry],
) -> Result<Appended, StorageError> {
    let (last, mut hash) = lock(engine, tx).await?;
    let mut seqs = HashMap::new();
    let mut rows = Vec::with_capacity(entries.len());
    for (entry, number) in entries.iter().zip(1..) {
        let seq = match seqs.get(&entry.org_id) {
            Some(seq) => *seq,
            None => last_seq(tx, entry.org_id).await?,
        };
        let seq = seq.checked_add(1).ok_or_else(StorageError::no_number)?;
        seqs.insert(entry.org_id, seq);
        let caller = &entry.caller;
        let address = caller.visit.address;
        let mut row = Row {
            position: last + number,
            org_id: entry.org_id.map(|id| id.to_string()),
            seq,
            at: entry.at,
            event: entry.event.to_string(),
            actor_kind: caller.actor.kind().to_owned(),
            actor_id: caller.actor.id(),
            via: caller.via.as_str().to_owned(),
            network: address.map(|address| Network::of(address).to_string()),
            client: caller.visit.client.map(|client| client.to_string()),
            request_id: caller.visit.request_id.as_deref().map(str::to_owned),
            target_kind: entry.target.map(|target| target.kind().to_owned()),
            target_id: entry.target.map(|target| target.to_string()),
            changes: serde_json::json!(entry.changes).to_string(),
            pepper_version: engine.peppers.current_version(),
            hash: Vec::new(),
        };
        hash = chain::hash(&engine.peppers, &hash, &row).ok_or_else(StorageError::interrupted)?;
        row.hash.clone_from(&hash);
        rows.push((row, address));
    }
    for rows in rows.chunks(ROWS_AT_ONCE) {
        insert(tx, rows).await?;
        insert_addresses(tx, rows).await?;
    }
    let positions = Positions {
        first: last + 1,
        last: last + rows.len() as i64,
    };
    Ok(Appended { positions, hash })
}

/// Locks the log for appending until the transaction ends, and returns the last position and its hash. SQLite's
/// transaction already excludes all other writers. On Postgres the notification is sent with the commit: queueing it
/// in the same statement as the lock saves a round trip while the lock is held. Only one transaction per process
/// waits for the lock at a time: otherwise a frozen process with several of them in the queue would block others for
/// the idle timeout of each. The last row is read in a separate statement, which sees rows committed while this one
/// waited.
async fn lock(engine: &Engine, tx: &mut Tx) -> Result<(i64, Vec<u8>), StorageError> {
    tx.take_turn(&engine.appending).await?;
    if let On::Postgres(c) = tx.on() {
        sqlx::query("SELECT pg_advisory_xact_lock($1), pg_notify($2, '')")
            .bind(LOCK)
            .bind(CHANNEL)
            .execute(c)
            .await?;
    }
    const LAST: &str = "SELECT position, hash FROM audit_log ORDER BY position DESC LIMIT 1";
    let last: Option<(i64, Vec<u8>)> =
        on!(tx.on(), c => sqlx::query_as(LAST).fetch_optional(c).await)?;
    match last {
        Some(last) => Ok(last),
        None => {
            const CHECKPOINT: &str = "SELECT position, hash FROM audit_checkpoint";
            Ok(on!(tx.on(), c => sqlx::query_as(CHECKPOINT).fetch_one(c).await)?)
        }
    }
}

/// The number of the org's last entry, which retention may have deleted. A single statement, so that it sees the log
/// either before or after a deletion. Entries before the beginning of the log are ignored, as Latchkey never writes
/// any there.
async fn last_seq(tx: &mut Tx, org_id: Option<OrgId>) -> Result<i64, StorageError> {
    let org_id = org_id.map(|id| id.to_string());
    const LAST: &str = "SELECT COALESCE(MAX(seq), 0) FROM \
         (SELECT * FROM (SELECT seq FROM audit_log WHERE org_id = $1 \
         AND position > (SELECT position FROM audit_checkpoint) ORDER BY seq DESC LIMIT 1) AS last \
         UNION ALL SELECT seq FROM audit_deleted_seqs WHERE org_id = $1) AS of_org";
    const LAST_OF_NONE: &str = "SELECT COALESCE(MAX(seq), 0) FROM \
         (SELECT * FROM (SELECT seq FROM audit_log WHERE org_id IS NULL \
         AND position > (SELECT position FROM audit_checkpoint) ORDER BY seq DESC LIMIT 1) AS last \
         UNION ALL SELECT seq FROM audit_deleted_seqs WHERE org_id = '') AS of_none";
    Ok(on!(tx.on(), c => match org_id {
        Some(org_id) => sqlx::query_scalar(LAST).bind(org_id).fetch_one(c).await,
        None => sqlx::query_scalar(LAST_OF_NONE).fetch_one(c).await,
    })?)
}

/// Inserts rows. Fails unless the database stored all of them: a trigger could drop some, and a change without an
/// audit entry must not be committed.
async fn insert(tx: &mut Tx, rows: &[(Row, Option<IpAddr>)]) -> Result<(), StorageError> {
    let sql = format!(
        "INSERT INTO audit_log ({COLUMNS}) VALUES {}",
        tx.places_of_rows(rows.len(), 16)
    );
    let inserted = on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (row, _) in rows {
            query = query
                .bind(row.position).bind(&row.org_id).bind(row.seq).bind(row.at).bind(&row.event)
                .bind(&row.actor_kind).bind(&row.actor_id).bind(&row.via).bind(&row.network).bind(&row.client)
                .bind(&row.request_id).bind(&row.target_kind).bind(&row.target_id).bind(&row.changes)
                .bind(row.pepper_version).bind(&row.hash);
        }
        query.execute(c).await.map(|done| done.rows_affected())
    })?;
    if inserted == rows.len() as u64 {
        Ok(())
    } else {
        Err(StorageError::ignored())
    }
}

async fn insert_addresses(tx: &mut Tx, rows: &[(Row, Option<IpAddr>)]) -> Result<(), StorageError> {
    let with_address: Vec<(&Row, IpAddr)> = rows
        .iter()
        .filter_map(|(row, address)| Some((row, (*address)?)))
        .collect();
    if with_address.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO audit_addresses (position, at, address) VALUES {}",
        tx.places_of_rows(with_address.len(), 3)
    );
    on!(tx.on(), c => {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for (row, address) in with_address {
            query = query.bind(row.position).bind(row.at).bind(address.to_canonical().to_string());
        }
        query.execute(c).await.map(drop)
    })?;
    Ok(())
}

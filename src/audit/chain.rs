//! The hash chain and its verification.

use std::{collections::HashMap, fmt, net::IpAddr};

use crate::{
    Engine,
    db::{Db, StorageError, Tx, on},
    event::Event,
    id::OrgId,
    key::digest::Peppers,
    name::Slug,
    network::Network,
    time::Timestamp,
};

use super::{
    checkpoint::{Checkpoint, InvalidCheckpoint},
    row::{COLUMNS, Row},
};

/// Number of rows read per batch.
const ROWS_AT_ONCE: i64 = 1_000;

/// The end of the chain. Anyone who saved it can check later whether the log still contains it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number of entries.
    pub count: u64,
    /// The hash of the last entry, in hexadecimal.
    pub hash: String,
}

/// Why the chain is broken.
#[derive(Debug, thiserror::Error)]
pub enum BrokenChain {
    /// The entry was modified, or an earlier one is missing.
    #[error("{0} was changed, or an entry before it is missing.")]
    At(EntryPlace),
    /// The entry's number is not the next one in its organization's log.
    #[error(
        "{place} has number {seq} in its organization's log, but {expected} is the next. Entries are missing, or numbers \
         were left out."
    )]
    Seq {
        /// The first such entry.
        place: EntryPlace,
        /// The entry's number.
        seq: i64,
        /// The number that follows the previous entry's.
        expected: i64,
    },
    /// The full address of an entry, which is stored outside the chain, does not belong to the network in the chain.
    #[error(
        "The IP address of the client was changed. {0} was written from a different network, or without an address."
    )]
    Address(EntryPlace),
    /// The entry's pepper is missing from the settings.
    #[error("{place} needs pepper {version}. Add it to LATCHKEY_OLDER_PEPPERS.")]
    NoPepper {
        /// The first such entry.
        place: EntryPlace,
        /// The pepper's version.
        version: i32,
    },
    /// No entry has the given hash.
    #[error(
        "No entry has the head {0}. Either newer entries were removed, the head is older than the entries that are \
         kept, or it belongs to another log."
    )]
    HeadMissing(String),
    /// The log does not begin where retention left it.
    #[error(transparent)]
    Checkpoint(InvalidCheckpoint),
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<InvalidCheckpoint> for BrokenChain {
    fn from(error: InvalidCheckpoint) -> Self {
        match error {
            InvalidCheckpoint::Storage(error) => Self::Storage(error),
            error => Self::Checkpoint(error),
        }
    }
}

/// An entry as it is stored now, for error messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlace {
    /// The entry's position in the log of the installation.
    pub position: i64,
    /// The event; `None` if it was changed to an unknown one.
    pub event: Option<Event>,
    /// The slug of the organization, or its ID if it was deleted; `None` for events outside any organization.
    pub org: Option<String>,
    /// When the entry was written.
    pub at: Timestamp,
}

impl fmt::Display for EntryPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The entry at position {} (", self.position)?;
        match self.event {
            Some(event) => write!(f, "{event}")?,
            None => f.write_str("unknown event")?,
        }
        match &self.org {
            Some(org) => write!(f, ", organization {org}")?,
            None => f.write_str(", no organization")?,
        }
        write!(f, ", {})", self.at.rfc3339())
    }
}

impl EntryPlace {
    pub(super) async fn of(db: &Db, row: &Row) -> Result<Self, StorageError> {
        let id = org_id(row);
        let slug = on!(db.read(), c => sqlx::query_scalar(SLUG).bind(id).fetch_optional(c).await)?;
        Ok(Self::with_slug(row, slug))
    }

    /// Same as [`Self::of`] within a transaction.
    pub(super) async fn in_tx(tx: &mut Tx, row: &Row) -> Result<Self, StorageError> {
        let id = org_id(row);
        let slug = on!(tx.on(), c => sqlx::query_scalar(SLUG).bind(id).fetch_optional(c).await)?;
        Ok(Self::with_slug(row, slug))
    }

    fn with_slug(row: &Row, slug: Option<Slug>) -> Self {
        let org = match (slug, org_id(row)) {
            (Some(slug), _) => Some(slug.to_string()),
            (None, Some(id)) => Some(id.to_string()),
            (None, None) => row.org_id.as_ref().map(|_| "unknown".to_owned()),
        };
        Self {
            position: row.position,
            event: row.event.parse().ok(),
            org,
            at: row.at,
        }
    }
}

const SLUG: &str = "SELECT slug FROM orgs WHERE id = $1";

/// Modified rows can hold any text, so it is shown only if it parses as an ID.
fn org_id(row: &Row) -> Option<OrgId> {
    row.org_id.as_deref().and_then(|id| id.parse().ok())
}

/// The hash of a row that follows a row with the hash `previous`; `None` if its pepper is missing. Each field is
/// preceded by its length, so that different rows never produce the same input.
pub(super) fn hash(peppers: &Peppers, previous: &[u8], row: &Row) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(512);
    let mut add = |field: Option<&[u8]>| {
        let length = field.map_or(-1, |field| field.len() as i64);
        text.extend_from_slice(&length.to_be_bytes());
        text.extend_from_slice(field.unwrap_or_default());
    };
    add(Some(previous));
    for number in [row.position, row.seq, row.at.as_millis()] {
        add(Some(&number.to_be_bytes()));
    }
    add(Some(&row.pepper_version.to_be_bytes()));
    for field in [&row.event, &row.actor_kind, &row.via, &row.changes] {
        add(Some(field.as_bytes()));
    }
    for field in [
        &row.org_id,
        &row.actor_id,
        &row.network,
        &row.client,
        &row.request_id,
        &row.target_kind,
        &row.target_id,
    ] {
        add(field.as_deref().map(str::as_bytes));
    }
    peppers.audit_hash(row.pepper_version, &text)
}

/// Verifies the whole log: that it begins where retention left it, that each entry has the right hash, that each
/// address belongs to its network, that the entries of each org are numbered without gaps, and, if given, that an
/// entry has the hash `head`.
///
/// # Errors
/// If the beginning was changed, or an entry differs from what was written; the error names the first such entry.
pub async fn verify(engine: &Engine, head: Option<&str>) -> Result<Head, BrokenChain> {
    let Beginning {
        mut position,
        hash: mut previous,
        mut seqs,
    } = Beginning::read(engine).await?;
    let mut found = head.is_none_or(|head| hex(&previous) == head);
    let mut count = 0;
    loop {
        let rows = rows_after(engine, position).await?;
        let Some(first) = rows.first() else { break };
        if first.position != position + 1 {
            let moved = Beginning::read(engine).await?;
            if moved.position > position {
                // Retention deleted the rows that were to be read next: continue from the new beginning.
                (position, previous, seqs) = (moved.position, moved.hash, moved.seqs);
                count = 0;
                continue;
            }
        }
        let addresses = addresses_of(engine, &rows).await?;
        for row in rows {
            let Some(expected) = hash(&engine.peppers, &previous, &row) else {
                return Err(BrokenChain::NoPepper {
                    place: EntryPlace::of(&engine.db, &row).await?,
                    version: row.pepper_version,
                });
            };
            if row.position != position + 1 || expected != row.hash {
                return Err(BrokenChain::At(EntryPlace::of(&engine.db, &row).await?));
            }
            let address = addresses.get(&row.position);
            if address.is_some_and(|address| !is_in(address, row.network.as_deref())) {
                return Err(BrokenChain::Address(
                    EntryPlace::of(&engine.db, &row).await?,
                ));
            }
            let seq = seqs
                .entry(row.org_id.clone().unwrap_or_default())
                .or_default();
            *seq += 1;
            if row.seq != *seq {
                return Err(BrokenChain::Seq {
                    place: EntryPlace::of(&engine.db, &row).await?,
                    seq: row.seq,
                    expected: *seq,
                });
            }
            position = row.position;
            previous = row.hash;
            count += 1;
            found |= head.is_some_and(|head| hex(&previous) == head);
        }
    }
    match head {
        Some(head) if !found => Err(BrokenChain::HeadMissing(head.to_owned())),
        _ => Ok(Head {
            count,
            hash: hex(&previous),
        }),
    }
}

/// What retention stored about the entries that it deleted.
struct Beginning {
    /// The position of the last deleted entry.
    position: i64,
    /// The hash of the last deleted entry.
    hash: Vec<u8>,
    /// The number of the last deleted entry, by org. The empty string stands for entries outside any org.
    seqs: HashMap<String, i64>,
}

impl Beginning {
    async fn read(engine: &Engine) -> Result<Self, InvalidCheckpoint> {
        const SEQS: &str = "SELECT org_id, seq FROM audit_deleted_seqs";
        // Retention updates both in one transaction.
        let mut tx = engine.db.begin_snapshot().await?;
        let checkpoint = Checkpoint::read_in(&mut tx).await?;
        let seqs: Vec<(String, i64)> = on!(tx.on(), c => sqlx::query_as(SEQS).fetch_all(c).await)
            .map_err(StorageError::from)?;
        drop(tx);
        checkpoint.check(&engine.peppers)?;
        checkpoint.check_before(&engine.db).await?;
        Ok(Self {
            position: checkpoint.position,
            hash: checkpoint.hash,
            seqs: seqs.into_iter().collect(),
        })
    }
}

async fn rows_after(engine: &Engine, position: i64) -> Result<Vec<Row>, StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM audit_log WHERE position > $1 ORDER BY position LIMIT {ROWS_AT_ONCE}"
    );
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(position).fetch_all(c).await)?,
    )
}

/// The full addresses stored for these rows, by position.
async fn addresses_of(engine: &Engine, rows: &[Row]) -> Result<HashMap<i64, String>, StorageError> {
    let (Some(first), Some(last)) = (rows.first(), rows.last()) else {
        return Ok(HashMap::new());
    };
    const SQL: &str =
        "SELECT position, address FROM audit_addresses WHERE position >= $1 AND position <= $2";
    let addresses: Vec<(i64, String)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(first.position).bind(last.position).fetch_all(c).await)?;
    Ok(addresses.into_iter().collect())
}

fn is_in(address: &str, network: Option<&str>) -> bool {
    let of_address = address.parse::<IpAddr>().map(Network::of);
    of_address.is_ok_and(|of_address| network == Some(of_address.to_string().as_str()))
}

/// Returns the pepper version of the last entry, and whether `peppers` holds the same secret under this version;
/// `None` if the log is empty or `peppers` does not have this version.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn last_is_under(
    db: &Db,
    peppers: &Peppers,
) -> Result<Option<(i32, bool)>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM audit_log ORDER BY position DESC LIMIT 2");
    let mut rows: Vec<Row> =
        on!(db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql)).fetch_all(c).await)?;
    let before = (rows.len() == 2).then(|| rows.remove(1));
    let Some(last) = rows.first() else {
        return Ok(None);
    };
    let (position, previous) = match before {
        Some(before) => (before.position, before.hash),
        None => {
            let checkpoint = Checkpoint::read(db).await?;
            (checkpoint.position, checkpoint.hash)
        }
    };
    // `verify` reports gaps.
    if position + 1 != last.position {
        return Ok(None);
    }
    let expected = hash(peppers, &previous, last);
    Ok(expected.map(|expected| (last.pepper_version, expected == last.hash)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

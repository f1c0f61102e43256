//! The chain of hashes, and whether it holds.

use std::{collections::HashMap, fmt, net::IpAddr};

use crate::{
    Engine,
    db::{Db, StorageError, on},
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

/// Rows that are read at the same time.
const ROWS_AT_ONCE: i64 = 1_000;

/// The end of the chain: whoever noted it can ask later whether it is still there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// How many entries there are.
    pub count: u64,
    /// The hash of the last one, in hexadecimal.
    pub hash: String,
}

/// Why the chain does not hold.
#[derive(Debug, thiserror::Error)]
pub enum BrokenChain {
    /// An entry is not the one that was written, or one before it is missing.
    #[error("{0} was changed, or an entry before it is missing.")]
    At(EntryPlace),
    /// The entry has not the next number of its organization's log.
    #[error(
        "{place} has number {seq} in its organization's log, but {expected} is the next. Entries are missing, or numbers \
         were left out."
    )]
    Seq {
        /// The first such entry.
        place: EntryPlace,
        /// Its number.
        seq: i64,
        /// The number after that of the entry before it.
        expected: i64,
    },
    /// The whole address of an entry, which is kept beside the chain, is not in the network that is chained.
    #[error(
        "The IP address of the client was changed. {0} was written from a different network, or without an address."
    )]
    Address(EntryPlace),
    /// An entry was written under a pepper that the settings do not have.
    #[error("{place} needs pepper {version}. Add it to LATCHKEY_OLDER_PEPPERS.")]
    NoPepper {
        /// The first such entry.
        place: EntryPlace,
        /// The pepper's number.
        version: i32,
    },
    /// No entry has the hash that was asked for.
    #[error(
        "No entry has the head {0}. Either newer entries were removed, the head is older than the entries that are \
         kept, or it belongs to another log."
    )]
    HeadMissing(String),
    /// The log does not begin where Latchkey left it.
    #[error(transparent)]
    Checkpoint(InvalidCheckpoint),
    /// The database could not be asked.
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

/// An entry, as the database has it now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPlace {
    /// Its number in the log of the installation.
    pub position: i64,
    /// What happened; `None` when that was changed to something that does not exist.
    pub event: Option<Event>,
    /// The slug of its organization, or the id when that was deleted; `None` for what is no organization's.
    pub org: Option<String>,
    /// When it was written.
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
        // What was changed in the database may be any text: only what reads as an id is shown.
        let id: Option<OrgId> = row.org_id.as_deref().and_then(|id| id.parse().ok());
        const SLUG: &str = "SELECT slug FROM orgs WHERE id = $1";
        let slug: Option<Slug> =
            on!(db.read(), c => sqlx::query_scalar(SLUG).bind(id).fetch_optional(c).await)?;
        let org = match (slug, id) {
            (Some(slug), _) => Some(slug.to_string()),
            (None, Some(id)) => Some(id.to_string()),
            (None, None) => row.org_id.as_ref().map(|_| "unknown".to_owned()),
        };
        Ok(Self {
            position: row.position,
            event: row.event.parse().ok(),
            org,
            at: row.at,
        })
    }
}

/// The hash of a row that follows the one with the hash `previous`; `None` when its pepper is not there. Each field is
/// preceded by its length, so that no two rows are one text.
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

/// Checks that the log begins where retention left it, every entry from there on, that its address is in its network, that
/// the entries of each org are numbered without a gap, and that one has the hash `head`, if that is given.
///
/// # Errors
/// Says whether the beginning was changed, or names the first entry that is not what was written.
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
                // Retention deleted what was about to be read: go on from where the log begins now.
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

/// What retention stored of the entries that it deleted.
struct Beginning {
    /// The position of the last one.
    position: i64,
    /// Its hash.
    hash: Vec<u8>,
    /// By org, the number of its last one. The empty text is for entries of no org.
    seqs: HashMap<String, i64>,
}

impl Beginning {
    async fn read(engine: &Engine) -> Result<Self, InvalidCheckpoint> {
        const SEQS: &str = "SELECT org_id, seq FROM audit_deleted_seqs";
        // Retention changes both in one transaction.
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

/// The whole addresses that are kept of these rows, by position.
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

/// The number of the pepper that the last entry was written under, and whether `peppers` has the same secret under this
/// number; `None` when the log is empty or `peppers` does not have the number.
///
/// # Errors
/// When the database does not answer.
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
    // A gap is for `verify` to report.
    if position + 1 != last.position {
        return Ok(None);
    }
    let expected = hash(peppers, &previous, last);
    Ok(expected.map(|expected| (last.pepper_version, expected == last.hash)))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

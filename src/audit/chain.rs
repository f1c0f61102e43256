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
    COLUMNS, Row,
    checkpoint::{Checkpoint, InvalidCheckpoint},
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
        match jiff::Timestamp::from_millisecond(self.at.as_millis()) {
            Ok(at) => write!(f, ", {at})"),
            Err(_) => f.write_str(", unknown time)"),
        }
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

/// Checks that the log begins where retention left it, every entry from there on, that its address is in its network, and
/// that one has the hash `head`, if that is given.
///
/// # Errors
/// Says whether the beginning was changed, or names the first entry that is not what was written.
pub async fn verify(engine: &Engine, head: Option<&str>) -> Result<Head, BrokenChain> {
    let (mut position, mut previous) = beginning(engine).await?;
    let mut found = head.is_none_or(|head| hex(&previous) == head);
    let mut count = 0;
    loop {
        let rows = rows_after(engine, position).await?;
        let Some(first) = rows.first() else { break };
        if first.position != position + 1 {
            let moved = beginning(engine).await?;
            if moved.0 > position {
                // Retention deleted what was about to be read: go on from where the log begins now.
                (position, previous) = moved;
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

/// Position and hash of the last entry that was deleted, as retention stored them.
async fn beginning(engine: &Engine) -> Result<(i64, Vec<u8>), InvalidCheckpoint> {
    let checkpoint = Checkpoint::read(&engine.db).await?;
    checkpoint.check(&engine.peppers)?;
    Ok((checkpoint.position, checkpoint.hash))
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

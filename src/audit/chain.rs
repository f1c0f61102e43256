//! The chain of hashes, and whether it holds.

use crate::{
    Engine,
    db::{StorageError, on},
    key::digest::Peppers,
};

use super::{COLUMNS, Row};

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
    #[error(
        "The entry at position {position} is not the one that was written there, or an entry before it is missing."
    )]
    At {
        /// The first bad position.
        position: i64,
    },
    /// An entry was written under a pepper that the settings do not have.
    #[error("The entry at position {position} needs pepper {version}. Add it to older_peppers.")]
    NoPepper {
        /// The first such position.
        position: i64,
        /// The pepper's number.
        version: i32,
    },
    /// No entry has the hash that was asked for.
    #[error(
        "No entry has the head {0}: the log was cut off before it, it is older than entries are kept, or it is another \
         log's."
    )]
    HeadMissing(String),
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
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

/// Checks every entry, from the oldest that is kept, and that one has the hash `head`, if that is given.
///
/// # Errors
/// Names the first entry that is not what was written.
pub async fn verify(engine: &Engine, head: Option<&str>) -> Result<Head, BrokenChain> {
    let (mut position, mut previous) = checkpoint(engine).await?;
    let mut found = head.is_none_or(|head| hex(&previous) == head);
    let mut count = 0;
    loop {
        let rows = rows_after(engine, position).await?;
        let Some(first) = rows.first() else { break };
        if first.position != position + 1 {
            let moved = checkpoint(engine).await?;
            if moved.0 > position {
                // Retention deleted what was about to be read: go on from where the log begins now.
                (position, previous) = moved;
                count = 0;
                continue;
            }
        }
        for row in rows {
            let expected = hash(&engine.peppers, &previous, &row).ok_or(BrokenChain::NoPepper {
                position: row.position,
                version: row.pepper_version,
            })?;
            if row.position != position + 1 || expected != row.hash {
                return Err(BrokenChain::At {
                    position: row.position,
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

/// Position and hash of the last entry that was deleted.
async fn checkpoint(engine: &Engine) -> Result<(i64, Vec<u8>), StorageError> {
    const SQL: &str = "SELECT position, hash FROM audit_checkpoint";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).fetch_one(c).await)?)
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

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

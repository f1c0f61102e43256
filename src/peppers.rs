//! Which peppers the database needs, and whether the settings have them.
//!
//! A pepper that was left out, or another secret under its number, would end every key without a word. So the database
//! keeps a fingerprint for each number: an HMAC of a constant under the pepper, which tells two secrets apart and helps as
//! little to find one as the digests of keys do.

mod moving;

use std::collections::BTreeMap;

use crate::{
    audit,
    clock::Clock,
    db::{Db, StorageError, on},
    key::digest::Peppers,
    time::Timestamp,
};

pub use moving::move_digests;
pub(crate) use moving::{Outdated, StoredAs};

/// Why nothing may be served with these peppers.
#[derive(Debug, thiserror::Error)]
pub enum UnusablePeppers {
    /// Keys or tokens that work are stored under a pepper that is not there.
    #[error(
        "pepper {version} is missing but still needed (key secrets: {key_secrets}, service tokens: {service_tokens}). \
         Add it to LATCHKEY_OLDER_PEPPERS as `{version}:SECRET`. With SQLite, you can also restore its file \
         `pepper.{version}` to the data folder"
    )]
    Missing {
        /// Its number.
        version: i32,
        /// Secrets that work and are stored under it.
        key_secrets: i64,
        /// Tokens that work and are stored under it.
        service_tokens: i64,
    },
    /// The secret under a number is not the one that the database was used with.
    #[error(
        "pepper {version} does not match this database. Set the pepper that the database uses, or restore its file \
         from a copy. To use a new pepper, give it the number {next} (`{next}:SECRET`) and keep pepper {version} in \
         LATCHKEY_OLDER_PEPPERS"
    )]
    Different {
        /// Its number.
        version: i32,
        /// A number that was not used before.
        next: i32,
    },
    /// The database did not answer.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is stored under one pepper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PepperUse {
    /// Secrets of keys.
    pub key_secrets: i64,
    /// Those of them that work: their key is not revoked, and a rotation has not ended them.
    pub working_key_secrets: i64,
    /// Service tokens.
    pub service_tokens: i64,
    /// Those of them that are neither revoked nor expired.
    pub working_service_tokens: i64,
    /// Entries of the audit log, and its beginning. They are shown without the pepper, but cannot be checked.
    pub audit_entries: i64,
    /// Whether the secret under this number in the settings is the one that was used; `None` when there is none.
    pub is_right: Option<bool>,
}

impl PepperUse {
    /// Whether something would stop working without the pepper.
    pub fn is_needed(&self) -> bool {
        self.working_key_secrets > 0 || self.working_service_tokens > 0
    }
}

/// Checks that the peppers are those that the database needs. Changes nothing.
///
/// # Errors
/// Names the first pepper that is missing, or is another one.
pub async fn check(db: &Db, peppers: &Peppers, now: Timestamp) -> Result<(), UnusablePeppers> {
    check_secrets(db, peppers).await?;
    for (version, used) in digests(db, now).await? {
        if used.is_needed() && peppers.fingerprint(version).is_none() {
            return Err(UnusablePeppers::Missing {
                version,
                key_secrets: used.working_key_secrets,
                service_tokens: used.working_service_tokens,
            });
        }
    }
    Ok(())
}

/// Checks that the peppers that are there are those that the database was used with.
async fn check_secrets(db: &Db, peppers: &Peppers) -> Result<(), UnusablePeppers> {
    let stored = fingerprints(db).await?;
    let mut different = stored
        .iter()
        .find(|(version, stored)| is_right(peppers, **version, Some(stored)) == Some(false))
        .map(|(version, _)| *version);
    // A version that stored no fingerprints has chained its audit log all the same.
    if let (None, Some((version, false))) = (different, audit::last_is_under(db, peppers).await?) {
        different = Some(version).filter(|version| !stored.contains_key(version));
    }
    match different {
        None => Ok(()),
        Some(version) => Err(UnusablePeppers::Different {
            version,
            next: next_number(peppers, stored.keys()),
        }),
    }
}

/// Checks the peppers, and notes the fingerprints of those that are used for the first time.
///
/// # Errors
/// As [`check`].
pub async fn accept(db: &Db, peppers: &Peppers, clock: &Clock) -> Result<(), UnusablePeppers> {
    check(db, peppers, clock.now()).await?;
    accept_incomplete(db, peppers, clock).await
}

/// The same for work that recognizes no key and no token: older peppers may be missing.
///
/// # Errors
/// Names the first pepper that is another one.
pub async fn accept_incomplete(
    db: &Db,
    peppers: &Peppers,
    clock: &Clock,
) -> Result<(), UnusablePeppers> {
    // Read before the check, so that what another process notes in between is checked.
    let stored = fingerprints(db).await?;
    check_secrets(db, peppers).await?;
    let new: Vec<i32> = peppers
        .versions()
        .filter(|version| !stored.contains_key(version))
        .collect();
    if new.is_empty() {
        return Ok(());
    }
    for version in new {
        let fingerprint = peppers.fingerprint(version).map(Vec::from);
        const SQL: &str = "INSERT INTO peppers (version, fingerprint, noted_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        on!(db.write_unrecorded(), c => sqlx::query(SQL)
            .bind(version).bind(fingerprint).bind(clock.now()).execute(c).await.map(drop))
        .map_err(StorageError::from)?;
    }
    // Of two processes that start with different secrets, one was first.
    check_secrets(db, peppers).await
}

/// What is stored under each pepper that the database or the settings know, by number.
///
/// # Errors
/// If the database cannot be reached.
pub async fn status(
    db: &Db,
    peppers: Option<&Peppers>,
    now: Timestamp,
) -> Result<BTreeMap<i32, PepperUse>, StorageError> {
    const AUDIT: &str = "SELECT pepper_version, COUNT(*) FROM (SELECT pepper_version FROM audit_log \
         UNION ALL SELECT pepper_version FROM audit_checkpoint WHERE pepper_version IS NOT NULL) AS of_log \
         GROUP BY pepper_version";
    let mut uses = digests(db, now).await?;
    let entries: Vec<(i32, i64)> = on!(db.read(), c => sqlx::query_as(AUDIT).fetch_all(c).await)?;
    for (version, count) in entries {
        uses.entry(version).or_default().audit_entries = count;
    }
    let stored = fingerprints(db).await?;
    for version in stored
        .keys()
        .copied()
        .chain(peppers.into_iter().flat_map(Peppers::versions))
    {
        uses.entry(version).or_default();
    }
    for (version, used) in &mut uses {
        used.is_right =
            peppers.and_then(|peppers| is_right(peppers, *version, stored.get(version)));
    }
    Ok(uses)
}

/// The number after all that the database or the settings know. Numbers are not used again.
pub fn next_number<'a>(peppers: &Peppers, known: impl IntoIterator<Item = &'a i32>) -> i32 {
    let known = known.into_iter().copied().chain(peppers.versions());
    known.max().unwrap_or_default().saturating_add(1)
}

fn is_right(peppers: &Peppers, version: i32, stored: Option<&Vec<u8>>) -> Option<bool> {
    let ours = peppers.fingerprint(version)?;
    Some(stored.is_none_or(|stored| ours == stored.as_slice()))
}

async fn fingerprints(db: &Db) -> Result<BTreeMap<i32, Vec<u8>>, StorageError> {
    const SQL: &str = "SELECT version, fingerprint FROM peppers";
    let rows: Vec<(i32, Vec<u8>)> = on!(db.read(), c => sqlx::query_as(SQL).fetch_all(c).await)?;
    Ok(rows.into_iter().collect())
}

/// What is stored under each pepper, but for the audit log.
async fn digests(db: &Db, now: Timestamp) -> Result<BTreeMap<i32, PepperUse>, StorageError> {
    const SECRETS: &str = "SELECT key_secrets.pepper_version, COUNT(*), COUNT(CASE WHEN keys.revoked_at IS NULL \
         AND (key_secrets.ends_at IS NULL OR key_secrets.ends_at > $1) THEN 1 END) \
         FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id GROUP BY key_secrets.pepper_version";
    const TOKENS: &str = "SELECT pepper_version, COUNT(*), COUNT(CASE WHEN revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $1) THEN 1 END) FROM service_tokens GROUP BY pepper_version";
    let mut uses: BTreeMap<i32, PepperUse> = BTreeMap::new();
    let secrets: Vec<(i32, i64, i64)> =
        on!(db.read(), c => sqlx::query_as(SECRETS).bind(now).fetch_all(c).await)?;
    for (version, all, working) in secrets {
        let used = uses.entry(version).or_default();
        (used.key_secrets, used.working_key_secrets) = (all, working);
    }
    let tokens: Vec<(i32, i64, i64)> =
        on!(db.read(), c => sqlx::query_as(TOKENS).bind(now).fetch_all(c).await)?;
    for (version, all, working) in tokens {
        let used = uses.entry(version).or_default();
        (used.service_tokens, used.working_service_tokens) = (all, working);
    }
    Ok(uses)
}

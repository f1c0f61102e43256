//! Checks that the settings contain the peppers that the database needs.
//!
//! If a pepper is missing, or has another secret than before, all keys under it would silently stop working. So the
//! database stores a fingerprint for each pepper: an HMAC of a constant, keyed with the pepper. It distinguishes two
//! secrets, and reveals as little about the pepper as the digests of keys do.

mod moving;

use std::collections::BTreeMap;

use crate::{
    audit,
    clock::Clock,
    db::{Db, StorageError, on},
    invitations,
    key::digest::Peppers,
    time::Timestamp,
};

pub use moving::move_digests;
pub(crate) use moving::{Outdated, StoredAs};

/// Why the server cannot run with these peppers.
#[derive(Debug, thiserror::Error)]
pub enum UnusablePeppers {
    /// A pepper is missing under which active keys or tokens are stored.
    #[error(
        "pepper {version} is missing but still needed (key secrets: {key_secrets}, service tokens: {service_tokens}, \
         second factors: {second_factors}). \
         Add it to LATCHKEY_OLDER_PEPPERS as `{version}:SECRET`. With SQLite, you can also restore its file \
         `pepper.{version}` to the data folder"
    )]
    Missing {
        /// The pepper's number.
        version: i32,
        /// Number of active key secrets stored under it.
        key_secrets: i64,
        /// Number of active service tokens stored under it.
        service_tokens: i64,
        /// Number of second factors and recovery codes stored under it.
        second_factors: i64,
    },
    /// A pepper has another secret than the one that the database was used with.
    #[error(
        "pepper {version} does not match this database. Set the pepper that the database uses, or restore its file \
         from a copy. To use a new pepper, give it the number {next} (`{next}:SECRET`) and keep pepper {version} in \
         LATCHKEY_OLDER_PEPPERS"
    )]
    Different {
        /// The pepper's number.
        version: i32,
        /// A number that has not been used yet.
        next: i32,
    },
    /// The database cannot be reached.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Counts of the data that depends on one pepper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PepperUse {
    /// Number of key secrets.
    pub key_secrets: i64,
    /// Number of active key secrets: their key is not revoked, and they were not ended by a rotation.
    pub working_key_secrets: i64,
    /// Number of service tokens.
    pub service_tokens: i64,
    /// Number of service tokens that are neither revoked nor expired.
    pub working_service_tokens: i64,
    /// Number of second factors and recovery codes.
    pub second_factors: i64,
    /// Number of invitations and links about accounts that still work. They store no pepper, so these are those that were
    /// created while it was the newest.
    pub links: i64,
    /// Number of audit log entries, including the beginning of the log. Without the pepper they can be read, but not
    /// verified.
    pub audit_entries: i64,
    /// Whether the settings have the same secret as the database was used with; `None` if they do not have the
    /// pepper.
    pub is_right: Option<bool>,
}

impl PepperUse {
    /// Whether anything would stop working without the pepper.
    pub fn is_needed(&self) -> bool {
        self.working_key_secrets > 0 || self.working_service_tokens > 0 || self.second_factors > 0
    }
}

/// Checks that the settings have all peppers that the database needs. Changes nothing.
///
/// # Errors
/// If a pepper is missing or differs; the error names the first one.
pub async fn check(db: &Db, peppers: &Peppers, now: Timestamp) -> Result<(), UnusablePeppers> {
    check_secrets(db, peppers).await?;
    for (version, used) in digests(db, now).await? {
        if used.is_needed() && peppers.fingerprint(version).is_none() {
            return Err(UnusablePeppers::Missing {
                version,
                key_secrets: used.working_key_secrets,
                service_tokens: used.working_service_tokens,
                second_factors: used.second_factors,
            });
        }
    }
    Ok(())
}

/// Checks that the peppers in the settings match those that the database was used with.
async fn check_secrets(db: &Db, peppers: &Peppers) -> Result<(), UnusablePeppers> {
    let stored = fingerprints(db).await?;
    let mut different = stored
        .iter()
        .find(|(version, stored)| is_right(peppers, **version, Some(stored)) == Some(false))
        .map(|(version, _)| *version);
    // Versions that did not store fingerprints still chained the audit log.
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

/// Checks the peppers, and stores the fingerprints of those used for the first time.
///
/// # Errors
/// Same as [`check`].
pub async fn accept(db: &Db, peppers: &Peppers, clock: &Clock) -> Result<(), UnusablePeppers> {
    check(db, peppers, clock.now()).await?;
    accept_incomplete(db, peppers, clock).await
}

/// Same as [`accept`] for work that does not look up keys or tokens: older peppers can be missing.
///
/// # Errors
/// If a pepper differs; the error names the first one.
pub async fn accept_incomplete(
    db: &Db,
    peppers: &Peppers,
    clock: &Clock,
) -> Result<(), UnusablePeppers> {
    // Read before the check, so that fingerprints stored concurrently are checked below.
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
    // If two processes start with different secrets, only the first one passes this check.
    check_secrets(db, peppers).await
}

/// Returns the usage of each pepper known to the database or the settings, by number.
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
    for (version, count) in links(db, now).await? {
        uses.entry(version).or_default().links = count;
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

/// Returns the number after the highest that the database or the settings know. Numbers are never reused.
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

/// The links that work, by the pepper that was the newest when they were created.
async fn links(db: &Db, now: Timestamp) -> Result<Vec<(i32, i64)>, StorageError> {
    let sql = format!(
        "SELECT version, COUNT(*) FROM (SELECT (SELECT MAX(peppers.version) FROM peppers \
         WHERE peppers.noted_at <= links.made_at) AS version FROM \
         (SELECT expires_at - {} AS made_at FROM invitations WHERE expires_at > $1 \
         UNION ALL SELECT created_at FROM account_links WHERE expires_at > $1) AS links) AS of_peppers \
         WHERE version IS NOT NULL GROUP BY version",
        invitations::LIFETIME
    );
    Ok(on!(db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(now).fetch_all(c).await)?)
}

/// Usage of each pepper, without the audit log and links.
async fn digests(db: &Db, now: Timestamp) -> Result<BTreeMap<i32, PepperUse>, StorageError> {
    const SECRETS: &str = "SELECT key_secrets.pepper_version, COUNT(*), COUNT(CASE WHEN keys.revoked_at IS NULL \
         AND (key_secrets.ends_at IS NULL OR key_secrets.ends_at > $1) THEN 1 END) \
         FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id GROUP BY key_secrets.pepper_version";
    const TOKENS: &str = "SELECT pepper_version, COUNT(*), COUNT(CASE WHEN revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $1) THEN 1 END) FROM service_tokens GROUP BY pepper_version";
    const FACTORS: &str = "SELECT pepper_version, COUNT(*) FROM (SELECT pepper_version FROM second_factors \
         UNION ALL SELECT pepper_version FROM recovery_codes) AS of_accounts GROUP BY pepper_version";
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
    let factors: Vec<(i32, i64)> = on!(db.read(), c => sqlx::query_as(FACTORS).fetch_all(c).await)?;
    for (version, count) in factors {
        uses.entry(version).or_default().second_factors = count;
    }
    Ok(uses)
}

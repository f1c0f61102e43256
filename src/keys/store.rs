//! The settings of keys in the database: the one place that knows their columns.

use sqlx::AssertSqlSafe;

use crate::{
    db::{On, StorageError, Tx, from_json, on},
    domain::DomainPattern,
    id::{KeyId, OrgId, ProjectId, UserId},
    key::{Environment, Kind, Lifecycle, metadata::Metadata, settings::KeySettings},
    name::KeyName,
    sort_name::sort_name,
    time::Timestamp,
};

/// The columns of [`SettingsRow`].
pub(crate) const COLUMNS: &str = "keys.name, keys.project_id, keys.scopes, keys.domains, keys.localhost_forbidden, \
     keys.ip_ranges, keys.expires_at, keys.notes, keys.metadata";

/// When the last of the secrets that rotations replaced ends, or ended.
pub(super) const LAST_SECRET_ENDED_AT: &str = "(SELECT MAX(key_secrets.ends_at) FROM key_secrets \
     WHERE key_secrets.key_id = keys.id) AS last_secret_ended_at";

/// How many bytes the settings of a key have that may be long.
pub(super) const SIZE: &str = "CAST(OCTET_LENGTH(keys.scopes) + OCTET_LENGTH(keys.domains) + OCTET_LENGTH(keys.ip_ranges) \
     + OCTET_LENGTH(keys.notes) + OCTET_LENGTH(keys.metadata) AS BIGINT)";

/// [`KeySettings`] as they are stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct SettingsRow {
    name: KeyName,
    project_id: ProjectId,
    scopes: String,
    domains: String,
    localhost_forbidden: bool,
    ip_ranges: String,
    expires_at: Option<Timestamp>,
    notes: String,
    metadata: String,
}

impl SettingsRow {
    /// Reads them.
    pub fn read(self) -> Result<KeySettings, StorageError> {
        Ok(KeySettings {
            name: self.name,
            project: Some(self.project_id),
            scopes: from_json(&self.scopes)?,
            domains: stored_domains(&self.domains)?,
            localhost_forbidden: self.localhost_forbidden,
            ip_ranges: from_json(&self.ip_ranges)?,
            expires_at: self.expires_at,
            notes: self.notes,
            metadata: Metadata::stored(self.metadata),
        })
    }
}

/// A key that a transaction has locked, to change its settings.
#[derive(Debug)]
pub(super) struct Locked {
    pub kind: Kind,
    pub display: String,
    pub lifecycle: Lifecycle,
    pub last_secret_ended_at: Option<Timestamp>,
    pub settings: KeySettings,
}

#[derive(sqlx::FromRow)]
struct LockedRow {
    kind: Kind,
    display: String,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
    last_secret_ended_at: Option<Timestamp>,
    #[sqlx(flatten)]
    settings: SettingsRow,
}

/// Reads a key, which nobody else changes until the transaction ends. SQLite's transaction keeps every other writer out by
/// itself; Postgres has to be told which row matters.
pub(super) async fn lock(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
) -> Result<Option<Locked>, StorageError> {
    let lock = match tx.on() {
        On::Sqlite(_) => "",
        On::Postgres(_) => "FOR UPDATE",
    };
    let sql = format!(
        "SELECT keys.kind, keys.display, keys.disabled_at, keys.revoked_at, {LAST_SECRET_ENDED_AT}, {COLUMNS} FROM keys WHERE org_id = $1 AND id = $2 {lock}"
    );
    let row: Option<LockedRow> = on!(tx.on(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(org_id).bind(id).fetch_optional(c).await)?;
    let read = |row: LockedRow| {
        Ok(Locked {
            kind: row.kind,
            display: row.display,
            lifecycle: row.lifecycle,
            last_secret_ended_at: row.last_secret_ended_at,
            settings: row.settings.read()?,
        })
    };
    row.map(read).transpose()
}

/// What of a new key is no setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRow<'a> {
    pub id: KeyId,
    pub org_id: OrgId,
    pub kind: Kind,
    pub environment: Environment,
    pub display: &'a str,
    pub created_at: Timestamp,
    pub created_by: Option<UserId>,
    pub creation_token: Option<&'a str>,
}

/// Stores a key whose settings name its project; false when one with its creation token is there already.
pub(super) async fn insert(
    tx: &mut Tx,
    key: &NewRow<'_>,
    settings: &KeySettings,
) -> Result<bool, StorageError> {
    const SQL: &str = "INSERT INTO keys (id, org_id, kind, environment, display, created_at, created_by, creation_token, search, \
         name, sort_name, project_id, scopes, domains, localhost_forbidden, ip_ranges, expires_at, notes, metadata) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
         ON CONFLICT (org_id, creation_token) DO NOTHING";
    let inserted = on!(tx.on(), c => sqlx::query(SQL)
        .bind(key.id).bind(key.org_id).bind(key.kind).bind(key.environment).bind(key.display).bind(key.created_at)
        .bind(key.created_by).bind(key.creation_token).bind(search_text(&settings.name, key.display))
        .bind(settings.name.clone()).bind(sort_name(settings.name.as_str())).bind(settings.project)
        .bind(json(&settings.scopes)).bind(json(&settings.domains)).bind(settings.localhost_forbidden).bind(json(&settings.ip_ranges)).bind(settings.expires_at)
        .bind(&settings.notes).bind(settings.metadata.as_json())
        .execute(c).await.map(|done| done.rows_affected()))?;
    Ok(inserted == 1)
}

/// Stores the settings of a key, which a transaction has locked.
pub(super) async fn update(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    display: &str,
    settings: &KeySettings,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE keys SET search = $3, name = $4, project_id = $5, scopes = $6, domains = $7, \
         localhost_forbidden = $8, ip_ranges = $9, expires_at = $10, notes = $11, metadata = $12, sort_name = $13 \
         WHERE org_id = $1 AND id = $2";
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(org_id).bind(id).bind(search_text(&settings.name, display)).bind(settings.name.clone())
        .bind(settings.project).bind(json(&settings.scopes)).bind(json(&settings.domains))
        .bind(settings.localhost_forbidden).bind(json(&settings.ip_ranges)).bind(settings.expires_at)
        .bind(&settings.notes).bind(settings.metadata.as_json()).bind(sort_name(settings.name.as_str()))
        .execute(c).await.map(drop))?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::json!(value).to_string()
}

/// What lists search in: the name, then the display form, in lower case.
pub(super) fn search_text(name: &KeyName, display: &str) -> String {
    format!(
        "{}\u{1f}{}",
        name.as_str().to_lowercase(),
        display.to_lowercase()
    )
}

/// Reads the column `domains`, whose patterns were refused or accepted when they were stored.
pub(crate) fn stored_domains(column: &str) -> Result<Vec<DomainPattern>, StorageError> {
    let texts: Vec<String> = from_json(column)?;
    texts
        .iter()
        .map(|text| DomainPattern::parse_stored(text).map_err(StorageError::unreadable))
        .collect()
}

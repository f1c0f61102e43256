//! Stores the settings of keys. The only module that knows their columns.

use sqlx::AssertSqlSafe;

use crate::{
    db::{On, StorageError, Tx, from_json, on},
    domain::{DomainPattern, loopback_word},
    id::{KeyId, OrgId, ProjectId, UserId},
    ip_range::IpRange,
    key::{Environment, Kind, Lifecycle, metadata::Metadata, settings::KeySettings},
    name::KeyName,
    search::folded,
    sort_name::sort_name,
    time::Timestamp,
};

/// The columns of [`SettingsRow`].
pub(crate) const COLUMNS: &str = "keys.name, keys.external_id, keys.project_id, keys.scopes, keys.domains, keys.localhost_forbidden, \
     keys.ip_ranges, keys.expires_at, keys.notes, keys.metadata";

/// When the last of the replaced secrets ends or ended.
pub(super) const LAST_SECRET_ENDED_AT: &str = "(SELECT MAX(key_secrets.ends_at) FROM key_secrets \
     WHERE key_secrets.key_id = keys.id) AS last_secret_ended_at";

/// The size of the variable-length settings of a key, in bytes.
pub(super) const SIZE: &str = "CAST(OCTET_LENGTH(keys.scopes) + OCTET_LENGTH(keys.domains) + OCTET_LENGTH(keys.ip_ranges) \
     + OCTET_LENGTH(keys.notes) + OCTET_LENGTH(keys.metadata) AS BIGINT)";

/// [`KeySettings`] as stored in the database.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(crate) struct SettingsRow {
    name: KeyName,
    external_id: Option<String>,
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
    pub fn read(self) -> Result<KeySettings, StorageError> {
        Ok(KeySettings {
            name: self.name,
            external_id: self.external_id,
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

/// A key that is locked by a transaction in order to change its settings.
#[derive(Debug)]
pub(super) struct Locked {
    pub kind: Kind,
    pub environment: Environment,
    pub display: String,
    pub lifecycle: Lifecycle,
    pub last_secret_ended_at: Option<Timestamp>,
    pub settings: KeySettings,
}

#[derive(sqlx::FromRow)]
struct LockedRow {
    kind: Kind,
    environment: Environment,
    display: String,
    #[sqlx(flatten)]
    lifecycle: Lifecycle,
    last_secret_ended_at: Option<Timestamp>,
    #[sqlx(flatten)]
    settings: SettingsRow,
}

/// Reads a key and locks its row until the transaction ends. Postgres needs a row lock, while SQLite's transaction
/// excludes all other writers.
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
        "SELECT keys.kind, keys.environment, keys.display, keys.disabled_at, keys.revoked_at, {LAST_SECRET_ENDED_AT}, {COLUMNS} FROM keys WHERE org_id = $1 AND id = $2 {lock}"
    );
    let row: Option<LockedRow> = on!(tx.on(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(org_id).bind(id).fetch_optional(c).await)?;
    let read = |row: LockedRow| {
        Ok(Locked {
            kind: row.kind,
            environment: row.environment,
            display: row.display,
            lifecycle: row.lifecycle,
            last_secret_ended_at: row.last_secret_ended_at,
            settings: row.settings.read()?,
        })
    };
    row.map(read).transpose()
}

/// The columns of a new key that are not settings.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewRow<'a> {
    pub id: KeyId,
    pub org_id: OrgId,
    pub kind: Kind,
    pub environment: Environment,
    pub display: &'a str,
    pub created_at: Timestamp,
    pub created_by: Option<UserId>,
    pub approved_by: Option<UserId>,
    pub creation_token: Option<&'a str>,
}

/// A new key with the values of its columns. They are computed before the transaction begins, since on SQLite all other
/// writers wait for it.
#[derive(Debug)]
pub(super) struct Prepared<'a> {
    row: NewRow<'a>,
    settings: &'a KeySettings,
    /// Resolved in the transaction, so that it still exists.
    pub project: Option<ProjectId>,
    search: String,
    sort_name: String,
    scopes: String,
    domains: String,
    ip_ranges: String,
}

impl<'a> Prepared<'a> {
    pub fn new(row: NewRow<'a>, settings: &'a KeySettings) -> Self {
        Self {
            row,
            settings,
            project: settings.project,
            search: search_text(settings, row.display),
            sort_name: sort_name(settings.name.as_str()),
            scopes: json(&settings.scopes),
            domains: json(&settings.domains),
            ip_ranges: json(&settings.ip_ranges),
        }
    }

    pub fn id(&self) -> KeyId {
        self.row.id
    }
}

/// Whether the IP ranges restrict the key, as it is stored for findings.
fn ip_restricted(settings: &KeySettings) -> &'static str {
    IpRange::word(IpRange::restrict(&settings.ip_ranges))
}

/// Whether the domains have loopback hosts other than localhost, as it is stored for findings.
fn lists_loopback(settings: &KeySettings) -> &'static str {
    loopback_word(&settings.domains)
}

/// Stores keys, which must have a project, and returns the number of stored keys. A key whose creation token exists is
/// not stored.
pub(super) async fn insert<'a, 'k: 'a>(
    tx: &mut Tx,
    keys: impl ExactSizeIterator<Item = &'a Prepared<'k>>,
) -> Result<u64, StorageError> {
    let sql = format!(
        "INSERT INTO keys (id, org_id, kind, environment, display, created_at, created_by, creation_token, search, \
         name, sort_name, project_id, scopes, domains, localhost_forbidden, ip_ranges, expires_at, notes, metadata, \
         external_id, approved_by, ip_restricted, lists_loopback) VALUES {} ON CONFLICT (org_id, creation_token) DO NOTHING",
        tx.places_of_rows(keys.len(), 23)
    );
    Ok(on!(tx.on(), c => {
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for key in keys {
            let (row, settings) = (&key.row, key.settings);
            query = query
                .bind(row.id).bind(row.org_id).bind(row.kind).bind(row.environment).bind(row.display)
                .bind(row.created_at).bind(row.created_by).bind(row.creation_token)
                .bind(&key.search).bind(&settings.name).bind(&key.sort_name).bind(key.project)
                .bind(&key.scopes).bind(&key.domains).bind(settings.localhost_forbidden)
                .bind(&key.ip_ranges).bind(settings.expires_at).bind(&settings.notes)
                .bind(settings.metadata.as_json()).bind(&settings.external_id).bind(row.approved_by).bind(ip_restricted(settings))
                .bind(lists_loopback(settings));
        }
        query.execute(c).await.map(|done| done.rows_affected())
    })?)
}

/// Stores the settings of a key. The transaction must have locked its row.
pub(super) async fn update(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    display: &str,
    settings: &KeySettings,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE keys SET search = $3, name = $4, project_id = $5, scopes = $6, domains = $7, \
         localhost_forbidden = $8, ip_ranges = $9, expires_at = $10, notes = $11, metadata = $12, external_id = $13, \
         sort_name = $14, ip_restricted = $15, lists_loopback = $16 \
         WHERE org_id = $1 AND id = $2";
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(org_id).bind(id).bind(search_text(settings, display)).bind(settings.name.clone())
        .bind(settings.project).bind(json(&settings.scopes)).bind(json(&settings.domains))
        .bind(settings.localhost_forbidden).bind(json(&settings.ip_ranges)).bind(settings.expires_at)
        .bind(&settings.notes).bind(settings.metadata.as_json()).bind(&settings.external_id)
        .bind(sort_name(settings.name.as_str())).bind(ip_restricted(settings)).bind(lists_loopback(settings))
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Stores the display form of a key's new secret. The transaction must have locked the key; `settings` are its current
/// settings.
pub(super) async fn update_display(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
    display: &str,
    settings: &KeySettings,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE keys SET display = $1, search = $2 WHERE org_id = $3 AND id = $4";
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(display).bind(search_text(settings, display)).bind(org_id).bind(id)
        .execute(c).await.map(drop))?;
    Ok(())
}

fn json(value: &impl serde::Serialize) -> String {
    serde_json::json!(value).to_string()
}

/// Returns the text that lists search, as [`folded`] does it: the name, the display form, and the external ID and the notes
/// if there are any. The first separator appears once: a search for names only ends before it.
fn search_text(settings: &KeySettings, display: &str) -> String {
    let external_id = settings.external_id.as_deref();
    let external_id = external_id.map(|id| format!("\u{1e}{id}"));
    let notes = match settings.notes.as_str() {
        "" => String::new(),
        notes => format!("\u{1e}{}", notes.replace('\u{1f}', " ")),
    };
    let text = format!(
        "{}\u{1f}{display}{}{notes}",
        settings.name,
        external_id.unwrap_or_default()
    );
    folded(&text)
}

/// Parses the column `domains`. The patterns were validated when they were stored.
pub(crate) fn stored_domains(column: &str) -> Result<Vec<DomainPattern>, StorageError> {
    let texts: Vec<String> = from_json(column)?;
    texts
        .iter()
        .map(|text| DomainPattern::parse_stored(text).map_err(StorageError::unreadable))
        .collect()
}

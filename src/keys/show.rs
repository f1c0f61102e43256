//! Reading single keys.

use std::collections::HashMap;

use crate::{
    Engine,
    access::{Permit, to},
    convention::Scope,
    db::{StorageError, from_json, on, places},
    domain::DomainPattern,
    event::Event,
    id::{KeyId, KeyRequestId, UserId},
    name::DisplayName,
    page_size::fitting,
    time::Timestamp,
};

use super::{
    Key, KeySummary, OldSecret, SUMMARY_COLUMNS,
    store::{COLUMNS, LAST_SECRET_ENDED_AT, SIZE, SettingsRow, stored_domains},
};

/// Returns the data of a key that every role can see. `None` if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn summary(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    id: KeyId,
) -> Result<Option<KeySummary>, StorageError> {
    let sql = format!("SELECT {SUMMARY_COLUMNS} FROM keys WHERE keys.org_id = $1 AND keys.id = $2");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?,
    )
}

/// Like [`summary`], but for several keys, in any order. Keys that the org does not have are omitted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn summaries(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    ids: &[KeyId],
) -> Result<Vec<KeySummary>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {SUMMARY_COLUMNS} FROM keys WHERE keys.org_id = $1 AND keys.id IN ({})",
        places(2, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}

/// Returns the data of a key that owners and admins can see. `None` if the org has no such key.
///
/// # Errors
/// If the database cannot be reached.
pub async fn details(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    id: KeyId,
) -> Result<Option<Key>, StorageError> {
    Ok(details_of(engine, permit, &[id]).await?.pop())
}

/// Returns how many of the keys, starting with the first, fit on one page with all data that [`details_of`] returns.
///
/// # Errors
/// If the database cannot be reached.
pub(super) async fn fitting_details(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[KeyId],
) -> Result<usize, StorageError> {
    if ids.is_empty() {
        return Ok(0);
    }
    let places: Vec<String> = (0..ids.len()).map(|at| format!("${}", at + 2)).collect();
    let sql = format!(
        "SELECT id, {SIZE} FROM keys WHERE org_id = $1 AND id IN ({})",
        places.join(", ")
    );
    let sizes: Vec<(KeyId, i64)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let sizes: HashMap<KeyId, i64> = sizes.into_iter().collect();
    Ok(fitting(
        ids.iter()
            .map(|id| sizes.get(id).copied().unwrap_or_default()),
    ))
}

/// Like [`details`], but for several keys, in the order of `ids`. Keys that the org does not have are omitted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn details_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[KeyId],
) -> Result<Vec<Key>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = select_details(ids.len());
    let rows: Vec<Row> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(engine.clock.now());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let mut keys = rows
        .into_iter()
        .map(Row::read)
        .collect::<Result<Vec<Key>, _>>()?;
    keys.sort_by_key(|key| ids.iter().position(|id| *id == key.summary.id));
    Ok(keys)
}

/// Returns the allowed domains of the org's keys among `ids`, if the convention shows them to every member. Keys without
/// domains are omitted.
///
/// # Errors
/// If the database cannot be reached.
pub async fn domains_for_members(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    ids: &[KeyId],
) -> Result<HashMap<KeyId, Vec<DomainPattern>>, StorageError> {
    if ids.is_empty() || !engine.convention.members_see_domains {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT id, domains FROM keys WHERE org_id = $1 AND domains <> '[]' AND id IN ({})",
        places(2, ids.len())
    );
    let rows: Vec<(KeyId, String)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    rows.into_iter()
        .map(|(id, domains)| Ok((id, stored_domains(&domains)?)))
        .collect()
}

/// What someone sees of a key that they have created, whatever their role is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnKey {
    /// The key's ID.
    pub id: KeyId,
    /// The prefix and the last four characters.
    pub display: String,
    /// Its scopes.
    pub scopes: Vec<Scope>,
    /// The request for which it was created, if it was.
    pub request: Option<KeyRequestId>,
}

/// Returns those of the org's keys among `ids` that the caller has created.
///
/// # Errors
/// If the database cannot be reached.
pub async fn own_of(
    engine: &Engine,
    permit: &Permit<to::SeeOwnKeys>,
    ids: &[KeyId],
) -> Result<Vec<OwnKey>, StorageError> {
    let Some(user_id) = permit.caller().actor.user_id().filter(|_| !ids.is_empty()) else {
        return Ok(Vec::new());
    };
    let sql = format!(
        "SELECT keys.id, keys.display, keys.scopes, (SELECT MIN(key_requests.id) FROM key_requests \
         WHERE key_requests.org_id = keys.org_id AND key_requests.key_id = keys.id) FROM keys \
         WHERE keys.org_id = $1 AND keys.created_by = $2 AND keys.id IN ({})",
        places(3, ids.len())
    );
    let rows: Vec<(KeyId, String, String, Option<KeyRequestId>)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(user_id);
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    rows.into_iter()
        .map(|(id, display, scopes, request)| {
            Ok(OwnKey {
                id,
                display,
                scopes: from_json(&scopes)?,
                request,
            })
        })
        .collect()
}

/// How a key came to be that no user created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// By an application with a service token.
    Api,
    /// By the operator.
    CommandLine,
    /// By an import.
    Import,
}

impl Origin {
    /// In words that follow "by".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Api => "API",
            Self::CommandLine => "command line",
            Self::Import => "import",
        }
    }
}

/// Returns the origins of the org's keys among `ids`, as far as the audit log has them.
///
/// # Errors
/// If the database cannot be reached.
pub async fn origins_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[KeyId],
) -> Result<HashMap<KeyId, Origin>, StorageError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT target_id, event, via FROM audit_log WHERE org_id = $1 AND event IN ($2, $3) AND target_id IN ({})",
        places(4, ids.len())
    );
    let rows: Vec<(KeyId, Event, String)> = on!(engine.db.read(), c => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        let mut query = query.bind(Event::KeyCreated.as_str()).bind(Event::KeyImported.as_str());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let origin = |event, via: &str| match (event, via) {
        (Event::KeyImported, _) => Some(Origin::Import),
        (_, "api") => Some(Origin::Api),
        (_, "cli") => Some(Origin::CommandLine),
        _ => None,
    };
    Ok(rows
        .into_iter()
        .filter_map(|(id, event, via)| Some((id, origin(event, &via)?)))
        .collect())
}

/// The project and the creator of a key, and its rotation.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Belongs {
    /// The key's ID.
    pub id: KeyId,
    /// The project's display name.
    pub project: DisplayName,
    /// The display name of the user who created the key, unless the account was deleted.
    pub creator: Option<DisplayName>,
    /// Until when the old secret works after a rotation, if it does and the key is not revoked.
    pub old_secret_ends_at: Option<Timestamp>,
}

/// Returns the projects, creators and rotations of the org's keys among `ids`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn belongs_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[KeyId],
) -> Result<Vec<Belongs>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT keys.id, projects.name AS project, users.name AS creator, old.ends_at AS old_secret_ends_at FROM keys \
         JOIN projects ON projects.id = keys.project_id LEFT JOIN users ON users.id = keys.created_by \
         LEFT JOIN key_secrets AS old ON old.key_id = keys.id AND old.ends_at > $2 AND keys.revoked_at IS NULL \
         WHERE keys.org_id = $1 AND keys.id IN ({})",
        places(3, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id()).bind(engine.clock.now());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}

/// A query for this number of keys of the org `$1` at the time `$2`.
fn select_details(keys: usize) -> String {
    format!(
        "SELECT {SUMMARY_COLUMNS}, {COLUMNS}, {LAST_SECRET_ENDED_AT}, projects.name AS project_name, \
         keys.created_by, users.name AS creator_name, keys.approved_by, approvers.name AS approver_name, \
         old.display AS old_display, old.ends_at AS old_ends_at, old.last_used_at AS old_last_used_at \
         FROM keys JOIN projects ON projects.id = keys.project_id LEFT JOIN users ON users.id = keys.created_by \
         LEFT JOIN users AS approvers ON approvers.id = keys.approved_by \
         LEFT JOIN key_secrets AS old ON old.key_id = keys.id AND old.ends_at > $2 \
         WHERE keys.org_id = $1 AND keys.id IN ({})",
        places(3, keys)
    )
}

/// The columns of a [`Key`].
#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    summary: KeySummary,
    #[sqlx(flatten)]
    settings: SettingsRow,
    project_name: DisplayName,
    created_by: Option<UserId>,
    creator_name: Option<DisplayName>,
    approved_by: Option<UserId>,
    approver_name: Option<DisplayName>,
    old_display: Option<String>,
    old_ends_at: Option<Timestamp>,
    old_last_used_at: Option<Timestamp>,
    last_secret_ended_at: Option<Timestamp>,
}

impl Row {
    fn read(self) -> Result<Key, StorageError> {
        Ok(Key {
            summary: self.summary,
            settings: self.settings.read()?,
            project_name: self.project_name,
            old_secret: self
                .old_display
                .zip(self.old_ends_at)
                .map(|(display, ends_at)| OldSecret {
                    display,
                    ends_at,
                    last_used_at: self.old_last_used_at,
                }),
            last_secret_ended_at: self.last_secret_ended_at,
            created_by: self.created_by.zip(self.creator_name),
            approved_by: self.approved_by.zip(self.approver_name),
        })
    }
}

//! Orgs.

pub mod create_own;
pub mod delete;
pub mod empty;
pub(crate) mod lock;
pub mod policies;
pub mod security;
pub mod settings;

pub(crate) use self::lock::lock;

use crate::{
    Engine,
    access::{Operator, Org},
    change::Happened,
    db::{StorageError, Tx, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{OrgId, ProjectId, UserId},
    name::{DisplayName, Slug},
    role::Rights,
    search::folded,
    sort_name::sort_name,
};

/// Who can create further organizations in the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrgPolicy {
    /// Operators only.
    Operators,
    /// Everyone with an account.
    Everyone,
}

/// Why an org was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateOrgError {
    /// Another org has the slug.
    #[error("The slug `{0}` is taken. Choose another one.")]
    SlugTaken(Slug),
    /// A previous request with the same token created the org.
    #[error("This organization already exists.")]
    AlreadyCreated(Box<Org>),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateOrgError);

/// The name of the project that every org starts with (design §1).
pub const DEFAULT_PROJECT: &str = "Default";

/// The sort key of a project in lists, with `Default` first.
pub(crate) fn place_of_project(name: &DisplayName) -> (bool, String) {
    let name = name.as_str();
    (name != DEFAULT_PROJECT, sort_name(name))
}

/// Creates an org with its `Default` project.
///
/// # Errors
/// If the slug is taken.
pub async fn create(
    engine: &Engine,
    operator: &Operator,
    name: &DisplayName,
    slug: &Slug,
) -> Result<Org, CreateOrgError> {
    create_once(engine, operator, name, slug, None).await
}

/// Same as [`create`] for a request that can be sent twice: only one org is created per `creation_token`.
///
/// # Errors
/// If the slug is taken, or an org was already created with this token.
pub async fn create_once(
    engine: &Engine,
    operator: &Operator,
    name: &DisplayName,
    slug: &Slug,
    creation_token: Option<&str>,
) -> Result<Org, CreateOrgError> {
    let mut change = engine.change_instance(operator).await?;
    let org = insert(engine, change.tx(), name, slug.clone(), creation_token).await?;
    change.is_of(org.id);
    let created = Happened::new(Event::OrgCreated, Target::Org(org.id));
    change.commit(created).await?;
    Ok(org)
}

/// Inserts an org and its first project within a transaction, which remains usable if the slug is taken.
pub(crate) async fn insert(
    engine: &Engine,
    tx: &mut Tx,
    name: &DisplayName,
    slug: Slug,
    creation_token: Option<&str>,
) -> Result<Org, CreateOrgError> {
    let now = engine.clock.now();
    let org = Org {
        id: OrgId::new(now.as_millis(), engine.random.bytes()?),
        slug,
        name: name.clone(),
    };
    // There is no check beforehand: two concurrent requests would both find the slug free.
    const INSERT_ORG: &str = "INSERT INTO orgs (id, slug, name, search, created_at, creation_token) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING";
    let inserted = on!(tx.on(), c => sqlx::query(INSERT_ORG)
        .bind(org.id).bind(org.slug.clone()).bind(org.name.clone())
        .bind(folded(org.name.as_str())).bind(now).bind(creation_token)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if inserted == 0 {
        const SELECT: &str =
            "SELECT id, slug, name FROM orgs WHERE creation_token = $1 AND deleted_at IS NULL";
        let made: Option<Org> =
            on!(tx.on(), c => sqlx::query_as(SELECT).bind(creation_token).fetch_optional(c).await)?;
        return Err(match made {
            Some(made) => CreateOrgError::AlreadyCreated(Box::new(made)),
            None => CreateOrgError::SlugTaken(org.slug),
        });
    }
    const INSERT_PROJECT: &str =
        "INSERT INTO projects (id, org_id, name, created_at) VALUES ($1, $2, $3, $4)";
    let project = ProjectId::new(now.as_millis(), engine.random.bytes()?);
    on!(tx.on(), c => sqlx::query(INSERT_PROJECT)
        .bind(project).bind(org.id).bind(DEFAULT_PROJECT).bind(now).execute(c).await.map(drop))?;
    Ok(org)
}

/// Number of attempts with the next number. Concurrent requests for orgs of the same name can take it first.
const NUMBERS_TRIED: usize = 3;

/// Inserts an org under `slug`, or under `slug` and a number if it is taken: the next free number, or a random one
/// after a few conflicts. The number of statements does not depend on how many orgs have the name, since all other
/// writers wait for them.
pub(crate) async fn insert_numbered(
    engine: &Engine,
    tx: &mut Tx,
    name: &DisplayName,
    slug: &Slug,
    creation_token: Option<&str>,
) -> Result<Org, CreateOrgError> {
    let mut candidate = slug.clone();
    for _ in 0..=NUMBERS_TRIED {
        match insert(engine, tx, name, candidate, creation_token).await {
            Err(CreateOrgError::SlugTaken(_)) => {
                candidate = slug.numbered(next_number(tx, slug).await?);
            }
            done => return done,
        }
    }
    let any = u32::from_be_bytes(engine.random.bytes()?) % 900_000_000 + 100_000_000;
    insert(engine, tx, name, slug.numbered(any), creation_token).await
}

/// The number after the highest suffix of this slug that is in use, among suffixes of up to eight digits.
async fn next_number(tx: &mut Tx, slug: &Slug) -> Result<u32, StorageError> {
    const SQL: &str = "SELECT MAX(CAST(SUBSTR(slug, LENGTH($1) + 2) AS BIGINT)) FROM orgs \
         WHERE slug LIKE $1 || '-%' AND LENGTH(slug) BETWEEN LENGTH($1) + 2 AND LENGTH($1) + 9 \
         AND TRIM(SUBSTR(slug, LENGTH($1) + 2), '0123456789') = ''";
    let highest: Option<i64> = on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(slug.clone()).fetch_one(c).await)?;
    let highest = highest.and_then(|number| u32::try_from(number).ok());
    Ok(highest.unwrap_or(1).max(1) + 1)
}

/// Returns the org with this slug, for the operator.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    _operator: &Operator,
    slug: &Slug,
) -> Result<Option<Org>, StorageError> {
    const SQL: &str = "SELECT id, slug, name FROM orgs WHERE slug = $1 AND deleted_at IS NULL";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(slug.clone()).fetch_optional(c).await)?)
}

/// Returns the org with this ID, for the operator.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find_by_id(
    engine: &Engine,
    _operator: &Operator,
    id: OrgId,
) -> Result<Option<Org>, StorageError> {
    const SQL: &str = "SELECT id, slug, name FROM orgs WHERE id = $1 AND deleted_at IS NULL";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL).bind(id).fetch_optional(c).await)?)
}

/// Returns a page of the instance's orgs, oldest first: at most `limit` orgs created after `after`. If there are
/// more, also returns the ID to continue from.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    _operator: &Operator,
    after: Option<OrgId>,
    limit: u16,
) -> Result<(Vec<Org>, Option<OrgId>), StorageError> {
    const SQL: &str = "SELECT id, slug, name FROM orgs WHERE id > $1 AND deleted_at IS NULL \
         ORDER BY id LIMIT $2";
    let after = after.map_or_else(String::new, |id| id.to_string());
    let mut orgs: Vec<Org> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(after).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let more = orgs.len() > usize::from(limit);
    orgs.truncate(usize::from(limit));
    let next = orgs.last().map(|org| org.id).filter(|_| more);
    Ok((orgs, next))
}

/// Returns the orgs of a user with the user's permissions in each, sorted by name.
///
/// # Errors
/// If the database cannot be reached.
pub async fn of_user(engine: &Engine, user_id: UserId) -> Result<Vec<(Org, Rights)>, StorageError> {
    #[derive(sqlx::FromRow)]
    struct Row {
        #[sqlx(flatten)]
        org: Org,
        #[sqlx(flatten)]
        rights: Rights,
    }
    const SQL: &str = "SELECT orgs.id, orgs.slug, orgs.name, orgs.admin_rights, memberships.role FROM memberships \
         JOIN orgs ON orgs.id = memberships.org_id WHERE memberships.user_id = $1 AND orgs.deleted_at IS NULL ORDER BY orgs.id";
    let mut rows: Vec<Row> =
        on!(engine.db.read(), c => sqlx::query_as(SQL).bind(user_id).fetch_all(c).await)?;
    rows.sort_by_cached_key(|row| sort_name(row.org.name.as_str()));
    Ok(rows.into_iter().map(|row| (row.org, row.rights)).collect())
}

/// Returns the orgs of a user that require a second factor, sorted by name.
///
/// # Errors
/// If the database cannot be reached.
pub async fn requiring_second_factor(
    engine: &Engine,
    user_id: UserId,
) -> Result<Vec<Org>, StorageError> {
    const SQL: &str = "SELECT orgs.id, orgs.slug, orgs.name FROM memberships JOIN orgs ON orgs.id = memberships.org_id \
         WHERE memberships.user_id = $1 AND orgs.second_factor_required ORDER BY orgs.id";
    let mut orgs: Vec<Org> =
        on!(engine.db.read(), c => sqlx::query_as(SQL).bind(user_id).fetch_all(c).await)?;
    orgs.sort_by_cached_key(|org| sort_name(org.name.as_str()));
    Ok(orgs)
}

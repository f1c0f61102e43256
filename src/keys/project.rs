//! The project of a key.

use crate::{
    Engine,
    access::{Permit, to},
    db::{On, StorageError, Tx, on},
    id::{OrgId, ProjectId},
    name::DisplayName,
    orgs::{DEFAULT_PROJECT, place_of_project},
};

/// A project that a key can belong to.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ProjectChoice {
    /// The project's ID.
    pub id: ProjectId,
    /// The project's display name.
    pub name: DisplayName,
}

/// Returns the org's projects by name, with the default project first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn choices(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
) -> Result<Vec<ProjectChoice>, StorageError> {
    of_org(engine, permit.org_id()).await
}

/// Like [`choices`], for operations that hold another permit for the org.
pub(super) async fn of_org(
    engine: &Engine,
    org_id: OrgId,
) -> Result<Vec<ProjectChoice>, StorageError> {
    const SQL: &str = "SELECT id, name FROM projects WHERE org_id = $1";
    let mut choices: Vec<ProjectChoice> =
        on!(engine.db.read(), c => sqlx::query_as(SQL).bind(org_id).fetch_all(c).await)?;
    choices.sort_by_cached_key(|choice| place_of_project(&choice.name));
    Ok(choices)
}

/// Returns the project with this ID, or `Default` if none is given. `None` if the org has no such project. The project
/// cannot be deleted until the transaction ends: Postgres needs a row lock, while SQLite's transaction excludes all
/// other writers.
pub(crate) async fn resolve(
    tx: &mut Tx,
    org_id: OrgId,
    chosen: Option<ProjectId>,
) -> Result<Option<ProjectId>, StorageError> {
    let column = if chosen.is_some() { "id" } else { "name" };
    let wanted = chosen.map_or_else(|| DEFAULT_PROJECT.to_owned(), |id| id.to_string());
    let lock = match tx.on() {
        On::Sqlite(_) => "",
        On::Postgres(_) => "FOR KEY SHARE",
    };
    let sql = format!("SELECT id FROM projects WHERE org_id = $1 AND {column} = $2 {lock}");
    Ok(
        on!(tx.on(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(org_id).bind(wanted).fetch_optional(c).await)?,
    )
}

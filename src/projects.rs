//! An org's projects: groups of keys and agents (design §1).

use crate::{
    Engine,
    access::{Permit, to},
    change::{Events, Happened},
    db::{StorageError, Tx, on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, OrgId, ProjectId},
    idempotency::note_gone,
    keys::project,
    limits::{LimitReached, Limited, check_added},
    name::DisplayName,
    orgs::{DEFAULT_PROJECT, place_of_project},
    revision::{AsKnown, Known, Revision, fingerprint},
    time::Timestamp,
};

/// A project, with the number of its keys and agents.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Project {
    /// The project's ID.
    pub id: ProjectId,
    /// The project's display name, unique in the org.
    pub name: DisplayName,
    /// When it was created.
    pub created_at: Timestamp,
    /// The number of keys in the project, whatever their status.
    pub keys: i64,
    /// The number of agents in the project.
    pub agents: i64,
}

/// Why a project was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The org has no such project.
    #[error("The project was not found.")]
    NotFound,
    /// The org has reached its limit of projects.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// The project was changed since the caller read it.
    #[error("Someone else renamed this project in the meantime.")]
    ChangedMeanwhile,
    /// Another project of the org has this name.
    #[error("A project `{0}` already exists. Choose another name.")]
    NameTaken(DisplayName),
    /// The org's first project cannot be changed.
    #[error(
        "The project `{DEFAULT_PROJECT}` cannot be renamed or deleted. New keys belong to it when no project is \
         selected."
    )]
    IsDefault,
    /// The project has keys or agents.
    #[error(
        "This project is not empty. Move its agents and keys to another project first. Revoked keys move to \
         `{DEFAULT_PROJECT}` by themselves."
    )]
    NotEmpty,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ProjectError);

/// The result of a request that can be sent twice.
#[derive(Debug)]
pub enum Once {
    /// The project was created.
    Created(ProjectId),
    /// A previous request with the same token created the project.
    CreatedBefore(ProjectId),
}

/// The columns of a [`Project`]. The counts use the indexes on `project_id`.
const COLUMNS: &str = "projects.id, projects.name, projects.created_at, \
     (SELECT COUNT(*) FROM keys WHERE keys.project_id = projects.id) AS keys, \
     (SELECT COUNT(*) FROM agents WHERE agents.project_id = projects.id) AS agents";

/// Returns the org's projects: `Default` first, then sorted by name.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
) -> Result<Vec<Project>, StorageError> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE projects.org_id = $1");
    let mut projects: Vec<Project> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).fetch_all(c).await)?;
    projects.sort_by_cached_key(|project| place_of_project(&project.name));
    Ok(projects)
}

/// Returns a page of the org's projects, oldest first: at most `limit` projects created after `after`. If there are
/// more, also returns the ID to continue from.
///
/// # Errors
/// If the database cannot be reached.
pub async fn page(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    after: Option<ProjectId>,
    limit: u16,
) -> Result<(Vec<Project>, Option<ProjectId>), StorageError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM projects WHERE projects.org_id = $1 AND projects.id > $2 ORDER BY projects.id LIMIT $3"
    );
    let after = after.map_or_else(String::new, |id| id.to_string());
    let mut projects: Vec<Project> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(after).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let more = projects.len() > usize::from(limit);
    projects.truncate(usize::from(limit));
    let next = projects.last().map(|project| project.id);
    Ok((projects, next.filter(|_| more)))
}

/// Returns a project of the org; `None` if the org has no such project.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    id: ProjectId,
) -> Result<Option<Project>, StorageError> {
    let sql =
        format!("SELECT {COLUMNS} FROM projects WHERE projects.org_id = $1 AND projects.id = $2");
    Ok(
        on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(id).fetch_optional(c).await)?,
    )
}

/// Creates a project.
///
/// # Errors
/// If the name is taken.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::EditProjects>,
    name: &DisplayName,
) -> Result<ProjectId, ProjectError> {
    let (Once::Created(id) | Once::CreatedBefore(id)) =
        create_once(engine, permit, name, None).await?;
    Ok(id)
}

/// Same as [`create`] for a request that can be sent twice: the org gets only one project per `creation_token`.
///
/// # Errors
/// If the name is taken.
pub async fn create_once(
    engine: &Engine,
    permit: &Permit<to::EditProjects>,
    name: &DisplayName,
    creation_token: Option<&str>,
) -> Result<Once, ProjectError> {
    let now = engine.clock.now();
    let id = ProjectId::new(now.as_millis(), engine.random.bytes()?);
    let mut change = engine.change(permit).await?;
    // Before the insertion, which would fail because the name is taken.
    if let Some(id) = created_under(change.tx(), permit.org_id(), creation_token).await? {
        return Ok(Once::CreatedBefore(id));
    }
    const INSERT: &str = "INSERT INTO projects (id, org_id, name, created_at, creation_token) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (org_id, creation_token) DO NOTHING";
    let inserted = on!(change.on(), c => sqlx::query(INSERT)
        .bind(id).bind(permit.org_id()).bind(name.clone()).bind(now).bind(creation_token)
        .execute(c).await.map(|done| done.rows_affected()));
    if inserted.map_err(|error| name_taken(error.into(), name))? == 0 {
        let created = created_under(change.tx(), permit.org_id(), creation_token).await?;
        return created
            .map(Once::CreatedBefore)
            .ok_or(ProjectError::NotFound);
    }
    check_added(engine, change.tx(), permit.org_id(), Limited::Projects).await??;
    let created = Happened::new(Event::ProjectCreated, Target::Project(id));
    change.commit(created).await?;
    Ok(Once::Created(id))
}

impl Project {
    /// The project's entity tag. It differs after every change of the project itself, but not of its keys and agents.
    pub fn tag(&self) -> String {
        fingerprint(&self.name)
    }
}

/// The revision of a project with this name. A form that renames the project is rendered with it.
pub fn revision(name: &DisplayName) -> Revision {
    Revision::default().with("name", Some(name))
}

/// Renames a project.
///
/// # Errors
/// If there is no such project, it is `Default`, it was renamed in the meantime, or the name is taken.
pub async fn rename(
    engine: &Engine,
    permit: &Permit<to::EditProjects>,
    id: ProjectId,
    name: &DisplayName,
    known: &Known,
) -> Result<(), ProjectError> {
    let mut change = engine.change(permit).await?;
    let before = changeable(change.tx(), permit.org_id(), id).await?;
    let (sent, stored) = (revision(name), revision(&before));
    if known.is_outdated(&sent, &stored, || fingerprint(&before)) {
        return Err(ProjectError::ChangedMeanwhile);
    }
    if !known.is_change("name", &sent) {
        return Ok(());
    }
    let updated = Happened::new(Event::ProjectUpdated, Target::Project(id)).changed(
        "name",
        before.as_str(),
        name.as_str(),
    );
    if updated.changes.is_empty() {
        return Ok(());
    }
    const SQL: &str = "UPDATE projects SET name = $1 WHERE org_id = $2 AND id = $3";
    let renamed = on!(change.on(), c => sqlx::query(SQL)
        .bind(name.clone()).bind(permit.org_id()).bind(id).execute(c).await.map(drop));
    renamed.map_err(|error| name_taken(error.into(), name))?;
    Ok(change.commit(updated).await?)
}

/// Deletes a project without agents and without keys, except for revoked keys: these move to `Default`, since users
/// cannot move them.
///
/// # Errors
/// If the project was not found, is `Default`, was renamed in the meantime, or is not empty.
pub async fn delete(
    engine: &Engine,
    permit: &Permit<to::EditProjects>,
    project: impl Into<AsKnown<ProjectId>>,
) -> Result<(), ProjectError> {
    let AsKnown { id, known } = project.into();
    let mut change = engine.change(permit).await?;
    let name = changeable(change.tx(), permit.org_id(), id).await?;
    let nothing_sent = Revision::default();
    if known.is_outdated(&nothing_sent, &revision(&name), || fingerprint(&name)) {
        return Err(ProjectError::ChangedMeanwhile);
    }
    let moved = move_revoked_keys(change.tx(), permit.org_id(), id).await?;
    const SQL: &str = "DELETE FROM projects WHERE org_id = $1 AND id = $2 \
         AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.project_id = projects.id) \
         AND NOT EXISTS (SELECT 1 FROM agents WHERE agents.project_id = projects.id) \
         RETURNING creation_token";
    let deleted: Result<Option<Option<String>>, sqlx::Error> = on!(change.on(), c => sqlx::query_scalar(SQL)
        .bind(permit.org_id()).bind(id).fetch_optional(c).await);
    match deleted {
        Ok(None) => Err(ProjectError::NotEmpty),
        Ok(Some(creation_token)) => {
            note_gone(change.tx(), creation_token.as_deref()).await?;
            let deleted = Happened::new(Event::ProjectDeleted, Target::Project(id));
            let events = match Events::several(moved) {
                Some(moved) => moved.and(deleted),
                None => deleted.into(),
            };
            Ok(change.commit(events).await?)
        }
        // A key or an agent was added concurrently; the foreign key prevents the deletion.
        Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
            Err(ProjectError::NotEmpty)
        }
        Err(error) => Err(StorageError::from(error).into()),
    }
}

/// Moves the revoked keys of a project to `Default`.
async fn move_revoked_keys(
    tx: &mut Tx,
    org_id: OrgId,
    from: ProjectId,
) -> Result<Vec<Happened>, ProjectError> {
    let to = project::resolve(tx, org_id, None).await?;
    let to = to.ok_or(ProjectError::NotFound)?;
    const SQL: &str = "UPDATE keys SET project_id = $1 WHERE org_id = $2 AND project_id = $3 \
         AND revoked_at IS NOT NULL RETURNING id";
    let moved: Vec<KeyId> = on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(to).bind(org_id).bind(from).fetch_all(c).await)?;
    let moved = moved.into_iter().map(|key| {
        let updated = Happened::new(Event::KeyUpdated, Target::Key(key));
        updated.changed("project", from.to_string(), to.to_string())
    });
    Ok(moved.collect())
}

/// The project created with this token, if any.
async fn created_under(
    tx: &mut Tx,
    org_id: OrgId,
    creation_token: Option<&str>,
) -> Result<Option<ProjectId>, StorageError> {
    const SQL: &str = "SELECT id FROM projects WHERE org_id = $1 AND creation_token = $2";
    Ok(on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(creation_token).fetch_optional(c).await)?)
}

/// The name of a project, which is locked until the transaction ends. Fails for `Default`.
async fn changeable(
    tx: &mut Tx,
    org_id: OrgId,
    id: ProjectId,
) -> Result<DisplayName, ProjectError> {
    let name: Option<(DisplayName,)> = select_locked!(
        tx,
        "SELECT name FROM projects WHERE org_id = $1 AND id = $2",
        org_id,
        id
    )?;
    match name {
        None => Err(ProjectError::NotFound),
        Some((name,)) if name.as_str() == DEFAULT_PROJECT => Err(ProjectError::IsDefault),
        Some((name,)) => Ok(name),
    }
}

fn name_taken(error: StorageError, name: &DisplayName) -> ProjectError {
    if error.is_unique_violation() {
        ProjectError::NameTaken(name.clone())
    } else {
        error.into()
    }
}

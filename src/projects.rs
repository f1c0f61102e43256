//! An org's projects: groups of keys and agents (design §1).

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, Tx, on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{OrgId, ProjectId},
    name::DisplayName,
    orgs::{DEFAULT_PROJECT, place_of_project},
    revision::{AsKnown, Known, Revision, fingerprint},
    time::Timestamp,
};

/// A project, and how much is in it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name, which no other project of the org has.
    pub name: DisplayName,
    /// When it was created.
    pub created_at: Timestamp,
    /// How many keys belong to it, whatever their state.
    pub keys: i64,
    /// How many agents belong to it.
    pub agents: i64,
}

/// The most projects of an org: forms offer all of them, and their page lists them.
pub const MAX_PROJECTS: i64 = 500;

/// Why a project was not created or changed.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// The org has no such project.
    #[error("The project was not found.")]
    NotFound,
    /// The org has as many as it may have.
    #[error(
        "An organization can have at most {MAX_PROJECTS} projects. Delete one that is empty first."
    )]
    TooMany,
    /// Someone else changed what the caller based the change on.
    #[error("Someone else renamed this project in the meantime.")]
    ChangedMeanwhile,
    /// Another project of the org has the name.
    #[error("A project `{0}` already exists. Choose another name.")]
    NameTaken(DisplayName),
    /// Every org keeps its first project as it is.
    #[error(
        "The project `{DEFAULT_PROJECT}` cannot be renamed or deleted. New keys belong to it when no project is \
         selected."
    )]
    IsDefault,
    /// Keys or agents belong to it.
    #[error(
        "This project is not empty. Move its agents and keys to another project first. A project with revoked keys can be renamed but not deleted."
    )]
    NotEmpty,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(ProjectError);

/// What came of a request that may come twice.
#[derive(Debug)]
pub enum Once {
    /// The project was created.
    Created(ProjectId),
    /// It was created when the request came first.
    CreatedBefore(ProjectId),
}

/// A project and how much is in it. Each count reads the index of what belongs to the project.
const COLUMNS: &str = "projects.id, projects.name, projects.created_at, \
     (SELECT COUNT(*) FROM keys WHERE keys.project_id = projects.id) AS keys, \
     (SELECT COUNT(*) FROM agents WHERE agents.project_id = projects.id) AS agents";

/// The org's projects: `Default` first, then by name.
///
/// # Errors
/// When the database cannot be asked.
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

/// The org's projects, oldest first, at most `limit` of those that were created after `after`; and the id to go on from when
/// there are more.
///
/// # Errors
/// When the database cannot be asked.
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

/// One of the org's projects.
///
/// # Errors
/// When the database cannot be asked.
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
/// When the name is taken.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::EditProjects>,
    name: &DisplayName,
) -> Result<ProjectId, ProjectError> {
    let (Once::Created(id) | Once::CreatedBefore(id)) =
        create_once(engine, permit, name, None).await?;
    Ok(id)
}

/// The same for a request that may come twice: under one `creation_token` the org gets one project.
///
/// # Errors
/// When the name is taken.
pub async fn create_once(
    engine: &Engine,
    permit: &Permit<to::EditProjects>,
    name: &DisplayName,
    creation_token: Option<&str>,
) -> Result<Once, ProjectError> {
    let now = engine.clock.now();
    let id = ProjectId::new(now.as_millis(), engine.random.bytes()?);
    let mut change = engine.change(permit).await?;
    // Before the insertion, which the name alone would let fail.
    if let Some(id) = created_under(change.tx(), permit.org_id(), creation_token).await? {
        return Ok(Once::CreatedBefore(id));
    }
    const COUNT: &str = "SELECT COUNT(*) FROM projects WHERE org_id = $1";
    let projects: i64 = on!(change.on(), c => sqlx::query_scalar(COUNT)
        .bind(permit.org_id()).fetch_one(c).await)?;
    if projects >= MAX_PROJECTS {
        return Err(ProjectError::TooMany);
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
    let created = Happened::new(Event::ProjectCreated, Target::Project(id));
    change.commit(created).await?;
    Ok(Once::Created(id))
}

impl Project {
    /// Its entity tag: another one after every change of the project itself, not of what is in it.
    pub fn tag(&self) -> String {
        fingerprint(&self.name)
    }
}

/// The revision of a project with this name, which a form that renames it is served with.
pub fn revision(name: &DisplayName) -> Revision {
    Revision::default().with("name", Some(name))
}

/// Gives a project another name.
///
/// # Errors
/// When there is no such project, it is `Default`, it was renamed meanwhile, or the name is taken.
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

/// Deletes a project that nothing belongs to.
///
/// # Errors
/// When there is no such project, it is `Default`, it was renamed meanwhile, or something belongs to it.
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
    const SQL: &str = "DELETE FROM projects WHERE org_id = $1 AND id = $2 \
         AND NOT EXISTS (SELECT 1 FROM keys WHERE keys.project_id = projects.id) \
         AND NOT EXISTS (SELECT 1 FROM agents WHERE agents.project_id = projects.id)";
    let deleted = on!(change.on(), c => sqlx::query(SQL)
        .bind(permit.org_id()).bind(id).execute(c).await.map(|done| done.rows_affected()));
    match deleted {
        Ok(0) => Err(ProjectError::NotEmpty),
        Ok(_) => {
            let deleted = Happened::new(Event::ProjectDeleted, Target::Project(id));
            Ok(change.commit(deleted).await?)
        }
        // A key or an agent that came into it meanwhile: the database holds the reference.
        Err(sqlx::Error::Database(error)) if error.is_foreign_key_violation() => {
            Err(ProjectError::NotEmpty)
        }
        Err(error) => Err(StorageError::from(error).into()),
    }
}

/// The project that was created under a token.
async fn created_under(
    tx: &mut Tx,
    org_id: OrgId,
    creation_token: Option<&str>,
) -> Result<Option<ProjectId>, StorageError> {
    const SQL: &str = "SELECT id FROM projects WHERE org_id = $1 AND creation_token = $2";
    Ok(on!(tx.on(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(creation_token).fetch_optional(c).await)?)
}

/// The name of the org's project, which nobody else changes until the transaction ends, unless it is `Default`.
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

//! Listing and reading agents.

use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, Tx, from_json, on, places},
    id::{AgentId, OrgId, ProjectId},
    name::DisplayName,
    time::Timestamp,
};

use super::{Agent, AgentSummary, PublicId};

/// The position of a page in the list of agents by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The first page.
    Start,
    /// The page after this agent.
    After(PublicId),
    /// The page before this agent.
    Before(PublicId),
    /// The last page.
    End,
}

/// Returns a page of at most `limit` agents by name, with what every role can see. For `Before` and `End`, the page is
/// the last `limit` agents before the position.
///
/// # Errors
/// If the database cannot be reached.
pub async fn summaries(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    place: Place,
    limit: u16,
) -> Result<Vec<AgentSummary>, StorageError> {
    const SELECT: &str = "SELECT id, public_id, name FROM agents";
    by_name(engine, permit, SELECT, place, limit).await
}

/// Returns the agents with these IDs that belong to the org, in any order.
///
/// # Errors
/// If the database cannot be reached.
pub async fn summaries_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    ids: &[AgentId],
) -> Result<Vec<AgentSummary>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id, public_id, name FROM agents WHERE org_id = $1 AND id IN ({})",
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

/// Returns the fields of an agent that every role can see; `None` if the org has no such agent.
///
/// # Errors
/// If the database cannot be reached.
pub async fn summary(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    public_id: PublicId,
) -> Result<Option<AgentSummary>, StorageError> {
    const SQL: &str = "SELECT id, public_id, name FROM agents WHERE org_id = $1 AND public_id = $2";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(public_id).fetch_optional(c).await)?)
}

/// Returns whether a page can embed the public ID of an agent in place of a key. Every role can see it, because it is how the
/// agent is used.
///
/// # Errors
/// If the database cannot be reached.
pub async fn is_embedded(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    public_id: PublicId,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT public_embedding FROM agents WHERE org_id = $1 AND public_id = $2";
    let is_embedded: Option<bool> = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(permit.org_id()).bind(public_id).fetch_optional(c).await)?;
    Ok(is_embedded.unwrap_or_default())
}

/// An agent as shown in a list: only the first of its domains, and their number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAgent {
    /// The fields that every role can see.
    pub summary: AgentSummary,
    /// The project's display name.
    pub project_name: DisplayName,
    /// The first domain, if any.
    pub first_domain: Option<String>,
    /// The number of domains.
    pub domains: usize,
    /// Whether a page can embed the public ID in place of a key.
    pub public_embedding: bool,
}

/// Returns a page of agents with the details that owners and admins can see.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    place: Place,
    limit: u16,
) -> Result<Vec<ListedAgent>, StorageError> {
    const SELECT: &str = "SELECT agents.id, agents.public_id, agents.name, agents.project_id, \
         projects.name AS project_name, agents.domains, agents.public_embedding, agents.created_at \
         FROM agents JOIN projects ON projects.id = agents.project_id";
    let rows: Vec<Row> = by_name(engine, permit, SELECT, place, limit).await?;
    rows.into_iter().map(ListedAgent::from_row).collect()
}

async fn by_name<A, T>(
    engine: &Engine,
    permit: &Permit<A>,
    select: &str,
    place: Place,
    limit: u16,
) -> Result<Vec<T>, StorageError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let (beside, comparison, direction) = match place {
        Place::Start => (None, "", "ASC"),
        Place::After(id) => (Some(id), ">", "ASC"),
        Place::Before(id) => (Some(id), "<", "DESC"),
        Place::End => (None, "", "DESC"),
    };
    let within = match beside {
        Some(_) => format!(
            "(agents.sort_name, agents.id) {comparison} (SELECT placed.sort_name, placed.id FROM agents AS placed \
             WHERE placed.org_id = $1 AND placed.public_id = $2)"
        ),
        None => "$2 = ''".to_owned(),
    };
    let sql = format!(
        "{select} WHERE agents.org_id = $1 AND {within} \
         ORDER BY agents.sort_name {direction}, agents.id {direction} LIMIT $3"
    );
    let beside = beside.map_or_else(String::new, |public_id| public_id.to_string());
    let mut rows: Vec<T> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(permit.org_id()).bind(beside).bind(i64::from(limit)).fetch_all(c).await)?;
    if direction == "DESC" {
        rows.reverse();
    }
    Ok(rows)
}

/// Returns the number of agents of the org.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count(engine: &Engine, permit: &Permit<to::SeeKeys>) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM agents WHERE org_id = $1";
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(SQL).bind(permit.org_id()).fetch_one(c).await)?,
    )
}

/// Returns an agent with all its fields; `None` if the org has no such agent.
///
/// # Errors
/// If the database cannot be reached.
pub async fn details(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    public_id: PublicId,
) -> Result<Option<Agent>, StorageError> {
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(DETAILS)
        .bind(permit.org_id()).bind(public_id).fetch_optional(c).await)?;
    row.map(Agent::from_row).transpose()
}

/// Same as [`details`] within a transaction that has locked the agent's row.
pub(super) async fn details_within(
    tx: &mut Tx,
    org_id: OrgId,
    public_id: PublicId,
) -> Result<Option<Agent>, StorageError> {
    let row: Option<Row> = on!(tx.on(), c => sqlx::query_as(DETAILS)
        .bind(org_id).bind(public_id).fetch_optional(c).await)?;
    row.map(Agent::from_row).transpose()
}

const DETAILS: &str = "SELECT agents.id, agents.public_id, agents.name, agents.project_id, \
     projects.name AS project_name, agents.domains, agents.public_embedding, agents.created_at \
     FROM agents JOIN projects ON projects.id = agents.project_id \
     WHERE agents.org_id = $1 AND agents.public_id = $2";

#[derive(sqlx::FromRow)]
pub(super) struct Row {
    #[sqlx(flatten)]
    summary: AgentSummary,
    project_id: ProjectId,
    project_name: DisplayName,
    domains: String,
    public_embedding: bool,
    created_at: Timestamp,
}

impl ListedAgent {
    fn from_row(row: Row) -> Result<Self, StorageError> {
        // Kept as strings: a list does not need parsed patterns.
        let domains: Vec<String> = from_json(&row.domains)?;
        Ok(Self {
            summary: row.summary,
            project_name: row.project_name,
            domains: domains.len(),
            first_domain: domains.into_iter().next(),
            public_embedding: row.public_embedding,
        })
    }
}

impl Agent {
    pub(super) fn from_row(row: Row) -> Result<Self, StorageError> {
        Ok(Self {
            summary: row.summary,
            project_id: row.project_id,
            project_name: row.project_name,
            domains: crate::keys::stored_domains(&row.domains)?,
            public_embedding: row.public_embedding,
            created_at: row.created_at,
        })
    }
}

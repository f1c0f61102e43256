//! Which agents there are, and what one is.

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, Tx, from_json, on, places},
    id::{AgentId, OrgId, ProjectId},
    name::DisplayName,
    page_size::fitting,
    time::Timestamp,
};

use super::{Agent, AgentSummary, PublicId};

/// A page of the org's agents by name, as every role may see them, from the one after `after` on.
///
/// # Errors
/// When the database cannot be asked.
pub async fn summaries(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    after: Option<PublicId>,
    limit: u16,
) -> Result<Vec<AgentSummary>, StorageError> {
    const SQL: &str = "SELECT id, public_id, name FROM agents WHERE org_id = $1 \
         AND ($2 = '' OR (sort_name, id) > (SELECT placed.sort_name, placed.id FROM agents AS placed \
         WHERE placed.org_id = $1 AND placed.public_id = $2)) ORDER BY sort_name, id LIMIT $3";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(place(after)).bind(i64::from(limit)).fetch_all(c).await)?)
}

/// Those of these agents that the org has, in any order.
///
/// # Errors
/// When the database does not answer.
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

/// What every role may know of one agent; `None` when the org has no such agent.
///
/// # Errors
/// When the database cannot be asked.
pub async fn summary(
    engine: &Engine,
    permit: &Permit<to::SeeKeys>,
    public_id: PublicId,
) -> Result<Option<AgentSummary>, StorageError> {
    const SQL: &str = "SELECT id, public_id, name FROM agents WHERE org_id = $1 AND public_id = $2";
    Ok(on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(public_id).fetch_optional(c).await)?)
}

/// An agent as a list shows it: of its domains the first, and how many there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedAgent {
    /// What everyone may know.
    pub summary: AgentSummary,
    /// Its project's name.
    pub project_name: DisplayName,
    /// The first of its domains.
    pub first_domain: Option<String>,
    /// How many domains it has.
    pub domains: usize,
    /// Whether its public ID may be in a page in place of a key.
    pub public_embedding: bool,
}

/// A page of the org's agents by name, from the one after `after` on.
///
/// # Errors
/// When the database cannot be asked.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    after: Option<PublicId>,
    limit: u16,
) -> Result<Vec<ListedAgent>, StorageError> {
    const SQL: &str = "SELECT agents.id, agents.public_id, agents.name, agents.project_id, \
         projects.name AS project_name, agents.domains, agents.public_embedding, agents.created_at \
         FROM agents JOIN projects ON projects.id = agents.project_id WHERE agents.org_id = $1 \
         AND ($2 = '' OR (agents.sort_name, agents.id) > (SELECT placed.sort_name, placed.id FROM agents AS placed \
         WHERE placed.org_id = $1 AND placed.public_id = $2)) \
         ORDER BY agents.sort_name, agents.id LIMIT $3";
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(place(after)).bind(i64::from(limit)).fetch_all(c).await)?;
    rows.into_iter().map(ListedAgent::from_row).collect()
}

/// What a page's SQL calls the place that it begins after; empty for the begin.
fn place(after: Option<PublicId>) -> String {
    after.map_or_else(String::new, |public_id| public_id.to_string())
}

/// How many agents the org has.
///
/// # Errors
/// When the database cannot be asked.
pub async fn count(engine: &Engine, permit: &Permit<to::SeeKeys>) -> Result<i64, StorageError> {
    const SQL: &str = "SELECT COUNT(*) FROM agents WHERE org_id = $1";
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(SQL).bind(permit.org_id()).fetch_one(c).await)?,
    )
}

/// The org's agents, oldest first, at most `limit` of those that were made after `after`, and fewer where they hold more than
/// [`MAX_PAGE_BYTES`](crate::page_size::MAX_PAGE_BYTES) in all; and the id to go on from when there are more.
///
/// # Errors
/// When the database cannot be asked.
pub async fn page(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    after: Option<AgentId>,
    limit: u16,
) -> Result<(Vec<Agent>, Option<AgentId>), StorageError> {
    const SIZES: &str = "SELECT id, CAST(OCTET_LENGTH(domains) AS BIGINT) FROM agents \
         WHERE org_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    const ROWS: &str = "SELECT agents.id, agents.public_id, agents.name, agents.project_id, \
         projects.name AS project_name, agents.domains, agents.public_embedding, agents.created_at \
         FROM agents JOIN projects ON projects.id = agents.project_id \
         WHERE agents.org_id = $1 AND agents.id > $2 AND agents.id <= $3 ORDER BY agents.id LIMIT $4";
    let after = after.map_or_else(String::new, |id| id.to_string());
    let sizes: Vec<(AgentId, i64)> = on!(engine.db.read(), c => sqlx::query_as(SIZES)
        .bind(permit.org_id()).bind(&after).bind(i64::from(limit) + 1).fetch_all(c).await)?;
    let fit = fitting(sizes.iter().map(|(_, size)| *size)).min(usize::from(limit));
    let Some([.., (last, _)]) = sizes.get(..fit) else {
        return Ok((Vec::new(), None));
    };
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(ROWS)
        .bind(permit.org_id()).bind(&after).bind(last).bind(fit as i64).fetch_all(c).await)?;
    let agents = rows.into_iter().map(Agent::from_row);
    let agents = agents.collect::<Result<_, _>>()?;
    Ok((agents, (sizes.len() > fit).then_some(*last)))
}

/// Everything about one agent; `None` when the org has no such agent.
///
/// # Errors
/// When the database cannot be asked.
pub async fn details(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    public_id: PublicId,
) -> Result<Option<Agent>, StorageError> {
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(DETAILS)
        .bind(permit.org_id()).bind(public_id).fetch_optional(c).await)?;
    row.map(Agent::from_row).transpose()
}

/// The same as a transaction sees it that has locked the agent's row.
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
struct Row {
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
        // Stored texts, which are not parsed as patterns for a list.
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
    fn from_row(row: Row) -> Result<Self, StorageError> {
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

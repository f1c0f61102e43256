//! The list of an org's agents in the API: filtered, sorted and paged by cursor.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{AgentId, ProjectId},
    page_size::fitting,
    sort_name::sort_name,
};

use super::{Agent, show::Row};

/// The sort order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortBy {
    /// The creation time.
    #[default]
    Created,
    /// The name, regardless of case and accents.
    Name,
}

/// A query for a list of agents.
#[derive(Debug, Clone, Default)]
pub struct AgentQuery {
    /// Only agents of this project.
    pub project: Option<ProjectId>,
    /// The sort order.
    pub sort: SortBy,
    /// Whether to sort in descending order.
    pub descending: bool,
    /// The position after which the page starts.
    pub after: Option<Place>,
    /// The number of agents per page; at least 1.
    pub limit: u16,
}

/// An agent's position in a list. It contains the name, since the agent can be deleted before the next page is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    id: AgentId,
    name: String,
}

/// One page of agents.
#[derive(Debug)]
pub struct AgentPage {
    /// The agents, sorted.
    pub agents: Vec<Agent>,
    /// The number of agents that match the filter, on all pages.
    pub matching: i64,
    /// The position where the next page starts, if there is one.
    pub next: Option<Place>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}~{}", self.id, URL_SAFE_NO_PAD.encode(&self.name))
    }
}

impl Place {
    /// Parses the text form of a [`Place`]. `None` if it is invalid. A name that nobody wrote is a position too, since no
    /// pattern in a description of the API could exclude it.
    pub fn parse(text: &str) -> Option<Self> {
        let (id, name) = text.split_once('~')?;
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || !name.bytes().all(is_letter) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(name).unwrap_or_default();
        Some(Self {
            id: id.parse().ok()?,
            // Postgres rejects NUL in parameters.
            name: String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}"),
        })
    }
}

/// Returns one page of the org's agents. The page ends early if its agents exceed
/// [`MAX_PAGE_BYTES`](crate::page_size::MAX_PAGE_BYTES) in total.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    query: &AgentQuery,
) -> Result<AgentPage, StorageError> {
    const MATCHING: &str = "agents.org_id = $1 AND ($2 = '' OR agents.project_id = $2)";
    let project = query.project.map_or_else(String::new, |id| id.to_string());
    let count = format!("SELECT COUNT(*) FROM agents WHERE {MATCHING}");
    let matching: i64 = on!(engine.db.read(), c => sqlx::query_scalar(sqlx::AssertSqlSafe(count))
        .bind(permit.org_id()).bind(&project).fetch_one(c).await)?;

    let (comparison, direction) = match query.descending {
        false => (">", "ASC"),
        true => ("<", "DESC"),
    };
    let (within, order) = match query.sort {
        // IDs of agents sort by creation time.
        SortBy::Created => (
            format!("agents.id {comparison} $3 AND $4 <> ''"),
            format!("agents.id {direction}"),
        ),
        SortBy::Name => (
            format!("(agents.sort_name, agents.id) {comparison} ($4, $3)"),
            format!("agents.sort_name {direction}, agents.id {direction}"),
        ),
    };
    let within = match query.after {
        Some(_) => within,
        None => "$3 = $4".to_owned(),
    };
    let select = format!(
        "SELECT agents.id, CAST(OCTET_LENGTH(agents.domains) AS BIGINT) FROM agents WHERE {MATCHING} AND {within} \
         ORDER BY {order} LIMIT $5"
    );
    let (id, name) = query.after.as_ref().map_or_else(Default::default, |place| {
        (place.id.to_string(), sort_name(&place.name))
    });
    let limit = usize::from(query.limit.max(1));
    let sizes: Vec<(AgentId, i64)> = on!(engine.db.read(), c => sqlx::query_as(sqlx::AssertSqlSafe(select))
        .bind(permit.org_id()).bind(&project).bind(id).bind(name).bind(limit as i64 + 1).fetch_all(c).await)?;
    let fit = fitting(sizes.iter().map(|(_, size)| *size)).min(limit);
    let more = sizes.len() > fit;
    let ids: Vec<AgentId> = sizes.into_iter().take(fit).map(|(id, _)| id).collect();
    let agents = details_of(engine, permit, &ids).await?;
    let last = agents.last().filter(|_| more);
    let next = last.map(|agent| Place {
        id: agent.summary.id,
        name: agent.summary.name.to_string(),
    });
    Ok(AgentPage {
        agents,
        matching,
        next,
    })
}

/// Returns these agents in this order, without those that do not belong to the org.
async fn details_of(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    ids: &[AgentId],
) -> Result<Vec<Agent>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT agents.id, agents.public_id, agents.name, agents.project_id, \
         projects.name AS project_name, agents.domains, agents.public_embedding, agents.created_at \
         FROM agents JOIN projects ON projects.id = agents.project_id \
         WHERE agents.org_id = $1 AND agents.id IN ({})",
        places(2, ids.len())
    );
    let rows: Vec<Row> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?;
    let agents = rows.into_iter().map(Agent::from_row);
    let mut agents = agents.collect::<Result<Vec<_>, _>>()?;
    agents.sort_by_key(|agent| ids.iter().position(|id| *id == agent.summary.id));
    Ok(agents)
}

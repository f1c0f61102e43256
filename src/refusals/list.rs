//! Reading refusals: newest first, filtered and paged, with the current names of keys and agents.

use crate::{
    Engine,
    access::{Permit, to},
    agents::PublicId,
    db::{StorageError, on},
    id::{KeyId, RefusalId},
    name::{DisplayName, KeyName},
    outcome::Outcome,
    search::{Search, folded},
    time::Timestamp,
};

/// Which refusals to list.
#[derive(Debug, Clone, Default)]
pub struct RefusalQuery {
    /// Only refusals with this code.
    pub code: Option<Outcome>,
    /// Only refusals of requests with this key.
    pub key: Option<KeyId>,
    /// Only refusals of requests for this agent.
    pub agent: Option<PublicId>,
    /// Only refusals in this endpoint class.
    pub class: Option<String>,
    /// Only refusals whose origin, network, client, or name of the key or agent contains this text.
    pub search: Search,
    /// The last refusal of the previous page.
    pub after: Option<RefusalId>,
    /// The maximum number of refusals on a page; at least 1.
    pub limit: u16,
}

/// A rejected request.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The refusal's ID, which sorts by time.
    pub id: RefusalId,
    /// When the request was rejected.
    pub at: Timestamp,
    /// Why.
    pub code: Outcome,
    /// Why the key is invalid, if it is: the name of an [`InvalidReason`](crate::verify::InvalidReason).
    pub reason: Option<String>,
    /// The key, if it exists.
    pub key: Option<RefusedKey>,
    /// The agent, if it exists.
    pub agent: Option<RefusedAgent>,
    /// The prefix of a key that does not exist.
    pub prefix: Option<String>,
    /// The endpoint class.
    pub class: String,
    /// The page that sent the request, if it has a valid origin.
    pub origin: Option<String>,
    /// The network of the client.
    pub network: Option<String>,
    /// The family of the client.
    pub client: Option<String>,
    /// The required scopes that the key does not have.
    pub missing_scopes: Vec<String>,
}

/// The key of a rejected request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedKey {
    /// The key's ID.
    pub id: KeyId,
    /// The current name.
    pub name: KeyName,
}

/// The agent of a rejected request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedAgent {
    /// The agent's public ID.
    pub public_id: PublicId,
    /// The current name.
    pub name: DisplayName,
}

/// A page of refusals.
#[derive(Debug, Clone, Default)]
pub struct RefusalPage {
    /// Newest first.
    pub refusals: Vec<Refusal>,
    /// The value of [`RefusalQuery::after`] for the next page, if there is one.
    pub next: Option<RefusalId>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: RefusalId,
    at: Timestamp,
    code: Outcome,
    reason: Option<String>,
    key_id: Option<KeyId>,
    key_name: Option<KeyName>,
    public_id: Option<PublicId>,
    agent_name: Option<DisplayName>,
    prefix: Option<String>,
    class: String,
    origin: Option<String>,
    network: Option<String>,
    client: Option<String>,
    missing_scopes: String,
}

/// Returns a page of the org's refusals. An organization has at most [`KEPT`](super::KEPT), so that filters read no more.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    query: &RefusalQuery,
) -> Result<RefusalPage, StorageError> {
    const SQL: &str = "SELECT refusals.id, refusals.at, refusals.code, refusals.reason, keys.id AS key_id, \
         keys.name AS key_name, agents.public_id, agents.name AS agent_name, refusals.prefix, refusals.class, \
         refusals.origin, refusals.network, refusals.client, refusals.missing_scopes FROM refusals \
         LEFT JOIN keys ON keys.id = refusals.key_id AND keys.org_id = refusals.org_id \
         LEFT JOIN agents ON agents.id = refusals.agent_id AND agents.org_id = refusals.org_id \
         WHERE refusals.org_id = $1 AND ($2 = '' OR refusals.id < $2) AND ($3 = '' OR refusals.code = $3) \
         AND ($4 = '' OR refusals.key_id = $4) AND ($5 = '' OR agents.public_id = $5) \
         AND ($6 = '' OR refusals.class = $6) ORDER BY refusals.id DESC";
    let or_empty = |id: Option<String>| id.unwrap_or_default();
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(or_empty(query.after.map(|id| id.to_string())))
        .bind(or_empty(query.code.map(|code| code.to_string()))).bind(or_empty(query.key.map(|id| id.to_string())))
        .bind(or_empty(query.agent.map(|id| id.to_string()))).bind(or_empty(query.class.clone())).fetch_all(c).await)?;
    let limit = usize::from(query.limit.max(1));
    let searched = folded(query.search.as_str());
    let mut refusals: Vec<Refusal> = rows
        .into_iter()
        .filter(|row| row.contains(&searched))
        .take(limit + 1)
        .map(Refusal::from)
        .collect();
    let more = refusals.len() > limit;
    refusals.truncate(limit);
    Ok(RefusalPage {
        next: refusals.last().filter(|_| more).map(|last| last.id),
        refusals,
    })
}

impl Row {
    fn contains(&self, searched: &str) -> bool {
        let names = [
            self.key_name.as_ref().map(ToString::to_string),
            self.agent_name.as_ref().map(ToString::to_string),
            self.public_id.map(|id| id.to_string()),
        ];
        let texts = [&self.origin, &self.network, &self.client, &self.prefix];
        let mut all = texts.into_iter().chain(&names).flatten();
        searched.is_empty() || all.any(|text| folded(text).contains(searched))
    }
}

impl From<Row> for Refusal {
    fn from(row: Row) -> Self {
        let scopes = row.missing_scopes.split_whitespace();
        Self {
            id: row.id,
            at: row.at,
            code: row.code,
            reason: row.reason,
            key: row
                .key_id
                .zip(row.key_name)
                .map(|(id, name)| RefusedKey { id, name }),
            agent: row
                .public_id
                .zip(row.agent_name)
                .map(|(public_id, name)| RefusedAgent { public_id, name }),
            prefix: row.prefix,
            class: row.class,
            origin: row.origin,
            network: row.network,
            client: row.client,
            missing_scopes: scopes.map(str::to_owned).collect(),
        }
    }
}

//! The data of the audit log page and of a key's history.

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    agents,
    audit::{self, AuditQuery},
    event::Target,
    id::{AgentId, KeyId, KeyRequestId},
    keys::show,
    members,
    time::Timestamp,
};

use super::{
    address::Address,
    entry,
    names::Names,
    query::query,
    rows::{EntryRow, HistoryItem},
};
use crate::{error::AppError, pages::usage::told_apart, request::PageRequest, text::time::zone};

/// One page of the organization's audit log.
#[derive(Debug, Clone)]
pub struct AuditLog {
    /// Newest first.
    pub rows: Vec<EntryRow>,
    /// The number of the entry before which the next page starts.
    pub next: Option<i64>,
    /// ID and name of everyone to filter by: the members, and the actor of the current filter.
    pub actors: Vec<(String, String)>,
    /// The path and the name of the key or agent in the filter.
    pub about: Option<About>,
    /// The names of the invalid filters. If there are any, there are no rows.
    pub invalid: Vec<String>,
}

/// The key or agent that the entries are about.
#[derive(Debug, Clone)]
pub struct About {
    /// `key` or `agent`.
    pub what: &'static str,
    pub name: String,
    /// The path of its page.
    pub href: String,
}

const PAGE_SIZE: u16 = 50;
/// The most entries in a key's history.
const HISTORY_SIZE: u16 = 20;

/// Loads the entries that the URL requests, for owners and admins.
pub async fn list_entries(request: PageRequest) -> Result<AuditLog, AppError> {
    let membership = request.membership().await?;
    let engine = request.engine();
    let address = Address::read(request.org().to_owned(), request.query());
    let permit = membership.permit::<to::SeeAuditLog>()?;
    let (page, invalid) = match query(&address, PAGE_SIZE, &zone()) {
        Ok(query) => (entries(engine, &permit, query).await?, Vec::new()),
        Err(invalid) => (audit::Page::default(), invalid),
    };
    let names = Names::of(engine, &membership, &page.entries).await?;
    let mut actors: Vec<(String, String)> =
        members::list(engine, &membership.permit::<to::SeeMembers>()?)
            .await?
            .into_iter()
            .map(|member| (member.user_id.to_string(), member.name.to_string()))
            .collect();
    let is_offered = |id: &str| actors.iter().any(|(offered, _)| offered == id);
    if !address.actor.is_empty() && !is_offered(&address.actor) {
        let name = page.entries.first().map_or_else(
            || address.actor.clone(),
            |entry| entry::actor_name(&entry.actor),
        );
        actors.push((address.actor.clone(), name));
    }
    Ok(AuditLog {
        rows: page
            .entries
            .iter()
            .map(|entry| entry::row(entry, &names))
            .collect(),
        next: page.next,
        actors,
        about: about(engine, &membership, &address.key).await?,
        invalid,
    })
}

/// Loads a page of entries. If the entries after its position are deleted by now, the page links back to the newest.
async fn entries(
    engine: &Engine,
    permit: &Permit<to::SeeAuditLog>,
    query: AuditQuery,
) -> Result<audit::Page, AppError> {
    let page = audit::list(engine, permit, &query).await?;
    if !page.entries.is_empty() || query.before.is_none() {
        return Ok(page);
    }
    let newest = AuditQuery {
        before: None,
        ..query
    };
    Ok(audit::list(engine, permit, &newest).await?)
}

/// What the entries are about, if they are filtered by a key or an agent that is there.
async fn about(
    engine: &Engine,
    membership: &Membership,
    id: &str,
) -> Result<Option<About>, AppError> {
    let permit = membership.permit::<to::SeeKeys>()?;
    let slug = &membership.org().slug;
    if let Ok(id) = id.parse() {
        let key = show::summary(engine, &permit, id).await?;
        return Ok(key.map(|key| About {
            what: "key",
            name: told_apart(&key),
            href: format!("/orgs/{slug}/keys/{id}"),
        }));
    }
    let Ok(id) = id.parse() else { return Ok(None) };
    let agents = agents::show::summaries_of(engine, &permit, &[id]).await?;
    Ok(agents.first().map(|agent| About {
        what: "agent",
        name: agent.name.to_string(),
        href: format!("/orgs/{slug}/agents/{}", agent.public_id),
    }))
}

/// Loads the newest entries about a key.
///
/// # Errors
/// If the role does not allow it or the database cannot be reached.
pub async fn history_of_key(
    engine: &Engine,
    membership: &Membership,
    key: KeyId,
) -> Result<Vec<HistoryItem>, AppError> {
    let query = AuditQuery {
        target: Some(Target::Key(key)),
        limit: HISTORY_SIZE,
        ..AuditQuery::default()
    };
    history(engine, membership, &query).await
}

/// Loads the newest entries about an agent.
///
/// # Errors
/// If the role does not allow it or the database cannot be reached.
pub async fn history_of_agent(
    engine: &Engine,
    membership: &Membership,
    agent: AgentId,
) -> Result<Vec<HistoryItem>, AppError> {
    let query = AuditQuery {
        target: Some(Target::Agent(agent)),
        limit: HISTORY_SIZE,
        ..AuditQuery::default()
    };
    history(engine, membership, &query).await
}

/// Loads the newest entries about a request for a key.
///
/// # Errors
/// If the role does not allow it or the database cannot be reached.
pub async fn history_of_request(
    engine: &Engine,
    membership: &Membership,
    request: KeyRequestId,
) -> Result<Vec<HistoryItem>, AppError> {
    let query = AuditQuery {
        target: Some(Target::KeyRequest(request)),
        limit: HISTORY_SIZE,
        ..AuditQuery::default()
    };
    history(engine, membership, &query).await
}

/// Loads what was changed about a key between two times, at most `limit` entries.
///
/// # Errors
/// If the role does not allow it or the database cannot be reached.
pub async fn changes_of_key(
    engine: &Engine,
    membership: &Membership,
    key: KeyId,
    (from, to): (Timestamp, Timestamp),
    limit: u16,
) -> Result<Vec<HistoryItem>, AppError> {
    let query = AuditQuery {
        target: Some(Target::Key(key)),
        from: Some(from),
        to: Some(to),
        limit,
        ..AuditQuery::default()
    };
    history(engine, membership, &query).await
}

async fn history(
    engine: &Engine,
    membership: &Membership,
    query: &AuditQuery,
) -> Result<Vec<HistoryItem>, AppError> {
    let permit = membership.permit::<to::SeeAuditLog>()?;
    let entries = audit::list(engine, &permit, query).await?.entries;
    let names = Names::of(engine, membership, &entries).await?;
    let now = engine.clock().now();
    Ok(entries
        .iter()
        .map(|entry| entry::history_item(entry, &names, now))
        .collect())
}

//! The requests of an organization.

use sqlx::AssertSqlSafe;

use super::{
    KeyRequest,
    row::{Row, STATE, select},
};
use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, on, places},
    id::{KeyRequestId, OrgId, UserId},
};

/// The number of requests on a page.
const PAGE: usize = 50;

/// A page of requests, newest first.
#[derive(Debug, Clone)]
pub struct Page {
    /// The requests.
    pub requests: Vec<KeyRequest>,
    /// If there are older ones, the ID to continue from.
    pub next: Option<KeyRequestId>,
}

/// Returns a page of the caller's own requests: those older than `before`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_own(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    before: Option<KeyRequestId>,
) -> Result<Page, StorageError> {
    let own = permit.caller().actor.user_id();
    page(
        engine,
        permit.org_id(),
        "AND key_requests.user_id = $5",
        own,
        before,
    )
    .await
}

/// Returns the caller's requests that are approved and not revealed yet, the newest first, at most a page.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_approved(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
) -> Result<Vec<KeyRequest>, StorageError> {
    let own = permit.caller().actor.user_id();
    let approved = format!(
        "AND key_requests.user_id = $5 AND key_requests.state = 'approved' AND {STATE} = 'approved'"
    );
    let page = page(engine, permit.org_id(), &approved, own, None).await?;
    Ok(page.requests)
}

/// Returns a page of all requests: those older than `before`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_all(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    before: Option<KeyRequestId>,
) -> Result<Page, StorageError> {
    page(engine, permit.org_id(), "", None, before).await
}

/// Returns a page of the requests that wait for an owner: those older than `before`.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_open(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    before: Option<KeyRequestId>,
) -> Result<Page, StorageError> {
    let open = format!("AND key_requests.state IN ('open', 'approved') AND {STATE} = 'open'");
    page(engine, permit.org_id(), &open, None, before).await
}

async fn page(
    engine: &Engine,
    org_id: OrgId,
    which: &str,
    of: Option<UserId>,
    before: Option<KeyRequestId>,
) -> Result<Page, StorageError> {
    let sql = format!(
        "{} {which} AND ($3 = '' OR key_requests.id < $3) ORDER BY key_requests.id DESC LIMIT $4",
        select()
    );
    let before = before.map_or_else(String::new, |id| id.to_string());
    let rows: Vec<Row> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(AssertSqlSafe(sql))
            .bind(org_id).bind(engine.clock.now()).bind(before).bind(PAGE as i64 + 1);
        if let Some(of) = of {
            query = query.bind(of);
        }
        query.fetch_all(c).await
    })?;
    let requests = rows.into_iter().map(Row::read);
    let mut requests = requests.collect::<Result<Vec<KeyRequest>, _>>()?;
    let more = requests.len() > PAGE;
    requests.truncate(PAGE);
    let next = requests.last().map(|request| request.id);
    Ok(Page {
        requests,
        next: next.filter(|_| more),
    })
}

/// Returns a request of the caller.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find_own(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    id: KeyRequestId,
) -> Result<Option<KeyRequest>, StorageError> {
    let own = permit.caller().actor.user_id();
    let found = of_org(engine, permit.org_id(), id).await?;
    Ok(found.filter(|request| Some(request.requester.0) == own))
}

/// Returns those of these requests that the caller has made.
///
/// # Errors
/// If the database cannot be reached.
pub async fn own_of(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    ids: &[KeyRequestId],
) -> Result<Vec<KeyRequestId>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id FROM key_requests WHERE org_id = $1 AND user_id = $2 AND id IN ({})",
        places(3, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(permit.org_id()).bind(permit.caller().actor.user_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}

/// Returns those of these requests that the organization has: it does not keep them for ever.
///
/// # Errors
/// If the database cannot be reached.
pub async fn any_of(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    ids: &[KeyRequestId],
) -> Result<Vec<KeyRequestId>, StorageError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT id FROM key_requests WHERE org_id = $1 AND id IN ({})",
        places(2, ids.len())
    );
    Ok(on!(engine.db.read(), c => {
        let mut query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(permit.org_id());
        for id in ids {
            query = query.bind(id);
        }
        query.fetch_all(c).await
    })?)
}

/// Returns a request of anyone in the organization.
///
/// # Errors
/// If the database cannot be reached.
pub async fn find(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    id: KeyRequestId,
) -> Result<Option<KeyRequest>, StorageError> {
    of_org(engine, permit.org_id(), id).await
}

async fn of_org(
    engine: &Engine,
    org_id: OrgId,
    id: KeyRequestId,
) -> Result<Option<KeyRequest>, StorageError> {
    let sql = format!("{} AND key_requests.id = $3", select());
    let row: Option<Row> = on!(engine.db.read(), c => sqlx::query_as(AssertSqlSafe(sql))
        .bind(org_id).bind(engine.clock.now()).bind(id).fetch_optional(c).await)?;
    row.map(Row::read).transpose()
}

/// Returns the number of requests that wait for an owner.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_open(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
) -> Result<i64, StorageError> {
    count(engine, permit.org_id(), "open", None).await
}

/// Returns the number of keys that the caller can reveal.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_approved(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
) -> Result<i64, StorageError> {
    let own = permit.caller().actor.user_id();
    count(engine, permit.org_id(), "approved", own).await
}

async fn count(
    engine: &Engine,
    org_id: OrgId,
    state: &str,
    of: Option<UserId>,
) -> Result<i64, StorageError> {
    let sql = format!(
        "SELECT COUNT(*) FROM key_requests WHERE key_requests.org_id = $1 AND key_requests.state IN ('open', 'approved') \
         AND {STATE} = $3 AND ($4 = '' OR key_requests.user_id = $4)"
    );
    let of = of.map_or_else(String::new, |id| id.to_string());
    Ok(
        on!(engine.db.read(), c => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(org_id).bind(engine.clock.now()).bind(state).bind(of).fetch_one(c).await)?,
    )
}

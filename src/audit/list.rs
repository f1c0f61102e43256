//! Reading an org's log: newest first, filtered and paged, with the current names of actors and targets.

use std::{collections::HashMap, str::FromStr};

use serde_json::{Map, Value};
use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    Engine,
    access::{Operator, Permit, to},
    db::{StorageError, from_json, on, places},
    event::{Event, Target},
    id::OrgId,
    page_size::fitting,
    time::Timestamp,
};

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// A single event, or all events of one type.
    pub event: Option<EventFilter>,
    /// Entries with this target.
    pub target: Option<Target>,
    /// Entries by one actor: the ID of a user or a service token.
    pub actor: Option<String>,
    /// The start of the period, inclusive.
    pub from: Option<Timestamp>,
    /// The end of the period, exclusive.
    pub to: Option<Timestamp>,
    /// Only entries with a lower number, to continue after the previous page.
    pub before: Option<i64>,
    /// Maximum number of entries per page. A page has fewer if they would exceed
    /// [`MAX_PAGE_BYTES`](crate::page_size::MAX_PAGE_BYTES) in total.
    pub limit: u16,
}

/// A single event such as `key.created`, or all events of one type such as `key.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFilter {
    /// A single event.
    Is(Event),
    /// All events whose name starts with this prefix, which includes the dot.
    Group(&'static str),
}

/// The text is neither an event nor a group of events.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unknown event. Use an event such as `key.created`, or `key.*` for all events of a type.")]
pub struct InvalidEventFilter;

/// An entry of the log, with the names of its actor and target.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The entry's number in the org's log, from 1.
    pub seq: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Who did it.
    pub actor: Actor,
    /// The interface that was used: `page`, `api` or `cli`.
    pub via: String,
    /// The client's IP address, or only its network once the entry is older than 90 days.
    pub address: Option<String>,
    /// The type of the client, from its user agent.
    pub client: Option<String>,
    /// The target of the event.
    pub target: Option<Actor>,
    /// The changes by field: `{"from": …, "to": …}`.
    pub changes: Map<String, Value>,
    /// The ID of the request.
    pub request_id: Option<String>,
}

/// An actor or a target of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `user`, `token`, `command_line`, `unknown`, `key`, `agent`, `project`, `org` or
    /// `invitation`.
    pub kind: String,
    /// The ID, if there is one.
    pub id: Option<String>,
    /// The current name; `None` if it no longer exists.
    pub name: Option<String>,
}

/// One page of entries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// The value of [`AuditQuery::before`] for the next page, if there is one.
    pub next: Option<i64>,
    /// The stored size of the entries' changes, in bytes.
    pub bytes: i64,
}

impl FromStr for EventFilter {
    type Err = InvalidEventFilter;
    fn from_str(text: &str) -> Result<Self, InvalidEventFilter> {
        if let Ok(event) = text.parse() {
            return Ok(Self::Is(event));
        }
        let group = text.strip_suffix('*').ok_or(InvalidEventFilter)?;
        let groups = Event::ALL.iter().filter_map(|event| {
            let word = event.as_str();
            word.find('.').and_then(|dot| word.get(..=dot))
        });
        groups
            .into_iter()
            .find(|known| *known == group)
            .map(Self::Group)
            .ok_or(InvalidEventFilter)
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    seq: i64,
    at: Timestamp,
    event: Event,
    actor_kind: String,
    actor_id: Option<String>,
    via: String,
    network: Option<String>,
    address: Option<String>,
    client: Option<String>,
    target_kind: Option<String>,
    target_id: Option<String>,
    changes: String,
    request_id: Option<String>,
}

/// Returns one page of the org's log.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeAuditLog>,
    query: &AuditQuery,
) -> Result<Page, StorageError> {
    list_log(engine, Some(permit.org_id()), query).await
}

/// Returns one page of the instance's log, whose entries belong to no org.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list_of_instance(
    engine: &Engine,
    _operator: &Operator,
    query: &AuditQuery,
) -> Result<Page, StorageError> {
    list_log(engine, None, query).await
}

async fn list_log(
    engine: &Engine,
    org_id: Option<OrgId>,
    query: &AuditQuery,
) -> Result<Page, StorageError> {
    // Reads the sizes first, so that entries that do not fit on the page are not loaded.
    const SIZES: &str =
        "SELECT audit_log.seq, CAST(OCTET_LENGTH(audit_log.changes) AS BIGINT) FROM audit_log";
    const ROWS: &str = "SELECT audit_log.seq, audit_log.at, audit_log.event, audit_log.actor_kind, \
         audit_log.actor_id, audit_log.via, audit_log.network, audit_addresses.address, audit_log.client, \
         audit_log.target_kind, audit_log.target_id, audit_log.changes, audit_log.request_id \
         FROM audit_log LEFT JOIN audit_addresses ON audit_addresses.position = audit_log.position";
    let limit = usize::from(query.limit.max(1));
    let mut sizes: Vec<(i64, i64)> = select(engine, org_id, query, SIZES, 1, limit + 1).await?;
    let fit = fitting(sizes.iter().map(|(_, size)| *size)).min(limit);
    let more = sizes.len() > fit;
    sizes.truncate(fit);
    let Some((last, _)) = sizes.last().copied() else {
        return Ok(Page::default());
    };
    let rows: Vec<Row> = select(engine, org_id, query, ROWS, last, fit).await?;
    let names = names(engine, &rows).await?;
    let named = |kind: String, id: Option<String>| Actor {
        name: id.as_ref().and_then(|id| names.get(id).cloned()),
        kind,
        id,
    };
    let entries = rows
        .into_iter()
        .map(|row| {
            Ok(Entry {
                seq: row.seq,
                at: row.at,
                event: row.event,
                actor: named(row.actor_kind, row.actor_id),
                via: row.via,
                address: row.address.or(row.network),
                client: row.client,
                target: row.target_kind.map(|kind| named(kind, row.target_id)),
                changes: from_json(&row.changes)?,
                request_id: row.request_id,
            })
        })
        .collect::<Result<_, StorageError>>()?;
    Ok(Page {
        entries,
        next: more.then_some(last),
        bytes: sizes.iter().map(|(_, size)| size).sum(),
    })
}

/// Selects `columns` of the matching entries, down to the number `from`. The statement contains only the filters that
/// are set, so that the index on targets is used when filtering by target.
async fn select<T>(
    engine: &Engine,
    org_id: Option<OrgId>,
    query: &AuditQuery,
    columns: &str,
    from: i64,
    limit: usize,
) -> Result<Vec<T>, StorageError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    const OF_ORG: &str = "audit_log.org_id = $1";
    const OF_INSTANCE: &str = "audit_log.org_id IS NULL AND $1 IS NULL";
    const WHERE: &str = "AND audit_log.seq < $2 AND audit_log.seq >= $3 \
         AND audit_log.at >= $4 AND audit_log.at < $5 \
         AND audit_log.position > (SELECT position FROM audit_checkpoint)";
    let filters = [
        query.event.map(|filter| match filter {
            EventFilter::Is(event) => ("audit_log.event =", event.to_string()),
            EventFilter::Group(group) => ("audit_log.event LIKE", format!("{group}%")),
        }),
        query
            .target
            .map(|target| ("audit_log.target_id =", target.to_string())),
        query
            .actor
            .clone()
            .map(|actor| ("audit_log.actor_id =", actor)),
    ];
    let filters: Vec<(&str, String)> = filters.into_iter().flatten().collect();
    let conditions: String = (7..)
        .zip(&filters)
        .map(|(place, (condition, _))| format!(" AND {condition} ${place}"))
        .collect();
    let log = if org_id.is_some() {
        OF_ORG
    } else {
        OF_INSTANCE
    };
    let sql =
        format!("{columns} WHERE {log} {WHERE}{conditions} ORDER BY audit_log.seq DESC LIMIT $6");
    Ok(on!(engine.db.read(), c => {
        let mut select = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(org_id).bind(query.before.unwrap_or(i64::MAX)).bind(from)
            .bind(query.from.map_or(i64::MIN, Timestamp::as_millis)).bind(query.to.map_or(i64::MAX, Timestamp::as_millis))
            .bind(limit as i64);
        for (_, text) in filters {
            select = select.bind(text);
        }
        select.fetch_all(c).await
    })?)
}

/// The names of the rows' actors and targets, by ID.
async fn names(engine: &Engine, rows: &[Row]) -> Result<HashMap<String, String>, StorageError> {
    // Rows name only entities of their own org, except users and tokens, and these only if they acted in the org.
    const TABLES: [(&str, &str); 7] = [
        ("user", "users"),
        ("token", "service_tokens"),
        ("key", "keys"),
        ("agent", "agents"),
        ("project", "projects"),
        ("key_request", "key_requests"),
        ("org", "orgs"),
    ];
    let mut names = HashMap::new();
    for (kind, table) in TABLES {
        let actors = rows
            .iter()
            .filter(|row| row.actor_kind == kind)
            .filter_map(|row| row.actor_id.as_deref());
        let targets = rows
            .iter()
            .filter(|row| row.target_kind.as_deref() == Some(kind))
            .filter_map(|row| row.target_id.as_deref());
        let mut ids: Vec<&str> = actors.chain(targets).collect();
        ids.sort_unstable();
        ids.dedup();
        if ids.is_empty() {
            continue;
        }
        let sql = format!(
            "SELECT id, name FROM {table} WHERE id IN ({})",
            places(1, ids.len())
        );
        let found: Vec<(String, String)> = on!(engine.db.read(), c => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
            for id in &ids {
                query = query.bind(*id);
            }
            query.fetch_all(c).await
        })?;
        names.extend(found);
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_is_an_event_or_a_group() {
        assert_eq!(
            "key.created".parse(),
            Ok(EventFilter::Is(Event::KeyCreated))
        );
        assert_eq!("key.*".parse(), Ok(EventFilter::Group("key.")));
        for wrong in ["", "*", "key", "key.", "k.*", "key.eaten", "ke*"] {
            assert_eq!(
                wrong.parse::<EventFilter>(),
                Err(InvalidEventFilter),
                "{wrong}"
            );
        }
    }
}

//! Reading an org's log: newest first, filtered and paged, with the names that things have now.

use std::{collections::HashMap, str::FromStr};

use serde_json::{Map, Value};
use sqlx::{FromRow, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    Engine,
    access::{Permit, to},
    db::{StorageError, from_json, on, places},
    event::Event,
    id::KeyId,
    page_size::fitting,
    time::Timestamp,
};

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// One event, or those of one kind of thing.
    pub event: Option<EventFilter>,
    /// Entries on one key.
    pub key: Option<KeyId>,
    /// Entries of one actor: a person's or a service token's id.
    pub actor: Option<String>,
    /// From then on.
    pub from: Option<Timestamp>,
    /// Before then.
    pub to: Option<Timestamp>,
    /// Entries with a lower number than this: where the page before ended.
    pub before: Option<i64>,
    /// How many entries a page has at most; fewer where they hold more than [`MAX_PAGE_BYTES`](crate::page_size::MAX_PAGE_BYTES) in all.
    pub limit: u16,
}

/// An event, or every event of one kind of thing: `key.created`, `key.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventFilter {
    /// One.
    Is(Event),
    /// Those whose word begins so, the dot included.
    Group(&'static str),
}

/// The text is neither an event nor a group of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Unknown event. Use an event such as `key.created`, or `key.*` for all events of a type.")]
pub struct InvalidEventFilter;

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number in the org's log, from 1.
    pub seq: i64,
    /// Its number in the log of the installation.
    pub position: i64,
    /// When it was written.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
    /// Who did it.
    pub actor: Actor,
    /// With what: `page`, `api` or `cli`.
    pub via: String,
    /// From where: an address, or its network alone when the entry is older than 90 days.
    pub address: Option<String>,
    /// What kind of program sent the request.
    pub client: Option<String>,
    /// What it was done to.
    pub target: Option<Actor>,
    /// What is different: by field, `{"from": …, "to": …}`.
    pub changes: Map<String, Value>,
    /// The request that did it.
    pub request_id: Option<String>,
}

/// Someone or something that an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// `user`, `token`, `command_line`, `unknown`, `key`, `agent`, `project` or `org`.
    pub kind: String,
    /// Its id, if it has one.
    pub id: Option<String>,
    /// Its name, as it is now; `None` when it is not there any more.
    pub name: Option<String>,
}

/// One page of entries.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// What to give as [`AuditQuery::before`] for the next page.
    pub next: Option<i64>,
    /// How many bytes the entries' changes take up where they are stored.
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
    position: i64,
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

/// One page of the org's log.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    permit: &Permit<to::SeeAuditLog>,
    query: &AuditQuery,
) -> Result<Page, StorageError> {
    // The sizes first: of entries that do not fit on the page nothing else is read.
    const SIZES: &str =
        "SELECT audit_log.seq, CAST(OCTET_LENGTH(audit_log.changes) AS BIGINT) FROM audit_log";
    const ROWS: &str = "SELECT audit_log.seq, audit_log.position, audit_log.at, audit_log.event, audit_log.actor_kind, \
         audit_log.actor_id, audit_log.via, audit_log.network, audit_addresses.address, audit_log.client, \
         audit_log.target_kind, audit_log.target_id, audit_log.changes, audit_log.request_id \
         FROM audit_log LEFT JOIN audit_addresses ON audit_addresses.position = audit_log.position";
    let limit = usize::from(query.limit.max(1));
    let mut sizes: Vec<(i64, i64)> = select(engine, permit, query, SIZES, 1, limit + 1).await?;
    let fit = fitting(sizes.iter().map(|(_, size)| *size)).min(limit);
    let more = sizes.len() > fit;
    sizes.truncate(fit);
    let Some((last, _)) = sizes.last().copied() else {
        return Ok(Page::default());
    };
    let rows: Vec<Row> = select(engine, permit, query, ROWS, last, fit).await?;
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
                position: row.position,
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

/// What `columns` select of the entries that match, from the number `from` on. Only the filters that are set are in the
/// statement, so that the entries on a key are found by their index.
async fn select<T>(
    engine: &Engine,
    permit: &Permit<to::SeeAuditLog>,
    query: &AuditQuery,
    columns: &str,
    from: i64,
    limit: usize,
) -> Result<Vec<T>, StorageError>
where
    T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    const WHERE: &str = "WHERE audit_log.org_id = $1 AND audit_log.seq < $2 AND audit_log.seq >= $3 \
         AND audit_log.at >= $4 AND audit_log.at < $5 \
         AND audit_log.position > (SELECT position FROM audit_checkpoint)";
    let filters = [
        query.event.map(|filter| match filter {
            EventFilter::Is(event) => ("audit_log.event =", event.to_string()),
            EventFilter::Group(group) => ("audit_log.event LIKE", format!("{group}%")),
        }),
        query
            .key
            .map(|key| ("audit_log.target_id =", key.to_string())),
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
    let sql = format!("{columns} {WHERE}{conditions} ORDER BY audit_log.seq DESC LIMIT $6");
    Ok(on!(engine.db.read(), c => {
        let mut select = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .bind(permit.org_id()).bind(query.before.unwrap_or(i64::MAX)).bind(from)
            .bind(query.from.map_or(i64::MIN, Timestamp::as_millis)).bind(query.to.map_or(i64::MAX, Timestamp::as_millis))
            .bind(limit as i64);
        for (_, text) in filters {
            select = select.bind(text);
        }
        select.fetch_all(c).await
    })?)
}

/// The names, by id, of what the rows are about and who wrote them.
async fn names(engine: &Engine, rows: &[Row]) -> Result<HashMap<String, String>, StorageError> {
    // Each is an org's own but for people and tokens, and of those a row names only who acted in the org.
    const TABLES: [(&str, &str); 6] = [
        ("user", "users"),
        ("token", "service_tokens"),
        ("key", "keys"),
        ("agent", "agents"),
        ("project", "projects"),
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

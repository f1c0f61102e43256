//! The log as rows of a table, for a file. Ids and words are those of the API, so that programs can read it too.

use latchkey::{
    Engine,
    access::{Membership, to},
    audit::{self, Entry},
    caller::Person,
    name::Slug,
};

use super::{
    address::Address, change_text::changes, entry::actor_name, names::Names, query::query,
};
use crate::{error::AppError, time_text::TimeText};

/// Entries that one file holds: enough for a month of a large org.
const MOST: usize = 10_000;
/// Entries that are read at once: one can hold two whole lists of domains, some 120 kB; of a list the file names a few.
const READ_AT_ONCE: u16 = 250;

/// What the columns are.
pub const COLUMNS: [&str; 14] = [
    "seq",
    "time",
    "event",
    "actor_kind",
    "actor_id",
    "actor",
    "via",
    "client",
    "address",
    "target_kind",
    "target_id",
    "target",
    "changes",
    "request_id",
];

/// A file's content.
#[derive(Debug)]
pub struct Export {
    /// The org's slug.
    pub org: Slug,
    /// The day on which it was exported: "2026-11-21".
    pub day: String,
    /// Newest first, each as [`COLUMNS`] has it.
    pub rows: Vec<[String; COLUMNS.len()]>,
}

/// The newest entries of `org`, a slug, that match the filters of a query string.
///
/// # Errors
/// When the person may not see the log, a filter is invalid, or the database does not answer.
pub async fn export(
    engine: &Engine,
    person: Person,
    org: &str,
    query_string: &str,
) -> Result<Export, AppError> {
    let slug: Slug = org.parse().map_err(|_| AppError::NotFound)?;
    let membership = Membership::find(engine, person, &slug).await?;
    let permit = membership.permit::<to::SeeAuditLog>()?;
    let address = Address::read(org.to_owned(), query_string);
    let mut query = query(&address, READ_AT_ONCE).map_err(|_| AppError::Unreadable)?;
    let mut rows = Vec::new();
    while rows.len() < MOST {
        let page = audit::list(engine, &permit, &query).await?;
        let names = Names::of(engine, &membership, &page.entries).await?;
        rows.extend(page.entries.iter().map(|entry| row(entry, &names)));
        if page.next.is_none() {
            break;
        }
        query.before = page.next;
    }
    let mut day = TimeText::full(engine.clock().now()).iso;
    day.truncate("2026-11-21".len());
    audit::exported(engine, &permit);
    Ok(Export {
        org: slug,
        day,
        rows,
    })
}

fn row(entry: &Entry, names: &Names) -> [String; COLUMNS.len()] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let target = entry.target.as_ref();
    let changes: Vec<String> = changes(entry, &names.projects)
        .iter()
        .map(ToString::to_string)
        .collect();
    [
        entry.seq.to_string(),
        TimeText::full(entry.at).iso,
        entry.event.to_string(),
        entry.actor.kind.clone(),
        text(&entry.actor.id),
        actor_name(&entry.actor),
        entry.via.clone(),
        text(&entry.client),
        text(&entry.address),
        target.map(|target| target.kind.clone()).unwrap_or_default(),
        target.map(|target| text(&target.id)).unwrap_or_default(),
        target.map(|target| text(&target.name)).unwrap_or_default(),
        changes.join("; "),
        text(&entry.request_id),
    ]
}

//! The log as rows of a table, for a file. Ids and words are those of the API, so that programs can read it too.
//!
//! The file is read while it is sent, one batch after the other, so that it takes no more memory than a batch. Each batch
//! is put together in a place of the queue of exports, which is held until the file is sent.

use std::{collections::HashMap, sync::Arc};

use latchkey::{
    Engine,
    access::{Membership, Permit, to},
    audit::{self, AuditQuery, Entry},
    id::OrgId,
    name::Slug,
    role::Action,
    work_queue::Place,
};

use crate::{
    error::AppError,
    pages::audit::{
        address::Address,
        change_text::changes,
        entry::actor_name,
        names::{is_about_project, projects},
        query::query,
    },
    request::PageRequest,
    text::time::TimeText,
};

/// Entries that one file holds: enough for a month of a large org.
const MAX_ENTRIES: usize = 10_000;
/// Bytes that the changes of one file's entries take up in the log: one entry can hold two whole lists of domains, some
/// 270 kB, and each byte is read and compared.
const MAX_BYTES: i64 = 16 * 1024 * 1024;
/// Entries of one batch, at most: it ends early where they are large.
const BATCH: u16 = 250;

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

/// A row as [`COLUMNS`] has it.
pub type Row = [String; COLUMNS.len()];

/// A file that is being read.
#[derive(Debug)]
pub struct Export {
    /// The org's slug.
    pub org: Slug,
    /// The day on which it was exported: "2026-11-21".
    pub day: String,
    engine: Arc<Engine>,
    membership: Membership,
    permit: Permit<to::SeeAuditLog>,
    address: Address,
    query: AuditQuery,
    /// Taken while a batch is put together.
    place: Option<Place<OrgId>>,
    /// Rows that were read and not given yet.
    first: Option<Batch>,
    /// The names of the org's projects by id, once an entry has asked for them.
    projects: Option<Arc<HashMap<String, String>>>,
    entries: usize,
    bytes: i64,
    is_over: bool,
}

/// Some rows of a file.
#[derive(Debug)]
pub struct Batch {
    /// Newest first.
    pub rows: Vec<Row>,
    /// The path of the file that goes on, when this one is full and not at its end.
    pub rest: Option<String>,
}

impl Export {
    /// Begins a file with the newest entries that match the filters in the address. The first batch is
    /// read here, so that most of what can go wrong does before anything is sent.
    ///
    /// # Errors
    /// When the person may not see the log, a filter is invalid, too many exports are under way, or the database does not
    /// answer.
    pub async fn open(request: PageRequest) -> Result<Self, AppError> {
        let membership = request.membership().await?;
        let engine = request.engine();
        // The page that is shown instead asks for the permit too, and a denial is noted once.
        let permit = membership.permit_if_allowed::<to::SeeAuditLog>();
        let permit = permit.ok_or(AppError::Forbidden(Action::SeeAuditLog))?;
        let address = Address::read(request.org().to_owned(), request.query());
        let query = query(&address, BATCH).map_err(|_| AppError::Unreadable)?;
        let place = audit::enter_export(engine, &permit)?;
        let mut day = TimeText::full(engine.clock().now()).iso;
        day.truncate("2026-11-21".len());
        let mut export = Self {
            org: membership.org().slug.clone(),
            day,
            engine: Arc::clone(engine),
            membership,
            permit,
            address,
            query,
            place: Some(place),
            first: None,
            projects: None,
            entries: 0,
            bytes: 0,
            is_over: false,
        };
        export.first = export.next().await?;
        audit::exported(engine, &export.permit);
        Ok(export)
    }

    /// The next rows; `None` at the end.
    ///
    /// # Errors
    /// When the database does not answer, or the process is ending.
    pub async fn next(&mut self) -> Result<Option<Batch>, AppError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.is_over {
            return Ok(None);
        }
        let page = audit::list(&self.engine, &self.permit, &self.query).await?;
        self.entries += page.entries.len();
        self.bytes += page.bytes;
        self.query.before = page.next;
        let is_full = self.entries >= MAX_ENTRIES || self.bytes >= MAX_BYTES;
        self.is_over = is_full || page.next.is_none();
        let rest = page.next.filter(|_| is_full);
        let rows = self.rows(page.entries).await?;
        Ok(Some(Batch {
            rows,
            rest: rest.map(|seq| self.address.export_href(Some(seq))),
        }))
    }

    async fn rows(&mut self, entries: Vec<Entry>) -> Result<Vec<Row>, AppError> {
        let projects = self.projects(&entries).await?;
        let Some(place) = self.place.take() else {
            return Err(AppError::Unavailable);
        };
        let work = move || entries.iter().map(|entry| row(entry, &projects)).collect();
        let (rows, turn) = place.run(work).await?;
        self.place = Some(turn.end());
        Ok(rows)
    }

    /// The names of the projects, which are read once: most entries are not about one.
    async fn projects(
        &mut self,
        entries: &[Entry],
    ) -> Result<Arc<HashMap<String, String>>, AppError> {
        if let Some(projects) = &self.projects {
            return Ok(Arc::clone(projects));
        }
        if !entries.iter().any(is_about_project) {
            return Ok(Arc::default());
        }
        let projects = Arc::new(projects(&self.engine, &self.membership).await?);
        Ok(Arc::clone(self.projects.insert(projects)))
    }
}

fn row(entry: &Entry, projects: &HashMap<String, String>) -> Row {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let target = entry.target.as_ref();
    let changes: Vec<String> = changes(entry, projects)
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

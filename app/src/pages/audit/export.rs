//! The audit log as CSV rows. IDs and words are those of the API, so that programs can read the file.
//!
//! The file is read in batches while it is sent, so that it takes no more memory than one batch. Each batch is prepared
//! in a place of the export queue, which is held until the file is sent.

use std::{collections::HashMap, sync::Arc};

use latchkey::{
    Engine,
    access::{Membership, Permit, still_lasts, to},
    audit::{self, AuditQuery, Entry},
    name::Slug,
    party::Party,
    work_queue::Place,
};
use tokio_util::sync::CancellationToken;

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

/// The most entries in a file: enough for a month of a large organization.
const MAX_ENTRIES: usize = 10_000;
/// The most bytes of changes in a file, as stored in the log: one entry can hold two whole lists of domains, about 270
/// kB, and each byte is read and compared.
const MAX_BYTES: i64 = 16 * 1024 * 1024;
/// The most entries in a batch. A batch ends early if its entries are large.
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

/// A row with the columns in [`COLUMNS`].
pub type Row = [String; COLUMNS.len()];

/// An export in progress.
#[derive(Debug)]
pub struct Export {
    /// The organization's slug.
    pub org: Slug,
    /// The day of the export: "2026-11-21".
    pub day: String,
    engine: Arc<Engine>,
    membership: Membership,
    permit: Permit<to::SeeAuditLog>,
    address: Address,
    query: AuditQuery,
    /// The place in the export queue; `None` while a batch is prepared.
    place: Option<Place<Party>>,
    /// The first batch, until it is returned.
    first: Option<Batch>,
    /// The names of the organization's projects by ID, loaded when an entry needs them.
    projects: Option<Arc<HashMap<String, String>>>,
    entries: usize,
    bytes: i64,
    is_over: bool,
}

/// A batch of rows.
#[derive(Debug)]
pub struct Batch {
    /// Newest first.
    pub rows: Vec<Row>,
    /// The path of the next file, if this one is full and more entries match.
    pub rest: Option<String>,
}

impl Export {
    /// Starts an export of the newest entries that match the filters in the URL. It reads the first batch, so that most
    /// errors occur before anything is sent.
    ///
    /// # Errors
    /// If the user is not allowed to see the log, a filter is invalid, too many exports are running, or the database
    /// cannot be reached.
    pub async fn open(request: PageRequest) -> Result<Self, AppError> {
        let membership = request.membership().await?;
        let engine = request.engine();
        let permit = membership.permit::<to::SeeAuditLog>()?;
        let address = Address::read(request.org().to_owned(), request.query());
        let query =
            query(&address, BATCH, &request.zone().await?).map_err(|_| AppError::Unreadable)?;
        let place = audit::enter_export(engine, &permit).await?;
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

    /// Cancelled when the place is given to someone who has none.
    pub fn lost(&self) -> CancellationToken {
        self.place.as_ref().map(Place::lost).unwrap_or_default()
    }

    /// Returns the next batch, or `None` at the end.
    ///
    /// # Errors
    /// If the database cannot be reached or the process is shutting down.
    pub async fn next(&mut self) -> Result<Option<Batch>, AppError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.is_over {
            return Ok(None);
        }
        // Each part is made in a turn of its own, however many files are being sent.
        let place = self.place.take().ok_or(AppError::Unavailable)?;
        let turn = place.begin().await?;
        // Whoever reads slowly keeps no right that was taken away meanwhile.
        if !still_lasts(&self.engine, &self.permit).await? {
            return Err(AppError::AccessEnded);
        }
        let page = audit::list(&self.engine, &self.permit, &self.query).await?;
        self.entries += page.entries.len();
        self.bytes += page.bytes;
        self.query.before = page.next;
        let is_full = self.entries >= MAX_ENTRIES || self.bytes >= MAX_BYTES;
        self.is_over = is_full || page.next.is_none();
        let rest = page.next.filter(|_| is_full);
        let projects = self.projects(&page.entries).await?;
        let work = move || {
            let rows = page.entries.iter().map(|entry| row(entry, &projects));
            rows.collect()
        };
        let (rows, turn) = turn.run(work).await?;
        self.place = Some(turn.end());
        Ok(Some(Batch {
            rows,
            rest: rest.map(|seq| self.address.export_href(Some(seq))),
        }))
    }

    /// Loads the names of the projects at most once, and only if an entry is about one.
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

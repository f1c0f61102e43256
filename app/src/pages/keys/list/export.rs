//! The list of keys as CSV rows: all keys that match the filters in the URL. Words are those of the API. The file has no
//! secrets.

use std::{array, collections::HashMap, sync::Arc};

use latchkey::{
    Engine,
    access::{Membership, still_lasts, to},
    findings::{Finding, of_keys},
    id::KeyId,
    key::settings::READ,
    keys::{
        Key,
        export::{enter_export, exported},
        list::{Cursor, KeyQuery, list_details},
        show::{Origin, origins_of},
    },
    name::Slug,
    party::Party,
    time::Timestamp,
    usage::parts::requests_of_keys,
    work_queue::Place,
};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use crate::{error::AppError, request::PageRequest, text::time::TimeText};

/// The most keys in a file: as many as an import takes.
const MAX_KEYS: usize = 10_000;
/// The most keys in a batch.
const BATCH: u16 = 100;

/// The columns before those of the settings.
const FIRST: [&str; 16] = [
    "id",
    "name",
    "kind",
    "environment",
    "status",
    "project",
    "display",
    "created_at",
    "created_by",
    "approved_by",
    "expires_at",
    "last_used_at",
    "requests_30_days",
    "findings",
    "reviewed_findings",
    "reviewed_until",
];

/// The number of columns: the settings have one each, except the name, which is among the first.
const WIDTH: usize = FIRST.len() + READ.len() - 1;

/// A row with the columns of [`columns`].
pub type Row = [String; WIDTH];

/// The columns: those of the key, then its settings, in the words of the API.
pub fn columns() -> [&'static str; WIDTH] {
    side_by_side(FIRST, READ.map(|(name, _)| name))
}

/// Appends the settings after the name to what comes before them.
fn side_by_side<T: Default>(first: [T; FIRST.len()], settings: [T; READ.len()]) -> [T; WIDTH] {
    let mut all = first.into_iter().chain(settings.into_iter().skip(1));
    array::from_fn(|_| all.next().unwrap_or_default())
}

/// An export in progress.
#[derive(Debug)]
pub struct Export {
    /// The organization's slug.
    pub org: Slug,
    /// The day of the export: "2026-11-21".
    pub day: String,
    engine: Arc<Engine>,
    membership: Membership,
    query: KeyQuery,
    /// The place in the export queue; `None` while a batch is prepared.
    place: Option<Place<Party>>,
    /// The first batch, until it is returned.
    first: Option<Vec<Row>>,
    keys: usize,
    is_over: bool,
}

impl Export {
    /// Starts an export of the keys that match the filters in the URL. It reads the first batch, so that most errors occur
    /// before anything is sent.
    ///
    /// # Errors
    /// If the user is not allowed to see details of keys, too many exports are running, or the database cannot be reached.
    pub async fn open(request: PageRequest) -> Result<Self, AppError> {
        let membership = request.membership().await?;
        let engine = request.engine();
        let permit = membership.permit::<to::SeeKeyDetails>()?;
        membership.permit::<to::SeeUsageDetails>()?;
        let place = enter_export(engine, &permit).await?;
        let address = Address::read(request.org().to_owned(), request.query());
        let mut day = TimeText::full(engine.clock().now()).iso;
        day.truncate("2026-11-21".len());
        let mut export = Self {
            org: membership.org().slug.clone(),
            day,
            engine: Arc::clone(engine),
            membership,
            query: KeyQuery {
                page_size: BATCH,
                ..address.query(false)
            },
            place: Some(place),
            first: None,
            keys: 0,
            is_over: false,
        };
        export.first = export.next().await?;
        exported(engine, &permit);
        Ok(export)
    }

    /// Cancelled when the place is given to someone who has none.
    pub fn lost(&self) -> CancellationToken {
        self.place.as_ref().map(Place::lost).unwrap_or_default()
    }

    /// Returns the next batch, or `None` at the end.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn next(&mut self) -> Result<Option<Vec<Row>>, AppError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        if self.is_over {
            return Ok(None);
        }
        // Each part is made in a turn of its own, however many files are being sent.
        let place = self.place.take().ok_or(AppError::Unavailable)?;
        let turn = place.begin().await?;
        let (engine, membership) = (&*self.engine, &self.membership);
        let (permit, usage) = (membership.permit()?, membership.permit()?);
        // Whoever reads slowly keeps no right that was taken away meanwhile.
        if !still_lasts(&self.engine, &permit).await? {
            return Err(AppError::AccessEnded);
        }
        let page = list_details(engine, &membership.permit()?, &permit, &self.query).await?;
        let ids: Vec<KeyId> = page.keys.iter().map(|key| key.summary.id).collect();
        let requests = requests_of_keys(engine, &usage, &ids).await?;
        let found = of_keys(engine, &permit, &usage, &ids).await?;
        let mut found: HashMap<KeyId, Vec<Finding>> = found
            .into_iter()
            .map(|key| (key.id, key.findings))
            .collect();
        let by_nobody = page.keys.iter().filter(|key| key.created_by.is_none());
        let by_nobody: Vec<KeyId> = by_nobody.map(|key| key.summary.id).collect();
        let origins = origins_of(engine, &permit, &by_nobody).await?;
        let (now, matching) = (engine.clock().now(), page.matching);
        let keys = page.keys;
        let work = move || {
            let of_key = |key: &Key| {
                let id = key.summary.id;
                let found = found.remove(&id).unwrap_or_default();
                let requests = requests.get(&id).copied().unwrap_or(0);
                row(key, origins.get(&id).copied(), requests, &found, now)
            };
            keys.iter().map(of_key).collect::<Vec<Row>>()
        };
        let (mut rows, turn) = turn.run(work).await?;
        self.place = Some(turn.end());
        self.keys += rows.len();
        self.query.cursor = page.next.map(Cursor::After);
        let is_full = self.keys >= MAX_KEYS;
        self.is_over = is_full || self.query.cursor.is_none();
        if is_full && self.query.cursor.is_some() {
            let mut last = columns().map(|_| String::new());
            last[0] = format!(
                "This file is full, and more keys match ({matching} in total). Narrow the list."
            );
            rows.push(last);
        }
        Ok(Some(rows))
    }
}

/// The codes of findings.
fn codes<'a>(findings: impl Iterator<Item = &'a Finding>) -> String {
    let codes: Vec<&str> = findings.map(|finding| finding.code.as_str()).collect();
    codes.join(" ")
}

fn row(
    key: &Key,
    origin: Option<Origin>,
    requests: i64,
    findings: &[Finding],
    now: Timestamp,
) -> Row {
    // One review covers them.
    let reviewed = findings
        .iter()
        .filter(|finding| finding.reviewed_until.is_some());
    let until = reviewed.clone().find_map(|finding| finding.reviewed_until);
    let summary = &key.summary;
    let time = |at: Option<Timestamp>| at.map_or_else(String::new, |at| TimeText::full(at).iso);
    let first = [
        summary.id.to_string(),
        summary.name.to_string(),
        summary.kind.to_string(),
        summary.environment.to_string(),
        summary.status(now).to_string(),
        key.project_name.to_string(),
        summary.display.clone(),
        time(Some(summary.created_at)),
        match (&key.created_by, origin) {
            (Some((_, name)), _) => name.to_string(),
            (None, origin) => origin.map_or("", Origin::words).to_owned(),
        },
        key.approved_by
            .as_ref()
            .map_or_else(String::new, |(_, name)| name.to_string()),
        time(summary.lifecycle.expires_at),
        time(summary.last_used_at),
        requests.to_string(),
        codes(findings.iter()),
        codes(reviewed),
        time(until),
    ];
    side_by_side(first, key.settings.texts())
}

//! The list of rejected requests as CSV rows: all that match the filters in the URL. Words are those of the API.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, still_lasts, to},
    name::Slug,
    party::Party,
    refusals::{self, Refusal, RefusalQuery, enter_export, exported},
    work_queue::Place,
};
use tokio_util::sync::CancellationToken;

use super::address::Address;
use crate::{error::AppError, request::PageRequest, text::time::TimeText};

/// The most requests in a batch.
const BATCH: u16 = 250;

pub const COLUMNS: [&str; 14] = [
    "at",
    "code",
    "reason",
    "missing_scopes",
    "key_id",
    "key_name",
    "key_prefix",
    "agent_id",
    "agent_name",
    "class",
    "origin",
    "address_prefix",
    "user_agent",
    "id",
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
    query: RefusalQuery,
    /// The first batch, until it is returned.
    first: Option<Vec<Row>>,
    is_over: bool,
    /// The place in the export queue; `None` while a batch is prepared.
    place: Option<Place<Party>>,
}

impl Export {
    /// Starts an export of the requests that match the filters in the URL, the newest first. It reads the first batch, so
    /// that most errors occur before anything is sent.
    ///
    /// # Errors
    /// If the user is not allowed to see rejected requests, a filter is invalid, too many exports are running, or the
    /// database cannot be reached.
    pub async fn open(request: PageRequest) -> Result<Self, AppError> {
        let membership = request.membership().await?;
        let engine = request.engine();
        let permit = membership.permit::<to::SeeUsageDetails>()?;
        let address = Address::read(request.org().to_owned(), request.query());
        let query = address
            .query(engine.convention())
            .map_err(|_| AppError::Unreadable)?;
        let place = enter_export(engine, &permit).await?;
        let mut day = TimeText::full(engine.clock().now()).iso;
        day.truncate("2026-11-21".len());
        let mut export = Self {
            org: membership.org().slug.clone(),
            day,
            engine: Arc::clone(engine),
            membership,
            query: RefusalQuery {
                after: None,
                limit: BATCH,
                ..query
            },
            first: None,
            is_over: false,
            place: Some(place),
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
        let permit = self.membership.permit()?;
        // Whoever reads slowly keeps no right that was taken away meanwhile.
        if !still_lasts(&self.engine, &permit).await? {
            return Err(AppError::AccessEnded);
        }
        let page = refusals::list(&self.engine, &permit, &self.query).await?;
        self.query.after = page.next;
        self.is_over = page.next.is_none();
        let work = move || page.refusals.iter().map(row).collect();
        let (rows, turn) = turn.run(work).await?;
        self.place = Some(turn.end());
        Ok(Some(rows))
    }
}

fn row(refusal: &Refusal) -> Row {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let (key, agent) = (refusal.key.as_ref(), refusal.agent.as_ref());
    [
        TimeText::full(refusal.at).iso,
        refusal.code.code().to_owned(),
        text(&refusal.reason),
        refusal.missing_scopes.join(" "),
        text(&key.map(|key| key.id.to_string())),
        text(&key.map(|key| key.name.to_string())),
        text(&refusal.prefix),
        text(&agent.map(|agent| agent.public_id.to_string())),
        text(&agent.map(|agent| agent.name.to_string())),
        refusal.class.clone(),
        text(&refusal.origin),
        text(&refusal.network),
        text(&refusal.client),
        refusal.id.to_string(),
    ]
}

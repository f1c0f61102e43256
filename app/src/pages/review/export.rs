//! The history of reviews as CSV rows: all that match the filters in the URL. Words are those of the API.

use std::sync::Arc;

use latchkey::{
    Engine,
    access::{Membership, still_lasts, to},
    audit::Actor,
    findings::Finding,
    name::Slug,
    party::Party,
    reviews::{self, Aspect, Review, ReviewQuery, enter_export, exported},
    time::Timestamp,
    work_queue::Place,
};
use tokio_util::sync::CancellationToken;

use super::history_address::HistoryAddress;
use crate::{
    error::AppError, pages::keys::finding_text::FindingText, request::PageRequest,
    text::time::TimeText,
};

/// The most reviews in a batch.
const BATCH: u16 = 100;

pub const COLUMNS: [&str; 31] = [
    "at",
    "key_id",
    "key_name",
    "kind",
    "environment",
    "project",
    "reviewer_kind",
    "reviewer_id",
    "reviewer_name",
    "verdict",
    "until",
    "comment",
    "finding_codes",
    "findings",
    "request",
    "done_at",
    "done_event",
    "done_by",
    "answered_at",
    "answered_by",
    "answer",
    "superseded_at",
    "id",
    "key_status",
    "aspect",
    "promised_at",
    "promised_by",
    "promise",
    "superseded_by",
    "current_key_name",
    "withdrawn_at",
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
    query: ReviewQuery,
    /// The first batch, until it is returned.
    first: Option<Vec<Row>>,
    is_over: bool,
    /// The place in the export queue; `None` while a batch is prepared.
    place: Option<Place<Party>>,
}

impl Export {
    /// Starts an export of the reviews that match the filters in the URL, the newest first. It reads the first batch, so
    /// that most errors occur before anything is sent.
    ///
    /// # Errors
    /// If the user is not allowed to review keys, a filter is invalid, too many exports are running, or the database cannot
    /// be reached.
    pub async fn open(request: PageRequest) -> Result<Self, AppError> {
        let membership = request.membership().await?;
        let engine = request.engine();
        let permit = membership.permit::<to::ReviewKeys>()?;
        let address = HistoryAddress::read(request.org().to_owned(), request.query());
        let query = address
            .query(&request.zone().await?)
            .map_err(|_| AppError::Unreadable)?;
        let place = enter_export(engine, &permit).await?;
        let mut day = TimeText::full(engine.clock().now()).iso;
        day.truncate("2026-11-21".len());
        let mut export = Self {
            org: membership.org().slug.clone(),
            day,
            engine: Arc::clone(engine),
            membership,
            query: ReviewQuery {
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
        let page = reviews::list(&self.engine, &permit, &self.query).await?;
        self.query.after = page.next;
        self.is_over = page.next.is_none();
        let now = self.engine.clock().now();
        let work = move || page.reviews.iter().map(|review| row(review, now)).collect();
        let (rows, turn) = turn.run(work).await?;
        self.place = Some(turn.end());
        Ok(Some(rows))
    }
}

fn row(review: &Review, now: Timestamp) -> Row {
    let at = |time: Option<Timestamp>| time.map_or_else(String::new, |at| TimeText::full(at).iso);
    let by = |actor: Option<&Actor>| {
        let name = actor.map(|actor| actor.name.clone().unwrap_or_else(|| actor.kind.clone()));
        name.unwrap_or_default()
    };
    let done = review.done.as_ref().filter(|done| done.at <= now);
    let answer = review.answer.as_ref();
    let promise = review.promise.as_ref();
    let sentence = |finding: &Finding| FindingText::of(finding).sentence;
    let sentences: Vec<String> = review.findings.iter().map(sentence).collect();
    let codes: Vec<&str> = review
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    let request = review.ask(now).map_or("", |state| state.as_str());
    [
        at(Some(review.at)),
        review.key.id.to_string(),
        review.key.name.to_string(),
        review.key.kind.to_string(),
        review.key.environment.to_string(),
        review.key.project.to_string(),
        review.reviewer.kind.clone(),
        review.reviewer.id.clone().unwrap_or_default(),
        review.reviewer.name.clone().unwrap_or_default(),
        review.verdict.to_string(),
        at(review.until),
        review.comment.to_string(),
        codes.join(" "),
        sentences.join(" "),
        request.to_owned(),
        at(done.map(|done| done.at)),
        done.map_or_else(String::new, |done| done.event.to_string()),
        by(done.map(|done| &done.by)),
        at(answer.map(|answer| answer.at)),
        by(answer.map(|answer| &answer.by)),
        answer.map_or_else(String::new, |answer| answer.text.to_string()),
        at(review.superseded_at),
        review.id.to_string(),
        review.key.lifecycle.status(now).to_string(),
        review.aspect.map_or("", Aspect::as_str).to_owned(),
        at(promise.map(|promise| promise.at)),
        by(promise.map(|promise| &promise.by)),
        promise.map_or_else(String::new, |promise| promise.text.to_string()),
        review
            .superseded_by
            .as_ref()
            .map_or_else(String::new, |later| later.id.to_string()),
        review.key.current_name.to_string(),
        at(review.withdrawn_at),
    ]
}

//! Answering what a review asks for: an owner promises to do it, or says why they do not.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{on, select_locked},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, ReviewId},
    time::Timestamp,
};

use super::{Aspect, Comment, Verdict};

/// Why a review was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The org has no such review.
    #[error("The review was not found.")]
    NotFound,
    /// It asks for nothing, or for nothing that is still open.
    #[error("This request is no longer open: it was done, answered, or ended by another review.")]
    NotOpen,
    /// The answer is empty.
    #[error("Enter an answer, so that the reviewer knows why.")]
    Empty,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(AnswerError);

#[derive(sqlx::FromRow)]
struct Row {
    key_id: KeyId,
    verdict: Verdict,
    aspect: Option<Aspect>,
    superseded_at: Option<Timestamp>,
    done_at: Option<Timestamp>,
    promised_by_id: Option<String>,
    promise: Option<String>,
    answered_at: Option<Timestamp>,
    answered_by_id: Option<String>,
    answer: Option<String>,
}

/// Answers a review, which closes what it asks for. The key's findings still need attention.
///
/// # Errors
/// If the review asks for nothing that is open, or the answer is empty.
pub async fn answer(
    engine: &Engine,
    permit: &Permit<to::AnswerReviews>,
    id: ReviewId,
    text: Comment,
) -> Result<(), AnswerError> {
    if text.is_empty() {
        return Err(AnswerError::Empty);
    }
    reply(engine, permit, id, text, Reply::Answer).await
}

/// Promises to do what a review asks for, perhaps with a comment. It stays open until it is done. A later promise changes who
/// gave it and what they wrote, but not since when it is promised.
///
/// # Errors
/// If the review asks for nothing that is open.
pub async fn promise(
    engine: &Engine,
    permit: &Permit<to::AnswerReviews>,
    id: ReviewId,
    text: Comment,
) -> Result<(), AnswerError> {
    reply(engine, permit, id, text, Reply::Promise).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reply {
    Promise,
    Answer,
}

async fn reply(
    engine: &Engine,
    permit: &Permit<to::AnswerReviews>,
    id: ReviewId,
    text: Comment,
    reply: Reply,
) -> Result<(), AnswerError> {
    let (now, org_id) = (engine.clock.now(), permit.org_id());
    let mut change = engine.change(permit).await?;
    let row: Option<Row> = select_locked!(
        change.tx(),
        "SELECT key_id, verdict, aspect, superseded_at, done_at, promised_by_id, promise, answered_at, answered_by_id, \
         answer FROM reviews WHERE org_id = $1 AND id = $2",
        org_id,
        id
    )?;
    let row = row.ok_or(AnswerError::NotFound)?;
    let actor = permit.caller().actor;
    // The same form, submitted twice.
    let (said, by) = match reply {
        Reply::Promise => (
            row.promise.filter(|_| row.answered_at.is_none()),
            row.promised_by_id,
        ),
        Reply::Answer => (row.answer, row.answered_by_id),
    };
    if said.as_deref() == Some(text.as_str()) && by == actor.id() {
        return Ok(());
    }
    let done_at = row.done_at.filter(|at| *at <= now);
    let is_closed = row.superseded_at.or(done_at).or(row.answered_at);
    if !row.verdict.is_ask() || is_closed.is_some() {
        return Err(AnswerError::NotOpen);
    }
    const PROMISE: &str = "UPDATE reviews SET promised_at = COALESCE(promised_at, $1), promised_by_kind = $2, promised_by_id = $3, \
         promise = $4 WHERE org_id = $5 AND id = $6";
    const ANSWER: &str = "UPDATE reviews SET answered_at = $1, answered_by_kind = $2, answered_by_id = $3, answer = $4 \
         WHERE org_id = $5 AND id = $6";
    let update = match reply {
        Reply::Promise => PROMISE,
        Reply::Answer => ANSWER,
    };
    on!(change.on(), c => sqlx::query(update)
        .bind(now).bind(actor.kind()).bind(actor.id()).bind(text).bind(org_id).bind(id)
        .execute(c).await.map(drop))?;
    let event = match reply {
        Reply::Promise => Event::ReviewPromised,
        Reply::Answer => Event::ReviewAnswered,
    };
    let replied = Happened::new(event, Target::Key(row.key_id))
        .changed("asked", None::<&str>, row.verdict.as_str())
        .changed("aspect", None::<&str>, row.aspect.map(Aspect::as_str));
    Ok(change.commit(replied).await?)
}

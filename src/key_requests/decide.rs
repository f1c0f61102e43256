//! Approving and declining requests.

use super::{
    APPROVED_FOR, AskError, KeyRequest, MAX_COMMENT, State,
    ask::{check, with_project},
    letters, row, text,
};
use crate::{
    Engine,
    access::{Permit, to},
    change::{Change, Happened},
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyRequestId, UserId},
    orgs::{self, policies},
    time::Timestamp,
};

/// Why a request was not decided or changed.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// The organization has no such request.
    #[error("This request was not found.")]
    NotFound,
    /// The owner is the requester.
    #[error("You asked for this key yourself. Another owner must decide.")]
    Own,
    /// The request is not open.
    #[error("{}", already(*.0))]
    Ended(State),
    /// Another owner has changed the request since the caller has seen it.
    #[error(
        "Another owner has changed this request since you opened the page. Check what it allows now, and decide again."
    )]
    ChangedMeanwhile,
    /// The comment is empty.
    #[error("Say why, so that the requester knows what to change.")]
    CommentNeeded,
    /// The comment exceeds [`MAX_COMMENT`].
    #[error("The comment must have at most {MAX_COMMENT} characters.")]
    CommentTooLong,
    /// The key could not be created as it was asked for, for example because its expiry date has passed.
    #[error(transparent)]
    Invalid(AskError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(DecideError);

const fn already(state: State) -> &'static str {
    match state {
        State::Open => "This request is open.",
        State::Approved => "This request was already approved.",
        State::Declined => "This request was already declined.",
        State::Withdrawn => "This request was withdrawn.",
        State::Created => "The key was already revealed. You can change or revoke it on its page.",
        State::Expired => {
            "The key was approved, but not revealed in time. It must be asked for again."
        }
    }
}

/// Approves an open request: the requester can reveal the key for seven days. `version` is that of the request that the owner
/// has seen. Approving twice is the same as once.
///
/// # Errors
/// [`DecideError`]. Nothing is changed then.
pub async fn approve(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    id: KeyRequestId,
    version: i64,
    comment: &str,
) -> Result<(), DecideError> {
    const SQL: &str = "UPDATE key_requests SET state = 'approved', decided_by = $3, decided_at = $4, comment = $5, \
         approved_until = $6 WHERE org_id = $1 AND id = $2";
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let comment = comment_of(comment)?;
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), org_id).await?;
    let (request, owner) = to_decide(&mut change, permit, id, now).await?;
    match request.state {
        State::Open => {}
        State::Approved if by(&request) == Some(owner) => return Ok(()),
        state => return Err(DecideError::Ended(state)),
    }
    if request.version != version {
        return Err(DecideError::ChangedMeanwhile);
    }
    let policy = policies::within(engine, change.tx(), org_id).await?;
    let rules = (engine.convention(), &policy);
    let wanted = check(rules, request.wanted.clone(), now).map_err(DecideError::Invalid)?;
    let wanted = with_project(&mut change, org_id, wanted).await;
    wanted.map_err(DecideError::Invalid)?;
    let until = now.plus(APPROVED_FOR);
    on!(change.on(), c => sqlx::query(SQL)
        .bind(org_id).bind(id).bind(owner).bind(now).bind(comment).bind(until).execute(c).await.map(drop))?;
    letters::to_requester(engine, &mut change, org_id, &request, owner, Some(until)).await?;
    let mut approved = Happened::new(Event::KeyRequestApproved, Target::KeyRequest(id));
    approved.changes = request.changes();
    Ok(change.commit(of_requester(approved, &request)).await?)
}

/// Declines a request that is open, or approved and not yet used. Declining twice is the same as once.
///
/// # Errors
/// [`DecideError`]. Nothing is changed then.
pub async fn decline(
    engine: &Engine,
    permit: &Permit<to::DecideKeyRequests>,
    id: KeyRequestId,
    comment: &str,
) -> Result<(), DecideError> {
    const SQL: &str = "UPDATE key_requests SET state = 'declined', decided_by = $3, decided_at = $4, comment = $5, \
         approved_until = NULL, ended_at = $4 WHERE org_id = $1 AND id = $2";
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let comment = comment_of(comment)?;
    if comment.is_empty() {
        return Err(DecideError::CommentNeeded);
    }
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), org_id).await?;
    let (request, owner) = to_decide(&mut change, permit, id, now).await?;
    match request.state {
        State::Open | State::Approved => {}
        State::Declined if by(&request) == Some(owner) => return Ok(()),
        state => return Err(DecideError::Ended(state)),
    }
    on!(change.on(), c => sqlx::query(SQL)
        .bind(org_id).bind(id).bind(owner).bind(now).bind(comment).execute(c).await.map(drop))?;
    letters::to_requester(engine, &mut change, org_id, &request, owner, None).await?;
    let declined = Happened::new(Event::KeyRequestDeclined, Target::KeyRequest(id));
    Ok(change.commit(of_requester(declined, &request)).await?)
}

/// Adds who asked: the request itself is not kept as long as the log.
fn of_requester(decided: Happened, request: &KeyRequest) -> Happened {
    decided.changed("requester", None::<&str>, request.requester.0.to_string())
}

fn comment_of(typed: &str) -> Result<String, DecideError> {
    let comment = text(typed);
    match comment.chars().count() {
        ..=MAX_COMMENT => Ok(comment),
        _ => Err(DecideError::CommentTooLong),
    }
}

/// The request of someone else, and the owner who decides. The change must have locked the org.
pub(super) async fn to_decide(
    change: &mut Change,
    permit: &Permit<to::DecideKeyRequests>,
    id: KeyRequestId,
    now: Timestamp,
) -> Result<(KeyRequest, UserId), DecideError> {
    let request = row::find(change.tx(), permit.org_id(), id, now).await?;
    let request = request.ok_or(DecideError::NotFound)?;
    // The operator and tokens do not decide in place of an owner.
    let owner = permit.caller().actor.user_id();
    let owner = owner.ok_or(DecideError::NotFound)?;
    if request.requester.0 == owner {
        return Err(DecideError::Own);
    }
    Ok((request, owner))
}

/// Who made the last decision.
fn by(request: &KeyRequest) -> Option<UserId> {
    request.decision.as_ref().map(|decision| decision.by.0)
}

//! Answers a form that uses up what a repeat of the same submit would need (`repeats.rs`).

use std::future::Future;

use super::{answer::FormAnswer, done::Notice};
use crate::{
    error::AppError,
    repeats::{KEPT_FOR, Kept, Submit, erase_later},
    request::PageRequest,
    session_cookie::CookieChange,
};

/// The path and the message of a redirect.
pub type LedTo = (String, Option<Notice>);

/// Where an answer leads.
pub fn redirect_of<F, D>(answer: &FormAnswer<F, D>) -> Option<LedTo> {
    match answer {
        FormAnswer::Redirect { path, done } => Some((path.clone(), *done)),
        _ => None,
    }
}

/// Answers a form with `answer`, and a repeat of it by leading where `led_to` says that a successful answer led. A repeat waits
/// until the first submit has its answer.
///
/// # Errors
/// Those of `answer`, or if the session cannot be read or stored.
pub async fn once<F, D>(
    request: PageRequest,
    submit: Submit,
    answer: impl Future<Output = Result<FormAnswer<F, D>, AppError>>,
    led_to: impl FnOnce(&FormAnswer<F, D>) -> Option<LedTo>,
) -> Result<FormAnswer<F, D>, AppError> {
    let user = request.user_id().await.ok();
    let Some(slot) = request.repeats().slot(submit, user) else {
        return answer.await;
    };
    let mut place = slot.lock().await;
    if let Some(kept) = &*place
        && leads_on(&request, kept).await?
    {
        return Ok(FormAnswer::Redirect {
            path: kept.path.clone(),
            done: kept.notice.as_deref().and_then(Notice::read),
        });
    }
    let before = request.session_id();
    let answer = answer.await?;
    if let Some((path, done)) = led_to(&answer) {
        let session = request.stored_session().await?;
        *place = Some(Kept {
            path,
            notice: done.map(Notice::text),
            session: session.filter(|session| Some(*session) != before),
            ended_session: request.session_cookie().change() == Some(CookieChange::Removed),
            since: request.engine().clock().monotonic(),
        });
        erase_later(&slot);
    }
    Ok(answer)
}

/// Whether a repeat leads where the first submit led. If that started a session, the repeat is in the same one.
async fn leads_on(request: &PageRequest, kept: &Kept) -> Result<bool, AppError> {
    if request.engine().clock().monotonic().since(kept.since) >= KEPT_FOR {
        return Ok(false);
    }
    match kept.session {
        Some(session) => request.resume_session(session).await,
        // Someone who has a session again does something else with it.
        None if kept.ended_session => Ok(request.user_id().await == Err(AppError::SignedOut)),
        None => Ok(true),
    }
}

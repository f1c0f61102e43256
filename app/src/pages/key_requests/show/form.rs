//! The forms on the page of a request.

use latchkey::{
    access::{Membership, Permit, to},
    id::KeyRequestId,
    key_requests::{DecideError, KeyRequest, State, WithdrawError, approve, decline, withdraw},
};

use super::{
    data::found,
    fields::{Answer, RequestForm},
    reveal::reveal,
};
use crate::{
    error::AppError,
    form::errors::WHOLE_FORM,
    pages::{answer::FormAnswer, done::Done, loading::finished},
    request::PageRequest,
};

/// Handles the page's forms.
pub async fn submit(request: PageRequest, form: RequestForm) -> Answer {
    let membership = request.membership().await?;
    let shown = found(&request, &membership).await?;
    match form.change.as_str() {
        "approve" | "decline" => decide(&request, &membership, &shown, &form).await,
        "withdraw" => end(&request, &membership, shown.id, &form).await,
        // Runs to the end even if the client disconnects, so that the key is held for a repeated submit.
        "reveal" => finished(tokio::spawn(reveal(request, membership, shown.id, form))).await,
        _ => Err(AppError::Unreadable),
    }
}

async fn decide(
    request: &PageRequest,
    membership: &Membership,
    shown: &KeyRequest,
    form: &RequestForm,
) -> Answer {
    let id = shown.id;
    let permit: Permit<to::DecideKeyRequests> = membership.permit()?;
    let engine = request.engine();
    let version = form.version.parse().unwrap_or(-1);
    let (decided, done) = match form.change.as_str() {
        "approve" => (
            approve(engine, &permit, id, version, &form.comment).await,
            Done::KeyRequestApproved,
        ),
        _ => (
            decline(engine, &permit, id, &form.comment).await,
            match shown.state {
                State::Approved => Done::KeyApprovalTakenBack,
                _ => Done::KeyRequestDeclined,
            },
        ),
    };
    match decided {
        Ok(()) => Ok(FormAnswer::done(request.path(), done)),
        Err(DecideError::NotFound) => Err(AppError::NotFound),
        Err(DecideError::Fault(fault)) => Err(fault.into()),
        Err(error @ (DecideError::CommentNeeded | DecideError::CommentTooLong)) => {
            Ok(FormAnswer::refused(form.sent_back(), "comment", error))
        }
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}

async fn end(
    request: &PageRequest,
    membership: &Membership,
    id: KeyRequestId,
    form: &RequestForm,
) -> Answer {
    match withdraw(request.engine(), &membership.permit()?, id).await {
        Ok(()) => Ok(FormAnswer::done(request.path(), Done::KeyRequestWithdrawn)),
        Err(WithdrawError::Fault(fault)) => Err(fault.into()),
        // An owner sees the page, but it is not their request.
        Err(WithdrawError::NotFound) => Ok(FormAnswer::refused(
            form.sent_back(),
            WHOLE_FORM,
            "Only the person who asked can withdraw the request. Decline it instead.",
        )),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}

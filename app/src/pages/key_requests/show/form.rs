//! The forms on the page of a request.

use latchkey::{
    access::{Membership, Permit, to},
    id::KeyRequestId,
    key_requests::{DecideError, WithdrawError, approve, decline, withdraw},
};
use serde::{Deserialize, Serialize};

use super::{data::found, reveal::reveal};
use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        sent_back::{MAX_NAME, MAX_NOTES, sent_back},
    },
    pages::{answer::FormAnswer, done::Done, loading::finished},
    request::PageRequest,
    shown_once::CreatedKey,
};

/// The fields of the page's forms. What was approved is not among them: it is stored.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestForm {
    /// `approve`, `decline`, `withdraw` or `reveal`.
    pub change: String,
    /// The comment of the owner.
    pub comment: String,
    /// The version of the request that the page showed.
    pub version: String,
}

impl RequestForm {
    /// The form to render again.
    pub fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            comment: sent_back(&self.comment, MAX_NOTES),
            version: sent_back(&self.version, MAX_NAME),
        }
    }
}

/// The response to such a form.
pub type Answer = Result<FormAnswer<RequestForm, CreatedKey>, AppError>;

/// Handles the page's forms.
pub async fn submit(request: PageRequest, form: RequestForm) -> Answer {
    let membership = request.membership().await?;
    let shown = found(&request, &membership).await?;
    match form.change.as_str() {
        "approve" | "decline" => decide(&request, &membership, shown.id, &form).await,
        "withdraw" => end(&request, &membership, shown.id, &form).await,
        // Runs to the end even if the client disconnects, so that the key is held for a repeated submit.
        "reveal" => finished(tokio::spawn(reveal(request, membership, shown.id, form))).await,
        _ => Err(AppError::Unreadable),
    }
}

async fn decide(
    request: &PageRequest,
    membership: &Membership,
    id: KeyRequestId,
    form: &RequestForm,
) -> Answer {
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
            Done::KeyRequestDeclined,
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

//! The handler of the form that asks the owners to rotate or revoke a key.

use latchkey::{
    access::to,
    id::KeyId,
    keys::create::sent_creation_token,
    reviews::{self, Aspect, Comment, MAX_COMMENT, NewReport, NewReview, ReviewError, Verdict},
};

use super::fields::{Answer, KeyForm};
use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{answer::FormAnswer, done::Done, keys::key_path},
    request::PageRequest,
};

/// Asks the owners: a reviewer for whatever reason, and a member who has created the key because it leaked.
pub async fn ask(request: &PageRequest, form: KeyForm) -> Answer {
    let membership = request.membership().await?;
    let (permit, id) = (
        membership.permit::<to::ReportKeys>()?,
        request.id::<KeyId>("key")?,
    );
    let verdict: Verdict = form.verdict.parse().map_err(|_| AppError::Unreadable)?;
    if !Aspect::Leaked.is_for(verdict) {
        return Err(AppError::Unreadable);
    }
    let comment: Comment = match form.comment.parse() {
        Ok(comment) => comment,
        Err(error) => return Ok(FormAnswer::refused(asked_again(&form), WHOLE_FORM, error)),
    };
    let engine = request.engine();
    // The form has several buttons: only what asks for the same is a repetition.
    let creation_token = sent_creation_token(&form.token)
        .map(|token| format!("{token}.{verdict}.{}", !form.leaked.is_empty()));
    let asked = match membership.permit_if_allowed::<to::ReviewKeys>() {
        Some(permit) => {
            let new = NewReview {
                verdict,
                aspect: (!form.leaked.is_empty()).then_some(Aspect::Leaked),
                comment,
                until: None,
                seen: None,
                seen_requests: None,
                creation_token,
            };
            let (details, usage) = (membership.permit()?, membership.permit()?);
            reviews::create(engine, &permit, &details, &usage, id, new).await
        }
        None => {
            let new = NewReport {
                verdict,
                comment,
                creation_token,
            };
            reviews::report(engine, &permit, id, new).await
        }
    };
    match asked {
        Ok(_) => Ok(FormAnswer::done(
            key_path(request),
            Done::OwnersAsked.of(id),
        )),
        Err(ReviewError::NotFound) => Err(AppError::NotFound),
        Err(ReviewError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(asked_again(&form), WHOLE_FORM, error)),
    }
}

/// The values to render again.
fn asked_again(form: &KeyForm) -> KeyForm {
    KeyForm {
        change: "ask".to_owned(),
        comment: sent_back(&form.comment, 2 * MAX_COMMENT),
        leaked: sent_back(&form.leaked, MAX_NAME),
        ..KeyForm::default()
    }
}

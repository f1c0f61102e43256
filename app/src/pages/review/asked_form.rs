//! The handler of the forms that answer what is asked.

use latchkey::{
    access::to,
    id::ReviewId,
    reviews::{self, AnswerError, MAX_COMMENT, WithdrawError},
};
use serde::Deserialize;

use crate::{
    error::AppError,
    form::{
        errors::WHOLE_FORM,
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{answer::FormAnswer, done::Done},
    request::PageRequest,
};

/// The fields of the form.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AnswerForm {
    /// The ID of the review.
    pub review: String,
    #[serde(default)]
    pub answer: String,
    /// Whether the owners will do it.
    #[serde(default)]
    pub promise: String,
    /// Whether the reviewer withdraws it.
    #[serde(default)]
    pub withdraw: String,
}

impl AnswerForm {
    fn sent_back(&self) -> Self {
        Self {
            review: sent_back(&self.review, MAX_NAME),
            answer: sent_back(&self.answer, 2 * MAX_COMMENT),
            promise: String::new(),
            withdraw: String::new(),
        }
    }
}

/// Answers a review, or withdraws what it asks.
pub async fn submit(
    request: PageRequest,
    form: AnswerForm,
) -> Result<FormAnswer<AnswerForm>, AppError> {
    if !form.withdraw.is_empty() {
        return withdraw(request, form).await;
    }
    let permit = request.permit::<to::AnswerReviews>().await?;
    let id: ReviewId = form.review.parse().map_err(|_| AppError::NotFound)?;
    let text = match form.answer.parse() {
        Ok(text) => text,
        Err(error) => return Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    };
    let engine = request.engine();
    let (replied, done) = match form.promise.is_empty() {
        true => (
            reviews::answer(engine, &permit, id, text).await,
            Done::ReviewAnswered,
        ),
        false => (
            reviews::promise(engine, &permit, id, text).await,
            Done::ReviewPromised,
        ),
    };
    match replied {
        Ok(()) => Ok(FormAnswer::done(request.address(), done)),
        Err(AnswerError::NotFound) => Err(AppError::NotFound),
        Err(AnswerError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}

async fn withdraw(
    request: PageRequest,
    form: AnswerForm,
) -> Result<FormAnswer<AnswerForm>, AppError> {
    let permit = request.permit::<to::ReviewKeys>().await?;
    let id: ReviewId = form.review.parse().map_err(|_| AppError::NotFound)?;
    match reviews::withdraw(request.engine(), &permit, id).await {
        Ok(()) => Ok(FormAnswer::done(request.address(), Done::ReviewWithdrawn)),
        Err(WithdrawError::NotFound) => Err(AppError::NotFound),
        Err(WithdrawError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}

//! The handler of the forms that review a key.

use latchkey::{
    findings::Code,
    id::KeyId,
    keys::create::sent_creation_token,
    reviews::{self, Aspect, Comment, MAX_COMMENT, NewReview, ReviewError, Verdict},
    time::DAY,
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

/// For how many days a key can be kept.
pub const KEEP_DAYS: [u32; 4] = [30, 90, 180, 365];
/// The choice that is selected.
pub const KEEP_DEFAULT: u32 = 90;

/// The fields of the form.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct ReviewForm {
    /// The ID of the key.
    pub key: String,
    /// The button that was pressed: `keep`, or `narrow.scopes`.
    #[serde(default)]
    pub verdict: String,
    #[serde(default)]
    pub comment: String,
    /// For how many days the key can be kept.
    #[serde(default)]
    pub days: String,
    /// The codes of the findings that the page showed.
    #[serde(default)]
    pub seen: String,
    /// The IDs of the open requests that the page showed.
    #[serde(default)]
    pub requests: String,
    /// The ID of the key to continue with.
    #[serde(default)]
    pub next: String,
    /// Makes a form that is submitted twice review once.
    #[serde(default)]
    pub token: String,
}

impl ReviewForm {
    /// The values to render again, each truncated to the maximum of its field.
    fn sent_back(&self) -> Self {
        Self {
            key: sent_back(&self.key, MAX_NAME),
            verdict: sent_back(&self.verdict, MAX_NAME),
            comment: sent_back(&self.comment, 2 * MAX_COMMENT),
            days: sent_back(&self.days, MAX_NAME),
            ..Self::default()
        }
    }
}

/// Reviews a key, and continues with the next one on the same page.
pub async fn submit(
    request: PageRequest,
    form: ReviewForm,
) -> Result<FormAnswer<ReviewForm>, AppError> {
    let membership = request.membership().await?;
    let (permit, engine) = (membership.permit()?, request.engine());
    let id: KeyId = form.key.parse().map_err(|_| AppError::NotFound)?;
    let (verdict, aspect) = pressed(&form.verdict).ok_or(AppError::Unreadable)?;
    let comment: Comment = match form.comment.parse() {
        Ok(comment) => comment,
        Err(error) => return Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    };
    let days = form.days.parse::<u32>().ok();
    let days = days
        .filter(|days| KEEP_DAYS.contains(days))
        .unwrap_or(KEEP_DEFAULT);
    let until = engine.clock().now().plus(i64::from(days) * DAY);
    // Codes that do not exist were found by nobody.
    let seen: Vec<Code> = form
        .seen
        .split_whitespace()
        .filter_map(|code| code.parse().ok())
        .collect();
    let requests = form.requests.split_whitespace();
    let requests = requests.filter_map(|id| id.parse().ok()).collect();
    let token = sent_creation_token(&form.token);
    let new = NewReview {
        verdict,
        aspect,
        comment,
        until: (verdict == Verdict::Keep).then_some(until),
        seen: Some(seen),
        seen_requests: Some(requests),
        // One page has forms for each key, and a form has several buttons.
        creation_token: token.map(|token| format!("{token}.{id}.{}", form.verdict)),
    };
    let (details, usage) = (membership.permit()?, membership.permit()?);
    match reviews::create(engine, &permit, &details, &usage, id, new).await {
        Ok(_) => {
            let done = match verdict {
                Verdict::Keep => Done::KeyReviewed,
                Verdict::Rotate
                | Verdict::Narrow
                | Verdict::Revoke
                | Verdict::AllowDomains
                | Verdict::Extend => Done::OwnersAsked,
            };
            // The browser scrolls to the next key, and continues there with the keyboard.
            let next = form.next.parse::<KeyId>().ok();
            let next = next.map_or_else(String::new, |next| format!("#{next}"));
            Ok(FormAnswer::done(
                format!("{}{next}", request.address()),
                done.of(id),
            ))
        }
        Err(ReviewError::NotFound) => Err(AppError::NotFound),
        Err(ReviewError::Fault(fault)) => Err(fault.into()),
        Err(error) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
    }
}

/// Reads the button: a verdict, and after a dot what to narrow.
fn pressed(button: &str) -> Option<(Verdict, Option<Aspect>)> {
    match button.split_once('.') {
        None => Some((button.parse().ok()?, None)),
        Some((verdict, aspect)) => Some((verdict.parse().ok()?, Some(aspect.parse().ok()?))),
    }
}

//! What an organization has done on the way to its first request.

use latchkey::{
    access::{Permit, to},
    keys::list::{KeyQuery, SortBy, list},
    outcome::Outcome,
    service_tokens::working_first,
    usage::latest::best_outcome,
};

use crate::{
    error::AppError,
    request::PageRequest,
    text::time::TimeText,
    values::first_steps::{FirstSteps, UsedKey},
};

/// Returns the steps of the organization with the slug `org`. Only owners can do them.
///
/// # Errors
/// If the user is not an owner or the database cannot be reached.
pub async fn first_steps(request: &PageRequest, org: &str) -> Result<FirstSteps, AppError> {
    let membership = request.membership_of(org).await?;
    let permit: Permit<to::ManageTokens> = membership.permit()?;
    let engine = request.engine();
    let now = engine.clock().now();
    let outcome = best_outcome(engine, &membership.permit()?).await?;
    let newest = working_first(engine, &permit, 1).await?;
    let has_token = newest.iter().any(|token| token.status(now) == "active");
    Ok(FirstSteps {
        token: has_token || outcome.is_some(),
        request: outcome == Some(Outcome::Valid),
        rejected: outcome
            .filter(|outcome| *outcome != Outcome::Valid)
            .map(|outcome| format!("{} ({})", outcome.title(), outcome.code())),
        used: None,
    })
}

/// Returns the key of the organization with the slug `org` that was used last; `None` if none was.
///
/// # Errors
/// If the user is not a member or the database cannot be reached.
pub async fn last_used(request: &PageRequest, org: &str) -> Result<Option<UsedKey>, AppError> {
    let membership = request.membership_of(org).await?;
    let engine = request.engine();
    let query = KeyQuery {
        sort: SortBy::LastUsed,
        descending: true,
        page_size: 1,
        ..KeyQuery::default()
    };
    let page = list(engine, &membership.permit()?, &query).await?;
    let now = engine.clock().now();
    Ok(page.keys.first().and_then(|key| {
        Some(UsedKey {
            id: key.id.to_string(),
            at: TimeText::relative(key.last_used_at?, now),
        })
    }))
}

//! How many of the keys with findings a person has reviewed.

use latchkey::{
    Engine,
    access::Membership,
    keys::list::{KeyQuery, count},
    reviews::ReviewFilter,
    time::Timestamp,
};
use leptos::prelude::*;

use crate::{
    error::AppError,
    text::{number::grouped, time::date},
};

/// Reviewed keys among those with findings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Keys that a person has reviewed.
    pub reviewed: i64,
    /// Keys with findings.
    pub all: i64,
    /// Since when reviews count.
    pub since: String,
}

/// Counts the keys that `query` finds, whether they are to be reviewed or not, and those reviewed since then.
pub async fn progress(
    engine: &Engine,
    membership: &Membership,
    query: &KeyQuery,
    since: Timestamp,
) -> Result<Progress, AppError> {
    let found = query.review.unwrap_or_default();
    let counted = async |reviewed_since| {
        let review = ReviewFilter {
            state: None,
            reviewed_since,
            ..found
        };
        let query = KeyQuery {
            review: Some(review),
            ..query.clone()
        };
        count(engine, &membership.permit()?, &query)
            .await
            .map_err(AppError::from)
    };
    Ok(Progress {
        reviewed: counted(Some(since)).await?,
        all: counted(None).await?,
        since: date(since),
    })
}

#[component]
pub fn ProgressLine(progress: Progress) -> impl IntoView {
    let Progress {
        reviewed,
        all,
        since,
    } = progress;
    view! {
        <p class="review-progress small">
            <progress value=reviewed max=all.max(1) aria-hidden="true"></progress>
            <span><b>{grouped(reviewed)}" of "{grouped(all)}</b>" keys with findings reviewed since "{since}</span>
        </p>
    }
}

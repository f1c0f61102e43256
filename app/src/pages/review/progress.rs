//! How many keys with findings there are, how far their review is, and how many of them a person has reviewed. Each number is
//! that of a list, to which it leads.

use latchkey::{
    Engine,
    access::Membership,
    keys::list::{KeyQuery, count},
    reviews::{ReviewFilter, ReviewState},
    time::Timestamp,
};
use leptos::prelude::*;

use super::address::{Address, Shown};
use crate::{
    error::AppError,
    text::{
        number::{counted, grouped},
        time::date,
    },
};

/// The active keys with findings that match the filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// All of them.
    pub all: i64,
    /// Keys to review.
    pub open: i64,
    /// Keys whose owners are asked to change them.
    pub asked: i64,
    /// Keys that a person reviewed in the period.
    pub in_period: i64,
    /// The start of the period.
    pub since: String,
}

/// Counts the keys that the filters of the page find, whatever was reviewed.
pub async fn progress(
    engine: &Engine,
    membership: &Membership,
    address: &Address,
    now: Timestamp,
) -> Result<Progress, AppError> {
    let query = address.query(now);
    let since = address.counted_since(now);
    let found = ReviewFilter {
        state: None,
        reviewed_since: None,
        ..query.review.unwrap_or_default()
    };
    let with = async |filter| counted_keys(engine, membership, &query, filter).await;
    let state = |state| ReviewFilter {
        state: Some(state),
        ..found
    };
    Ok(Progress {
        all: with(found).await?,
        open: with(state(ReviewState::Open)).await?,
        asked: with(state(ReviewState::Asked)).await?,
        in_period: with(ReviewFilter {
            reviewed_since: Some(since),
            ..found
        })
        .await?,
        since: date(since),
    })
}

/// Counts the keys of a query with another filter by what was reviewed.
pub async fn counted_keys(
    engine: &Engine,
    membership: &Membership,
    query: &KeyQuery,
    filter: ReviewFilter,
) -> Result<i64, AppError> {
    let query = KeyQuery {
        review: Some(filter),
        ..query.clone()
    };
    Ok(count(engine, &membership.permit()?, &query).await?)
}

#[component]
pub fn ProgressLine(address: Address, progress: Progress) -> impl IntoView {
    let Progress {
        all,
        open,
        asked,
        in_period,
        since,
    } = progress;
    let reviewed = (all - open - asked).max(0);
    let link = |shown: Shown, number: i64, text: String| {
        let current = (address.shown == shown).then_some("true");
        let href = address.showing(shown);
        view! { <a href=href aria-current=current><b>{grouped(number)}</b>{text}</a> }
    };
    view! {
        <div class="review-progress small">
            <progress value=all - open max=all.max(1) aria-hidden="true"></progress>
            <p>
                {link(Shown::All, all, format!(" active {} with findings: ", if all == 1 { "key" } else { "keys" }))}
                {link(Shown::State(ReviewState::Open), open, " to review".to_owned())}", "
                {link(Shown::State(ReviewState::Asked), asked, " with owners asked".to_owned())}", "
                {link(Shown::State(ReviewState::Reviewed), reviewed, " reviewed".to_owned())}". "
                {link(Shown::Since, in_period, format!(" of {} reviewed by a person since {since}", grouped(all)))}"."
            </p>
        </div>
    }
}

/// "12 reviews of 3 keys."
pub fn reviews_of_keys(reviews: i64, keys: i64, most: i64) -> String {
    if reviews > most {
        return format!("More than {} reviews.", grouped(most));
    }
    format!(
        "{} of {}.",
        counted(reviews, "review", "reviews"),
        counted(keys, "key", "keys")
    )
}

//! The reviews of a key, on its page.

use latchkey::{
    access::Membership,
    id::KeyId,
    reviews::{self, ReviewQuery},
};
use leptos::prelude::*;

use super::shown::{ReviewSummary, ShownReview};
use crate::{error::AppError, request::PageRequest, text::query::query_of};

/// The most reviews that are shown.
const SHOWN: u16 = 3;

/// The latest reviews of a key.
#[derive(Debug, Clone)]
pub struct KeyReviews {
    /// Newest first.
    reviews: Vec<ShownReview>,
    /// The URL of all of them.
    all: String,
    /// The URL of the key's place in the review.
    review: String,
}

/// Loads the latest reviews of a key, for those who can review it.
pub async fn of_key(
    request: &PageRequest,
    membership: &Membership,
    id: KeyId,
) -> Result<KeyReviews, AppError> {
    let query = ReviewQuery {
        key: Some(id),
        limit: SHOWN,
        ..ReviewQuery::default()
    };
    let engine = request.engine();
    let page = reviews::list(engine, &membership.permit()?, &query).await?;
    let now = engine.clock().now();
    let path = format!("/orgs/{}/review", membership.org().slug);
    let id = id.to_string();
    Ok(KeyReviews {
        reviews: page
            .reviews
            .iter()
            .map(|review| ShownReview::of(review, now))
            .collect(),
        all: format!("{path}/history{}", query_of(&[("key", &id)])),
        review: format!("{path}{}", query_of(&[("q", &id), ("state", "all")])),
    })
}

#[component]
pub fn ReviewsCard(
    reviews: KeyReviews,
    /// Whether the key has findings, so that it can be reviewed.
    has_findings: bool,
) -> impl IntoView {
    let review =
        has_findings.then(|| view! { <a class="link small" href=reviews.review>"Review"</a> });
    let all = (!reviews.reviews.is_empty())
        .then(|| view! { <footer><a class="link small" href=reviews.all>"All reviews of this key"</a></footer> });
    let none = reviews
        .reviews
        .is_empty()
        .then(|| view! { <p class="muted">"Nobody has reviewed this key."</p> });
    let items = reviews
        .reviews
        .into_iter()
        .map(|review| view! { <ReviewSummary review/> })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="reviews">
            <header><h2 id="reviews">"Reviews"</h2>{review}</header>
            <div class="body stack">{none}{items}</div>
            {all}
        </section>
    }
}

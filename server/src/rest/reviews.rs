//! `/v1/orgs/{org}/reviews` and `/v1/orgs/{org}/keys/{id}/reviews`: what was found and decided when keys were reviewed.

mod object;

use axum::{Json, extract::State, response::Response};
use latchkey::{
    Engine,
    access::to,
    id::{KeyId, ReviewId},
    keys::show,
    reviews::{
        self, Aspect, Comment, Created, NewReview, ReviewError, ReviewQuery, Verdict, WithdrawError,
    },
    time::SentInstant,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use self::object::ReviewObject;
use super::{
    body::{Body, required},
    created_in_list,
    idempotency::{Idempotency, replayed},
    path::{KeyListPath, KeyPath, OrgPath, ReviewPath, no_key, no_review},
    query::{Limit, Parameters, not_a_cursor},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, Problem},
    service_token::Manager,
};

/// One page of reviews.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReviewList {
    /// The reviews, newest first.
    data: Vec<ReviewObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<ReviewId>,
}

/// The fields of a new review.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewReviewFields {
    /// `keep` if the key can stay as it is, or what to ask of its owners: `rotate` it, `narrow` it, `revoke` it,
    /// `extend` or replace it before it expires, or `allow_domains` whose requests are rejected. A key is narrower with fewer scopes, domains or addresses, without localhost,
    /// or with an earlier expiry.
    #[schema(value_type = words::ReviewVerdict, required, nullable = false)]
    verdict: Option<Verdict>,
    /// With the verdict `narrow`, what to narrow; null for any part. With `rotate` and `revoke`, `leaked` if someone knows the secret
    /// who must not: the request then has high severity.
    #[schema(value_type = Option<words::ReviewAspect>)]
    aspect: Option<Aspect>,
    /// A comment of at most 1,000 characters, which owners and admins see. Required to keep a key that has a finding of high
    /// severity, or about which something is asked of its owners.
    #[schema(value_type = Option<String>, max_length = 1_000)]
    comment: Option<Comment>,
    /// Until when the key can be kept: at most one year, and at most until its expiry if it expires soon. Default: 90 days. Only with the verdict `keep`.
    #[schema(value_type = Option<jiff::Timestamp>)]
    until: Option<SentInstant>,
}

/// The page of a list of a key's reviews.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct KeyReviewQuery {
    /// The maximum number of items on a page. Default: 50. A page with 1 MB of items can have fewer.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^rev_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// Which reviews to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ReviewListQuery {
    /// The maximum number of items on a page. Default: 50. A page with 1 MB of items can have fewer.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^rev_[0-9a-f]{32}$")]
    cursor: Option<String>,
    /// The ID of a key. Returns only its reviews.
    #[param(value_type = Option<String>, pattern = "^key_[0-9a-f]{32}$")]
    key: Option<KeyId>,
    /// Returns only reviews with this verdict.
    #[param(value_type = words::ReviewVerdict, required = false)]
    verdict: Option<Verdict>,
    /// Returns only reviews at or after this time.
    #[param(value_type = Option<jiff::Timestamp>)]
    from: Option<SentInstant>,
    /// Returns only reviews before this time.
    #[param(value_type = Option<jiff::Timestamp>)]
    to: Option<SentInstant>,
}

/// List reviews
///
/// Reviews are listed newest first, with what the reviewer saw, what was decided, and what was done.
#[utoipa::path(get, path = "/v1/orgs/{org}/reviews", operation_id = "list_reviews", tag = "Reviews", params(ReviewListQuery),
    responses((status = 200, description = "A page of the list", body = ReviewList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<ReviewListQuery>,
) -> Result<Json<ReviewList>, Problem> {
    let query = ReviewQuery {
        key: query.key,
        verdict: query.verdict,
        from: query.from.map(SentInstant::not_before),
        to: query.to.map(SentInstant::not_before),
        after: after(query.cursor)?,
        limit: query.limit.into(),
        ..ReviewQuery::default()
    };
    page(&state.engine, &of, &query).await
}

/// List reviews of a key
#[utoipa::path(get, path = "/v1/orgs/{org}/keys/{id}/reviews", operation_id = "list_key_reviews", tag = "Reviews",
    params(KeyReviewQuery), responses((status = 200, description = "A page of the list", body = ReviewList)))]
pub async fn list_of_key(
    State(state): State<AppState>,
    KeyListPath { of, id }: KeyListPath,
    Parameters(query): Parameters<KeyReviewQuery>,
) -> Result<Json<ReviewList>, Problem> {
    let query = ReviewQuery {
        key: Some(id),
        after: after(query.cursor)?,
        limit: query.limit.into(),
        ..ReviewQuery::default()
    };
    let key = show::summary(&state.engine, &of.permit()?, id).await?;
    key.ok_or_else(no_key)?;
    page(&state.engine, &of, &query).await
}

/// Review a key
///
/// With the verdict `keep`, the key's findings do not need attention until the date, or until another finding appears. Other
/// verdicts ask the owners of the organization, who see them on the page `Review`. Several different requests about a key can be
/// open together; the same request again supersedes the earlier one, and `keep` supersedes them all. Only active keys can be
/// reviewed. Requires a token for the whole instance.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/reviews", operation_id = "review_key", tag = "Reviews",
    request_body = NewReviewFields, responses((status = 201, description = "Created", body = ReviewObject),
        (status = 409, description = "WRONG_STATE, LIMIT_REACHED")))]
pub async fn create(
    State(state): State<AppState>,
    // Extracted before the body, so that other tokens are denied regardless of what they send.
    _: Manager,
    KeyPath { of, id }: KeyPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<NewReviewFields>,
) -> Result<Response, Problem> {
    let permit = of.permit::<to::ReviewKeys>()?;
    let verdict = required("verdict", fields.verdict)?;
    let (aspect, comment, until) = (
        fields.aspect,
        fields.comment.unwrap_or_default(),
        fields.until,
    );
    let engine = &*state.engine;
    let create = async |creation_token: Option<String>| {
        let new = NewReview {
            verdict,
            aspect,
            comment: comment.clone(),
            until: until.map(SentInstant::timestamp),
            seen: None,
            seen_requests: None,
            creation_token,
        };
        let (details, usage) = (of.permit()?, of.permit()?);
        let created = reviews::create(engine, &permit, &details, &usage, id, new).await;
        let created = created.map_err(refused)?;
        let (Created::Now(id) | Created::Before(id)) = created;
        let found = reviews::find(engine, &details, id)
            .await?
            .ok_or_else(no_key)?;
        let response = created_in_list(ReviewObject::new(found, engine.clock().now()));
        Ok(match created {
            Created::Now(_) => response,
            Created::Before(_) => replayed(response),
        })
    };
    idempotency
        .once(engine, of.caller.token_id, &bytes, create)
        .await
}

/// Withdraw a request to the owners
///
/// Ends what a review of a token asks the owners to do, so that they no longer see it, and the key is to be reviewed again. What
/// people ask, they withdraw in the dashboard. Requires a token for the whole instance. This request has no body.
#[utoipa::path(post, path = "/v1/orgs/{org}/reviews/{review_id}/withdraw", operation_id = "withdraw_review", tag = "Reviews",
    responses((status = 200, description = "The review", body = ReviewObject),
        (status = 409, description = "WRONG_STATE")))]
pub async fn withdraw(
    State(state): State<AppState>,
    _: Manager,
    ReviewPath { of, id }: ReviewPath,
) -> Result<Json<ReviewObject>, Problem> {
    let engine = &*state.engine;
    let withdrawn = reviews::withdraw(engine, &of.permit()?, id).await;
    withdrawn.map_err(|error| match error {
        WithdrawError::NotFound => no_review(),
        WithdrawError::NotYours | WithdrawError::NotOpen => {
            Problem::new(Code::WrongState, error.to_string())
        }
        WithdrawError::Fault(fault) => fault.into(),
    })?;
    let review = reviews::find(engine, &of.permit()?, id).await?;
    let review = review.ok_or_else(no_review)?;
    Ok(Json(ReviewObject::new(review, engine.clock().now())))
}

async fn page(
    engine: &Engine,
    of: &OrgPath,
    query: &ReviewQuery,
) -> Result<Json<ReviewList>, Problem> {
    let page = reviews::list(engine, &of.permit()?, query).await?;
    let now = engine.clock().now();
    let data = page.reviews.into_iter();
    Ok(Json(ReviewList {
        data: data.map(|review| ReviewObject::new(review, now)).collect(),
        next_cursor: page.next,
    }))
}

fn after(cursor: Option<String>) -> Result<Option<ReviewId>, Problem> {
    let after = cursor.map(|cursor| cursor.parse()).transpose();
    after.map_err(|_| not_a_cursor())
}

fn refused(error: ReviewError) -> Problem {
    match error {
        ReviewError::NotFound => no_key(),
        ReviewError::WrongState(_) => Problem::new(Code::WrongState, error.to_string()),
        ReviewError::TooMany | ReviewError::TooManyReports => {
            Problem::new(Code::LimitReached, error.to_string())
        }
        ReviewError::InvalidUntil | ReviewError::UntilWithAsk => {
            Problem::invalid_field("until", error)
        }
        ReviewError::CommentRequired { .. } => Problem::invalid_field("comment", error),
        ReviewError::WrongAspect(_) | ReviewError::NothingToNarrow(_) => {
            Problem::invalid_field("aspect", error)
        }
        // Requests do not say what their sender has seen.
        ReviewError::NoDomains
        | ReviewError::NotYours
        | ReviewError::AlreadyAsked
        | ReviewError::NothingToExtend
        | ReviewError::NewFindings(_)
        | ReviewError::NewRequests(_) => Problem::invalid_field("verdict", error),
        ReviewError::Fault(fault) => fault.into(),
    }
}

//! `POST /v1/verify` (design §6): an API server verifies a key.

mod client_headers;
mod rate_limit;
mod request;

use std::time::Duration;

use axum::{
    RequestExt as _,
    body::Bytes,
    extract::{FromRequest, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use latchkey::{
    Engine, allowed_origins,
    convention::{ClassIndex, Convention, Scope},
    id::OrgId,
    outcome::{self, Outcome},
    service_tokens,
    verify::{self, Answer, InvalidReason, KnownAgent, KnownOrg},
};
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use self::{client_headers::ClientHeaders, rate_limit::RateLimit, request::Body};
use crate::{
    app_state::AppState,
    key_object::{VerifiedKey, VerifiedOrg, text},
    openapi::words,
    problem::{FieldError, Problem},
    rest::{
        body::{check_media_type, unread},
        query,
    },
    service_token,
};

/// The result of a verification.
#[derive(Serialize, ToSchema)]
#[schema(as = Verification)]
struct Document<'a> {
    /// Whether the key is valid for this request.
    valid: bool,
    /// The result code.
    #[schema(value_type = words::Decision)]
    code: &'static str,
    /// The HTTP status to return to your client.
    status: u16,
    /// A message for the user of the key.
    detail: &'static str,
    /// Why the key is invalid. Do not return this to your client.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::WhyInvalid, required = false)]
    reason: Option<&'static str>,
    /// The required scopes that the key does not have.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<String>, required = false)]
    missing_scopes: &'a [Scope],
    /// The key, if it was found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = VerifiedKey, required = false)]
    key: Option<VerifiedKey<'a>>,
    /// The agent, if one was requested and found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = AgentDocument, required = false)]
    agent: Option<AgentDocument<'a>>,
    /// The state of the key's rate limit, unless the request was rejected for another reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = RateLimit, required = false)]
    rate_limit: Option<RateLimit<'a>>,
    /// The number of seconds after which the client can retry. Returned with `RATE_LIMITED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    retry_after: Option<i64>,
    /// Headers to add to the response to your client.
    #[serde(skip_serializing_if = "ClientHeaders::is_empty")]
    #[schema(value_type = ClientHeaders, required = false)]
    headers: &'a ClientHeaders<'a>,
}

/// The agent, as API servers see it.
#[derive(Serialize, ToSchema)]
#[schema(as = VerifiedAgent)]
struct AgentDocument<'a> {
    /// The ID.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    id: &'a dyn std::fmt::Display,
    /// The public ID, which you can include in the source of a page.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    public_id: &'a dyn std::fmt::Display,
    /// The name.
    name: &'a str,
    /// The ID of the project.
    #[serde(serialize_with = "text")]
    #[schema(value_type = String)]
    project: &'a dyn std::fmt::Display,
    /// The organization.
    org: VerifiedOrg<'a>,
}

/// Verify a key
///
/// Every verification returns 200, whatever its result. Return `status` to your client. Verify the key on every
/// request; responses come from memory.
#[utoipa::path(post, path = "/v1/verify", operation_id = "verify_key", tag = "Verification", request_body = Body,
    responses((status = 200, description = "The result", body = Document)))]
pub async fn verify(State(state): State<AppState>, request: Request) -> Response {
    match answer(&state, request).await {
        Ok(answer) => respond(&answer, state.engine.convention()),
        Err(problem) => problem.into_response(),
    }
}

/// The result of a verification, with what its document says beside it.
struct Answered<'a> {
    answer: Answer,
    /// The message for the user of the key.
    detail: &'static str,
    headers: ClientHeaders<'a>,
}

async fn answer(state: &AppState, request: Request) -> Result<Answered<'_>, Problem> {
    let engine = &*state.engine;
    let undecided = |error: latchkey::db::StorageError| {
        state.metrics.undecided_verifications.increment(1);
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a verification failed because of a database error"
        );
        Problem::unavailable()
    };
    let (parts, body) = request.with_limited_body().into_parts();
    let presented = service_token::presented(&parts.headers)?;
    // Service tokens of both scopes can verify.
    let token = async || {
        let recognised = service_tokens::recognise(engine, &presented).await;
        service_token::known(recognised.map_err(undecided)?)
    };
    // The token is checked before the body, so that requests without a valid token are rejected immediately, and again
    // after it, because the token can be revoked meanwhile.
    token().await?;
    query::has_none(&parts.uri)?;
    check_media_type(&parts.headers)?;
    let body = Bytes::from_request(Request::new(body), &()).await;
    let body = body.map_err(unread)?;
    let token = token().await?;
    let body = Body::parse(&body)?;
    let class = class_of(&body, engine.convention())?;
    let request = verify::Request {
        key: body.key.as_ref(),
        agent: body.agent(),
        scopes: body.scopes.as_deref().unwrap_or_default(),
        class,
        origin: body.origin(),
        referer: body.referer(),
        user_agent: body.user_agent(),
        ip: body.ip(),
        environment: body.environment,
        project: body.project,
        org: token.org_id,
        cost: body.cost(),
        dry_run: body.is_dry_run(),
    };
    let answer = verify::verify(engine, &request).await.map_err(undecided)?;
    let readable =
        !answer.origin_allowed && may_be_read(engine, request.origin, token.org_id).await;
    let headers = ClientHeaders::of(&answer, &request, readable, engine.convention());
    let detail = match answer.outcome {
        Outcome::IpNotAllowed if request.ip.is_none() => outcome::NO_ADDRESS,
        outcome => outcome.detail(engine.convention().bound_to),
    };
    Ok(Answered {
        answer,
        detail,
        headers,
    })
}

/// The endpoint class that a request counts against. The cost must not exceed its limit, because waiting would never
/// help.
fn class_of(body: &Body, convention: &Convention) -> Result<ClassIndex, Problem> {
    let invalid = |message: &'static str, field: &'static str, detail| {
        let field = field.into();
        Problem::invalid_request(message, vec![FieldError { field, detail }])
    };
    let class = match body.class() {
        None => ClassIndex::default_of(convention),
        Some(name) => ClassIndex::find(convention, name).ok_or_else(|| {
            let offered: Vec<&str> = convention.classes.keys().map(String::as_str).collect();
            let detail = format!("must be one of {}", offered.join(", "));
            invalid("Unknown endpoint class.", "class", detail)
        })?,
    };
    let limit = class.per_minute(convention);
    if body.cost().get() > limit.get() {
        let name = class.name(convention);
        let detail = format!("must be at most {limit}: the limit of the class `{name}` a minute");
        return Err(invalid("The cost is above the limit.", "cost", detail));
    }
    Ok(class)
}

/// The maximum time for which a rejected verification waits to find out whether pages can read the response. The answer
/// is almost always in memory, and if the database is unavailable, a page that cannot read the response is better than
/// a delay.
const LONGEST_LOOK: Duration = Duration::from_millis(200);

/// Whether pages of the origin can read a response even though their own key does not allow the origin, for example to
/// see why the key was rejected.
async fn may_be_read(engine: &Engine, origin: Option<&str>, of: Option<OrgId>) -> bool {
    let Some(origin) = origin else {
        return false;
    };
    match timeout(LONGEST_LOOK, allowed_origins::allows(engine, origin, of)).await {
        Ok(Ok(allows)) => allows,
        Ok(Err(error)) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to determine which pages can read a response"
            );
            false
        }
        Err(_) => false,
    }
}

fn respond(answered: &Answered<'_>, convention: &Convention) -> Response {
    let Answered {
        answer,
        detail,
        headers,
    } = answered;
    let rate_limit = answer
        .rate_limit
        .as_ref()
        .map(|standing| RateLimit::of(standing, convention));
    let document = Document {
        valid: answer.outcome == Outcome::Valid,
        code: answer.outcome.code(),
        status: answer.outcome.status(),
        detail,
        reason: answer.reason.map(InvalidReason::as_str),
        missing_scopes: &answer.missing_scopes,
        key: answer
            .key
            .as_deref()
            .zip(answer.org.as_deref())
            .map(|(key, org)| VerifiedKey::new(key, org)),
        agent: answer
            .agent
            .as_deref()
            .zip(answer.org.as_deref())
            .map(|(agent, org)| agent_document(agent, org)),
        rate_limit,
        retry_after: rate_limit
            .filter(|_| answer.outcome == Outcome::RateLimited)
            .map(|rate_limit| rate_limit.retry_after()),
        headers,
    };
    let mut json = Vec::with_capacity(512);
    match serde_json::to_writer(&mut json, &document) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "failed to serialize a response"
            );
            Problem::internal().into_response()
        }
    }
}

fn agent_document<'a>(agent: &'a KnownAgent, org: &'a KnownOrg) -> AgentDocument<'a> {
    AgentDocument {
        id: &agent.id,
        public_id: &agent.public_id,
        name: agent.name.as_str(),
        project: &agent.project_id,
        org: VerifiedOrg::from(org),
    }
}

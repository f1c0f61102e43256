//! `POST /v1/verify` (design §6): an API server asks whether a key may pass.

mod client_headers;
mod request;

use axum::{
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use latchkey::{
    convention::Scope,
    key::text::PlainKey,
    outcome::Outcome,
    service_tokens,
    usage::recorder::ClassIndex,
    verify::{self, Answer, InvalidReason, KnownAgent, KnownKey},
};
use serde::{Serialize, Serializer};

use self::{client_headers::ClientHeaders, request::Body};
use crate::{
    app_state::AppState,
    key_object::instant,
    problem::{FieldError, Problem},
};

/// The answer on the wire.
#[derive(Serialize)]
struct Document<'a> {
    valid: bool,
    code: &'static str,
    status: u16,
    detail: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    missing_scopes: &'a [Scope],
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<AgentDocument<'a>>,
    #[serde(skip_serializing_if = "ClientHeaders::is_empty")]
    headers: &'a ClientHeaders,
}

/// The key on the wire: what a trusted caller may know of it.
#[derive(Serialize)]
struct KeyDocument<'a> {
    #[serde(serialize_with = "text")]
    id: &'a dyn std::fmt::Display,
    name: &'a str,
    kind: &'static str,
    environment: &'static str,
    org: OrgDocument<'a>,
    #[serde(serialize_with = "text")]
    project: &'a dyn std::fmt::Display,
    scopes: &'a [Scope],
    expires_at: Option<jiff::Timestamp>,
    metadata: &'a serde_json::Value,
}

/// The agent on the wire.
#[derive(Serialize)]
struct AgentDocument<'a> {
    #[serde(serialize_with = "text")]
    id: &'a dyn std::fmt::Display,
    #[serde(serialize_with = "text")]
    public_id: &'a dyn std::fmt::Display,
    name: &'a str,
    #[serde(serialize_with = "text")]
    project: &'a dyn std::fmt::Display,
    org: OrgDocument<'a>,
}

#[derive(Serialize)]
struct OrgDocument<'a> {
    #[serde(serialize_with = "text")]
    id: &'a dyn std::fmt::Display,
    slug: &'a str,
}

/// Handles `POST /v1/verify`.
pub async fn verify(
    State(state): State<AppState>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    match answer(&state, &headers, body).await {
        Ok((answer, headers)) => {
            state.metrics.count_verification(answer.outcome);
            respond(&answer, &headers)
        }
        Err(problem) => problem.into_response(),
    }
}

async fn answer(
    state: &AppState,
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(Answer, ClientHeaders), Problem> {
    let engine = &*state.engine;
    let undecided = |error: latchkey::db::StorageError| {
        state.metrics.undecided_verifications.increment(1);
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "a verification could not be decided"
        );
        Problem::unavailable()
    };
    let Some(token) = bearer(headers) else {
        return Err(Problem::unauthorized(
            "Send a service token: Authorization: Bearer TOKEN.",
            false,
        ));
    };
    // Both scopes of service tokens may verify.
    if service_tokens::recognise(engine, &token)
        .await
        .map_err(undecided)?
        .is_none()
    {
        return Err(Problem::unauthorized(
            "This is not a service token of this Latchkey. Make one with `latchkey token create`.",
            true,
        ));
    }
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "BODY_TOO_LARGE",
            "The body has at most 64 kB.",
        ),
        _ => Problem::invalid_request("The body could not be read.", Vec::new()),
    })?;
    let body = Body::parse(&body)?;
    let class = match &body.class {
        None => ClassIndex::default_of(engine.convention()),
        Some(name) => ClassIndex::find(engine.convention(), name).ok_or_else(|| {
            let offered: Vec<&str> = engine
                .convention()
                .classes
                .keys()
                .map(String::as_str)
                .collect();
            let detail = format!("must be one of {}", offered.join(", "));
            Problem::invalid_request(
                "There is no such class.",
                vec![FieldError {
                    field: "class",
                    detail,
                }],
            )
        })?,
    };
    let request = verify::Request {
        key: body.key.as_ref(),
        agent: body.agent.as_deref(),
        scopes: body.scopes.as_deref().unwrap_or_default(),
        class,
        origin: body.origin.as_deref(),
        referer: body.referer.as_deref(),
        ip: body.ip,
    };
    let answer = verify::verify(engine, &request).await.map_err(undecided)?;
    let headers = ClientHeaders::of(&answer, &request, engine.convention());
    Ok((answer, headers))
}

/// The token of an `Authorization: Bearer` header. The scheme's case does not matter (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<PlainKey> {
    let (scheme, token) = headers
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?
        .split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| PlainKey::from_presented(token.trim()))
}

fn respond(answer: &Answer, headers: &ClientHeaders) -> Response {
    let document = Document {
        valid: answer.outcome == Outcome::Valid,
        code: answer.outcome.code(),
        status: answer.outcome.status(),
        detail: detail(answer),
        reason: answer.reason.map(InvalidReason::as_str),
        missing_scopes: &answer.missing_scopes,
        key: answer.key.as_deref().map(key_document),
        agent: answer.agent.as_deref().map(agent_document),
        headers,
    };
    let mut json = Vec::with_capacity(512);
    match serde_json::to_writer(&mut json, &document) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an answer could not be written"
            );
            Problem::internal().into_response()
        }
    }
}

fn key_document(key: &KnownKey) -> KeyDocument<'_> {
    KeyDocument {
        id: &key.id,
        name: key.name.as_str(),
        kind: key.kind.as_str(),
        environment: key.environment.as_str(),
        org: OrgDocument {
            id: &key.org_id,
            slug: key.org_slug.as_str(),
        },
        project: &key.project_id,
        scopes: &key.scopes,
        expires_at: key.lifecycle.expires_at.and_then(instant),
        metadata: &key.metadata,
    }
}

fn agent_document(agent: &KnownAgent) -> AgentDocument<'_> {
    AgentDocument {
        id: &agent.id,
        public_id: &agent.public_id,
        name: agent.name.as_str(),
        project: &agent.project_id,
        org: OrgDocument {
            id: &agent.org_id,
            slug: agent.org_slug.as_str(),
        },
    }
}

fn text<S: Serializer>(value: &dyn std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

/// One sentence that says what to do.
fn detail(answer: &Answer) -> &'static str {
    match answer.outcome {
        Outcome::Valid => "The key may pass.",
        Outcome::MissingApiKey => "Send an API key with the request.",
        Outcome::InvalidApiKey => match answer.reason {
            Some(InvalidReason::Malformed) => {
                "This is not an API key. Check that it was copied whole."
            }
            Some(InvalidReason::Disabled) => "The key is disabled. Its owner can enable it again.",
            Some(InvalidReason::Revoked) => "The key was revoked. Use another one.",
            Some(InvalidReason::Superseded) => {
                "The key was rotated and this secret has ended. Use the new one."
            }
            Some(InvalidReason::Unknown) | None => {
                "There is no such key. Check that it belongs to this service."
            }
        },
        Outcome::ExpiredApiKey => "The key has expired. Make a new one.",
        Outcome::AgentNotFound => "There is no such agent. Check its public ID.",
        Outcome::OrgMismatch => "The agent belongs to another organization. Use one of its keys.",
        Outcome::OriginNotAllowed => {
            "The key does not work on this site. Add its domain to the key's allowed domains."
        }
        Outcome::SecretKeyInBrowser => {
            "This is a secret key and must not be used in a browser. Use a widget key."
        }
        Outcome::IpNotAllowed => {
            "The key does not work from this address. Add it to the key's address ranges."
        }
        Outcome::InsufficientScope => {
            "The key lacks a scope that this needs. Use a key that has it."
        }
        Outcome::InsufficientCredits => "The organization has too few credits. Buy some.",
        Outcome::QuotaExceeded => {
            "The organization's quota for this month is used up. Wait for the next, or change the plan."
        }
        Outcome::RateLimited => "Too many requests. Wait and try again.",
    }
}

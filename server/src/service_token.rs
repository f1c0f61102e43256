//! Authenticates API requests by their service token. REST requests are authenticated after their body has arrived
//! (`rest/share_limit.rs`).

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use latchkey::{
    access::{AccessError, Operator, OrgToken},
    id::ServiceTokenId,
    key::text::PlainKey,
    service_tokens::{self, ServiceToken, TokenScope},
};

use crate::{app_state::AppState, client_address::visit, problem::Problem};

/// A caller with an operator's service token of the scope `manage`.
#[derive(Debug, Clone)]
pub struct Manager {
    /// Proof that the caller acts for the operator.
    pub operator: Operator,
    pub token_id: ServiceTokenId,
}

/// A caller with a service token of the scope `manage`, of the operator or of an organization.
#[derive(Debug)]
pub struct ApiCaller {
    pub reach: Reach,
    pub token_id: ServiceTokenId,
}

/// What a caller can access.
#[derive(Debug, Clone)]
pub enum Reach {
    /// Every organization.
    Instance(Operator),
    /// One organization, with a fixed list of operations ([`TokenScope::may`]).
    Org(Box<OrgToken>),
}

/// Returns the token of an `Authorization: Bearer` header. The scheme is case-insensitive (RFC 9110, 11.1).
pub fn presented(headers: &HeaderMap) -> Result<PlainKey, Problem> {
    let credentials = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    match credentials {
        Some((_, token)) => Ok(PlainKey::from_presented(token.trim())),
        None => Err(Problem::unauthorized(
            "Send a service token: Authorization: Bearer TOKEN.",
            false,
        )),
    }
}

/// The recognized token, or the error for an invalid one.
pub fn known(recognised: Option<Arc<ServiceToken>>) -> Result<Arc<ServiceToken>, Problem> {
    recognised.ok_or_else(not_a_token)
}

fn not_a_token() -> Problem {
    Problem::unauthorized(
        "The service token is invalid. Owners create one on the page `Service tokens`, and the operator with `latchkey token create`.",
        true,
    )
}

/// Finds the service token of a request.
async fn token_of(parts: &Parts, state: &AppState) -> Result<Arc<ServiceToken>, Problem> {
    let presented = presented(&parts.headers)?;
    known(service_tokens::recognise(&state.engine, &presented).await?)
}

impl FromRequestParts<AppState> for Manager {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let token = token_of(parts, state).await?;
        let visit = visit(parts, &state.settings.trusted_proxies);
        let operator = Operator::with_token(&state.engine, &token, visit);
        Ok(Self {
            operator: operator.ok_or_else(|| match token.org_id {
                None => Problem::forbidden(),
                Some(_) => Problem::instance_token_required(),
            })?,
            token_id: token.id,
        })
    }
}

impl FromRequestParts<AppState> for ApiCaller {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let token = token_of(parts, state).await?;
        let visit = visit(parts, &state.settings.trusted_proxies);
        let own = OrgToken::find(&state.engine, &token, visit.clone()).await;
        let own = own.map_err(|error| match error {
            AccessError::Fault(fault) => fault.into(),
            AccessError::NotFound
            | AccessError::NoLongerMember(_)
            | AccessError::Forbidden(_)
            | AccessError::SecondFactorNeeded(_) => not_a_token(),
        })?;
        let reach = match own {
            Some(own) if own.scope() == TokenScope::Manage => Some(Reach::Org(Box::new(own))),
            // Of a token that is neither, the denial is recorded.
            _ => Operator::with_token(&state.engine, &token, visit).map(Reach::Instance),
        };
        Ok(Self {
            reach: reach.ok_or_else(Problem::forbidden)?,
            token_id: token.id,
        })
    }
}

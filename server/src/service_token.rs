//! Authenticates API requests by their service token.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use latchkey::{
    access::Operator,
    db::StorageError,
    id::ServiceTokenId,
    key::text::PlainKey,
    service_tokens::{self, ServiceToken},
};

use crate::{app_state::AppState, client_address::visit, problem::Problem};

/// A caller with a service token of the scope `manage`, who acts as the operator.
#[derive(Debug, Clone)]
pub struct Manager {
    pub operator: Operator,
    pub token_id: ServiceTokenId,
}

/// The token of an `Authorization: Bearer` header. The scheme is case-insensitive (RFC 9110, 11.1).
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

/// Recognizes a service token. A token that is not in memory is looked up in the database. Look-ups of one client wait
/// for each other, since it can make up any number of tokens and verification uses the same connections.
pub async fn recognise(
    state: &AppState,
    parts: &Parts,
    presented: &PlainKey,
) -> Result<Option<Arc<ServiceToken>>, StorageError> {
    let in_memory = service_tokens::recognise_from_memory(&state.engine, presented);
    if in_memory.is_some() {
        return Ok(in_memory);
    }
    let address = visit(parts, &state.settings.trusted_proxies).address;
    let _turn = state.shares.token_look_up(address).await;
    service_tokens::recognise(&state.engine, presented).await
}

/// The recognized token, or the error for an invalid one.
pub fn known(recognised: Option<Arc<ServiceToken>>) -> Result<Arc<ServiceToken>, Problem> {
    recognised.ok_or_else(|| {
        Problem::unauthorized(
            "The service token is invalid. Create one with `latchkey token create`.",
            true,
        )
    })
}

impl FromRequestParts<AppState> for Manager {
    type Rejection = Problem;
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Problem> {
        let presented = presented(&parts.headers)?;
        let recognised = recognise(state, parts, &presented).await;
        let token = known(recognised?)?;
        let visit = visit(parts, &state.settings.trusted_proxies);
        Ok(Self {
            operator: service_tokens::operator(&state.engine, &token, visit)
                .ok_or_else(Problem::forbidden)?,
            token_id: token.id,
        })
    }
}

//! Middleware around all REST operations: receives the body of a request before anything else, and limits concurrent
//! requests of an organization's own tokens to its share (`shares.rs`).
//!
//! Handlers authenticate their caller after this, so a token that is revoked while a body arrives can do nothing.
//! Verifications have no share, and receive their bodies themselves (`verify.rs`).

use axum::{
    body::Body,
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use latchkey::service_tokens;

use latchkey::{
    fault::Fault,
    keys::import::check_queue,
    party::Party,
    work_queue::{Unfinished, Whose},
};
use tracing::Instrument as _;

use super::key_import;
use crate::{
    app_state::AppState,
    arriving_bodies::{
        NotReceived,
        large::{Brings, Member, Tenant},
    },
    client_address::Begun,
    problem::Problem,
    service_token,
    share_limit::length,
};

/// The maximum size of a request body in bytes, except for imports.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Handles a request within the share of its organization, once its body has arrived.
pub async fn limit(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let max = match request.extensions().get().map(MatchedPath::as_str) {
        Some("/v1/verify") => return next.run(request).await,
        Some("/v1/orgs/{org}/keys/import") => key_import::MAX_FILE,
        _ => BODY_LIMIT,
    };
    in_turn(&state, request, max, next)
        .await
        .unwrap_or_else(Problem::into_response)
}

async fn in_turn(
    state: &AppState,
    request: Request,
    max: usize,
    next: Next,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let token = match service_token::presented(&parts.headers) {
        Ok(presented) => service_tokens::recognise(&state.engine, &presented).await?,
        Err(_) => None,
    };
    let Some(token) = token else {
        // The body of a request without a valid token is not read. The handler rejects the request.
        return Ok(next.run(Request::from_parts(parts, Body::empty())).await);
    };
    let shares = &state.shares;
    let arriving = match token.org_id {
        Some(_) => &shares.arriving_of_orgs,
        None => &shares.arriving_of_operators,
    };
    if max == key_import::MAX_FILE
        && let Some(org_id) = token.org_id
    {
        let begun = parts.extensions.get::<Begun>().map(|begun| begun.0);
        let whose = Whose::from(Party::Org(org_id));
        check_queue(&state.engine, whose, length(&body), begun).map_err(Fault::from)?;
    }
    let brings = Brings {
        tenant: token.org_id.map_or(Tenant::Operator(token.id), Tenant::Org),
        member: Member::Token(token.id),
    };
    let arrived = arriving
        .receive_or_fail_later(token.id, brings, body, max)
        .await;
    let arrived = arrived.map_err(|error| match error {
        NotReceived::Displaced => Problem::too_many_of_token(),
        _ => Problem::request_timeout(),
    })?;
    let turn = async {
        match token.org_id {
            Some(org_id) => Some(Some(shares.of_org(org_id).await?)),
            // The operator's tokens have no share.
            None => Some(None),
        }
    };
    let in_turn = arrived.in_turn(turn).await;
    let (turn, body) = in_turn.ok_or_else(Problem::too_many_of_org)?;
    let can_be_dropped = parts.method.is_safe() || max == key_import::MAX_FILE;
    let answer = next.run(Request::from_parts(parts, body));
    if can_be_dropped {
        let _turn = turn;
        return Ok(answer.await);
    }
    // In a task of its own, which has the turn: what follows a step of a change, such as the release of an Idempotency-Key, is
    // also done if the client hangs up.
    let changed = async move {
        let _turn = turn;
        answer.await
    };
    match tokio::spawn(changed.in_current_span()).await {
        Ok(answer) => Ok(answer),
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(Fault::from(Unfinished).into()),
        },
    }
}

//! `POST /v1/orgs/{org}/keys/{id}/disable`, `…/enable` and `…/revoke`. Each answers with the key as it is then.

use axum::{extract::State, response::Response};
use latchkey::{
    key::RevokeReason,
    keys::change_state::{self, ChangeStateError},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body::{Body, required},
    keys::answer,
    path::{KeyPath, no_key},
    storage_failed,
};
use crate::{
    app_state::AppState,
    key_object::KeyObject,
    openapi::words,
    problem::{Code, Problem},
};

/// Why a key is ended.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The reason, for whoever looks at the key later.
    #[schema(value_type = words::KeyRevokeReason, required, nullable = false)]
    reason: Option<RevokeReason>,
}

/// Disable a key
///
/// It stops working at once and can be enabled again. Takes no body.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/disable", operation_id = "disable_key", tag = "Keys",
    responses((status = 200, description = "It is disabled", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn disable(State(state): State<AppState>, path: KeyPath) -> Result<Response, Problem> {
    let done = change_state::disable(&state.engine, &path.of.permit(), path.id).await;
    done.map_err(refused)?;
    answer(&state.engine, &path).await
}

/// Enable a disabled key
///
/// Takes no body.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/enable", operation_id = "enable_key", tag = "Keys",
    responses((status = 200, description = "It works again", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn enable(State(state): State<AppState>, path: KeyPath) -> Result<Response, Problem> {
    let done = change_state::enable(&state.engine, &path.of.permit(), path.id).await;
    done.map_err(refused)?;
    answer(&state.engine, &path).await
}

/// Revoke a key
///
/// It stops working at once, for good.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/revoke", operation_id = "revoke_key", tag = "Keys", request_body = Revocation,
    responses((status = 200, description = "It is revoked", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn revoke(
    State(state): State<AppState>,
    path: KeyPath,
    Body { fields, .. }: Body<Revocation>,
) -> Result<Response, Problem> {
    let reason = required("reason", fields.reason)?;
    let done = change_state::revoke(&state.engine, &path.of.permit(), path.id, reason).await;
    done.map_err(refused)?;
    answer(&state.engine, &path).await
}

fn refused(error: ChangeStateError) -> Problem {
    match error {
        ChangeStateError::NotFound => no_key(),
        ChangeStateError::NotFrom(status) => {
            let detail = format!("The key is {status}, and this cannot be done from there.");
            Problem::new(Code::WrongState, detail)
        }
        ChangeStateError::Storage(error) => storage_failed(error),
    }
}

//! `POST /v1/orgs/{org}/keys/{id}/disable`, `…/enable` and `…/revoke`. Each returns the updated key.

use axum::{extract::State, response::Response};
use latchkey::{
    key::{InvalidRevokeReason, RevokeReason, Status},
    keys::change_state::{self, ChangeStateError},
    revision::AsKnown,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body::Body,
    entity_tag::{IfMatch, changed_meanwhile},
    keys::answer,
    path::{KeyPath, no_key},
};
use crate::{
    app_state::AppState,
    key_object::KeyObject,
    openapi::words,
    problem::{Code, Problem},
};

/// The reason to revoke a key.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// The reason, which is shown with the key.
    #[schema(value_type = words::KeyRevokeReason, required, nullable = false)]
    reason: Option<RevokeReason>,
}

/// Disable a key
///
/// The key stops working immediately. You can enable it again. This request has no body.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/disable", operation_id = "disable_key", tag = "Keys",
    responses((status = 200, description = "The disabled key", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn disable(
    State(state): State<AppState>,
    path: KeyPath,
    IfMatch(known): IfMatch,
) -> Result<Response, Problem> {
    let key = AsKnown { id: path.id, known };
    let done = change_state::disable(&state.engine, &path.of.permit()?, key).await;
    done.map_err(refused(Change::Disable))?;
    answer(&state.engine, &path).await
}

/// Enable a disabled key
///
/// This request has no body.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/enable", operation_id = "enable_key", tag = "Keys",
    responses((status = 200, description = "The enabled key", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn enable(
    State(state): State<AppState>,
    path: KeyPath,
    IfMatch(known): IfMatch,
) -> Result<Response, Problem> {
    let key = AsKnown { id: path.id, known };
    let done = change_state::enable(&state.engine, &path.of.permit()?, key).await;
    done.map_err(refused(Change::Enable))?;
    answer(&state.engine, &path).await
}

/// Revoke a key
///
/// The key stops working immediately. This cannot be undone.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/revoke", operation_id = "revoke_key", tag = "Keys", request_body = Revocation,
    responses((status = 200, description = "The revoked key", body = KeyObject), (status = 409, description = "WRONG_STATE")))]
pub async fn revoke(
    State(state): State<AppState>,
    path: KeyPath,
    IfMatch(known): IfMatch,
    Body { fields, .. }: Body<Revocation>,
) -> Result<Response, Problem> {
    let reason = fields.reason.ok_or_else(|| {
        let detail = format!("is required. {InvalidRevokeReason}");
        Problem::invalid_field("reason", detail)
    })?;
    let key = AsKnown { id: path.id, known };
    let done = change_state::revoke(&state.engine, &path.of.permit()?, key, reason).await;
    done.map_err(refused(Change::Revoke))?;
    answer(&state.engine, &path).await
}

fn refused(change: Change) -> impl FnOnce(ChangeStateError) -> Problem {
    move |error| match error {
        ChangeStateError::NotFound => no_key(),
        ChangeStateError::WrongState(status) => {
            Problem::new(Code::WrongState, change.not_from(status))
        }
        ChangeStateError::ChangedMeanwhile => changed_meanwhile(),
        ChangeStateError::Fault(fault) => fault.into(),
    }
}

/// The requested change.
#[derive(Debug, Clone, Copy)]
enum Change {
    Disable,
    Enable,
    Revoke,
}

impl Change {
    /// Why a key with this status cannot be changed in this way, and what to do instead.
    fn not_from(self, status: Status) -> &'static str {
        match (self, status) {
            (Self::Disable, Status::Disabled) => {
                "The key is already disabled. Enable it to use it again, or revoke it to end it permanently."
            }
            (Self::Enable, Status::Active) => "The key is already active. No action is needed.",
            (Self::Revoke, Status::Revoked) => "The key is already revoked. No action is needed.",
            (Self::Disable | Self::Enable, Status::Revoked) => {
                "The key is revoked, which cannot be undone. Create a new key instead."
            }
            (Self::Disable, Status::Expired) => {
                "The key has expired and no longer works. To end it permanently, revoke it."
            }
            (Self::Enable, Status::Expired) => {
                "The key has expired. First set its `expires_at` to a time in the future, then enable it if it is \
                 disabled."
            }
            (Self::Disable, Status::Active)
            | (Self::Enable, Status::Disabled)
            | (Self::Revoke, Status::Active | Status::Disabled | Status::Expired) => {
                "The key's status has just changed. Retrieve the key, and send the request again if it is still needed."
            }
        }
    }
}

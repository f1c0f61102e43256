//! `PATCH /v1/orgs/{org}/keys/{id}`: changes the settings of a key. Omitted fields do not change.

use axum::{extract::State, response::Response};
use latchkey::keys::edit::{EditKeyError, edit};

use super::{
    body::Body,
    entity_tag::{IfMatch, changed_meanwhile},
    keys::answer,
    path::{KeyPath, no_key},
};
use crate::{
    app_state::AppState,
    key_object::{KeyChange, KeyObject},
    problem::{Code, Problem},
};

/// Update a key
///
/// Omitted fields do not change. Changes take effect immediately. You cannot change the kind and environment, because they
/// are part of the key's prefix.
#[utoipa::path(patch, path = "/v1/orgs/{org}/keys/{id}", operation_id = "change_key", tag = "Keys", request_body = KeyChange,
    responses((status = 200, description = "The updated key", body = KeyObject), (status = 409, description = "LIMIT_REACHED, WRONG_STATE")))]
pub async fn change(
    State(state): State<AppState>,
    path: KeyPath,
    IfMatch(known): IfMatch,
    Body { fields, .. }: Body<KeyChange>,
) -> Result<Response, Problem> {
    let engine = &state.engine;
    let (edit_keys, edit_domains) = (path.of.permit()?, path.of.permit()?);
    let change = fields.read()?;
    let done = edit(engine, &edit_keys, &edit_domains, path.id, change, &known).await;
    done.map_err(refused)?;
    answer(engine, &path).await
}

fn refused(error: EditKeyError) -> Problem {
    match error {
        EditKeyError::NotFound => no_key(),
        EditKeyError::Revoked => Problem::new(Code::WrongState, error.to_string()),
        EditKeyError::ChangedMeanwhile => changed_meanwhile(),
        EditKeyError::InvalidFields(wrong) => wrong.into(),
        EditKeyError::Limit(reached) => reached.into(),
        EditKeyError::Fault(fault) => fault.into(),
    }
}

//! `POST /v1/orgs/{org}/keys/{id}/rotate`: a new secret under the same key.

use axum::{extract::State, response::Response};
use latchkey::{
    keys::rotate::{self, RotateKeyError, Rotation},
    time::SECOND,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body::{Body, required},
    created,
    idempotency::{Idempotency, replayed},
    keys::find,
    path::{KeyPath, no_key},
    randomness_failed, storage_failed,
};
use crate::{
    app_state::AppState,
    key_object::KeyObject,
    problem::{Code, Problem},
};

/// How a key is rotated.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rotation)]
pub struct RotationBody {
    /// For how many seconds the old secret keeps working: 0 to 30 days.
    #[schema(value_type = u32, required, nullable = false, minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<u32>,
}

/// Rotate a key
///
/// Gives the key a new secret. The answer is the only one that ever holds its plain text; sent again with the same
/// `Idempotency-Key`, the answer is the key without it. Refused while the old secret of an earlier rotation still works.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/rotate", tag = "Keys", request_body = RotationBody,
    responses((status = 201, description = "The key; `key` is its new plain text", body = KeyObject),
        (status = 409, description = "WRONG_STATE")))]
pub async fn rotate(
    State(state): State<AppState>,
    KeyPath { of, id }: KeyPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<RotationBody>,
) -> Result<Response, Problem> {
    let engine = &state.engine;
    let seconds = required("overlap_seconds", fields.overlap_seconds)?;
    let rotation = Rotation {
        overlap: i64::from(seconds) * SECOND,
        token: idempotency.claim(engine, &of.manager, &bytes).await?,
    };
    let rotated = rotate::rotate(engine, &of.permit(), id, rotation).await;
    let location = of.location("keys", id);
    match rotated {
        Ok(rotated) => {
            let key = find(engine, &of, id).await?;
            let object = KeyObject::new(&key, engine.clock().now()).with_plain(&rotated.plain);
            Ok(created(&location, object))
        }
        // Its plain text was in the first answer and is nowhere else.
        Err(RotateKeyError::AlreadyRotated) => {
            let key = find(engine, &of, id).await?;
            let object = KeyObject::new(&key, engine.clock().now());
            Ok(replayed(created(&location, object)))
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: RotateKeyError) -> Problem {
    match error {
        RotateKeyError::NotFound => no_key(),
        RotateKeyError::OverlapOutOfRange => Problem::invalid_field("overlap_seconds", error),
        RotateKeyError::Randomness(error) => randomness_failed(error),
        RotateKeyError::Storage(error) => storage_failed(error),
        // Answered as what was done.
        RotateKeyError::AlreadyRotated => Problem::internal(),
        RotateKeyError::NotFrom(_)
        | RotateKeyError::RotationRunning { .. }
        | RotateKeyError::NotOffered(..) => Problem::new(Code::WrongState, error.to_string()),
    }
}

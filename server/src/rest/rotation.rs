//! `POST /v1/orgs/{org}/keys/{id}/rotate` and `…/end-old-secret`: creates a new secret for a key, and ends the old one
//! before its overlap is over.

use axum::{extract::State, response::Response};
use latchkey::{
    Engine,
    id::KeyId,
    keys::rotate::{self, EndOldSecretError, RotateKeyError, Rotation},
    revision::AsKnown,
    time::SECOND,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{
    body::{Body, required},
    created,
    entity_tag::{IfMatch, changed_meanwhile, tagged},
    fields::WholeNumber,
    idempotency::{Idempotency, replayed},
    keys::{self, find},
    path::{KeyPath, OrgPath, no_key},
};
use crate::{
    app_state::AppState,
    key_object::KeyObject,
    problem::{Code, Problem},
};

/// The options of a rotation.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Rotation)]
pub struct RotationBody {
    /// The number of seconds that the old secret keeps working: 0 to 2592000 (30 days).
    #[schema(value_type = u32, required, nullable = false, minimum = 0, maximum = 2_592_000)]
    overlap_seconds: Option<WholeNumber<0, 2_592_000>>,
}

/// Rotate a key
///
/// Gives the key a new secret. The plaintext is returned only in this response. If you repeat the request with the
/// same `Idempotency-Key`, the response contains the key without the plaintext. If that response was lost, rotate again: while
/// the old secret still works, a new secret that was never used is replaced. The old secret then keeps its end, whatever
/// `overlap_seconds` is. The request is rejected if the new secret is in use while the old one still works, and for one second
/// after a rotation, so that only one of several concurrent requests succeeds.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/rotate", operation_id = "rotate_key", tag = "Keys", request_body = RotationBody,
    responses((status = 201, description = "The key. `key` is the new plaintext key", body = KeyObject),
        (status = 409, description = "WRONG_STATE, ROTATION_RUNNING")))]
pub async fn rotate(
    State(state): State<AppState>,
    KeyPath { of, id }: KeyPath,
    IfMatch(known): IfMatch,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<RotationBody>,
) -> Result<Response, Problem> {
    let engine = &*state.engine;
    let seconds = required("overlap_seconds", fields.overlap_seconds)?;
    let make = |token| {
        let overlap = i64::from(seconds.get()) * SECOND;
        make(
            engine,
            &of,
            AsKnown { id, known },
            Rotation { overlap, token },
        )
    };
    idempotency
        .once(engine, of.caller.token_id, &bytes, make)
        .await
}

async fn make(
    engine: &Engine,
    of: &OrgPath,
    key: AsKnown<KeyId>,
    rotation: Rotation,
) -> Result<Response, Problem> {
    let id = key.id;
    let rotated = rotate::rotate(engine, &of.permit()?, key, rotation).await;
    let location = of.location("keys", id);
    match rotated {
        Ok(rotated) => {
            let key = find(engine, of, id).await?;
            let object = KeyObject::new(&key, engine.clock().now()).with_plain(&rotated.plain);
            Ok(tagged(&key.tag(), created(&location, object)))
        }
        // The plaintext was only in the first response and is not stored.
        Err(RotateKeyError::AlreadyRotated) => {
            let key = find(engine, of, id).await?;
            let object = KeyObject::new(&key, engine.clock().now());
            Ok(replayed(tagged(&key.tag(), created(&location, object))))
        }
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: RotateKeyError) -> Problem {
    match error {
        RotateKeyError::NotFound => no_key(),
        RotateKeyError::OverlapOutOfRange => Problem::invalid_field("overlap_seconds", error),
        RotateKeyError::ChangedMeanwhile => changed_meanwhile(),
        RotateKeyError::Fault(fault) => fault.into(),
        // `make` handles this case: it returns the rotated key.
        RotateKeyError::AlreadyRotated => Problem::internal(),
        RotateKeyError::RotationRunning { .. } | RotateKeyError::RotatedMeanwhile => {
            Problem::new(Code::RotationRunning, error.to_string())
        }
        RotateKeyError::WrongState(_) | RotateKeyError::NotOffered(..) => {
            Problem::new(Code::WrongState, error.to_string())
        }
    }
}

/// End the old secret of a key
///
/// The previous secret stops working immediately, before its overlap ends. This request has no body.
#[utoipa::path(post, path = "/v1/orgs/{org}/keys/{id}/end-old-secret", operation_id = "end_old_secret", tag = "Keys",
    responses((status = 200, description = "The key. Only the new secret works", body = KeyObject),
        (status = 409, description = "WRONG_STATE")))]
pub async fn end_old_secret(
    State(state): State<AppState>,
    path: KeyPath,
    IfMatch(known): IfMatch,
) -> Result<Response, Problem> {
    let key = AsKnown { id: path.id, known };
    let ended = rotate::end_old_secret(&state.engine, &path.of.permit()?, key).await;
    ended.map_err(|error| match error {
        EndOldSecretError::NotFound => no_key(),
        EndOldSecretError::NoneRunning | EndOldSecretError::WrongState(_) => {
            Problem::new(Code::WrongState, error.to_string())
        }
        EndOldSecretError::ChangedMeanwhile => changed_meanwhile(),
        EndOldSecretError::Fault(fault) => fault.into(),
    })?;
    keys::answer(&state.engine, &path).await
}

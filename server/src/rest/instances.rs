//! `/v1/instances`: which instances run on the database.

use axum::{Json, extract::State};
use latchkey::{
    id::InstanceId,
    instances::{self, Instance},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::storage_failed;
use crate::{app_state::AppState, key_object::instant, problem::Problem, service_token::Manager};

/// An instance that was seen in the last ten seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instance)]
pub struct InstanceObject {
    /// `ins_` and 32 hexadecimal digits: another one after each start, which the log names as `instance`.
    #[schema(value_type = String)]
    id: InstanceId,
    /// Its version.
    version: String,
    /// When it started.
    #[schema(value_type = jiff::Timestamp)]
    started_at: Option<jiff::Timestamp>,
    /// When it was last seen.
    #[schema(value_type = jiff::Timestamp)]
    seen_at: Option<jiff::Timestamp>,
}

/// The instances that run.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceList {
    /// The one that has run longest first.
    data: Vec<InstanceObject>,
}

impl From<Instance> for InstanceObject {
    fn from(instance: Instance) -> Self {
        Self {
            id: instance.id,
            version: instance.version,
            started_at: instant(instance.started_at),
            seen_at: instant(instance.seen_at),
        }
    }
}

/// List the instances that run
#[utoipa::path(get, path = "/v1/instances", operation_id = "list_instances", tag = "Instances",
    responses((status = 200, description = "Those seen in the last ten seconds", body = InstanceList)))]
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
) -> Result<Json<InstanceList>, Problem> {
    let running = instances::running(&state.engine, &manager.operator).await;
    let data = running.map_err(storage_failed)?;
    Ok(Json(InstanceList {
        data: data.into_iter().map(InstanceObject::from).collect(),
    }))
}

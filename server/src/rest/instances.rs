//! `/v1/instances`: the running instances.

use axum::{Json, extract::State};
use latchkey::{
    id::InstanceId,
    instances::{self, Instance},
    time::Rfc3339,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{NoParameters, Parameters};
use crate::{app_state::AppState, problem::Problem, service_token::Manager};

/// An instance that was active in the last ten seconds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Instance)]
pub struct InstanceObject {
    /// `ins_` followed by 32 hexadecimal digits. It changes with each start; the log shows it as `instance`.
    #[schema(value_type = String)]
    id: InstanceId,
    /// The version.
    version: String,
    /// When the instance started.
    #[schema(value_type = jiff::Timestamp)]
    started_at: Rfc3339,
    /// When the instance was last active.
    #[schema(value_type = jiff::Timestamp)]
    seen_at: Rfc3339,
}

/// The running instances.
#[derive(Debug, Serialize, ToSchema)]
pub struct InstanceList {
    /// The instances, longest running first.
    data: Vec<InstanceObject>,
}

impl From<Instance> for InstanceObject {
    fn from(instance: Instance) -> Self {
        Self {
            id: instance.id,
            version: instance.version,
            started_at: instance.started_at.rfc3339(),
            seen_at: instance.seen_at.rfc3339(),
        }
    }
}

/// List running instances
#[utoipa::path(get, path = "/v1/instances", operation_id = "list_instances", tag = "Instances",
    responses((status = 200, description = "The instances that were active in the last ten seconds", body = InstanceList)))]
pub async fn list(
    State(state): State<AppState>,
    manager: Manager,
    _: Parameters<NoParameters>,
) -> Result<Json<InstanceList>, Problem> {
    let running = instances::running(&state.engine, &manager.operator).await;
    let data = running?;
    Ok(Json(InstanceList {
        data: data.into_iter().map(InstanceObject::from).collect(),
    }))
}

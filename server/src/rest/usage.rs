//! `GET /v1/orgs/{org}/usage`: the results of verifications in an organization, by time step.

use axum::{Json, extract::State};
use latchkey::{
    id::KeyId,
    name::{DisplayName, KeyName},
    time::Rfc3339,
    usage::{
        parts,
        report::{self, Counts, Range},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{path::OrgPath, query::Parameters};
use crate::{app_state::AppState, openapi::words, problem::Problem};

/// The usage to retrieve.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// The period. Default: `30d`.
    #[serde(default)]
    #[param(value_type = words::UsageRange, required = false)]
    range: Range,
}

/// The number of verifications by result.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageCounts {
    /// Requests with a valid key.
    passed: i64,
    /// Requests rejected by rate limits, quotas or credits.
    limited: i64,
    /// Requests rejected for any other reason.
    refused: i64,
}

/// One step of the period.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageStep {
    /// When the step began.
    #[schema(value_type = jiff::Timestamp)]
    starts_at: Rfc3339,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// The number of times a code was returned.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// The code of the verification.
    #[schema(value_type = words::Decision)]
    code: &'static str,
    /// The number of times.
    count: i64,
}

/// The usage of one key.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyUsage {
    /// The ID of the key.
    #[schema(value_type = String)]
    id: KeyId,
    /// The name.
    #[schema(value_type = String)]
    name: KeyName,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// The usage of one agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentUsage {
    /// The public ID of the agent.
    public_id: String,
    /// The name.
    #[schema(value_type = String)]
    name: DisplayName,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// The usage of an organization. Steps are in UTC.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// The period.
    #[schema(value_type = words::UsageRange)]
    range: Range,
    /// When the last step ends.
    #[schema(value_type = jiff::Timestamp)]
    ends_at: Rfc3339,
    /// Every step, oldest first.
    steps: Vec<UsageStep>,
    /// The sum of the steps.
    total: UsageCounts,
    /// The sum over the same part of the previous period: as much of it as has passed of this one.
    total_before: UsageCounts,
    /// Each code other than `VALID` that was returned, most frequent first.
    refusals: Vec<Refusal>,
    /// Every key that was verified, most requests first.
    keys: Vec<KeyUsage>,
    /// Every agent whose public ID was used without a key, most requests first.
    agents: Vec<AgentUsage>,
}

impl From<Counts> for UsageCounts {
    fn from(counts: Counts) -> Self {
        Self {
            passed: counts.passed,
            limited: counts.limited,
            refused: counts.refused,
        }
    }
}

/// Retrieve usage
#[utoipa::path(get, path = "/v1/orgs/{org}/usage", operation_id = "show_usage", tag = "Usage", params(UsageQuery),
    responses((status = 200, description = "The usage", body = Usage)))]
pub async fn show(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<UsageQuery>,
) -> Result<Json<Usage>, Problem> {
    let engine = &state.engine;
    let range = query.range;
    let report = report::of_org(engine, &of.permit()?, range).await;
    let report = report?;
    let keys = parts::of_keys(engine, &of.permit()?, range, i64::MAX).await;
    let agents = parts::of_agents(engine, &of.permit()?, range, i64::MAX).await;
    let steps = report.steps.iter().map(|step| UsageStep {
        starts_at: step.starts_at.rfc3339(),
        counts: step.counts.into(),
    });
    let refusals = report.refusals.iter().map(|(outcome, count)| Refusal {
        code: outcome.code(),
        count: *count,
    });
    let keys = keys?.busiest.into_iter();
    let agents = agents?.busiest.into_iter();
    Ok(Json(Usage {
        range: query.range,
        ends_at: report.ends_at.rfc3339(),
        steps: steps.collect(),
        total: report.total.into(),
        total_before: report.total_before.into(),
        refusals: refusals.collect(),
        keys: keys
            .map(|key| KeyUsage {
                id: key.id,
                name: key.name,
                counts: key.counts.into(),
            })
            .collect(),
        agents: agents
            .map(|agent| AgentUsage {
                public_id: agent.id.to_string(),
                name: agent.name,
                counts: agent.counts.into(),
            })
            .collect(),
    }))
}

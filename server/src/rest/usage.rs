//! `GET /v1/orgs/{org}/usage`: what was decided on an org's keys, step by step.

use axum::{Json, extract::State};
use latchkey::{
    id::KeyId,
    name::{DisplayName, KeyName},
    usage::{
        parts,
        report::{self, Counts, Range},
    },
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{path::OrgPath, query::Parameters, storage_failed};
use crate::{app_state::AppState, key_object::instant, openapi::words, problem::Problem};

/// How far back.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub enum UsageRange {
    /// 24 steps of an hour.
    #[serde(rename = "24h")]
    Hours24,
    /// 7 steps of a day.
    #[serde(rename = "7d")]
    Days7,
    /// 30 steps of a day.
    #[default]
    #[serde(rename = "30d")]
    Days30,
    /// 12 calendar months.
    #[serde(rename = "12mo")]
    Months12,
}

/// Which usage to show.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct UsageQuery {
    /// How far back [30d].
    #[serde(default)]
    #[param(value_type = words::UsageRange, required = false)]
    range: UsageRange,
}

/// How many verifications, by what came of them.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageCounts {
    /// Let through.
    passed: i64,
    /// Refused for now: rate limits, quotas, credits.
    limited: i64,
    /// Refused.
    refused: i64,
}

/// One step of the range.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageStep {
    /// When it began.
    #[schema(value_type = jiff::Timestamp)]
    starts_at: Option<jiff::Timestamp>,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// How often a code was the answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refusal {
    /// The verification's code.
    #[schema(value_type = words::Decision)]
    code: &'static str,
    /// How often.
    count: i64,
}

/// One key's part.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyUsage {
    /// The key's id.
    #[schema(value_type = String)]
    id: KeyId,
    /// Its name.
    #[schema(value_type = String)]
    name: KeyName,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// One agent's part.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentUsage {
    /// Its public ID.
    public_id: String,
    /// Its name.
    #[schema(value_type = String)]
    name: DisplayName,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// An organization's usage. Steps are in UTC.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// How far back.
    #[schema(value_type = words::UsageRange)]
    range: UsageRange,
    /// When the last step ends.
    #[schema(value_type = jiff::Timestamp)]
    ends_at: Option<jiff::Timestamp>,
    /// Every step, oldest first.
    steps: Vec<UsageStep>,
    /// The sum of the steps.
    total: UsageCounts,
    /// The sum over as long a time before.
    total_before: UsageCounts,
    /// Each code that occurred but for `VALID`, most frequent first.
    refusals: Vec<Refusal>,
    /// Every key that was asked about, most requests first.
    keys: Vec<KeyUsage>,
    /// Every agent whose public ID was sent in place of a key, most requests first.
    agents: Vec<AgentUsage>,
}

impl From<UsageRange> for Range {
    fn from(range: UsageRange) -> Self {
        match range {
            UsageRange::Hours24 => Self::Hours24,
            UsageRange::Days7 => Self::Days7,
            UsageRange::Days30 => Self::Days30,
            UsageRange::Months12 => Self::Months12,
        }
    }
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

/// Show an organization's usage
#[utoipa::path(get, path = "/v1/orgs/{org}/usage", operation_id = "show_usage", tag = "Usage", params(UsageQuery),
    responses((status = 200, description = "The usage", body = Usage)))]
pub async fn show(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<UsageQuery>,
) -> Result<Json<Usage>, Problem> {
    let engine = &state.engine;
    let range = query.range.into();
    let report = report::of_org(engine, &of.permit(), range).await;
    let report = report.map_err(storage_failed)?;
    let keys = parts::of_keys(engine, &of.permit(), range).await;
    let agents = parts::of_agents(engine, &of.permit(), range).await;
    let steps = report.steps.iter().map(|step| UsageStep {
        starts_at: instant(step.starts_at),
        counts: step.counts.into(),
    });
    let refusals = report.refusals.iter().map(|(outcome, count)| Refusal {
        code: outcome.code(),
        count: *count,
    });
    let keys = keys.map_err(storage_failed)?.into_iter();
    let agents = agents.map_err(storage_failed)?.into_iter();
    Ok(Json(Usage {
        range: query.range,
        ends_at: instant(report.ends_at),
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

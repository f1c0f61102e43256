//! The JSON of a usage report, as returned by the API and exported by the page.

use latchkey::{
    Engine,
    access::{Permit, to},
    alerts::rule::Measure,
    id::KeyId,
    name::{DisplayName, KeyName},
    time::Rfc3339,
    usage::{
        Range, parts,
        question::{Dimension, Period, Question},
        report::{self, Counts, Group, ReportError},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::openapi::words;

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

/// A day that stands out.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnusualDay {
    /// When the day began.
    #[schema(value_type = jiff::Timestamp)]
    starts_at: Rfc3339,
    /// What stands out: all `requests`, or the `rejected` ones, which include those that a rate limit rejected.
    #[schema(value_type = words::UsageMeasure)]
    measure: Measure,
    /// The number of the day.
    count: i64,
    /// The number of a usual busy day: at most a tenth of the 28 days before have more.
    usual: i64,
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
    id: String,
    /// The name.
    name: String,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// The usage of one agent.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgentUsage {
    /// The public ID of the agent.
    public_id: String,
    /// The name.
    name: String,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// The total, divided by `group_by`.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageGroups {
    /// What the total is divided by.
    #[schema(value_type = words::UsageDimension)]
    by: &'static str,
    /// The 100 groups with the most requests, most requests first.
    data: Vec<UsageGroup>,
    /// All other requests: those of further groups, of deleted agents and projects, and those that belong to no group.
    other: UsageCounts,
}

/// The usage of one group.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageGroup {
    /// The value to filter by: an ID or a word.
    id: String,
    /// The name of the key, agent or project. Otherwise the value again.
    name: String,
    #[serde(flatten)]
    counts: UsageCounts,
}

/// The usage of an organization.
#[derive(Debug, Serialize, ToSchema)]
pub struct Usage {
    /// The period. Null if `from` was sent.
    #[schema(value_type = Option<words::UsageRange>, required)]
    range: Option<Range>,
    /// The start of the first step.
    #[schema(value_type = jiff::Timestamp)]
    from: Rfc3339,
    /// The end of the last step.
    #[schema(value_type = jiff::Timestamp)]
    to: Rfc3339,
    /// The length of the steps. The first and the last step are shorter if the period does not begin and end with a step.
    #[schema(value_type = words::UsageStepLength)]
    step: &'static str,
    /// The time zone in which the steps are cut: the requested one, or `UTC` for months and for days older than the hourly
    /// counts.
    tz: String,
    /// The end of the last step again.
    #[schema(value_type = jiff::Timestamp)]
    ends_at: Rfc3339,
    /// Every step, oldest first.
    steps: Vec<UsageStep>,
    /// The sum of the steps.
    total: UsageCounts,
    /// The sum over the same part of the previous period: as much of it as has passed of this one. Null if counts that old
    /// are not kept.
    #[schema(required)]
    total_before: Option<UsageCounts>,
    /// Each code other than `VALID` that was returned, most frequent first.
    refusals: Vec<Refusal>,
    /// The days that are far above the 28 days before them, by the organization's settings for alerts. Empty unless the steps
    /// are days, and the requests those of one key or of the organization: filters by class and outcome change what is compared.
    unusual_days: Vec<UnusualDay>,
    /// The keys that were verified, most requests first: every key if the only parameter is `range`, otherwise at most 100.
    keys: Vec<KeyUsage>,
    /// The agents whose public ID was used without a key, most requests first: as many as keys.
    agents: Vec<AgentUsage>,
    /// The total, divided. Only with `group_by`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    groups: Option<UsageGroups>,
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

impl From<Group> for KeyUsage {
    fn from(group: Group) -> Self {
        Self {
            id: group.id,
            name: group.name,
            counts: group.counts.into(),
        }
    }
}

impl From<Group> for AgentUsage {
    fn from(group: Group) -> Self {
        Self {
            public_id: group.id,
            name: group.name,
            counts: group.counts.into(),
        }
    }
}

impl Usage {
    /// Answers a question.
    ///
    /// # Errors
    /// If a parameter is invalid, or the database cannot be reached.
    pub async fn read(
        engine: &Engine,
        permit: &Permit<to::SeeUsageDetails>,
        question: &Question,
    ) -> Result<Self, ReportError> {
        let report = report::with_details(engine, permit, question).await?;
        let (keys, agents) = match question.is_plain_range() {
            Some(range) => of_range(engine, permit, range).await?,
            None => {
                let keys = report::largest(engine, permit, question, Dimension::Key).await?;
                let agents = report::largest(engine, permit, question, Dimension::Agent).await?;
                let used = |group: &Group| group.counts.all() > 0;
                (
                    keys.into_iter().filter(used).map(KeyUsage::from).collect(),
                    agents
                        .into_iter()
                        .filter(used)
                        .map(AgentUsage::from)
                        .collect(),
                )
            }
        };
        let steps = report.steps.iter().map(|step| UsageStep {
            starts_at: step.starts_at.rfc3339(),
            counts: step.counts.into(),
        });
        let refusals = report.refusals.iter().map(|(outcome, count)| Refusal {
            code: outcome.code(),
            count: *count,
        });
        let unusual_days = report.unusual.iter().map(|day| UnusualDay {
            starts_at: day.starts_at.rfc3339(),
            measure: day.measure,
            count: day.count,
            usual: day.usual,
        });
        Ok(Self {
            range: match question.period {
                Period::Range(range) => Some(range),
                Period::Between { .. } => None,
            },
            from: report.starts_at().rfc3339(),
            to: report.ends_at.rfc3339(),
            step: report.step.as_str(),
            tz: report.zone.to_string(),
            ends_at: report.ends_at.rfc3339(),
            steps: steps.collect(),
            total: report.total.into(),
            total_before: report.total_before.map(UsageCounts::from),
            refusals: refusals.collect(),
            unusual_days: unusual_days.collect(),
            keys,
            agents,
            groups: report.groups.map(|groups| UsageGroups {
                by: groups.by.as_str(),
                data: groups
                    .largest
                    .into_iter()
                    .map(|group| UsageGroup {
                        id: group.id,
                        name: group.name,
                        counts: group.counts.into(),
                    })
                    .collect(),
                other: groups.other.into(),
            }),
        })
    }
}

/// Every key and agent that was verified in a range or the period before.
async fn of_range(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    range: Range,
) -> Result<(Vec<KeyUsage>, Vec<AgentUsage>), ReportError> {
    let keys = parts::of_keys(engine, permit, range, i64::MAX).await?;
    let keys = keys
        .busiest
        .into_iter()
        .map(|key: parts::Part<KeyId, KeyName>| KeyUsage {
            id: key.id.to_string(),
            name: key.name.to_string(),
            counts: key.counts.into(),
        });
    let agents = parts::of_agents(engine, permit, range, i64::MAX).await?;
    let agents = agents
        .busiest
        .into_iter()
        .map(|agent: parts::Part<_, DisplayName>| AgentUsage {
            public_id: agent.id.to_string(),
            name: agent.name.to_string(),
            counts: agent.counts.into(),
        });
    Ok((keys.collect(), agents.collect()))
}

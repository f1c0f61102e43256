//! `GET /v1/orgs/{org}/findings`: what the owners of keys should look at.

use axum::{Json, extract::State};
use latchkey::{
    findings::{
        BrokenPolicy, Code, Evidence, Severity,
        list::{self, FindingsQuery, Found},
    },
    id::KeyId,
    name::KeyName,
    time::{Rfc3339, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    path::OrgPath,
    query::{Limit, Parameters},
};
use crate::{app_state::AppState, openapi::words, problem::Problem};

/// One page of findings.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingList {
    /// The findings, by key, the most urgent of each key first.
    data: Vec<FindingObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<Cursor>,
}

/// A finding: something about a key that its owners should look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingObject {
    /// What was found.
    #[schema(value_type = words::FindingCode)]
    code: Code,
    /// How urgent it is. `high`: someone else can use the key. `medium`: something breaks or is misused unless someone acts
    /// now. Both need attention until someone reviews them: the dashboard counts their keys. `low`: good practice, for a review; most new keys have such
    /// findings.
    #[schema(value_type = words::FindingSeverity)]
    severity: Severity,
    /// The key.
    key: FindingKey,
    /// Since when it applies. Null if that is not known.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    since: Option<Rfc3339>,
    /// What shows it.
    evidence: FindingEvidence,
    /// The policy of the organization that the key breaks: a field of the organization's policies. Null if none.
    #[schema(value_type = Option<words::FindingPolicy>, required)]
    policy: Option<&'static str>,
    /// What to do about it.
    advice: &'static str,
    /// Until when a review covers it, so that it does not need attention. Null if none does.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    reviewed_until: Option<Rfc3339>,
}

/// The key that a finding is about.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingKey {
    /// The key's ID.
    #[schema(value_type = String)]
    pub id: KeyId,
    /// The key's name.
    #[schema(value_type = String)]
    pub name: KeyName,
}

/// What shows a finding. Fields that do not apply are null or empty.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingEvidence {
    /// The number of requests.
    #[schema(required)]
    requests: Option<i64>,
    /// The origins or hosts of requests, the most frequent first, or the loopback hosts on which the key works: at most five.
    origins: Vec<String>,
    /// The key's scopes, or those that no request required.
    scopes: Vec<String>,
    /// The time of the last such request.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    last_at: Option<Rfc3339>,
    /// When the key expires.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    expires_at: Option<Rfc3339>,
    /// Until when the secrets that browsers sent still work, if the key was rotated since.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    works_until: Option<Rfc3339>,
}

impl From<Evidence> for FindingEvidence {
    fn from(evidence: Evidence) -> Self {
        Self {
            requests: evidence.requests,
            origins: evidence.origins,
            scopes: evidence.scopes,
            last_at: evidence.last_at.map(Timestamp::rfc3339),
            expires_at: evidence.expires_at.map(Timestamp::rfc3339),
            works_until: evidence.works_until.map(Timestamp::rfc3339),
        }
    }
}

impl From<Found> for FindingObject {
    fn from(found: Found) -> Self {
        Self {
            code: found.finding.code,
            severity: found.finding.severity,
            key: FindingKey {
                id: found.key_id,
                name: found.key_name,
            },
            since: found.finding.since.map(Timestamp::rfc3339),
            evidence: found.finding.evidence.into(),
            policy: found.finding.policy.map(BrokenPolicy::as_str),
            advice: found.finding.code.advice(),
            reviewed_until: found.finding.reviewed_until.map(Timestamp::rfc3339),
        }
    }
}

/// The last finding of a page: `key_….full_access`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cursor {
    key: KeyId,
    code: Code,
}

#[derive(Debug, thiserror::Error)]
#[error("must be the next_cursor of the previous page")]
pub struct InvalidCursor;

impl TryFrom<String> for Cursor {
    type Error = InvalidCursor;
    fn try_from(text: String) -> Result<Self, InvalidCursor> {
        let (key, code) = text.split_once('.').ok_or(InvalidCursor)?;
        Ok(Self {
            key: key.parse().map_err(|_| InvalidCursor)?,
            code: code.parse().map_err(|_| InvalidCursor)?,
        })
    }
}

impl From<Cursor> for String {
    fn from(Cursor { key, code }: Cursor) -> Self {
        format!("{key}.{code}")
    }
}

/// Which findings to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct FindingListQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(value_type = words::FindingCursor, required = false)]
    cursor: Option<Cursor>,
    /// Returns only findings with this code.
    #[param(value_type = words::FindingCode, required = false)]
    code: Option<Code>,
    /// Returns only findings of this severity.
    #[param(value_type = words::FindingSeverity, required = false)]
    severity: Option<Severity>,
    /// The ID of a key. Returns only its findings.
    #[param(value_type = Option<String>, pattern = "^key_[0-9a-f]{32}$")]
    key: Option<KeyId>,
}

/// List findings
///
/// Findings are computed when they are requested, and only for active keys. The dashboard shows the same ones.
#[utoipa::path(get, path = "/v1/orgs/{org}/findings", operation_id = "list_findings", tag = "Keys", params(FindingListQuery),
    responses((status = 200, description = "A page of the list", body = FindingList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<FindingListQuery>,
) -> Result<Json<FindingList>, Problem> {
    let query = FindingsQuery {
        code: query.code,
        severity: query.severity,
        key: query.key,
        after: query.cursor.map(|Cursor { key, code }| (key, code)),
        limit: query.limit.into(),
    };
    let page = list::list(&state.engine, &of.permit()?, &of.permit()?, &query).await;
    let page = page?;
    Ok(Json(FindingList {
        data: page.found.into_iter().map(FindingObject::from).collect(),
        next_cursor: page.next.map(|(key, code)| Cursor { key, code }),
    }))
}

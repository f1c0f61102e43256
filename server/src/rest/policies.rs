//! `/v1/orgs/{org}/policies`: what an organization requires of its keys.

use axum::{Json, extract::State};
use latchkey::{
    access::to,
    orgs::policies::{self, ChangePoliciesError},
    policy::{KeyPolicy, PolicyChange},
    revision::Known,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    body::{Body, nullable},
    fields::WholeNumber,
    path::OrgPath,
    query::{NoParameters, Parameters},
};
use crate::{app_state::AppState, problem::Problem, service_token::Manager};

/// What an organization requires of its keys. Keys that are older than a policy keep working, and have a finding.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policies)]
pub struct PoliciesObject {
    /// The number of days after which a secret is due for rotation. Null: never.
    #[schema(required)]
    rotation_days: Option<u32>,
    /// The most days until a key expires, from its creation or the change of its expiry. Null: no limit.
    #[schema(required)]
    longest_life_days: Option<u32>,
    /// Whether keys must have scopes, so that none has full access.
    scopes_required: bool,
    /// Whether live secret keys must have IP ranges: together at most 2^25 IPv4 addresses, as in two networks of /8, and 2^112
    /// IPv6 addresses, as in a network of /16.
    ip_ranges_required: bool,
    /// Whether live widget keys must not work on localhost.
    localhost_forbidden: bool,
}

/// A number of days.
type Days = WholeNumber<1, 3_650>;

/// The policies to change. Omitted fields do not change; null turns a period off.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PoliciesChange {
    /// The number of days after which a secret is due for rotation.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3650)]
    rotation_days: Option<Option<Days>>,
    /// The most days until a key expires, from its creation or the change of its expiry.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3650)]
    longest_life_days: Option<Option<Days>>,
    /// Whether keys must have scopes. Has no effect if the convention has none.
    #[schema(required = false, nullable = false)]
    scopes_required: Option<bool>,
    /// Whether live secret keys must have IP ranges: together at most 2^25 IPv4 addresses, as in two networks of /8, and 2^112
    /// IPv6 addresses, as in a network of /16.
    #[schema(required = false, nullable = false)]
    ip_ranges_required: Option<bool>,
    /// Whether live widget keys must not work on localhost. Has no effect if the convention does not let keys choose.
    #[schema(required = false, nullable = false)]
    localhost_forbidden: Option<bool>,
}

impl From<KeyPolicy> for PoliciesObject {
    fn from(policy: KeyPolicy) -> Self {
        Self {
            rotation_days: policy.rotation_days,
            longest_life_days: policy.longest_life_days,
            scopes_required: policy.scopes_required,
            ip_ranges_required: policy.ip_ranges_required,
            localhost_forbidden: policy.localhost_forbidden,
        }
    }
}

/// Retrieve the key policies
///
/// Requires a token for the whole instance.
#[utoipa::path(get, path = "/v1/orgs/{org}/policies", operation_id = "show_policies", tag = "Organizations",
    responses((status = 200, description = "The policies", body = PoliciesObject)))]
pub async fn show(
    State(state): State<AppState>,
    _: Manager,
    of: OrgPath,
    _: Parameters<NoParameters>,
) -> Result<Json<PoliciesObject>, Problem> {
    let policy = policies::read(&state.engine, &of.permit::<to::EditOrg>()?).await?;
    Ok(Json(policy.into()))
}

/// Change the key policies
///
/// They apply to keys that are created, edited or imported from then on. Requires a token for the whole instance.
#[utoipa::path(patch, path = "/v1/orgs/{org}/policies", operation_id = "change_policies", tag = "Organizations",
    request_body = PoliciesChange, responses((status = 200, description = "The updated policies", body = PoliciesObject)))]
pub async fn change(
    State(state): State<AppState>,
    // Extracted before the body, so that other tokens are denied regardless of what they send.
    _: Manager,
    of: OrgPath,
    Body { fields, .. }: Body<PoliciesChange>,
) -> Result<Json<PoliciesObject>, Problem> {
    let permit = of.permit::<to::EditOrg>()?;
    let days = |days: Option<Days>| days.map(WholeNumber::get);
    let change = PolicyChange {
        rotation_days: fields.rotation_days.map(days),
        longest_life_days: fields.longest_life_days.map(days),
        scopes_required: fields.scopes_required,
        ip_ranges_required: fields.ip_ranges_required,
        localhost_forbidden: fields.localhost_forbidden,
    };
    let changed = policies::change(&state.engine, &permit, change, &Known::Nothing).await;
    match changed {
        Ok(policy) => Ok(Json(policy.into())),
        Err(ChangePoliciesError::Storage(error)) => Err(error.into()),
        // The fields were checked, and no state was sent.
        Err(ChangePoliciesError::InvalidPeriod | ChangePoliciesError::ChangedMeanwhile) => {
            Err(Problem::internal())
        }
    }
}

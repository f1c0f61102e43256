//! `GET /v1/orgs/{org}/refusals`: the latest rejected requests of an organization.

use axum::{Json, extract::State};
use latchkey::{
    agents::PublicId,
    convention::ClassIndex,
    id::{KeyId, RefusalId},
    name::{DisplayName, KeyName},
    outcome::Outcome,
    refusals::{self, Refusal, RefusalQuery},
    search::Search,
    time::Rfc3339,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    path::OrgPath,
    query::{Limit, Parameters},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{FieldError, Problem},
};

/// One page of rejected requests.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalList {
    /// The requests, newest first.
    data: Vec<RefusedRequest>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<RefusalId>,
}

/// A rejected request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedRequest {
    /// When it was rejected.
    #[schema(value_type = jiff::Timestamp)]
    at: Rfc3339,
    /// The code of the verification.
    #[schema(value_type = words::Decision)]
    code: Outcome,
    /// Why the key is invalid. Null with other codes.
    #[schema(value_type = Option<words::WhyInvalid>, required)]
    reason: Option<String>,
    /// The required scopes that the key does not have.
    missing_scopes: Vec<String>,
    /// The key. Null if it does not exist.
    #[schema(required)]
    key: Option<RefusedKey>,
    /// The prefix of a key that does not exist, if it is one of this instance's prefixes.
    #[schema(required)]
    key_prefix: Option<String>,
    /// The agent that the request named.
    #[schema(required)]
    agent: Option<RefusedAgent>,
    /// The endpoint class.
    #[schema(value_type = words::EndpointClass)]
    class: String,
    /// The origin of the page that sent the request.
    #[schema(required)]
    origin: Option<String>,
    /// The network of the client: the /24 of an IPv4 address, or the /48 of an IPv6 address.
    #[schema(required)]
    address_prefix: Option<String>,
    /// The browser or program of the client, such as `firefox` or `python-requests`.
    #[schema(required)]
    user_agent: Option<String>,
}

/// The key of a rejected request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedKey {
    /// The key's ID.
    #[schema(value_type = String)]
    id: KeyId,
    /// The current name.
    #[schema(value_type = String)]
    name: KeyName,
}

/// The agent of a rejected request.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusedAgent {
    /// The agent's public ID.
    public_id: String,
    /// The current name.
    #[schema(value_type = String)]
    name: DisplayName,
}

impl From<Refusal> for RefusedRequest {
    fn from(refusal: Refusal) -> Self {
        Self {
            at: refusal.at.rfc3339(),
            code: refusal.code,
            reason: refusal.reason,
            missing_scopes: refusal.missing_scopes,
            key: refusal.key.map(|key| RefusedKey {
                id: key.id,
                name: key.name,
            }),
            key_prefix: refusal.prefix,
            agent: refusal.agent.map(|agent| RefusedAgent {
                public_id: agent.public_id.to_string(),
                name: agent.name,
            }),
            class: refusal.class,
            origin: refusal.origin,
            address_prefix: refusal.network,
            user_agent: refusal.client,
        }
    }
}

/// Which rejected requests to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RefusalListQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(value_type = Option<String>, pattern = "^rfs_[0-9a-f]{32}$")]
    cursor: Option<RefusalId>,
    /// Returns only requests with this code.
    #[param(value_type = words::Decision, required = false)]
    code: Option<Outcome>,
    /// The ID of a key. Returns only requests with this key.
    #[param(value_type = Option<String>, pattern = "^key_[0-9a-f]{32}$")]
    key: Option<KeyId>,
    /// The public ID of an agent. Returns only requests for this agent.
    #[param(value_type = Option<String>)]
    #[serde(default, deserialize_with = "public_id")]
    agent: Option<PublicId>,
    /// Returns only requests in this endpoint class.
    #[param(value_type = words::EndpointClass, required = false)]
    class: Option<String>,
    /// Returns only requests whose origin, network, client, or name of the key or agent contains this text.
    #[param(value_type = Option<String>, max_length = 200)]
    #[serde(default)]
    q: Search,
}

/// List requests that did not pass
///
/// The latest 1,000 rejected or rate-limited requests of the last 30 days. If there are more than about 50 in a second, only the newest of
/// them are listed. Requests with a key that does not exist are listed if they name one of the organization's agents or were
/// verified with one of its own service tokens.
#[utoipa::path(get, path = "/v1/orgs/{org}/refusals", operation_id = "list_refusals", tag = "Usage", params(RefusalListQuery),
    responses((status = 200, description = "A page of the list", body = RefusalList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<RefusalListQuery>,
) -> Result<Json<RefusalList>, Problem> {
    let convention = state.engine.convention();
    if let Some(class) = &query.class
        && ClassIndex::find(convention, class).is_none()
    {
        let offered: Vec<&str> = convention.classes.keys().map(String::as_str).collect();
        let detail = format!("must be one of {}", offered.join(", "));
        let field = "class".into();
        return Err(Problem::invalid_request(
            "The query is invalid. See `errors`.",
            vec![FieldError { field, detail }],
        ));
    }
    let query = RefusalQuery {
        code: query.code,
        key: query.key,
        agent: query.agent,
        class: query.class,
        search: query.q,
        after: query.cursor,
        limit: query.limit.into(),
    };
    let page = refusals::list(&state.engine, &of.permit()?, &query).await?;
    Ok(Json(RefusalList {
        data: page
            .refusals
            .into_iter()
            .map(RefusedRequest::from)
            .collect(),
        next_cursor: page.next,
    }))
}

fn public_id<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<PublicId>, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(Some).map_err(serde::de::Error::custom)
}

//! `/v1/orgs/{org}/tokens`: the organization's own service tokens. Only the operator's tokens manage them.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use latchkey::{
    access::to,
    id::ServiceTokenId,
    key::text::PlainKey,
    name::DisplayName,
    service_tokens::{
        self, CreateTokenError, CreatedToken, NewToken, RevokeTokenError, TokenScope, TokenSummary,
    },
    time::{DAY, Rfc3339, Timestamp},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    body::{Body, required},
    created_in_list,
    fields::WholeNumber,
    idempotency::{Idempotency, replayed},
    path::{OrgPath, TokenPath, no_token},
    query::{Limit, Parameters, not_a_cursor},
};
use crate::{
    app_state::AppState,
    openapi::words,
    problem::{Code, Problem},
    service_token::Manager,
};

/// The default lifetime of a token, in days.
pub const DEFAULT_DAYS: u32 = 365;

/// A service token of an organization.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Token)]
pub struct TokenObject {
    /// The ID.
    #[schema(value_type = String)]
    id: ServiceTokenId,
    /// The name.
    #[schema(value_type = String)]
    name: DisplayName,
    /// What the token can be used for.
    #[schema(value_type = words::TokenScope)]
    scope: TokenScope,
    /// `active`, `expired` or `revoked`.
    #[schema(value_type = words::TokenStatus)]
    status: &'static str,
    /// The prefix and the last four characters of the token.
    display: String,
    /// When it was created.
    #[schema(value_type = jiff::Timestamp)]
    created_at: Rfc3339,
    /// When it expires. Null means never.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    expires_at: Option<Rfc3339>,
    /// When it was last used, to the minute. Null means never.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    last_used_at: Option<Rfc3339>,
    /// When it was revoked. Null means that it was not.
    #[schema(value_type = Option<jiff::Timestamp>, required)]
    revoked_at: Option<Rfc3339>,
    /// The token itself. Returned once, in the response that creates it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    token: Option<String>,
}

/// One page of service tokens.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenList {
    /// The tokens, newest first.
    data: Vec<TokenObject>,
    /// The `cursor` of the next page. Null on the last page.
    #[schema(value_type = Option<String>, required)]
    next_cursor: Option<ServiceTokenId>,
}

/// The fields of a new service token.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTokenFields {
    /// The name: 1 to 80 characters.
    #[schema(value_type = words::Name, required, nullable = false)]
    name: Option<DisplayName>,
    /// What the token can be used for: `verify` verifies keys; `manage` also manages the organization's keys, agents and
    /// projects, and reads its usage, findings, reviews and audit log.
    #[schema(value_type = words::TokenScope, required, nullable = false)]
    scope: Option<TokenScope>,
    /// The number of days after which the token expires. Default: 365.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 36500)]
    expires_in_days: Option<WholeNumber<1, 36_500>>,
}

/// The service tokens to list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TokenQuery {
    /// The maximum number of items on a page. Default: 50.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 100)]
    #[serde(default)]
    limit: Limit,
    /// The `next_cursor` of the previous page.
    #[param(pattern = "^svc_[0-9a-f]{32}$")]
    cursor: Option<String>,
}

/// List service tokens
///
/// Requires a token for the whole instance.
#[utoipa::path(get, path = "/v1/orgs/{org}/tokens", operation_id = "list_tokens", tag = "Service tokens", params(TokenQuery),
    responses((status = 200, description = "A page of the list", body = TokenList)))]
pub async fn list(
    State(state): State<AppState>,
    of: OrgPath,
    Parameters(query): Parameters<TokenQuery>,
) -> Result<Json<TokenList>, Problem> {
    let permit = of.permit()?;
    let after = query.cursor.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| not_a_cursor())?;
    let limit = usize::from(u16::from(query.limit));
    let page = service_tokens::list_of_org(&state.engine, &permit, after, limit).await;
    let (tokens, next_cursor) = page?;
    let now = state.engine.clock().now();
    Ok(Json(TokenList {
        data: tokens
            .into_iter()
            .map(|token| object(token, None, now))
            .collect(),
        next_cursor,
    }))
}

/// Create a service token
///
/// The token can access only this organization. Requires a token for the whole instance. The response is the only one
/// that contains the token.
#[utoipa::path(post, path = "/v1/orgs/{org}/tokens", operation_id = "create_token", tag = "Service tokens",
    request_body = NewTokenFields, responses((status = 201, description = "Created", body = TokenObject),
        (status = 409, description = "LIMIT_REACHED")))]
pub async fn create(
    State(state): State<AppState>,
    // Extracted before the body, so that other tokens are denied regardless of what they send.
    _: Manager,
    of: OrgPath,
    idempotency: Idempotency,
    Body { fields, bytes }: Body<NewTokenFields>,
) -> Result<Response, Problem> {
    let permit = of.permit::<to::ManageTokens>()?;
    let name = required("name", fields.name)?;
    let scope = required("scope", fields.scope)?;
    let days = fields
        .expires_in_days
        .map_or(DEFAULT_DAYS, WholeNumber::get);
    let engine = &*state.engine;
    let create = async |creation_token: Option<String>| {
        let new = NewToken {
            name: name.clone(),
            scope,
            expires_at: Some(engine.clock().now().plus(i64::from(days) * DAY)),
            creation_token,
        };
        match service_tokens::create_for_org(engine, &permit, new).await {
            Ok(CreatedToken { id, plain, .. }) => answer(&state, &of, id, Some(plain)).await,
            Err(CreateTokenError::AlreadyCreated(id)) => {
                Ok(replayed(answer(&state, &of, id, None).await?))
            }
            Err(error @ CreateTokenError::TooMany) => {
                Err(Problem::new(Code::LimitReached, error.to_string()))
            }
            Err(CreateTokenError::Fault(fault)) => Err(fault.into()),
        }
    };
    idempotency
        .once(engine, of.caller.token_id, &bytes, create)
        .await
}

async fn answer(
    state: &AppState,
    of: &OrgPath,
    id: ServiceTokenId,
    plain: Option<PlainKey>,
) -> Result<Response, Problem> {
    let found = service_tokens::find_of_org(&state.engine, &of.permit()?, id).await;
    let token = found?.ok_or_else(no_token)?;
    let now = state.engine.clock().now();
    Ok(created_in_list(object(token, plain, now)))
}

/// Revoke a service token
///
/// The token stops working immediately, and cannot be restored. Requires a token for the whole instance.
#[utoipa::path(delete, path = "/v1/orgs/{org}/tokens/{token_id}", operation_id = "revoke_token", tag = "Service tokens",
    responses((status = 204, description = "Revoked")))]
pub async fn revoke(
    State(state): State<AppState>,
    TokenPath { of, id }: TokenPath,
) -> Result<Response, Problem> {
    match service_tokens::revoke_of_org(&state.engine, &of.permit()?, id).await {
        // Repeating the request has the same result.
        Ok(()) | Err(RevokeTokenError::AlreadyRevoked(_)) => {
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        Err(RevokeTokenError::NotFound) => Err(no_token()),
        Err(RevokeTokenError::Fault(fault)) => Err(fault.into()),
    }
}

fn object(token: TokenSummary, plain: Option<PlainKey>, now: Timestamp) -> TokenObject {
    TokenObject {
        status: token.status(now),
        id: token.id,
        name: token.name,
        scope: token.scope,
        display: token.display,
        created_at: token.created_at.rfc3339(),
        expires_at: token.expires_at.map(Timestamp::rfc3339),
        last_used_at: token.last_used_at.map(Timestamp::rfc3339),
        revoked_at: token.revoked_at.map(Timestamp::rfc3339),
        token: plain.map(|plain| plain.expose().to_owned()),
    }
}

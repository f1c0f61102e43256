//! `GET /v1/orgs/{org}/keys/{id}/sources`: what the valid requests of a key came with.

use axum::{Json, extract::State};
use latchkey::{
    time::{Rfc3339, Timestamp},
    usage::seen::{Facet, SeenValue, of_key},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{keys::find, path::KeyPath};
use crate::{app_state::AppState, problem::Problem};

/// Where the valid requests of a key come from, as far as API servers send it.
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySources {
    /// The origins of the pages that sent them: at most 20.
    origins: SourceList,
    /// The scopes that they required.
    scopes: SourceList,
    /// The networks of the clients, a /24 of IPv4 or a /48 of IPv6: at most 20.
    networks: SourceList,
    /// The families of the clients' user agents: at most 20.
    clients: SourceList,
}

/// Values of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceList {
    /// The values, most requests first. One that was not seen for 90 days is left out.
    data: Vec<Source>,
    /// All requests with further values. Null if there are none.
    #[schema(required)]
    other: Option<OtherSources>,
}

/// A value that requests came with.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    /// The value.
    value: String,
    /// The number of requests since it was first seen.
    requests: i64,
    /// When it was first seen. Null if that was before Latchkey recorded it.
    #[schema(required, value_type = Option<jiff::Timestamp>)]
    first_at: Option<Rfc3339>,
    /// When it was last seen.
    #[schema(value_type = jiff::Timestamp)]
    last_at: Rfc3339,
}

/// All values that are not listed.
#[derive(Debug, Serialize, ToSchema)]
pub struct OtherSources {
    /// The number of requests.
    requests: i64,
    /// When one of them was first seen. Null if that was before Latchkey recorded it.
    #[schema(required, value_type = Option<jiff::Timestamp>)]
    first_at: Option<Rfc3339>,
    /// When one of them was last seen.
    #[schema(value_type = jiff::Timestamp)]
    last_at: Rfc3339,
}

/// List the sources of a key
///
/// Returns the origins, scopes, networks and clients of the key's valid requests. They are stored every ten seconds. Rejected
/// requests, which anyone can send, are listed as refusals.
#[utoipa::path(get, path = "/v1/orgs/{org}/keys/{id}/sources", operation_id = "list_key_sources", tag = "Keys",
    responses((status = 200, description = "The sources", body = KeySources)))]
pub async fn list(
    State(state): State<AppState>,
    path: KeyPath,
) -> Result<Json<KeySources>, Problem> {
    find(&state.engine, &path.of, path.id).await?;
    let seen = of_key(&state.engine, &path.of.permit()?, path.id).await?;
    Ok(Json(KeySources {
        origins: SourceList::of(&seen, Facet::Origin),
        scopes: SourceList::of(&seen, Facet::Scope),
        networks: SourceList::of(&seen, Facet::Network),
        clients: SourceList::of(&seen, Facet::Client),
    }))
}

impl SourceList {
    fn of(seen: &[SeenValue], facet: Facet) -> Self {
        let of_facet = seen.iter().filter(|seen| seen.facet == facet);
        let (others, listed): (Vec<_>, Vec<_>) = of_facet.partition(|seen| seen.value.is_empty());
        Self {
            data: listed
                .into_iter()
                .map(|seen| Source {
                    value: seen.value.clone(),
                    requests: seen.count,
                    first_at: seen.first_at.map(Timestamp::rfc3339),
                    last_at: seen.last_at.rfc3339(),
                })
                .collect(),
            other: others.first().map(|others| OtherSources {
                requests: others.count,
                first_at: others.first_at.map(Timestamp::rfc3339),
                last_at: others.last_at.rfc3339(),
            }),
        }
    }
}

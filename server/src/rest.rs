//! The REST API (design §11), for service tokens with the scope `manage`: those of the operator, and those of an
//! organization within that organization.
//!
//! Each handler parses the request, calls one operation and returns the result. The modules also contain what handlers
//! share: bodies, parameters, paths and lists.

pub mod agents;
pub mod audit;
pub mod body;
pub mod entity_tag;
pub mod fields;
pub mod findings;
pub mod idempotency;
pub mod instances;
pub mod invitations;
pub mod key_change;
pub mod key_import;
pub mod key_order;
pub mod keys;
pub mod members;
pub mod orgs;
pub mod path;
pub mod policies;
pub mod projects;
pub mod query;
pub mod refusals;
pub mod reviews;
pub mod rotation;
pub mod share_limit;
pub mod sort;
pub mod sources;
pub mod state_changes;
pub mod tokens;
pub mod usage;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

/// The response to a creation: 201, the location of the object, and a header that forbids caches to store it.
fn created(location: &str, object: impl Serialize) -> Response {
    let location = HeaderValue::from_str(location).unwrap_or(HeaderValue::from_static("/"));
    ([(header::LOCATION, location)], created_in_list(object)).into_response()
}

/// Like [`created`], for an object that has no address of its own, only a place in a list.
fn created_in_list(object: impl Serialize) -> Response {
    let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (StatusCode::CREATED, [no_store], Json(object)).into_response()
}

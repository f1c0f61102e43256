//! The rendered documentation.

use std::sync::OnceLock;

use axum::body::Bytes;

/// The OpenAPI document and the pages. Each is rendered on the first request and then kept, because rendering takes
/// milliseconds and anyone can request it.
#[derive(Debug, Default)]
pub struct Docs {
    pub(super) openapi: OnceLock<Option<Bytes>>,
    pub(super) operations: OnceLock<Option<Bytes>>,
    pub(super) errors: OnceLock<Bytes>,
}

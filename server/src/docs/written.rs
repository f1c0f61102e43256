//! What was written of the documentation.

use std::sync::OnceLock;

use axum::body::Bytes;

/// The API's description and the pages, each written when it is first asked for: that takes milliseconds, and anyone may
/// ask.
#[derive(Debug, Default)]
pub struct Docs {
    pub(super) openapi: OnceLock<Option<Bytes>>,
    pub(super) operations: OnceLock<Option<Bytes>>,
    pub(super) errors: OnceLock<Bytes>,
}

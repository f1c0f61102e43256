//! A service token with its plaintext, for the page that shows the token once.

use std::sync::Arc;

use latchkey::{id::ServiceTokenId, key::text::PlainKey, service_tokens::TokenScope};

use crate::site::Addresses;

/// A service token that was just created.
#[derive(Debug, Clone)]
pub struct CreatedToken {
    pub id: ServiceTokenId,
    pub token: Arc<PlainKey>,
    pub name: String,
    pub scope: TokenScope,
    /// The creation date.
    pub created: String,
    /// The name of the owner who created it.
    pub created_by: Option<String>,
    /// The expiry date: "Nov 21, 2027".
    pub expires: String,
    /// Whether it is for the whole instance.
    pub of_instance: bool,
    /// The path of the page that lists tokens.
    pub path: String,
    /// The environment variable with a key, in the example.
    pub variable: String,
    /// The URLs in the example.
    pub addresses: Arc<Addresses>,
}

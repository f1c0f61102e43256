//! A service token with its plaintext, for the page that shows the token once.

use std::sync::Arc;

use latchkey::{id::ServiceTokenId, key::text::PlainKey, service_tokens::TokenScope};

/// A service token that was just created.
#[derive(Debug, Clone)]
pub struct CreatedToken {
    pub id: ServiceTokenId,
    pub token: Arc<PlainKey>,
    pub name: String,
    pub scope: TokenScope,
    /// The expiry date: "Nov 21, 2027".
    pub expires: String,
    /// The path of the page that lists tokens.
    pub path: String,
}

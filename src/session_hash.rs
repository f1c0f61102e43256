//! The hash under which a session is stored.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The SHA-256 of a session ID. Only the browser's cookie holds the ID itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SessionHash([u8; 32]);

impl SessionHash {
    /// Hashes a session ID.
    pub fn of(id: &[u8]) -> Self {
        Self(Sha256::digest(id).into())
    }

    pub(crate) fn of_stored(hash: &[u8]) -> Option<Self> {
        hash.try_into().ok().map(Self)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for SessionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionHash(redacted)")
    }
}

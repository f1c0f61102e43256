//! How an idempotency key is stored: as a digest, since people send secrets as one by mistake.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// The SHA-256 of the ID of the service token and the key, as 64 hexadecimal digits.
pub(crate) fn stored(service_token: &str, key: &str) -> String {
    let mut hash = Sha256::new();
    for part in [service_token, key] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

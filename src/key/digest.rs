//! What is stored of a key instead of its text: `HMAC-SHA256(pepper, SHA-256(key))` (design §3).
//!
//! A key has 154 random bits, so a fast hash is right (ASVS 11.4, 6.5.2); the pepper keeps a stolen database from being
//! searched for known keys.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::text::PlainKey;

/// What the key is derived for under which browsers are known.
const KNOWN_BROWSER: &[u8] = b"latchkey known browser, version 1";

/// What the code of the first account is derived for.
const SETUP_CODE: &[u8] = b"latchkey setup code, version 1";

/// The digest of a key or of a service token under one pepper.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The bytes as the database holds them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(redacted)")
    }
}

/// The database held a digest of another length.
#[derive(Debug, thiserror::Error)]
#[error("a digest has 32 bytes")]
pub struct InvalidDigest;

impl TryFrom<Vec<u8>> for KeyDigest {
    type Error = InvalidDigest;
    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidDigest> {
        bytes.try_into().map(Self).map_err(|_| InvalidDigest)
    }
}

/// The instance's secret that digests are keyed with, and its number.
#[derive(Clone)]
pub struct Pepper {
    version: i32,
    mac: Hmac<Sha256>,
}

/// A pepper is too short to be one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pepper has at least 32 bytes of randomness")]
pub struct InvalidPepper;

impl Pepper {
    /// A pepper from at least 32 secret bytes.
    ///
    /// # Errors
    /// When there are fewer.
    pub fn new(version: i32, secret: &[u8]) -> Result<Self, InvalidPepper> {
        if secret.len() < 32 {
            return Err(InvalidPepper);
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| InvalidPepper)?;
        Ok(Self { version, mac })
    }

    /// The number that is stored beside every digest made with it.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// What tells this secret from another one, and helps as little to find it as a digest does.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(b"latchkey pepper fingerprint, version 1");
        mac.finalize().into_bytes().into()
    }

    /// The MAC of a text under a key that is derived for one purpose.
    fn derived(&self, purpose: &[u8], text: &[u8]) -> Hmac<Sha256> {
        let mut derive = self.mac.clone();
        derive.update(purpose);
        // HMAC fills shorter keys with zeros.
        let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
        key[..32].copy_from_slice(&derive.finalize().into_bytes());
        let mut mac = Hmac::<Sha256>::new(&key);
        mac.update(text);
        mac
    }

    fn digest(&self, hash: &[u8]) -> KeyDigest {
        // The keyed state is prepared once and copied: half the work of keying it anew for each key.
        let mut mac = self.mac.clone();
        mac.update(hash);
        KeyDigest(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The pepper that new digests are made with, and older ones that some stored digests still need.
#[derive(Debug, Clone)]
pub struct Peppers {
    current: Pepper,
    older: Vec<Pepper>,
}

impl Peppers {
    /// Peppers of which `current` makes new digests.
    pub fn new(current: Pepper, older: Vec<Pepper>) -> Self {
        Self { current, older }
    }

    /// The version that new digests carry.
    pub fn current_version(&self) -> i32 {
        self.current.version()
    }

    /// The numbers of all, the current one's first.
    pub fn versions(&self) -> impl Iterator<Item = i32> {
        self.all().map(Pepper::version)
    }

    /// The [`Pepper::fingerprint`] of the pepper with this number, if there is one.
    pub fn fingerprint(&self, version: i32) -> Option<[u8; 32]> {
        let mut all = self.all();
        all.find(|pepper| pepper.version == version)
            .map(Pepper::fingerprint)
    }

    fn all(&self) -> impl Iterator<Item = &Pepper> {
        std::iter::once(&self.current).chain(&self.older)
    }

    /// The digest of `key` under the current pepper.
    pub fn digest(&self, key: &PlainKey) -> KeyDigest {
        self.current.digest(&Sha256::digest(key.expose()))
    }

    /// The digest under the current pepper of a key of which only the SHA-256 is known.
    pub fn digest_of_sha256(&self, sha256: &[u8; 32]) -> KeyDigest {
        self.current.digest(sha256)
    }

    /// The digests under which a key may be stored of which only the SHA-256 is known.
    pub fn digests_of_sha256(&self, sha256: &[u8; 32]) -> impl Iterator<Item = KeyDigest> {
        self.all().map(|pepper| pepper.digest(sha256))
    }

    /// The HMAC-SHA256 that chains the audit log, under a key derived from a pepper; `None` when the pepper is not there.
    pub fn audit_hash(&self, version: i32, text: &[u8]) -> Option<Vec<u8>> {
        self.derived_mac(version, b"latchkey audit log, version 1", text)
    }

    /// The HMAC-SHA256 of the beginning of the audit log, under a key of its own; `None` when the pepper is not there.
    pub fn checkpoint_mac(&self, version: i32, position: i64, hash: &[u8]) -> Option<Vec<u8>> {
        let text = [&position.to_be_bytes(), hash].concat();
        self.derived_mac(version, b"latchkey audit checkpoint, version 1", &text)
    }

    fn derived_mac(&self, version: i32, purpose: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let pepper = self.all().find(|pepper| pepper.version == version)?;
        Some(
            pepper
                .derived(purpose, text)
                .finalize()
                .into_bytes()
                .to_vec(),
        )
    }

    /// The HMAC-SHA256 that names what attempts are counted for (see `accounts/attempts.rs`).
    pub(crate) fn attempts_mac(&self, text: &[u8]) -> [u8; 32] {
        let mac = self.current.derived(b"latchkey attempts, version 1", text);
        mac.finalize().into_bytes().into()
    }

    /// 128 bits that only who has the current pepper knows: what the first account is created with (see
    /// `accounts/setup_code.rs`).
    pub(crate) fn setup_code(&self) -> [u8; 16] {
        let mac = self.current.derived(SETUP_CODE, b"");
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        let mut code = [0; 16];
        code.copy_from_slice(&mac[..16]);
        code
    }

    /// Whether a code is [`Self::setup_code`]. Takes the same time wherever they differ.
    pub(crate) fn is_setup_code(&self, code: &[u8; 16]) -> bool {
        let mac = self.current.derived(SETUP_CODE, b"");
        mac.verify_truncated_left(code).is_ok()
    }

    /// The HMAC-SHA256 of what a browser shows to be known (see `accounts/known_browser.rs`).
    pub(crate) fn browser_mac(&self, text: &[u8]) -> [u8; 32] {
        let mac = self.current.derived(KNOWN_BROWSER, text);
        mac.finalize().into_bytes().into()
    }

    /// Whether [`Self::browser_mac`] made `mac`, under this pepper or one that was current before. Takes the same time
    /// wherever they differ.
    pub(crate) fn is_browser_mac(&self, text: &[u8], mac: &[u8]) -> bool {
        self.all().any(|pepper| {
            pepper
                .derived(KNOWN_BROWSER, text)
                .verify_slice(mac)
                .is_ok()
        })
    }

    /// The digests under which `key` may be stored, the current pepper's first.
    pub fn digests(&self, key: &PlainKey) -> impl Iterator<Item = KeyDigest> {
        let hash = Sha256::digest(key.expose());
        self.all().map(move |pepper| pepper.digest(&hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_the_hmac_of_the_hash() {
        let pepper = Pepper::new(1, &[0x0b; 32]).unwrap();
        let key = PlainKey::from_presented("lk_sk_live_x");
        let by_hand = {
            let mut mac = Hmac::<Sha256>::new_from_slice(&[0x0b; 32]).unwrap();
            mac.update(&Sha256::digest(b"lk_sk_live_x"));
            mac.finalize().into_bytes()
        };
        let digest = Peppers::new(pepper, vec![]).digest(&key);
        assert_eq!(digest.as_bytes(), &by_hand[..]);
        assert_eq!(format!("{digest:?}"), "KeyDigest(redacted)");
    }

    #[test]
    fn peppers_tell_apart_and_old_ones_still_find() {
        let (one, two) = (
            Pepper::new(1, &[1; 32]).unwrap(),
            Pepper::new(2, &[2; 32]).unwrap(),
        );
        let key = PlainKey::from_presented("k");
        let old = Peppers::new(one.clone(), vec![]).digest(&key);
        let rotated = Peppers::new(two, vec![one]);
        assert_ne!(rotated.digest(&key), old);
        assert!(rotated.digests(&key).any(|digest| digest == old));
        assert_eq!(rotated.versions().collect::<Vec<_>>(), [2, 1]);
        assert_ne!(rotated.fingerprint(1), rotated.fingerprint(2));
        assert_ne!(rotated.fingerprint(1).unwrap(), old.0);
        assert_eq!(rotated.fingerprint(3), None);
        assert_eq!(Pepper::new(1, &[1; 31]).unwrap_err(), InvalidPepper);
    }
}

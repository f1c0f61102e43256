//! The digests stored in place of keys: `HMAC-SHA256(pepper, SHA-256(key))` (design §3).
//!
//! A key has 154 random bits, so a fast hash is sufficient (ASVS 11.4, 6.5.2). The pepper prevents a stolen database
//! from being searched for known keys.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::text::PlainKey;

/// The purpose of the derived key that authenticates known browsers.
const KNOWN_BROWSER: &[u8] = b"latchkey known browser, version 1";

/// The purpose of the derived key that authenticates texts of one session.
const OF_SESSION: &[u8] = b"latchkey text of a session, version 1";

/// The purpose of the derived key for the setup code of the first account.
const SETUP_CODE: &[u8] = b"latchkey setup code, version 1";

/// The digest of a key or a service token under one pepper.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The bytes as stored in the database.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for KeyDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyDigest(redacted)")
    }
}

/// The database contains a digest of another length.
#[derive(Debug, thiserror::Error)]
#[error("a digest has 32 bytes")]
pub struct InvalidDigest;

impl TryFrom<Vec<u8>> for KeyDigest {
    type Error = InvalidDigest;
    fn try_from(bytes: Vec<u8>) -> Result<Self, InvalidDigest> {
        bytes.try_into().map(Self).map_err(|_| InvalidDigest)
    }
}

/// The instance's secret for computing digests, with its version number.
#[derive(Clone)]
pub struct Pepper {
    version: i32,
    mac: Hmac<Sha256>,
    /// Under the derived key of the audit log: a transaction can append thousands of entries.
    audit: Hmac<Sha256>,
}

/// The pepper is too short.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pepper has at least 32 bytes of randomness")]
pub struct InvalidPepper;

impl Pepper {
    /// Creates a pepper from at least 32 secret bytes.
    ///
    /// # Errors
    /// If there are fewer than 32 bytes.
    pub fn new(version: i32, secret: &[u8]) -> Result<Self, InvalidPepper> {
        if secret.len() < 32 {
            return Err(InvalidPepper);
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| InvalidPepper)?;
        let audit = keyed(&mac, b"latchkey audit log, version 1");
        Ok(Self {
            version,
            mac,
            audit,
        })
    }

    /// The version number stored with every digest computed with this pepper.
    pub fn version(&self) -> i32 {
        self.version
    }

    /// Identifies the pepper. Like a digest, it does not help to find the secret.
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(b"latchkey pepper fingerprint, version 1");
        mac.finalize().into_bytes().into()
    }

    /// The MAC of `text` under a key derived for one purpose.
    fn derived(&self, purpose: &[u8], text: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(&self.mac, purpose);
        mac.update(text);
        mac
    }

    fn digest(&self, hash: &[u8]) -> KeyDigest {
        // Cloning the prepared state takes half the time of keying the HMAC again.
        let mut mac = self.mac.clone();
        mac.update(hash);
        KeyDigest(mac.finalize().into_bytes().into())
    }
}

/// An HMAC under a key derived for one purpose.
fn keyed(pepper: &Hmac<Sha256>, purpose: &[u8]) -> Hmac<Sha256> {
    let mut derive = pepper.clone();
    derive.update(purpose);
    // HMAC pads shorter keys with zeros.
    let mut key = hmac::digest::Key::<Hmac<Sha256>>::default();
    key[..32].copy_from_slice(&derive.finalize().into_bytes());
    Hmac::<Sha256>::new(&key)
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper")
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// The pepper for new digests, and older peppers that some stored digests still need.
#[derive(Debug, Clone)]
pub struct Peppers {
    current: Pepper,
    older: Vec<Pepper>,
}

impl Peppers {
    /// Creates a set of peppers in which `current` computes new digests.
    pub fn new(current: Pepper, older: Vec<Pepper>) -> Self {
        Self { current, older }
    }

    /// The version of the current pepper.
    pub fn current_version(&self) -> i32 {
        self.current.version()
    }

    /// The versions of all peppers, the current one first.
    pub fn versions(&self) -> impl Iterator<Item = i32> {
        self.all().map(Pepper::version)
    }

    /// The [`Pepper::fingerprint`] of the pepper with this version, if it is configured.
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

    /// The digest under the current pepper for a key of which only the SHA-256 is known.
    pub fn digest_of_sha256(&self, sha256: &[u8; 32]) -> KeyDigest {
        self.current.digest(sha256)
    }

    /// The digests, one per pepper, for a key of which only the SHA-256 is known.
    pub fn digests_of_sha256(&self, sha256: &[u8; 32]) -> impl Iterator<Item = KeyDigest> {
        self.all().map(|pepper| pepper.digest(sha256))
    }

    /// The HMAC-SHA256 that chains the audit log, with a key derived from the pepper. `None` if the pepper is not
    /// configured.
    pub fn audit_hash(&self, version: i32, text: &[u8]) -> Option<Vec<u8>> {
        let pepper = self.all().find(|pepper| pepper.version == version)?;
        let mut mac = pepper.audit.clone();
        mac.update(text);
        Some(mac.finalize().into_bytes().to_vec())
    }

    /// The HMAC-SHA256 of a checkpoint at the start of the audit log, with its own derived key. `None` if the pepper is
    /// not configured.
    pub fn checkpoint_mac(&self, version: i32, position: i64, hash: &[u8]) -> Option<Vec<u8>> {
        let text = [&position.to_be_bytes(), hash].concat();
        let pepper = self.all().find(|pepper| pepper.version == version)?;
        let mac = pepper.derived(b"latchkey audit checkpoint, version 1", &text);
        Some(mac.finalize().into_bytes().to_vec())
    }

    /// A key derived for one purpose from the pepper with this version. `None` if the pepper is not configured.
    pub(crate) fn derived_key(&self, version: i32, purpose: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
        let pepper = self.all().find(|pepper| pepper.version == version)?;
        let mut mac = pepper.mac.clone();
        mac.update(purpose);
        Some(Zeroizing::new(mac.finalize().into_bytes().into()))
    }

    /// The HMAC-SHA256 under which attempts are counted (see `accounts/attempts.rs`).
    pub(crate) fn attempts_mac(&self, text: &[u8]) -> [u8; 32] {
        let mac = self.current.derived(b"latchkey attempts, version 1", text);
        mac.finalize().into_bytes().into()
    }

    /// The 128-bit code with which the first account is created. It can be computed only with the current pepper (see
    /// `accounts/setup_code.rs`).
    pub(crate) fn setup_code(&self) -> [u8; 16] {
        let mac = self.current.derived(SETUP_CODE, b"");
        let mac: [u8; 32] = mac.finalize().into_bytes().into();
        let mut code = [0; 16];
        code.copy_from_slice(&mac[..16]);
        code
    }

    /// Whether a code is [`Self::setup_code`]. Compares in constant time.
    pub(crate) fn is_setup_code(&self, code: &[u8; 16]) -> bool {
        let mac = self.current.derived(SETUP_CODE, b"");
        mac.verify_truncated_left(code).is_ok()
    }

    /// The HMAC-SHA256 that identifies a known browser (see `accounts/known_browser.rs`).
    pub(crate) fn browser_mac(&self, text: &[u8]) -> [u8; 32] {
        let mac = self.current.derived(KNOWN_BROWSER, text);
        mac.finalize().into_bytes().into()
    }

    /// The HMAC-SHA256 of a text that only one session accepts (see `accounts/sessions.rs`).
    pub(crate) fn session_mac(&self, text: &[u8]) -> [u8; 32] {
        let mac = self.current.derived(OF_SESSION, text);
        mac.finalize().into_bytes().into()
    }

    /// Whether `mac` is a [`Self::session_mac`] of `text`, under the current pepper or an older one. Compares in constant
    /// time.
    pub(crate) fn is_session_mac(&self, text: &[u8], mac: &[u8]) -> bool {
        self.all()
            .any(|pepper| pepper.derived(OF_SESSION, text).verify_slice(mac).is_ok())
    }

    /// Whether `mac` is a [`Self::browser_mac`] of `text`, under the current pepper or an older one. Compares in
    /// constant time.
    pub(crate) fn is_browser_mac(&self, text: &[u8], mac: &[u8]) -> bool {
        self.all().any(|pepper| {
            pepper
                .derived(KNOWN_BROWSER, text)
                .verify_slice(mac)
                .is_ok()
        })
    }

    /// The digests of `key`, one per pepper, the current pepper's first.
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

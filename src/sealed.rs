//! Encrypts what the database or a form holds, and what a copy of it must not reveal.
//!
//! Each purpose has its own key, derived from the pepper (ChaCha20-Poly1305 with a random nonce). The owner is
//! authenticated too, so that nobody can give one user what was encrypted for another.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use crate::{
    key::digest::Peppers,
    random::{Randomness, RandomnessError},
};

/// What is encrypted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Purpose {
    /// The secret of an authenticator app.
    SecondFactor,
    /// The digest of a recovery code.
    RecoveryCode,
    /// The secret of an authenticator app that is being set up, in its form.
    SetUp,
    /// That a password was right, in the form that asks for the code.
    HalfSignIn,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::SecondFactor => b"latchkey second factor, version 1",
            Self::RecoveryCode => b"latchkey recovery code, version 1",
            Self::SetUp => b"latchkey set-up of a second factor, version 1",
            Self::HalfSignIn => b"latchkey first step of a sign-in, version 1",
        }
    }
}

/// Encrypted bytes, and the number of the pepper that they need.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub version: i32,
    pub bytes: Vec<u8>,
}

/// The bytes were changed, or their pepper is missing.
#[derive(Debug, thiserror::Error)]
#[error("encrypted data cannot be read: it was changed, or its pepper is missing")]
pub struct Unreadable;

/// Why bytes were not encrypted.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The system's random number generator failed.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The cipher failed.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl From<ring::error::Unspecified> for Unreadable {
    fn from(_: ring::error::Unspecified) -> Self {
        Self
    }
}

fn key(peppers: &Peppers, version: i32, purpose: Purpose) -> Result<LessSafeKey, Unreadable> {
    let key = peppers
        .derived_key(version, purpose.label())
        .ok_or(Unreadable)?;
    Ok(LessSafeKey::new(UnboundKey::new(
        &CHACHA20_POLY1305,
        &key[..],
    )?))
}

/// Encrypts bytes for their owner under the current pepper.
pub(crate) fn seal(
    peppers: &Peppers,
    random: &Randomness,
    purpose: Purpose,
    owner: &str,
    plain: &[u8],
) -> Result<Sealed, SealError> {
    let version = peppers.current_version();
    let key = key(peppers, version, purpose)?;
    let nonce: [u8; NONCE_LEN] = random.bytes()?;
    let mut bytes = plain.to_vec();
    let aad = Aad::from(owner.as_bytes());
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
        .map_err(Unreadable::from)?;
    bytes.splice(..0, nonce);
    Ok(Sealed { version, bytes })
}

/// Decrypts what [`seal`] encrypted for this purpose and owner.
pub(crate) fn unseal(
    peppers: &Peppers,
    purpose: Purpose,
    owner: &str,
    sealed: &Sealed,
) -> Result<Zeroizing<Vec<u8>>, Unreadable> {
    let key = key(peppers, sealed.version, purpose)?;
    let (nonce, encrypted) = sealed.bytes.split_at_checked(NONCE_LEN).ok_or(Unreadable)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce)?;
    let mut bytes = Zeroizing::new(encrypted.to_vec());
    let aad = Aad::from(owner.as_bytes());
    let length = key.open_in_place(nonce, aad, &mut bytes)?.len();
    bytes.truncate(length);
    Ok(bytes)
}

impl Sealed {
    /// As text, for a form.
    pub(crate) fn text(&self) -> String {
        format!(
            "{}.{}",
            self.version,
            BASE64_URL_SAFE_NO_PAD.encode(&self.bytes)
        )
    }

    /// Reads the output of [`Self::text`].
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (version, bytes) = text.split_once('.')?;
        Some(Self {
            version: version.parse().ok()?,
            bytes: BASE64_URL_SAFE_NO_PAD.decode(bytes).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::digest::Pepper;

    fn peppers(version: i32) -> Peppers {
        let all = |version: i32| Pepper::new(version, &[version as u8; 32]).unwrap();
        Peppers::new(all(version), (1..version).map(all).collect())
    }

    #[test]
    fn only_the_same_purpose_owner_and_pepper_read_it() {
        let random = Randomness::seeded(1);
        let seal =
            |peppers: &Peppers| seal(peppers, &random, Purpose::SetUp, "dana", b"secret").unwrap();
        let sealed = Sealed::read(&seal(&peppers(1)).text()).unwrap();
        let read = |peppers: &Peppers, purpose, owner| unseal(peppers, purpose, owner, &sealed);
        assert_eq!(
            &read(&peppers(1), Purpose::SetUp, "dana").unwrap()[..],
            b"secret"
        );
        assert!(
            read(&peppers(2), Purpose::SetUp, "dana").is_ok(),
            "an older pepper"
        );
        assert!(read(&peppers(1), Purpose::SetUp, "eve").is_err());
        assert!(read(&peppers(1), Purpose::HalfSignIn, "dana").is_err());
        let newer = seal(&peppers(2));
        assert!(unseal(&peppers(1), Purpose::SetUp, "dana", &newer).is_err());
        assert_ne!(
            seal(&peppers(1)).bytes,
            sealed.bytes,
            "each has its own nonce"
        );
    }

    #[test]
    fn a_changed_text_is_not_read() {
        let peppers = peppers(1);
        let sealed = seal(
            &peppers,
            &Randomness::seeded(1),
            Purpose::SetUp,
            "dana",
            b"secret",
        );
        let sealed = sealed.unwrap();
        for place in 0..sealed.bytes.len() {
            let mut bytes = sealed.bytes.clone();
            bytes[place] ^= 1;
            let changed = Sealed { version: 1, bytes };
            assert!(unseal(&peppers, Purpose::SetUp, "dana", &changed).is_err());
        }
        for text in ["", ".", "1.", "1.AAAA", "1.ä", "x.AAAA"] {
            let read = Sealed::read(text);
            let read = read.map(|sealed| unseal(&peppers, Purpose::SetUp, "dana", &sealed));
            assert!(!matches!(read, Some(Ok(_))), "{text}");
        }
    }
}

//! The token in an invitation's link.

use std::str::FromStr;

use crate::{
    Engine,
    convention::CHECKSUM_CHARACTERS,
    key::{digest::KeyDigest, text::PlainKey},
    random::{Randomness, RandomnessError},
};

/// Distinguishes the tokens from keys and service tokens.
const PREFIX: &str = "lk_inv_";
/// Number of random Base62 characters, the same as for keys.
const RANDOM_CHARACTERS: usize = 26;

/// A text that has the format of a token, with a valid checksum.
#[derive(Debug, Clone)]
pub struct InvitationToken(PlainKey);

/// The text does not have the format of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("This is not the link of an invitation.")]
pub struct MalformedToken;

impl FromStr for InvitationToken {
    type Err = MalformedToken;

    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        let length = PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
        let token = PlainKey::from_presented(text);
        let is_one = text.len() == length && text.starts_with(PREFIX) && token.has_checksum();
        is_one.then_some(Self(token)).ok_or(MalformedToken)
    }
}

impl InvitationToken {
    pub(super) fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        PlainKey::generate(PREFIX, RANDOM_CHARACTERS, random).map(Self)
    }

    /// The plaintext. Use it only in the link that is shown once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The digest to store.
    pub(super) fn digest(&self, engine: &Engine) -> KeyDigest {
        engine.peppers.digest(&self.0)
    }

    /// The digests under which it can be stored.
    pub(super) fn digests(&self, engine: &Engine) -> Vec<KeyDigest> {
        engine.peppers.digests(&self.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_format_of_a_token_is_one() {
        let token = InvitationToken::generate(&Randomness::seeded(1)).unwrap();
        let text = token.expose();
        assert!(text.parse::<InvitationToken>().is_ok());
        assert_eq!(format!("{token:?}"), "InvitationToken(PlainKey(redacted))");
        let last = if text.ends_with('0') { "1" } else { "0" };
        for wrong in [
            "",
            "lk_inv_",
            &text[1..],
            &format!("{text}0"),
            &format!("{}{last}", &text[..text.len() - 1]),
            &text.replace("lk_inv_", "lk_ser_"),
        ] {
            assert!(wrong.parse::<InvitationToken>().is_err(), "{wrong}");
        }
    }
}

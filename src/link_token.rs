//! The token of a single-use link: a prefix that says what the link is for, random Base62 characters and a checksum.

use crate::{
    Engine,
    convention::CHECKSUM_CHARACTERS,
    key::{digest::KeyDigest, text::PlainKey},
    random::{Randomness, RandomnessError},
};

/// Number of random Base62 characters, the same as for keys.
const RANDOM_CHARACTERS: usize = 26;

/// A text that has the format of a token, with a valid checksum.
#[derive(Debug, Clone)]
pub(crate) struct LinkToken(PlainKey);

/// The text does not have the format of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("This is not a link of this Latchkey instance.")]
pub struct MalformedToken;

impl LinkToken {
    /// Parses a token with this prefix.
    pub(crate) fn parse(prefix: &str, text: &str) -> Result<Self, MalformedToken> {
        let length = prefix.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
        let token = PlainKey::from_presented(text);
        let is_one = text.len() == length && text.starts_with(prefix) && token.has_checksum();
        is_one.then_some(Self(token)).ok_or(MalformedToken)
    }

    pub(crate) fn generate(prefix: &str, random: &Randomness) -> Result<Self, RandomnessError> {
        PlainKey::generate(prefix, RANDOM_CHARACTERS, random).map(Self)
    }

    /// The plaintext.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The digest to store.
    pub(crate) fn digest(&self, engine: &Engine) -> KeyDigest {
        engine.peppers.digest(&self.0)
    }

    /// The digests under which it can be stored.
    pub(crate) fn digests(&self, engine: &Engine) -> Vec<KeyDigest> {
        engine.peppers.digests(&self.0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_format_of_a_token_is_one() {
        let token = LinkToken::generate("lk_inv_", &Randomness::seeded(1)).unwrap();
        let text = token.expose();
        assert!(LinkToken::parse("lk_inv_", text).is_ok());
        assert_eq!(
            format!("{token:?}"),
            "LinkToken(PlainKey(SecretBox<str>([REDACTED])))"
        );
        let last = if text.ends_with('0') { "1" } else { "0" };
        for wrong in [
            "",
            "lk_inv_",
            &text[1..],
            &format!("{text}0"),
            &format!("{}{last}", &text[..text.len() - 1]),
            &text.replace("lk_inv_", "lk_ser_"),
        ] {
            assert!(LinkToken::parse("lk_inv_", wrong).is_err(), "{wrong}");
        }
        assert!(LinkToken::parse("lk_acc_", text).is_err());
    }
}

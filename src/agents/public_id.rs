//! The ID of an agent that can be published in a page's source.

use std::{fmt, str::FromStr};

use crate::{
    key::text::ALPHABET,
    random::{Randomness, RandomnessError},
};

const PREFIX: &str = "agt_";
/// Number of Base62 characters that hold 128 bits.
const CHARACTERS: usize = 22;

/// An agent's public ID: `agt_` and 22 random Base62 characters. It is not a secret, but cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicId([u8; CHARACTERS]);

/// The text is not a public ID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "An agent's public ID must be `agt_` followed by 22 letters and digits. Copy it from the agent's page."
)]
pub struct InvalidPublicId;

impl PublicId {
    /// Generates a new public ID.
    ///
    /// # Errors
    /// If the system's random number generator fails.
    pub(crate) fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        let mut rest = u128::from_be_bytes(random.bytes()?);
        let characters = [(); CHARACTERS].map(|()| {
            let digit = (rest % 62) as usize;
            rest /= 62;
            ALPHABET[digit]
        });
        Ok(Self(characters))
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        // Always ASCII.
        f.write_str(std::str::from_utf8(&self.0).unwrap_or_default())
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicId {
    type Err = InvalidPublicId;
    fn from_str(text: &str) -> Result<Self, InvalidPublicId> {
        text.strip_prefix(PREFIX)
            .and_then(|characters| <[u8; CHARACTERS]>::try_from(characters.as_bytes()).ok())
            .filter(|characters| characters.iter().all(u8::is_ascii_alphanumeric))
            .map(Self)
            .ok_or(InvalidPublicId)
    }
}

crate::db::text_column!(PublicId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_id_reads_back_and_nothing_else_is_one() {
        let id = PublicId::generate(&Randomness::seeded(1)).unwrap();
        let text = id.to_string();
        assert_eq!(text.parse(), Ok(id));
        assert_ne!(PublicId::generate(&Randomness::seeded(2)).unwrap(), id);
        for wrong in [
            &text[1..],
            &text[..text.len() - 1],
            &format!("{text}0"),
            &format!("agn_{}", &text[4..]),
            "agt_aaaaaaaaaaaaaaaaaaaaa-",
            "agt_éaaaaaaaaaaaaaaaaaaaa",
            "",
        ] {
            assert_eq!(wrong.parse::<PublicId>(), Err(InvalidPublicId), "{wrong}");
        }
    }
}

//! The token in a link about an account.

use std::str::FromStr;

use crate::{
    Engine,
    key::digest::KeyDigest,
    link_token::{LinkToken, MalformedToken},
    random::{Randomness, RandomnessError},
};

/// Distinguishes the tokens from keys, service tokens and the tokens of invitations.
const PREFIX: &str = "lk_acc_";

/// A text that has the format of such a token, with a valid checksum.
#[derive(Debug, Clone)]
pub struct AccountToken(LinkToken);

impl FromStr for AccountToken {
    type Err = MalformedToken;

    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        LinkToken::parse(PREFIX, text).map(Self)
    }
}

impl AccountToken {
    pub(super) fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        LinkToken::generate(PREFIX, random).map(Self)
    }

    /// The plaintext. Use it only in the link that is sent or printed once.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The digest to store.
    pub(super) fn digest(&self, engine: &Engine) -> KeyDigest {
        self.0.digest(engine)
    }

    /// The digests under which it can be stored.
    pub(super) fn digests(&self, engine: &Engine) -> Vec<KeyDigest> {
        self.0.digests(engine)
    }
}

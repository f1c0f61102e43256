//! The token in an invitation's link.

use std::str::FromStr;

use crate::{
    Engine,
    key::digest::KeyDigest,
    link_token::{LinkToken, MalformedToken},
    random::{Randomness, RandomnessError},
};

/// Distinguishes the tokens from keys, service tokens and the tokens of other links.
const PREFIX: &str = "lk_inv_";

/// A text that has the format of an invitation's token, with a valid checksum.
#[derive(Debug, Clone)]
pub struct InvitationToken(LinkToken);

impl FromStr for InvitationToken {
    type Err = MalformedToken;

    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        LinkToken::parse(PREFIX, text).map(Self)
    }
}

impl InvitationToken {
    pub(super) fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        LinkToken::generate(PREFIX, random).map(Self)
    }

    /// The plaintext. Use it only in the link that is shown once or sent by mail.
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

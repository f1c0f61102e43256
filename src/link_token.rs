//! The token of a single-use link: a prefix that says what the link is for, random Base62 characters and a checksum.

use std::{collections::HashMap, marker::PhantomData, str::FromStr};

use crate::{
    Engine,
    convention::CHECKSUM_CHARACTERS,
    db::{StorageError, on, places},
    key::{digest::KeyDigest, text::PlainKey},
    random::{Randomness, RandomnessError},
};

/// Number of random Base62 characters, the same as for keys.
const RANDOM_CHARACTERS: usize = 26;

/// The token of a link about an account.
pub type AccountToken = LinkToken<AboutAccount>;
/// The token of an invitation's link.
pub type InvitationToken = LinkToken<ToOrg>;

/// What a link is for, as a type, so that a token of one kind cannot be used for another.
pub trait Purpose {
    /// Distinguishes the tokens from those of other links, from keys and from service tokens.
    const PREFIX: &str;
}

/// A link about an account.
#[derive(Debug, Clone)]
pub struct AboutAccount;

/// An invitation to an org.
#[derive(Debug, Clone)]
pub struct ToOrg;

impl Purpose for AboutAccount {
    const PREFIX: &str = "lk_acc_";
}

impl Purpose for ToOrg {
    const PREFIX: &str = "lk_inv_";
}

/// A text that has the format of a token, with a valid checksum.
#[derive(Debug, Clone)]
pub struct LinkToken<P>(PlainKey, PhantomData<P>);

/// The text does not have the format of a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("This is not a link of this Latchkey instance.")]
pub struct MalformedToken;

impl<P: Purpose> FromStr for LinkToken<P> {
    type Err = MalformedToken;

    fn from_str(text: &str) -> Result<Self, MalformedToken> {
        let length = P::PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS;
        let token = PlainKey::from_presented(text);
        let is_one = text.len() == length && text.starts_with(P::PREFIX) && token.has_checksum();
        is_one
            .then_some(Self(token, PhantomData))
            .ok_or(MalformedToken)
    }
}

impl<P: Purpose> LinkToken<P> {
    pub(crate) fn generate(random: &Randomness) -> Result<Self, RandomnessError> {
        let token = PlainKey::generate(P::PREFIX, RANDOM_CHARACTERS, random)?;
        Ok(Self(token, PhantomData))
    }

    /// The plaintext. Use it only in the link that is sent by mail, shown once or printed.
    pub fn expose(&self) -> &str {
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

    /// The digest under which a link with this token is stored, whether or not the link still counts. It is looked up together
    /// with others: anyone can make up links, and those must not occupy the connections of everyone's pages.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub(crate) async fn stored(&self, engine: &Engine) -> Result<Option<KeyDigest>, StorageError> {
        let digests = self.digests(engine);
        let found = engine.link_look_ups.find(digests, engine, stored).await?;
        Ok(found.map(|(digest, ())| digest))
    }
}

async fn stored(
    engine: Engine,
    digests: Vec<KeyDigest>,
) -> Result<HashMap<KeyDigest, ()>, StorageError> {
    let list = places(1, digests.len());
    let sql = format!(
        "SELECT digest FROM account_links WHERE digest IN ({list}) \
         UNION ALL SELECT digest FROM invitations WHERE digest IN ({list})"
    );
    let found: Vec<Vec<u8>> = on!(engine.db.read(), c => {
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql));
        let bound = digests.iter().fold(query, |query, digest| query.bind(digest.as_bytes()));
        bound.fetch_all(c).await
    })?;
    let found = found
        .into_iter()
        .filter_map(|digest| KeyDigest::try_from(digest).ok());
    Ok(found.map(|digest| (digest, ())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_format_of_a_token_is_one() {
        let token = InvitationToken::generate(&Randomness::seeded(1)).unwrap();
        let text = token.expose();
        let is_one = |text: &str| text.parse::<InvitationToken>().is_ok();
        assert!(is_one(text));
        assert!(!format!("{token:?}").contains(text));
        let last = if text.ends_with('0') { "1" } else { "0" };
        for wrong in [
            "",
            "lk_inv_",
            &text[1..],
            &format!("{text}0"),
            &format!("{}{last}", &text[..text.len() - 1]),
            &text.replace("lk_inv_", "lk_ser_"),
        ] {
            assert!(!is_one(wrong), "{wrong}");
        }
        assert!(text.parse::<AccountToken>().is_err());
    }
}

//! Finds a key or a service token by its secret: "which one is this?", the question after a leak.

mod shape;

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::{
    Engine,
    access::{Permit, to},
    accounts::attempts::{self, AttemptError, Subject},
    audit::security_events::{Log, SecurityEvent},
    caller::Caller,
    db::{StorageError, on, places},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, OrgId, SecretId, ServiceTokenId},
    key::{
        digest::KeyDigest,
        secret_text::{SecretPrefixes, candidates},
        text::PlainKey,
    },
};

pub use self::shape::SecretShape;

use super::import::sha256_of;

/// The maximum length of a text that is searched for secrets, in characters.
pub const MAX_TEXT: usize = 2_000;

/// Why a secret was not looked up.
#[derive(Debug, thiserror::Error)]
pub enum FindBySecretError {
    /// The user has looked up too many secrets.
    #[error("too many secrets were looked up")]
    TooMany {
        /// Seconds until the user can look up another one.
        retry_after: i64,
    },
    /// The text is longer than [`MAX_TEXT`].
    #[error("the text is too long")]
    TooLong,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(FindBySecretError);

impl From<AttemptError> for FindBySecretError {
    fn from(error: AttemptError) -> Self {
        match error {
            AttemptError::TooMany { retry_after } => Self::TooMany { retry_after },
            AttemptError::Storage(error) => Self::Fault(error.into()),
        }
    }
}

/// What a text contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A key.
    Key {
        /// The key.
        key_id: KeyId,
        /// Which of its secrets it is: the current one, or one that a rotation replaced.
        secret_id: SecretId,
    },
    /// A service token of the organization.
    Token(ServiceTokenId),
}

/// Whose keys a user can look up.
#[derive(Debug, Clone, Copy)]
pub enum Reach<'a> {
    /// Those of the org, and its service tokens.
    All(&'a Permit<to::SeeKeyDetails>),
    /// Those that they have created.
    Own(&'a Permit<to::SeeOwnKeys>),
}

impl Reach<'_> {
    fn org_id(self) -> OrgId {
        match self {
            Self::All(permit) => permit.org_id(),
            Self::Own(permit) => permit.org_id(),
        }
    }

    fn caller(&self) -> &Caller {
        match self {
            Self::All(permit) => permit.caller(),
            Self::Own(permit) => permit.caller(),
        }
    }
}

/// Returns the org's key with this secret, or the SHA-256 of one, or its service token. Replaced secrets count too; if the text
/// contains several secrets, the current and the latest are first. The text can contain the code around the secret. The
/// look-up is recorded, and a user can do ten a minute.
///
/// A secret out of reach, one of another org and one that does not exist take the same statements, so that neither the
/// response nor its time says which it is.
///
/// # Errors
/// If the text is too long, the user has looked up too many secrets, or the database cannot be reached.
pub async fn find_by_secret(
    engine: &Engine,
    reach: Reach<'_>,
    text: &PlainKey,
) -> Result<Option<Found>, FindBySecretError> {
    if text.expose().chars().count() > MAX_TEXT {
        return Err(FindBySecretError::TooLong);
    }
    if let Some(user_id) = reach.caller().actor.user_id() {
        // Never taken back: successful look-ups count, too.
        let _ = attempts::count(engine, &[Subject::KeyLookUps(user_id)]).await?;
    }
    let digests = digests(engine, text.expose());
    let found = if digests.is_empty() {
        None
    } else {
        let key = key_with(engine, reach, &digests).await?;
        let token = token_with(engine, reach, &digests).await?;
        key.or(token)
    };
    let log = Log::Org(reach.org_id());
    let looked_up = SecurityEvent::new(Event::KeyLookedUp, reach.caller().clone(), log);
    let result = if found.is_some() {
        "found"
    } else {
        "not found"
    };
    let target = found.map(|found| match found {
        Found::Key { key_id, .. } => Target::Key(key_id),
        Found::Token(id) => Target::Token(id),
    });
    engine.note(looked_up.about(target).with("result", result));
    Ok(found)
}

async fn key_with(
    engine: &Engine,
    reach: Reach<'_>,
    digests: &[KeyDigest],
) -> Result<Option<Found>, StorageError> {
    let creator = match reach {
        Reach::All(_) => String::new(),
        // Who is no user has created no key.
        Reach::Own(permit) => match permit.caller().actor.user_id() {
            Some(id) => id.to_string(),
            None => "nobody".to_owned(),
        },
    };
    let sql = format!(
        "SELECT keys.id, key_secrets.id FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id \
         WHERE keys.org_id = $1 AND ($2 = '' OR keys.created_by = $2) AND key_secrets.digest IN ({}) \
         ORDER BY CASE WHEN key_secrets.ends_at IS NULL THEN 0 ELSE 1 END, key_secrets.created_at DESC, key_secrets.id DESC LIMIT 1",
        places(3, digests.len())
    );
    let found: Option<(KeyId, SecretId)> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(reach.org_id()).bind(creator);
        for digest in digests {
            query = query.bind(digest.as_bytes());
        }
        query.fetch_optional(c).await
    })?;
    Ok(found.map(|(key_id, secret_id)| Found::Key { key_id, secret_id }))
}

/// The service token of the org with one of these digests. It is looked up for everyone, so that the time of the response is
/// the same, and returned to those who can see all keys.
async fn token_with(
    engine: &Engine,
    reach: Reach<'_>,
    digests: &[KeyDigest],
) -> Result<Option<Found>, StorageError> {
    let sql = format!(
        "SELECT id FROM service_tokens WHERE org_id = $1 AND digest IN ({}) LIMIT 1",
        places(2, digests.len())
    );
    let found: Option<ServiceTokenId> = on!(engine.db.read(), c => {
        let mut query = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(reach.org_id());
        for digest in digests {
            query = query.bind(digest.as_bytes());
        }
        query.fetch_optional(c).await
    })?;
    let found = found.filter(|_| matches!(reach, Reach::All(_)));
    Ok(found.map(Found::Token))
}

/// The digests of everything in the text that can be a secret, or the SHA-256 of one, under every pepper.
fn digests(engine: &Engine, text: &str) -> Vec<KeyDigest> {
    let hashes: BTreeSet<[u8; 32]> = candidates(text, &SecretPrefixes::of(&engine.convention))
        .into_iter()
        .filter(|candidate| !candidate.is_empty())
        .flat_map(|candidate| {
            let of_text: [u8; 32] = Sha256::digest(candidate).into();
            [Some(of_text), sha256_of(candidate).ok()]
        })
        .flatten()
        .collect();
    hashes
        .iter()
        .flat_map(|hash| engine.peppers.digests_of_sha256(hash))
        .collect()
}

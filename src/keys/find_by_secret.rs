//! Finds a key by its secret: "which key is this?", the question after a leak.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::{
    Engine,
    access::{Permit, to},
    accounts::attempts::{self, AttemptError, Subject},
    audit::security_events::{Log, SecurityEvent},
    db::{on, places},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, SecretId},
    key::{
        digest::KeyDigest,
        secret_text::{SecretPrefixes, candidates},
        text::PlainKey,
    },
};

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

/// The key and the secret that a text contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Found {
    /// The key.
    pub key_id: KeyId,
    /// Which of its secrets it is: the current one, or one that a rotation replaced.
    pub secret_id: SecretId,
}

/// Returns the org's key with this secret, or the SHA-256 of one. Replaced secrets count too; if the text contains several
/// secrets, the current and the latest are first. The text can contain the code around the secret. The look-up is recorded,
/// and a user can do ten a minute.
///
/// A secret of another org and one that does not exist take the same statements, so that neither the response nor its time
/// says which it is.
///
/// # Errors
/// If the text is too long, the user has looked up too many secrets, or the database cannot be reached.
pub async fn find_by_secret(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
    text: &PlainKey,
) -> Result<Option<Found>, FindBySecretError> {
    if text.expose().chars().count() > MAX_TEXT {
        return Err(FindBySecretError::TooLong);
    }
    if let Some(user_id) = permit.caller().actor.user_id() {
        // Never taken back: successful look-ups count, too.
        let _ = attempts::count(engine, &[Subject::KeyLookUps(user_id)]).await?;
    }
    let digests = digests(engine, text.expose());
    let found: Option<Found> = if digests.is_empty() {
        None
    } else {
        let sql = format!(
            "SELECT keys.id AS key_id, key_secrets.id AS secret_id FROM key_secrets JOIN keys ON keys.id = key_secrets.key_id \
             WHERE keys.org_id = $1 AND key_secrets.digest IN ({}) \
             ORDER BY CASE WHEN key_secrets.ends_at IS NULL THEN 0 ELSE 1 END, key_secrets.created_at DESC, key_secrets.id DESC LIMIT 1",
            places(2, digests.len())
        );
        on!(engine.db.read(), c => {
            let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(permit.org_id());
            for digest in &digests {
                query = query.bind(digest.as_bytes());
            }
            query.fetch_optional(c).await
        })?
    };
    let log = Log::Org(permit.org_id());
    let looked_up = SecurityEvent::new(Event::KeyLookedUp, permit.caller().clone(), log);
    let result = if found.is_some() {
        "found"
    } else {
        "not found"
    };
    engine.note(
        looked_up
            .about(found.map(|found| Target::Key(found.key_id)))
            .with("result", result),
    );
    Ok(found)
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

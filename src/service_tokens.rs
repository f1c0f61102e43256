//! Service tokens: what the operator's API servers call Latchkey with (design §1, §6). Stored like keys, as digests.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    Engine,
    access::Operator,
    caller::Visit,
    change::Happened,
    convention::CHECKSUM_CHARACTERS,
    db::{StorageError, on},
    event::{Event, Target},
    id::ServiceTokenId,
    key::text::PlainKey,
    name::DisplayName,
    random::RandomnessError,
};

/// What service tokens begin with in every convention, so that none is taken for a key.
pub const PREFIX: &str = "lk_service_";
/// Random Base62 characters of a service token, as many as a key has.
const RANDOM_CHARACTERS: usize = 26;

/// What a service token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenScope {
    /// Asking whether a key may pass.
    Verify,
    /// Everything that the operator may do, verification included.
    Manage,
}

/// A token that was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceToken {
    /// Its id.
    pub id: ServiceTokenId,
    /// What it may be used for.
    pub scope: TokenScope,
}

/// The text is not a scope of service tokens.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a service token's scope is `verify` or `manage`")]
pub struct InvalidTokenScope;

impl fmt::Display for TokenScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Verify => "verify",
            Self::Manage => "manage",
        })
    }
}

impl FromStr for TokenScope {
    type Err = InvalidTokenScope;
    fn from_str(text: &str) -> Result<Self, InvalidTokenScope> {
        match text {
            "verify" => Ok(Self::Verify),
            "manage" => Ok(Self::Manage),
            _ => Err(InvalidTokenScope),
        }
    }
}

crate::db::text_column!(TokenScope);

/// Why a token was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateTokenError {
    /// There was no randomness.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// The database could not be asked.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Makes a service token and gives its plain text, for the first and last time.
///
/// # Errors
/// When the database cannot be asked.
pub async fn create(
    engine: &Engine,
    operator: &Operator,
    name: &DisplayName,
    scope: TokenScope,
) -> Result<PlainKey, CreateTokenError> {
    let now = engine.clock.now();
    let plain = PlainKey::generate(PREFIX, RANDOM_CHARACTERS, &engine.random)?;
    let id = ServiceTokenId::new(now.as_millis(), engine.random.bytes()?);
    const SQL: &str = "INSERT INTO service_tokens (id, name, scope, digest, pepper_version, display, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let digest = engine.peppers.digest(&plain);
    let mut change = engine.change_instance(operator).await?;
    on!(change.on(), c => sqlx::query(SQL)
        .bind(id).bind(name.clone()).bind(scope).bind(digest.as_bytes()).bind(engine.peppers.current_version())
        .bind(plain.display_form(PREFIX.len() + 4)).bind(now).execute(c).await.map(drop))
    .map_err(StorageError::from)?;
    let created = Happened::new(Event::TokenCreated, Target::Token(id));
    change.commit(created).await?;
    Ok(plain)
}

/// The service token that this text is; `None` when it is none. Known ones are answered from memory.
///
/// # Errors
/// When it is not in memory and the database cannot be asked.
pub async fn recognise(
    engine: &Engine,
    presented: &PlainKey,
) -> Result<Option<ServiceToken>, StorageError> {
    if !presented.expose().starts_with(PREFIX)
        || presented.expose().len() != PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
        || !presented.has_checksum()
    {
        return Ok(None);
    }
    let now = engine.clock.monotonic();
    for digest in engine.peppers.digests(presented) {
        if let Some(token) = engine.cache.service_token(&digest, now) {
            return Ok(Some(token));
        }
        const SQL: &str = "SELECT id, scope FROM service_tokens WHERE digest = $1";
        let row: Option<(ServiceTokenId, TokenScope)> = on!(engine.db.read(), c => sqlx::query_as(SQL).bind(digest.as_bytes()).fetch_optional(c).await)?;
        if let Some((id, scope)) = row {
            let token = ServiceToken { id, scope };
            engine.cache.remember_service_token(digest, token, now);
            return Ok(Some(token));
        }
    }
    Ok(None)
}

impl ServiceToken {
    /// The operator for whom the token acts on this visit, when its scope is `manage`.
    pub fn operator(&self, visit: Visit) -> Option<Operator> {
        (self.scope == TokenScope::Manage).then(|| Operator::with_manage_token(self.id, visit))
    }
}

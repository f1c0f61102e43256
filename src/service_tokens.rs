//! Service tokens authenticate the operator's API servers to Latchkey (design §1, §6). Like keys, they are stored as
//! digests.

pub(crate) mod token;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

pub use self::token::{InvalidTokenScope, ServiceToken, TokenScope};
use crate::{
    Engine,
    access::Operator,
    audit::security_events::{Log, SecurityEvent},
    caller::Visit,
    change::Happened,
    clock::Monotonic,
    convention::CHECKSUM_CHARACTERS,
    db::{Db, StorageError, on, places},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::ServiceTokenId,
    key::{digest::KeyDigest, text::PlainKey},
    name::DisplayName,
    peppers::StoredAs,
    time::{MINUTE, Timestamp},
    verify::cache::Led,
};

/// The prefix of service tokens in every convention. It distinguishes them from keys.
pub const PREFIX: &str = "lk_service_";
/// Number of random Base62 characters of a service token, the same as for keys.
const RANDOM_CHARACTERS: usize = 26;

#[derive(sqlx::FromRow)]
struct Row {
    id: ServiceTokenId,
    scope: TokenScope,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    digest: Vec<u8>,
}

/// Creates a service token and returns its plaintext. It cannot be retrieved again.
///
/// # Errors
/// If the database cannot be reached.
pub async fn create(
    engine: &Engine,
    operator: &Operator,
    name: &DisplayName,
    scope: TokenScope,
    expires_at: Option<Timestamp>,
) -> Result<PlainKey, Fault> {
    let now = engine.clock.now();
    let plain = PlainKey::generate(PREFIX, RANDOM_CHARACTERS, &engine.random)?;
    let id = ServiceTokenId::new(now.as_millis(), engine.random.bytes()?);
    const SQL: &str = "INSERT INTO service_tokens (id, name, scope, digest, pepper_version, display, created_at, \
         expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
    let digest = engine.peppers.digest(&plain);
    let mut change = engine.change_instance(operator).await?;
    on!(change.on(), c => sqlx::query(SQL)
        .bind(id).bind(name.clone()).bind(scope).bind(digest.as_bytes()).bind(engine.peppers.current_version())
        .bind(plain.display_form(PREFIX.len() + 4)).bind(now).bind(expires_at).execute(c).await.map(drop))?;
    let created = Happened::new(Event::TokenCreated, Target::Token(id));
    change.commit(created).await?;
    Ok(plain)
}

/// Returns the service token with this plaintext; `None` if there is no such token. Recently used tokens are cached.
///
/// # Errors
/// If the token is not cached and the database cannot be reached.
pub async fn recognise(
    engine: &Engine,
    presented: &PlainKey,
) -> Result<Option<Arc<ServiceToken>>, StorageError> {
    if !may_be_one(presented) {
        return Ok(None);
    }
    let monotonic = engine.clock.monotonic();
    let found = match held(engine, presented, monotonic) {
        Some(token) => Some(token),
        None => read(engine, presented, monotonic).await?,
    };
    Ok(found.filter(|token| token.is_used(engine.clock.now())))
}

/// Same as [`recognise`], but only looks in the cache, which has most tokens. `None` means that the database must be
/// queried.
pub fn recognise_from_memory(engine: &Engine, presented: &PlainKey) -> Option<Arc<ServiceToken>> {
    if !may_be_one(presented) {
        return None;
    }
    held(engine, presented, engine.clock.monotonic())
        .filter(|token| token.is_used(engine.clock.now()))
}

fn may_be_one(presented: &PlainKey) -> bool {
    presented.expose().starts_with(PREFIX)
        && presented.expose().len() == PREFIX.len() + RANDOM_CHARACTERS + CHECKSUM_CHARACTERS
        && presented.has_checksum()
}

fn held(engine: &Engine, presented: &PlainKey, now: Monotonic) -> Option<Arc<ServiceToken>> {
    let mut digests = engine.peppers.digests(presented);
    digests.find_map(|digest| engine.cache.service_token(&digest, now))
}

/// Reads a token that is not revoked, and caches it. All digests are queried in one statement: between two statements
/// the digest could move from one pepper to another and be found under neither.
async fn read(
    engine: &Engine,
    presented: &PlainKey,
    now: Monotonic,
) -> Result<Option<Arc<ServiceToken>>, StorageError> {
    let unknown = &engine.cache.unknown_tokens;
    let digests: Vec<KeyDigest> = engine.peppers.digests(presented).collect();
    let unasked = digests
        .iter()
        .find_map(|digest| match unknown.get(digest, now) {
            Led::Unasked(epoch) => Some(epoch),
            Led::Nowhere | Led::To(()) => None,
        });
    let Some(epoch) = unasked else {
        return Ok(None);
    };
    // Counted before reading, so that a token revoked concurrently is not cached.
    let changes = engine.cache.changes();
    let sql = format!(
        "SELECT id, scope, expires_at, last_used_at, digest FROM service_tokens \
         WHERE digest IN ({}) AND revoked_at IS NULL ORDER BY pepper_version DESC LIMIT 1",
        places(1, digests.len())
    );
    let row: Option<Row> = on!(engine.db.verification(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql));
        for digest in &digests {
            query = query.bind(digest.as_bytes());
        }
        query.fetch_optional(c).await
    })?;
    let Some(row) = row else {
        for digest in digests {
            unknown.remember_unknown(digest, now, epoch);
        }
        return Ok(None);
    };
    let digest = KeyDigest::try_from(row.digest).map_err(StorageError::unreadable)?;
    engine
        .outdated
        .note_unless_current(StoredAs::Token(row.id), digest, &digests);
    let stored = row.last_used_at.map_or(0, Timestamp::as_millis);
    let token = Arc::new(ServiceToken {
        id: row.id,
        scope: row.scope,
        expires_at: row.expires_at,
        last_used_at: AtomicI64::new(stored),
        stored_last_used_at: AtomicI64::new(stored),
    });
    engine
        .cache
        .remember_service_token(digest, &token, now, changes);
    Ok(Some(token))
}

/// Stores when tokens were last used, at most once a minute per token.
///
/// # Errors
/// If the database cannot be reached. Failed updates are retried on the next call.
pub async fn store_last_use(engine: &Engine) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE service_tokens SET last_used_at = $1 \
         WHERE id = $2 AND (last_used_at IS NULL OR last_used_at < $1)";
    for token in engine.cache.service_tokens() {
        let used = token.last_used_at.load(Ordering::Relaxed);
        if used - token.stored_last_used_at.load(Ordering::Relaxed) < MINUTE {
            continue;
        }
        on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
            .bind(used).bind(token.id).execute(c).await.map(drop))?;
        token.stored_last_used_at.store(used, Ordering::Relaxed);
    }
    Ok(())
}

/// A service token as shown in lists.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenSummary {
    /// The token's ID.
    pub id: ServiceTokenId,
    /// The token's display name.
    pub name: DisplayName,
    /// What the token can be used for.
    pub scope: TokenScope,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the token expires; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When the token was last used, with a precision of one minute.
    pub last_used_at: Option<Timestamp>,
    /// When the token was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
}

impl TokenSummary {
    /// `active`, `expired` or `revoked`.
    pub fn status(&self, now: Timestamp) -> &'static str {
        match (self.revoked_at, self.expires_at) {
            (Some(_), _) => "revoked",
            (None, Some(at)) if at <= now => "expired",
            (None, _) => "active",
        }
    }
}

/// Returns all service tokens, oldest first. An instance only has a few. Does not need an engine, so that it works
/// without the peppers.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(db: &Db, _operator: &Operator) -> Result<Vec<TokenSummary>, StorageError> {
    const SQL: &str = "SELECT id, name, scope, created_at, expires_at, last_used_at, revoked_at \
         FROM service_tokens ORDER BY created_at, id";
    Ok(on!(db.read(), c => sqlx::query_as(SQL).fetch_all(c).await)?)
}

/// Why a token was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// There is no such token.
    #[error("The service token was not found.")]
    NotFound,
    /// The token was already revoked at this time.
    #[error("This service token is already revoked.")]
    AlreadyRevoked(Timestamp),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RevokeTokenError);

/// Revokes a token permanently.
///
/// # Errors
/// If there is no token with this ID, or it is already revoked.
pub async fn revoke(
    engine: &Engine,
    operator: &Operator,
    id: ServiceTokenId,
) -> Result<(), RevokeTokenError> {
    let mut change = engine.change_instance(operator).await?;
    const SQL: &str =
        "UPDATE service_tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL";
    let revoked = on!(change.on(), c => sqlx::query(SQL)
        .bind(engine.clock.now()).bind(id).execute(c).await.map(|done| done.rows_affected()))?;
    if revoked == 0 {
        const REVOKED_AT: &str = "SELECT revoked_at FROM service_tokens WHERE id = $1";
        let revoked_at: Option<Option<Timestamp>> = on!(change.on(), c => sqlx::query_scalar(REVOKED_AT)
            .bind(id).fetch_optional(c).await)?;
        let revoked_at = revoked_at.flatten().ok_or(RevokeTokenError::NotFound)?;
        return Err(RevokeTokenError::AlreadyRevoked(revoked_at));
    }
    let revoked = Happened::new(Event::TokenRevoked, Target::Token(id));
    Ok(change.commit(revoked).await?)
}

/// The operator on whose behalf the token acts, if its scope is `manage`. A denial is recorded in the audit log.
pub fn operator(engine: &Engine, token: &ServiceToken, visit: Visit) -> Option<Operator> {
    let operator = Operator::with_manage_token(token.id, visit);
    if token.scope == TokenScope::Manage {
        return Some(operator);
    }
    let caller = operator.caller().clone();
    engine.note(SecurityEvent::new(Event::AccessDenied, caller, Log::NoOrgs));
    None
}

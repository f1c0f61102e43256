//! Service tokens: what the operator's API servers call Latchkey with (design §1, §6). Stored like keys, as digests.

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

/// What service tokens begin with in every convention, so that none is taken for a key.
pub const PREFIX: &str = "lk_service_";
/// Random Base62 characters of a service token, as many as a key has.
const RANDOM_CHARACTERS: usize = 26;

#[derive(sqlx::FromRow)]
struct Row {
    id: ServiceTokenId,
    scope: TokenScope,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    digest: Vec<u8>,
}

/// Creates a service token and returns its plaintext, for the first and last time.
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

/// The service token that this text is; `None` when it is none. Known ones are answered from memory.
///
/// # Errors
/// When it is not in memory and the database cannot be asked.
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

/// The same from memory alone, where most tokens are. `None` says that the database has to be asked.
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

/// Reads a token that is not revoked, and puts it into memory. All digests are asked for in one statement: between two,
/// the digest could move from one pepper to the other and be found under neither.
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
    // Counted before reading: what is revoked meanwhile is not remembered.
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

/// Stores when tokens were last used. A token in steady use is written once a minute.
///
/// # Errors
/// When the database cannot be asked; what was not stored is tried again.
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

/// A service token as lists show it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct TokenSummary {
    /// Its id.
    pub id: ServiceTokenId,
    /// What it is for.
    pub name: DisplayName,
    /// What it may be used for.
    pub scope: TokenScope,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it stops by itself; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
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

/// Every service token, oldest first. An instance has a handful. Needs no engine, so that it works without the peppers.
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
    /// It was revoked before, at this time.
    #[error("This service token is already revoked.")]
    AlreadyRevoked(Timestamp),
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RevokeTokenError);

/// Ends a token for good.
///
/// # Errors
/// When there is none with this id, or it is already revoked.
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

/// The operator for whom the token acts on this visit, when its scope is `manage`. A refusal is noted for the audit log.
pub fn operator(engine: &Engine, token: &ServiceToken, visit: Visit) -> Option<Operator> {
    let operator = Operator::with_manage_token(token.id, visit);
    if token.scope == TokenScope::Manage {
        return Some(operator);
    }
    let caller = operator.caller().clone();
    engine.note(SecurityEvent::new(Event::AccessDenied, caller, Log::NoOrgs));
    None
}

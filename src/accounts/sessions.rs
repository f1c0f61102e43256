//! Where sessions are kept: under the hash of their id, with the person they belong to, so that a person's sessions can
//! be ended together.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::Caller,
    db::{StorageError, Tx, on},
    event::Event,
    id::UserId,
    time::{DAY, HOUR, Timestamp},
};

/// The SHA-256 of a session's id. The id itself is only in the browser's cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionHash([u8; 32]);

/// Someone who has just proven who they are, and the epoch of their account then. A session is kept with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// Who.
    pub user_id: UserId,
    /// Raised by whatever ends all their sessions: one that carries another epoch has ended.
    pub epoch: i64,
}

/// All that a session holds. Each value is a column of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Whose it is.
    pub who: SignedIn,
    /// When its idle time began.
    pub used_at: Timestamp,
}

/// A session ends when it was not used for so many milliseconds (design §10).
pub const IDLE_LIFETIME: i64 = 12 * HOUR;
/// It ends this many milliseconds after it was opened, used or not (ASVS 7.3.2).
pub const ABSOLUTE_LIFETIME: i64 = 7 * DAY;

/// The most sessions of one person.
const MAX_SESSIONS: i64 = 100;

impl SessionRecord {
    /// The key under which the web server has it at hand while it answers a request.
    pub const KEY: &str = "session";

    /// When it ends unless it is used.
    pub fn expires_at(&self) -> Timestamp {
        self.used_at.plus(IDLE_LIFETIME)
    }
}

impl SessionHash {
    /// The hash of a session's id.
    pub fn of(id: &[u8]) -> Self {
        Self(Sha256::digest(id).into())
    }
}

impl std::fmt::Debug for SessionHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SessionHash(redacted)")
    }
}

/// Keeps a new session, and ends the oldest of someone who has too many.
///
/// # Errors
/// When there is one with this id, or the database cannot be asked.
pub async fn save(
    engine: &Engine,
    hash: SessionHash,
    record: SessionRecord,
) -> Result<(), StorageError> {
    // `data` is where earlier versions kept the columns' values a second time.
    const SQL: &str = "INSERT INTO sessions (id_hash, user_id, epoch, created_at, expires_at, data) \
         VALUES ($1, $2, $3, $4, $5, '{}')";
    const END_OLDEST: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2 AND id_hash NOT IN \
         (SELECT id_hash FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, expires_at DESC, id_hash LIMIT $3)";
    let SignedIn { user_id, epoch } = record.who;
    let mut tx = engine.db.begin_unrecorded().await?;
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(&hash.0[..]).bind(user_id).bind(epoch).bind(engine.clock.now()).bind(record.expires_at())
        .execute(c).await.map(drop))?;
    on!(tx.on(), c => sqlx::query(END_OLDEST)
        .bind(user_id).bind(&hash.0[..]).bind(MAX_SESSIONS).execute(c).await.map(drop))?;
    tx.commit().await
}

/// Changes a session that is kept. One that was ended meanwhile stays ended.
///
/// # Errors
/// When the database cannot be asked.
pub async fn update(
    engine: &Engine,
    hash: SessionHash,
    record: SessionRecord,
) -> Result<(), StorageError> {
    const SQL: &str =
        "UPDATE sessions SET user_id = $2, epoch = $3, expires_at = $4 WHERE id_hash = $1";
    let SignedIn { user_id, epoch } = record.who;
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(&hash.0[..]).bind(user_id).bind(epoch).bind(record.expires_at()).execute(c).await.map(drop))?;
    Ok(())
}

/// The session with this hash, unless it has ended: by itself, by a new password, or because its person is disabled.
///
/// # Errors
/// When the database cannot be asked.
pub async fn load(
    engine: &Engine,
    hash: SessionHash,
) -> Result<Option<SessionRecord>, StorageError> {
    const SQL: &str = "SELECT users.id, users.epoch, sessions.expires_at FROM sessions \
         JOIN users ON users.id = sessions.user_id AND users.epoch = sessions.epoch \
         WHERE sessions.id_hash = $1 AND sessions.expires_at > $2 AND sessions.created_at > $3 \
         AND users.disabled_at IS NULL";
    let now = engine.clock.now();
    let row: Option<(UserId, i64, Timestamp)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(&hash.0[..]).bind(now).bind(now.plus(-ABSOLUTE_LIFETIME)).fetch_optional(c).await)?;
    Ok(row.map(|(user_id, epoch, expires_at)| SessionRecord {
        who: SignedIn { user_id, epoch },
        used_at: expires_at.plus(-IDLE_LIFETIME),
    }))
}

/// Ends one session.
///
/// # Errors
/// When the database cannot be asked.
pub async fn end(engine: &Engine, hash: SessionHash) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE id_hash = $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(&hash.0[..]).execute(c).await.map(drop))?;
    Ok(())
}

/// The end of a person's sessions, in a transaction that is not committed yet.
#[derive(Debug)]
pub(crate) struct Ended {
    /// How many end and are not opened anew.
    pub sessions: u64,
    /// The epoch of those that begin now.
    pub epoch: i64,
}

/// Ends all sessions of a person, in the transaction of whatever does so. One that is being opened with what was right
/// before does not begin.
pub(crate) async fn end_all(tx: &mut Tx, user_id: UserId) -> Result<Ended, StorageError> {
    const RAISE: &str = "UPDATE users SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
    const DELETE: &str = "DELETE FROM sessions WHERE user_id = $1";
    let epoch = on!(tx.on(), c => sqlx::query_scalar(RAISE).bind(user_id).fetch_one(c).await)?;
    let sessions = on!(tx.on(), c => sqlx::query(DELETE)
        .bind(user_id).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(Ended { sessions, epoch })
}

impl Ended {
    /// Commits the transaction and notes for the audit log that sessions of the person ended, if any did: a task of its own,
    /// which no hang-up stops in between.
    pub(crate) async fn commit(
        self,
        engine: &Engine,
        tx: Tx,
        caller: Caller,
        user_id: UserId,
    ) -> Result<(), StorageError> {
        let noting = engine.clone();
        let committing = engine.commits.spawn(async move {
            tx.commit().await?;
            if self.sessions > 0 {
                let ended = SecurityEvent::new(Event::SessionEnded, caller, Log::OrgsOf(user_id));
                noting.note(ended.with("sessions", self.sessions));
            }
            Ok(())
        });
        committing.await.map_err(|_| StorageError::interrupted())?
    }
}

/// Deletes sessions that have ended, and gives how many.
///
/// # Errors
/// When the database cannot be asked.
pub async fn delete_ended(engine: &Engine) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1 OR created_at <= $2";
    let now = engine.clock.now();
    Ok(on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(now).bind(now.plus(-ABSOLUTE_LIFETIME)).execute(c).await.map(|done| done.rows_affected()))?)
}

//! Session storage. Each session is stored under the hash of its ID together with its user, so that all sessions of a
//! user can be ended together.

pub use crate::session_hash::SessionHash;

use std::collections::HashMap;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::lock::lock_user;
use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::{Caller, Client, System, Visit},
    db::{StorageError, Tx, on, places},
    event::Event,
    id::UserId,
    network::Household,
    time::{DAY, HOUR, MINUTE, Timestamp},
};

/// A user who has just signed in, and the epoch of their account at that time. A session stores both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedIn {
    /// The user who signed in.
    pub user_id: UserId,
    /// Raised by every action that ends all sessions of the user. A session with another epoch has ended.
    pub epoch: i64,
}

/// The contents of a session. Each value has its own column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The user, and the epoch of their account when the session started.
    pub who: SignedIn,
    /// When the session was last used. Its idle time counts from here.
    pub used_at: Timestamp,
    /// Where the session is started. Only stored when it starts.
    #[serde(default)]
    pub device: Device,
    /// How much its user may try with codes. Only stored when it starts.
    #[serde(default)]
    pub codes: Codes,
}

/// What a session is to the codes of a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Codes {
    /// The second factor whose code started the session: when it was turned on. `None` if no code was needed.
    pub factor: Option<Timestamp>,
    /// The session that this one continues since a change of the password: a new ID gives no new attempts.
    pub origin: Option<SessionHash>,
}

impl Codes {
    /// Those of a session that continues `session` under a new ID.
    pub fn continued(self, session: SessionHash) -> Self {
        let origin = self.origin.or(Some(session));
        Self { origin, ..self }
    }
}

/// Where a session was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Device {
    /// The browser.
    pub client: Option<Client>,
    /// The operating system.
    pub system: Option<System>,
    /// The network of the address.
    pub network: Option<Household>,
}

impl Device {
    /// Returns what a request reveals.
    pub fn of(visit: &Visit) -> Self {
        Self {
            client: visit.client,
            system: visit.system,
            network: visit.address.map(Household::of),
        }
    }
}

/// How long a session lasts without being used, in milliseconds (design §10).
pub const IDLE_LIFETIME: i64 = 12 * HOUR;
/// How long a session lasts at most, in milliseconds since it was created (ASVS 7.3.2).
pub const ABSOLUTE_LIFETIME: i64 = 7 * DAY;

/// What separates a text from its signature.
const SIGNATURE: char = '~';
/// The maximum number of sessions of one user.
pub const MAX_SESSIONS: i64 = 100;

/// Stores that a user was here, at most once a minute.
const SEEN: &str = "UPDATE users SET last_seen_at = $1 WHERE id = $2 AND (last_seen_at IS NULL OR last_seen_at <= $3)";

impl SessionRecord {
    /// The key under which the web server keeps the record while it handles a request.
    pub const KEY: &str = "session";
    /// The web server's error where [`save`] needs a code.
    pub const LACKS_CODE: &str = "a code is needed";

    /// When the session expires unless it is used again.
    pub fn expires_at(&self) -> Timestamp {
        self.used_at.plus(IDLE_LIFETIME)
    }
}

impl SessionHash {
    /// Signs a text for a cookie: [`Self::read_signed`] returns it for this session, and for no other.
    pub fn sign(&self, engine: &Engine, text: &str) -> String {
        let mac = engine.peppers.session_mac(&self.with(text));
        format!("{text}{SIGNATURE}{}", BASE64_URL_SAFE_NO_PAD.encode(mac))
    }

    /// The text that was signed for this session, or `None` if it was not.
    pub fn read_signed<'t>(&self, engine: &Engine, signed: &'t str) -> Option<&'t str> {
        let (text, mac) = signed.rsplit_once(SIGNATURE)?;
        let mac = BASE64_URL_SAFE_NO_PAD.decode(mac).ok()?;
        let is_signed = engine.peppers.is_session_mac(&self.with(text), &mac);
        is_signed.then_some(text)
    }

    fn with(&self, text: &str) -> Vec<u8> {
        [&self.as_bytes()[..], text.as_bytes()].concat()
    }
}

/// Stores a new session, and ends the user's oldest sessions above the maximum.
///
/// # Errors
/// [`StorageError::is_of_ended_session`] if no code was asked for because the second factor was turned on only meanwhile, or
/// if a session with this ID exists or the database cannot be reached.
pub async fn save(
    engine: &Engine,
    hash: SessionHash,
    record: SessionRecord,
) -> Result<(), StorageError> {
    const LACKS_CODE: &str = "SELECT 1 FROM second_factors WHERE user_id = $1";
    // Earlier versions stored a copy of the columns in `data`.
    const SQL: &str = "INSERT INTO sessions (id_hash, user_id, epoch, created_at, expires_at, client, system, network, factor, origin, data) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '{}')";
    const END_OLDEST: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2 AND id_hash NOT IN \
         (SELECT id_hash FROM sessions WHERE user_id = $1 ORDER BY created_at DESC, expires_at DESC, id_hash LIMIT $3)";
    let SignedIn { user_id, epoch } = record.who;
    const BEGIN: &str = "UPDATE users SET last_seen_at = $1 WHERE id = $2";
    let now = engine.clock.now();
    let mut tx = engine.db.begin_unrecorded().await?;
    // The user before the sessions, like `end_all` and the set-up of a second factor, which also ends sessions.
    lock_user(&mut tx, user_id).await?;
    on!(tx.on(), c => sqlx::query(BEGIN).bind(now).bind(user_id).execute(c).await.map(drop))?;
    let is_by_password_alone = record.codes == Codes::default();
    if is_by_password_alone
        && on!(tx.on(), c => sqlx::query(LACKS_CODE)
        .bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?
    {
        return Err(StorageError::session_ended());
    }
    on!(tx.on(), c => sqlx::query(SQL)
        .bind(&hash.as_bytes()[..]).bind(user_id).bind(epoch).bind(now).bind(record.expires_at())
        .bind(record.device.client).bind(record.device.system).bind(record.device.network.map(|network| network.to_string()))
        .bind(record.codes.factor).bind(record.codes.origin.map(|origin| origin.as_bytes().to_vec()))
        .execute(c).await.map(drop))?;
    on!(tx.on(), c => sqlx::query(END_OLDEST)
        .bind(user_id).bind(&hash.as_bytes()[..]).bind(MAX_SESSIONS).execute(c).await.map(drop))?;
    tx.commit().await
}

/// Updates a session. A session that has ended in the meantime stays ended.
///
/// # Errors
/// If the database cannot be reached.
pub async fn update(
    engine: &Engine,
    hash: SessionHash,
    record: SessionRecord,
) -> Result<(), StorageError> {
    const SQL: &str =
        "UPDATE sessions SET user_id = $2, epoch = $3, expires_at = $4 WHERE id_hash = $1";
    let SignedIn { user_id, epoch } = record.who;
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(&hash.as_bytes()[..]).bind(user_id).bind(epoch).bind(record.expires_at()).execute(c).await.map(drop))?;
    let now = engine.clock.now();
    on!(engine.db.write_unrecorded(), c => sqlx::query(SEEN)
        .bind(now).bind(user_id).bind(now.plus(-MINUTE)).execute(c).await.map(drop))?;
    Ok(())
}

/// Returns the session with this hash, unless it has expired, the password has changed, or the user is disabled. It is looked up
/// together with others: anyone can make up cookies, and those must not occupy the connections of everyone's pages.
///
/// # Errors
/// If the database cannot be reached.
pub async fn load(
    engine: &Engine,
    hash: SessionHash,
) -> Result<Option<SessionRecord>, StorageError> {
    let found = engine.session_look_ups.find(vec![hash], engine, read);
    Ok(found.await?.map(|(_, record)| record))
}

/// The columns of a session and its user.
#[derive(sqlx::FromRow)]
struct Stored {
    id_hash: Vec<u8>,
    id: UserId,
    epoch: i64,
    expires_at: Timestamp,
    factor: Option<Timestamp>,
    origin: Option<Vec<u8>>,
}

async fn read(
    engine: Engine,
    hashes: Vec<SessionHash>,
) -> Result<HashMap<SessionHash, SessionRecord>, StorageError> {
    let sql = format!(
        "SELECT sessions.id_hash, users.id, users.epoch, sessions.expires_at, sessions.factor, sessions.origin FROM sessions \
         JOIN users ON users.id = sessions.user_id AND users.epoch = sessions.epoch \
         WHERE sessions.expires_at > $1 AND sessions.created_at > $2 AND users.disabled_at IS NULL \
         AND sessions.id_hash IN ({})",
        places(3, hashes.len())
    );
    let now = engine.clock.now();
    let rows: Vec<Stored> = on!(engine.db.read(), c => {
        let query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(now).bind(now.plus(-ABSOLUTE_LIFETIME));
        let bound = hashes.iter().fold(query, |query, hash| query.bind(&hash.as_bytes()[..]));
        bound.fetch_all(c).await
    })?;
    let record = |row: Stored| {
        let hash = SessionHash::of_stored(&row.id_hash)?;
        let (user_id, epoch) = (row.id, row.epoch);
        let record = SessionRecord {
            who: SignedIn { user_id, epoch },
            used_at: row.expires_at.plus(-IDLE_LIFETIME),
            device: Device::default(),
            codes: Codes {
                factor: row.factor,
                origin: row.origin.as_deref().and_then(SessionHash::of_stored),
            },
        };
        Some((hash, record))
    };
    Ok(rows.into_iter().filter_map(record).collect())
}

/// Ends one session.
///
/// # Errors
/// If the database cannot be reached.
pub async fn end(engine: &Engine, hash: SessionHash) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE id_hash = $1";
    on!(engine.db.write_unrecorded(), c => sqlx::query(SQL).bind(&hash.as_bytes()[..]).execute(c).await.map(drop))?;
    Ok(())
}

/// The end of a person's sessions, in a transaction that is not committed yet.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Number of sessions that ended and are not replaced by a new one.
    pub sessions: u64,
    /// The epoch for new sessions.
    pub epoch: i64,
}

/// Ends all sessions of a user within a transaction. Also prevents a concurrent sign-in with the old password from
/// starting a session.
pub(crate) async fn end_all(tx: &mut Tx, user_id: UserId) -> Result<Ended, StorageError> {
    const RAISE: &str = "UPDATE users SET epoch = epoch + 1 WHERE id = $1 RETURNING epoch";
    const DELETE: &str = "DELETE FROM sessions WHERE user_id = $1";
    let epoch = on!(tx.on(), c => sqlx::query_scalar(RAISE).bind(user_id).fetch_one(c).await)?;
    let sessions = on!(tx.on(), c => sqlx::query(DELETE)
        .bind(user_id).execute(c).await.map(|done| done.rows_affected()))?;
    Ok(Ended { sessions, epoch })
}

impl Ended {
    /// Commits the transaction, and records in the audit log what happened to the account, if anything did, and that
    /// sessions of the user ended, if there were any. Runs as a task of its own, so that a hang-up does not stop it
    /// halfway.
    pub(crate) async fn commit(
        self,
        engine: &Engine,
        tx: Tx,
        caller: Caller,
        user_id: UserId,
        event: Option<Event>,
    ) -> Result<(), StorageError> {
        let noting = engine.clone();
        let committing = engine.commits.spawn(async move {
            tx.commit().await?;
            let log = Log::OrgsOf(user_id);
            if let Some(event) = event {
                noting.note(SecurityEvent::new(event, caller.clone(), log));
            }
            if self.sessions > 0 {
                let ended = SecurityEvent::new(Event::SessionEnded, caller, log);
                noting.note(ended.with("sessions", self.sessions));
            }
            Ok(())
        });
        committing.await.map_err(|_| StorageError::interrupted())?
    }
}

/// Deletes expired sessions, and returns their number.
///
/// # Errors
/// If the database cannot be reached.
pub async fn delete_ended(engine: &Engine) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE expires_at <= $1 OR created_at <= $2";
    let now = engine.clock.now();
    Ok(on!(engine.db.write_unrecorded(), c => sqlx::query(SQL)
        .bind(now).bind(now.plus(-ABSOLUTE_LIFETIME)).execute(c).await.map(|done| done.rows_affected()))?)
}

//! The sessions of a user, for their account page: which there are, and ending them.
//!
//! A session is named by an ID that is derived from its hash, so that a page reveals neither. The ID is signed for its user,
//! so that a form that is submitted twice is recognized once the session is gone. A user has at most
//! [`MAX_SESSIONS`] sessions, so that the list needs no pages.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use crate::{
    Engine,
    audit::security_events::{Log, SecurityEvent},
    caller::{Caller, Client, Person, System},
    db::{StorageError, on},
    event::{Event, Target},
    id::UserId,
    time::Timestamp,
};

use super::sessions::{ABSOLUTE_LIFETIME, IDLE_LIFETIME, MAX_SESSIONS, SessionHash};

/// A session of a user.
#[derive(Debug, Clone)]
pub struct Session {
    /// Names the session in forms.
    pub id: String,
    /// The browser.
    pub client: Option<Client>,
    /// The operating system.
    pub system: Option<System>,
    /// The /24 or /64 of the address from which it was started.
    pub network: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it was last used, to some minutes.
    pub used_at: Timestamp,
    /// Whether it is the session of the request.
    pub is_current: bool,
    hash: SessionHash,
}

#[derive(sqlx::FromRow)]
struct Row {
    id_hash: Vec<u8>,
    client: Option<Client>,
    system: Option<System>,
    network: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
}

/// Returns the user's sessions, the current one first and then the last used first.
///
/// # Errors
/// If the database cannot be reached.
pub async fn list(
    engine: &Engine,
    user_id: UserId,
    current: SessionHash,
) -> Result<Vec<Session>, StorageError> {
    const SQL: &str = "SELECT sessions.id_hash, sessions.client, sessions.system, sessions.network, sessions.created_at, \
         sessions.expires_at FROM sessions JOIN users ON users.id = sessions.user_id AND users.epoch = sessions.epoch \
         WHERE users.id = $1 AND sessions.expires_at > $2 AND sessions.created_at > $3 \
         ORDER BY sessions.expires_at DESC, sessions.created_at DESC, sessions.id_hash LIMIT $4";
    let now = engine.clock.now();
    // Concurrent sign-ins can exceed the maximum for a moment.
    let rows: Vec<Row> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(user_id).bind(now).bind(now.plus(-ABSOLUTE_LIFETIME)).bind(MAX_SESSIONS).fetch_all(c).await)?;
    let sessions = rows.into_iter().filter_map(|row| {
        let hash = SessionHash::of_stored(&row.id_hash)?;
        Some(Session {
            id: id(engine, user_id, hash),
            client: row.client,
            system: row.system,
            network: row.network,
            started_at: row.created_at,
            used_at: row.expires_at.plus(-IDLE_LIFETIME),
            is_current: hash == current,
            hash,
        })
    });
    let mut sessions: Vec<Session> = sessions.collect();
    sessions.sort_by_key(|session| !session.is_current);
    Ok(sessions)
}

/// Returns the number of the user's sessions without the current one.
///
/// # Errors
/// If the database cannot be reached.
pub async fn count_others(
    engine: &Engine,
    user_id: UserId,
    current: SessionHash,
) -> Result<usize, StorageError> {
    let sessions = list(engine, user_id, current).await?;
    Ok(sessions
        .iter()
        .filter(|session| !session.is_current)
        .count())
}

/// The ID of a session in its user's list: a name, and its signature.
fn id(engine: &Engine, user_id: UserId, hash: SessionHash) -> String {
    let text = [b"listed", &hash.as_bytes()[..]].concat();
    let mac = engine.peppers.session_mac(&text);
    let name = mac[..16].iter().fold(String::new(), |mut name, byte| {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
        name
    });
    let signed = engine.peppers.session_mac(&listed_for(user_id, &name));
    format!("{name}{}", BASE64_URL_SAFE_NO_PAD.encode(signed))
}

fn listed_for(user_id: UserId, name: &str) -> Vec<u8> {
    format!("listed for {user_id}: {name}").into_bytes()
}

/// Whether the user's list has named a session with this ID.
fn was_listed(engine: &Engine, user_id: UserId, id: &str) -> bool {
    let Some((name, signature)) = id.split_at_checked(32) else {
        return false;
    };
    let mac = BASE64_URL_SAFE_NO_PAD.decode(signature);
    mac.is_ok_and(|mac| {
        engine
            .peppers
            .is_session_mac(&listed_for(user_id, name), &mac)
    })
}

/// Ends the user's session with this ID, on every instance immediately. A session that has ended already is no error.
/// Returns `false` if the user never had such a session.
///
/// # Errors
/// If the database cannot be reached.
pub async fn end(engine: &Engine, person: &Person, id: &str) -> Result<bool, StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash = $2";
    let sessions = list(engine, person.user_id, SessionHash::of(b"")).await?;
    let Some(found) = sessions.into_iter().find(|session| session.id == id) else {
        return Ok(was_listed(engine, person.user_id, id));
    };
    let hash = &found.hash.as_bytes()[..];
    end_where(engine, person, SQL, hash).await?;
    Ok(true)
}

/// Ends all sessions of the user but the current one, on every instance immediately.
///
/// # Errors
/// If the database cannot be reached.
pub async fn end_others(
    engine: &Engine,
    person: &Person,
    current: SessionHash,
) -> Result<(), StorageError> {
    const SQL: &str = "DELETE FROM sessions WHERE user_id = $1 AND id_hash <> $2";
    end_where(engine, person, SQL, &current.as_bytes()[..]).await
}

/// Deletes sessions of the user, and records their number in the audit log. Runs as a task of its own, so that a hang-up
/// does not stop it halfway.
async fn end_where(
    engine: &Engine,
    person: &Person,
    sql: &'static str,
    hash: &[u8],
) -> Result<(), StorageError> {
    let (ending, person, hash) = (engine.clone(), person.clone(), hash.to_vec());
    let ended = engine.commits.spawn(async move {
        let user_id = person.user_id;
        let caller = Caller::from(person);
        let mut tx = ending.begin_as(&caller).await?;
        let sessions = on!(tx.on(), c => sqlx::query(sql)
            .bind(user_id).bind(hash).execute(c).await.map(|done| done.rows_affected()))?;
        tx.commit().await?;
        if sessions > 0 {
            let log = Log::OrgsOf(user_id);
            let ended = SecurityEvent::new(Event::SessionEnded, caller, log);
            let ended = ended.about(Some(Target::User(user_id)));
            ending.note(ended.with("sessions", sessions));
        }
        Ok(())
    });
    ended.await.map_err(|_| StorageError::interrupted())?
}

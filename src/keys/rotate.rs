//! Rotation: a new secret under the same key. The old one keeps working for an overlap, so that whoever uses the key has
//! time to change over.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, Tx, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, SecretId},
    key::{Environment, Kind, Status, text::PlainKey},
    revision::AsKnown,
    time::{DAY, SECOND, Timestamp},
    usage::flush::flush,
};

use super::{
    create::CreatedKey,
    revision::is_outdated,
    store::{lock, update_display},
};

/// The longest overlap, in milliseconds (design §3).
pub const LONGEST_OVERLAP: i64 = 30 * DAY;

/// How long after a rotation the next may come, in milliseconds. Requests that were sent at once are not served at once:
/// those that waited for their turn are told from someone who wants another secret by this alone.
pub const APART: i64 = SECOND;

/// How a key is to be rotated.
#[derive(Debug, Clone, Default)]
pub struct Rotation {
    /// For how many milliseconds the old secret keeps working: 0 to [`LONGEST_OVERLAP`].
    pub overlap: i64,
    /// A value that the form was sent with. The second time it comes for the same key, nothing is rotated.
    pub token: Option<String>,
}

/// Why a key was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// A revoked or expired key stays so, whatever its secret.
    #[error("This key is {0} and cannot be rotated. Create a new key instead.")]
    WrongState(Status),
    /// The secret before this one still works, and this one is in use too.
    #[error(
        "A rotation is already in progress: the new secret is in use, and the old one still works. End the old secret now, \
         or wait until it ends."
    )]
    RotationRunning {
        /// When it ends by itself.
        ends_at: Timestamp,
    },
    /// Another rotation was stored while this one was on its way, or less than [`APART`] ago.
    #[error(
        "Another request has just rotated this key and received the new secret. To rotate it again, wait a second and \
         retry."
    )]
    RotatedMeanwhile,
    /// Not a length that an overlap can have.
    #[error("The overlap must be between 0 seconds and 30 days.")]
    OverlapOutOfRange,
    /// The convention has no prefix for a key like this, which came from elsewhere.
    #[error("This instance does not offer {1} {0} keys. Create a key of another kind instead.")]
    NotOffered(Kind, Environment),
    /// This very form has rotated the key already.
    #[error("This key was already rotated, and its new secret was shown at that time.")]
    AlreadyRotated,
    /// Someone else changed what the caller based the rotation on.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RotateKeyError);

/// Why an old secret was not ended.
#[derive(Debug, thiserror::Error)]
pub enum EndOldSecretError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// No old secret of the key works.
    #[error("This key has no old secret that still works. No action is needed.")]
    NoneRunning,
    /// Someone else changed what the caller based this on.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// It failed on our side.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(EndOldSecretError);

/// Gives a key a new secret, and its plain text for the first and last time. A disabled key stays disabled. Of several
/// rotations at once one is done: without an overlap each would end the secret that the one before was answered with.
///
/// While the old secret of the last rotation still works, a new one that nobody ever used, because the answer that had it was
/// lost, is replaced. The old secret then keeps its end, whatever the overlap.
///
/// # Errors
/// When the key's state or its last rotation forbids it, which changes nothing.
pub async fn rotate(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    key: impl Into<AsKnown<KeyId>>,
    rotation: Rotation,
) -> Result<CreatedKey, RotateKeyError> {
    let AsKnown { id, known } = key.into();
    if !(0..=LONGEST_OVERLAP).contains(&rotation.overlap) {
        return Err(RotateKeyError::OverlapOutOfRange);
    }
    let to_replace = current_secret(engine, id).await?;
    if to_replace
        .as_ref()
        .is_some_and(|secret| secret.is_beside_old_one(engine.clock.now()))
    {
        // What this instance counted of its use has to be stored before the decision whether it was used.
        flush(engine).await?;
    }
    let mut change = engine.change(permit).await?;
    let key = lock(change.tx(), permit.org_id(), id)
        .await?
        .ok_or(RotateKeyError::NotFound)?;
    // Read after the lock: what is decided now and what is stored have one time.
    let now = engine.clock.now();
    const FORM_SEEN: &str =
        "SELECT COUNT(*) FROM key_secrets WHERE key_id = $1 AND rotation_token = $2";
    let seen: i64 = on!(change.on(), c => sqlx::query_scalar(FORM_SEEN)
        .bind(id).bind(&rotation.token).fetch_one(c).await)?;
    if seen > 0 {
        return Err(RotateKeyError::AlreadyRotated);
    }
    match key.lifecycle.status(now) {
        Status::Active | Status::Disabled => {}
        status @ (Status::Expired | Status::Revoked) => {
            return Err(RotateKeyError::WrongState(status));
        }
    }
    let current: Option<CurrentSecret> = on!(change.on(), c => sqlx::query_as(CURRENT)
        .bind(id).fetch_optional(c).await)?;
    let running = current
        .as_ref()
        .filter(|secret| secret.is_beside_old_one(now));
    if let Some(CurrentSecret {
        last_used_at: Some(_),
        old_ends_at: Some(ends_at),
        ..
    }) = running
    {
        return Err(RotateKeyError::RotationRunning { ends_at: *ends_at });
    }
    let old_ends_at = running.and_then(|secret| secret.old_ends_at);
    let was_just_made = |current: &CurrentSecret| {
        let is_of_a_rotation = current.secrets > 1;
        is_of_a_rotation && now.since(current.created_at) < APART
    };
    let id_of = |current: &CurrentSecret| current.id;
    if current.as_ref().map(id_of) != to_replace.as_ref().map(id_of)
        || current.as_ref().is_some_and(was_just_made)
    {
        return Err(RotateKeyError::RotatedMeanwhile);
    }
    if is_outdated(change.tx(), permit.org_id(), id, &known).await? {
        return Err(RotateKeyError::ChangedMeanwhile);
    }
    let prefix = engine
        .convention
        .prefix(key.kind, key.environment)
        .ok_or(RotateKeyError::NotOffered(key.kind, key.environment))?;
    let random_characters = usize::from(engine.convention.random_characters);
    let plain = PlainKey::generate(prefix, random_characters, &engine.random)?;
    let display = plain.display_form(engine.convention.display_front(prefix));
    let new = NewSecret {
        key: id,
        plain: &plain,
        display: &display,
        now,
    };
    let ends_at = match old_ends_at {
        None => now.plus(rotation.overlap),
        Some(_) => now,
    };
    replace_secret(engine, change.tx(), &new, ends_at, rotation.token).await?;
    update_display(change.tx(), permit.org_id(), id, &display, &key.settings).await?;
    let rotated = Happened::new(Event::KeyRotated, Target::Key(id)).changed(
        "old_secret_ends_at",
        None::<i64>,
        old_ends_at.unwrap_or(ends_at).as_millis(),
    );
    let positions = change.commit_at(rotated).await?;
    Ok(CreatedKey {
        id,
        plain,
        display,
        position: positions.last,
    })
}

/// The secret that a key has now.
#[derive(sqlx::FromRow)]
struct CurrentSecret {
    id: SecretId,
    created_at: Timestamp,
    /// When a request last passed with it.
    last_used_at: Option<Timestamp>,
    /// How many the key has had, this one included.
    secrets: i64,
    /// When the last of those before it ends, or ended.
    old_ends_at: Option<Timestamp>,
}

impl CurrentSecret {
    /// Whether the one before it still works.
    fn is_beside_old_one(&self, now: Timestamp) -> bool {
        self.old_ends_at.is_some_and(|ends_at| ends_at > now)
    }
}

const CURRENT: &str = "SELECT id, created_at, last_used_at, \
     (SELECT COUNT(*) FROM key_secrets WHERE key_id = $1) AS secrets, \
     (SELECT MAX(ends_at) FROM key_secrets WHERE key_id = $1) AS old_ends_at \
     FROM key_secrets WHERE key_id = $1 AND ends_at IS NULL";

/// The secret that a rotation that begins now sets out to replace.
async fn current_secret(engine: &Engine, id: KeyId) -> Result<Option<CurrentSecret>, StorageError> {
    Ok(on!(engine.db.read(), c => sqlx::query_as(CURRENT).bind(id).fetch_optional(c).await)?)
}

/// A secret that is to be stored.
struct NewSecret<'a> {
    key: KeyId,
    plain: &'a PlainKey,
    display: &'a str,
    now: Timestamp,
}

/// Has the key's current secret end, and stores the new one.
async fn replace_secret(
    engine: &Engine,
    tx: &mut Tx,
    new: &NewSecret<'_>,
    ends_at: Timestamp,
    token: Option<String>,
) -> Result<(), RotateKeyError> {
    let NewSecret {
        key: id,
        plain,
        display,
        now,
    } = *new;
    const END: &str = "UPDATE key_secrets SET ends_at = $1 WHERE key_id = $2 AND ends_at IS NULL";
    on!(tx.on(), c => sqlx::query(END).bind(ends_at).bind(id).execute(c).await.map(drop))?;
    const INSERT: &str = "INSERT INTO key_secrets \
         (id, key_id, digest, pepper_version, created_at, display, rotation_token) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let secret_id = SecretId::new(now.as_millis(), engine.random.bytes()?);
    on!(tx.on(), c => sqlx::query(INSERT)
        .bind(secret_id).bind(id).bind(engine.peppers.digest(plain).as_bytes())
        .bind(engine.peppers.current_version()).bind(now).bind(display).bind(token)
        .execute(c).await.map(drop))?;
    Ok(())
}

/// Ends an old secret before its overlap is over.
///
/// # Errors
/// When no old secret of the key works, or the key was changed meanwhile.
pub async fn end_old_secret(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    key: impl Into<AsKnown<KeyId>>,
) -> Result<(), EndOldSecretError> {
    let AsKnown { id, known } = key.into();
    let mut change = engine.change(permit).await?;
    lock(change.tx(), permit.org_id(), id)
        .await?
        .ok_or(EndOldSecretError::NotFound)?;
    let now = engine.clock.now();
    let is_outdated = is_outdated(change.tx(), permit.org_id(), id, &known).await?;
    const END: &str = "UPDATE key_secrets SET ends_at = $1 WHERE key_id = $2 AND ends_at > $1";
    let ended = on!(change.on(), c => sqlx::query(END).bind(now).bind(id)
        .execute(c).await.map(|done| done.rows_affected()))?;
    if ended == 0 {
        return Err(EndOldSecretError::NoneRunning);
    }
    if is_outdated {
        return Err(EndOldSecretError::ChangedMeanwhile);
    }
    let ended = Happened::new(Event::KeyOldSecretEnded, Target::Key(id));
    Ok(change.commit(ended).await?)
}

//! Rotation: a new secret for the same key. The old secret keeps working for an overlap period, so that users of the
//! key have time to switch.

use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::{StorageError, Tx, on},
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{KeyId, OrgId, SecretId},
    key::{Environment, Kind, Status, text::PlainKey},
    revision::AsKnown,
    time::{DAY, SECOND, Timestamp},
    usage::flush::flush,
};

use super::{
    create::{CreatedKey, NewKey},
    revision::is_outdated,
    store::{Locked, lock, update_display},
};

/// The maximum overlap, in milliseconds (design §3).
pub const LONGEST_OVERLAP: i64 = 30 * DAY;

/// The minimum time between rotations, in milliseconds. Concurrent requests are served one after the other. Only this
/// interval distinguishes those that waited for their turn from an intentional further rotation.
pub const APART: i64 = SECOND;

/// The parameters of a rotation.
#[derive(Debug, Clone, Default)]
pub struct Rotation {
    /// How long the old secret keeps working, in milliseconds: 0 to [`LONGEST_OVERLAP`].
    pub overlap: i64,
    /// A token served with the form. Submitting the form again for the same key does not rotate it again.
    pub token: Option<String>,
}

impl Rotation {
    /// Checks the overlap.
    pub(crate) fn check(&self) -> Result<(), RotateKeyError> {
        match (0..=LONGEST_OVERLAP).contains(&self.overlap) {
            true => Ok(()),
            false => Err(RotateKeyError::OverlapOutOfRange),
        }
    }
}

/// Why a key was not rotated.
#[derive(Debug, thiserror::Error)]
pub enum RotateKeyError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// The key is revoked or expired, which a new secret would not change.
    #[error("This key is {0} and cannot be rotated. Create a new key instead.")]
    WrongState(Status),
    /// The previous secret still works, and the current one is in use too.
    #[error(
        "A rotation is already in progress: the new secret is in use, and the old one still works. End the old secret now, \
         or wait until it ends."
    )]
    RotationRunning {
        /// When the previous secret ends.
        ends_at: Timestamp,
    },
    /// Another rotation was stored while this one was in progress, or less than [`APART`] ago.
    #[error(
        "Another request has just rotated this key and received the new secret. To rotate it again, wait a second and \
         retry."
    )]
    RotatedMeanwhile,
    /// The overlap is out of range.
    #[error("The overlap must be between 0 seconds and 30 days.")]
    OverlapOutOfRange,
    /// The key was imported, and the convention has no prefix for its kind and environment.
    #[error("This instance does not offer {1} {0} keys. Create a key of another kind instead.")]
    NotOffered(Kind, Environment),
    /// This form has already rotated the key.
    #[error("This key was already rotated, and its new secret was shown at that time.")]
    AlreadyRotated,
    /// Someone else changed the key after the caller read it.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// An internal error.
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
    /// The key has no old secret that still works.
    #[error("This key has no old secret that still works. No action is needed.")]
    NoneRunning,
    /// The key is revoked or expired, so that none of its secrets works.
    #[error("This key is {0}, so its old secret does not work. No action is needed.")]
    WrongState(Status),
    /// Someone else changed the key after the caller read it.
    #[error("Someone else changed this key in the meantime.")]
    ChangedMeanwhile,
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(EndOldSecretError);

/// Rotates a key and returns the plaintext of its new secret, which cannot be retrieved later. A disabled key stays
/// disabled. Only one of several concurrent rotations succeeds: without an overlap, each would end the secret that the
/// previous one returned.
///
/// While the old secret of the last rotation still works, a current secret that was never used, because the response
/// with it was lost, is replaced. The old secret then keeps its end, regardless of the requested overlap.
///
/// # Errors
/// If the key's status or its last rotation forbids it. Nothing is changed then.
pub async fn rotate(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    key: impl Into<AsKnown<KeyId>>,
    rotation: Rotation,
) -> Result<CreatedKey, RotateKeyError> {
    let key = key.into();
    rotation.check()?;
    let to_replace = to_replace(engine, key.id).await?;
    let mut change = engine.change(permit).await?;
    let org_id = permit.org_id();
    let token = rotation.token.as_deref();
    let checked = check(engine, change.tx(), org_id, &key, to_replace, token).await?;
    let rotated = replace(engine, change.tx(), org_id, checked, rotation).await?;
    let positions = change.commit_at(rotated.happened()).await?;
    Ok(rotated.created(positions.last))
}

/// The secret that a rotation starting now will replace.
///
/// # Errors
/// If the database cannot be reached.
pub(crate) async fn to_replace(
    engine: &Engine,
    id: KeyId,
) -> Result<Option<SecretId>, StorageError> {
    let current: Option<CurrentSecret> =
        on!(engine.db.read(), c => sqlx::query_as(CURRENT).bind(id).fetch_optional(c).await)?;
    if current
        .as_ref()
        .is_some_and(|secret| secret.is_beside_old_one(engine.clock.now()))
    {
        // Store the use that this instance has counted before deciding whether the secret was used. Other instances
        // store the first use at once.
        flush(engine).await?;
    }
    Ok(current.map(|secret| secret.id))
}

/// A key that is locked and can be rotated.
pub(crate) struct Checked {
    id: KeyId,
    key: Locked,
    /// When the old secret of the last rotation ends, if the new one replaces one that was never used.
    old_ends_at: Option<Timestamp>,
    now: Timestamp,
}

/// Locks a key, and checks that it can be rotated. `to_replace` was read before, and `token` is that of the form.
pub(crate) async fn check(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    key: &AsKnown<KeyId>,
    to_replace: Option<SecretId>,
    token: Option<&str>,
) -> Result<Checked, RotateKeyError> {
    let AsKnown { id, ref known } = *key;
    let key = lock(tx, org_id, id)
        .await?
        .ok_or(RotateKeyError::NotFound)?;
    // Read the time after taking the lock, so that the decision and the stored data use the same time.
    let now = engine.clock.now();
    const FORM_SEEN: &str =
        "SELECT COUNT(*) FROM key_secrets WHERE key_id = $1 AND rotation_token = $2";
    let seen: i64 = on!(tx.on(), c => sqlx::query_scalar(FORM_SEEN)
        .bind(id).bind(token).fetch_one(c).await)?;
    if seen > 0 {
        return Err(RotateKeyError::AlreadyRotated);
    }
    match key.lifecycle.status(now) {
        Status::Active | Status::Disabled => {}
        status @ (Status::Expired | Status::Revoked) => {
            return Err(RotateKeyError::WrongState(status));
        }
    }
    let current: Option<CurrentSecret> = on!(tx.on(), c => sqlx::query_as(CURRENT)
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
    if current.as_ref().map(|current| current.id) != to_replace
        || current.as_ref().is_some_and(was_just_made)
    {
        return Err(RotateKeyError::RotatedMeanwhile);
    }
    if is_outdated(tx, org_id, id, known).await? {
        return Err(RotateKeyError::ChangedMeanwhile);
    }
    Ok(Checked {
        id,
        key,
        old_ends_at,
        now,
    })
}

/// A key with its new secret, whose change is not committed yet.
pub(crate) struct Rotated {
    /// The key's kind, environment and settings.
    pub key: NewKey,
    /// Until when the old secret works.
    pub old_ends_at: Timestamp,
    id: KeyId,
    plain: PlainKey,
    display: String,
}

impl Rotated {
    /// The event.
    pub fn happened(&self) -> Happened {
        Happened::new(Event::KeyRotated, Target::Key(self.id)).changed(
            "old_secret_ends_at",
            None::<i64>,
            self.old_ends_at.as_millis(),
        )
    }

    /// The key, once it is committed at this position of the audit log.
    pub fn created(self, position: i64) -> CreatedKey {
        CreatedKey {
            id: self.id,
            plain: self.plain,
            display: self.display,
            position,
        }
    }
}

/// Gives a key a new secret in the transaction that has checked it.
pub(crate) async fn replace(
    engine: &Engine,
    tx: &mut Tx,
    org_id: OrgId,
    checked: Checked,
    rotation: Rotation,
) -> Result<Rotated, RotateKeyError> {
    let Checked {
        id,
        key,
        old_ends_at,
        now,
    } = checked;
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
    replace_secret(engine, tx, &new, ends_at, rotation.token).await?;
    update_display(tx, org_id, id, &display, &key.settings).await?;
    Ok(Rotated {
        key: NewKey {
            kind: key.kind,
            environment: key.environment,
            settings: key.settings,
            creation_token: None,
        },
        old_ends_at: old_ends_at.unwrap_or(ends_at),
        id,
        plain,
        display,
    })
}

/// The current secret of a key.
#[derive(sqlx::FromRow)]
struct CurrentSecret {
    id: SecretId,
    created_at: Timestamp,
    /// When the secret was last used in a valid request.
    last_used_at: Option<Timestamp>,
    /// The number of secrets that the key has had, including this one.
    secrets: i64,
    /// When the last of the replaced secrets ends or ended.
    old_ends_at: Option<Timestamp>,
}

impl CurrentSecret {
    /// Whether the previous secret still works.
    fn is_beside_old_one(&self, now: Timestamp) -> bool {
        self.old_ends_at.is_some_and(|ends_at| ends_at > now)
    }
}

const CURRENT: &str = "SELECT id, created_at, last_used_at, \
     (SELECT COUNT(*) FROM key_secrets WHERE key_id = $1) AS secrets, \
     (SELECT MAX(ends_at) FROM key_secrets WHERE key_id = $1) AS old_ends_at \
     FROM key_secrets WHERE key_id = $1 AND ends_at IS NULL";

/// A secret to be stored.
struct NewSecret<'a> {
    key: KeyId,
    plain: &'a PlainKey,
    display: &'a str,
    now: Timestamp,
}

/// Sets the end of the key's current secret and stores the new one.
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
/// If the key has no old secret that still works, or was changed in the meantime.
pub async fn end_old_secret(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    key: impl Into<AsKnown<KeyId>>,
) -> Result<(), EndOldSecretError> {
    let AsKnown { id, known } = key.into();
    let mut change = engine.change(permit).await?;
    let key = lock(change.tx(), permit.org_id(), id)
        .await?
        .ok_or(EndOldSecretError::NotFound)?;
    let now = engine.clock.now();
    if let status @ (Status::Expired | Status::Revoked) = key.lifecycle.status(now) {
        return Err(EndOldSecretError::WrongState(status));
    }
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

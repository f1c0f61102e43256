//! Letting the member who asked for a key reveal its new secret.

use super::{
    OPEN_FOR,
    row::{open, recipient_id},
};
use crate::{
    Engine,
    access::{Permit, to},
    change::Happened,
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::KeyId,
    key_requests::letters,
    keys::rotate::{RotateKeyError, Rotation, check, to_replace},
    members::keep_user,
    orgs,
    revision::AsKnown,
    time::SECOND,
};

/// Why nothing was offered.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    /// No member asked for the key, or they have left, or cannot sign in.
    #[error(
        "Nobody else can reveal the new secret: whoever asked for this key is no longer a member. See it yourself."
    )]
    NobodyToReveal,
    /// The key cannot be rotated.
    #[error(transparent)]
    Rotation(RotateKeyError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(OfferError);

impl OfferError {
    fn of(error: RotateKeyError) -> Self {
        match error {
            RotateKeyError::Fault(fault) => Self::Fault(fault),
            error => Self::Rotation(error),
        }
    }
}

/// Lets the member who asked for the key reveal its new secret, in place of one that was offered before. The key is rotated when
/// they do. Submitting the form again offers it once.
///
/// # Errors
/// If nobody can reveal it, or the key cannot be rotated now. Nothing is changed then.
pub async fn offer(
    engine: &Engine,
    permit: &Permit<to::RotateKeys>,
    key: impl Into<AsKnown<KeyId>>,
    rotation: Rotation,
) -> Result<(), OfferError> {
    const SQL: &str = "INSERT INTO key_hand_overs (key_id, org_id, user_id, offered_by, token, overlap_seconds, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (key_id) DO UPDATE SET user_id = $3, offered_by = $4, token = $5, \
         overlap_seconds = $6, created_at = $7, expires_at = $8";
    let (key, org_id) = (key.into(), permit.org_id());
    let id = key.id;
    let caller = permit.caller().actor.user_id();
    let caller = caller.ok_or(OfferError::NobodyToReveal)?;
    rotation.check().map_err(OfferError::of)?;
    let replaced = to_replace(engine, id).await?;
    let mut change = engine.change(permit).await?;
    let token = rotation.token.as_deref();
    let checked = check(engine, change.tx(), org_id, &key, replaced, token).await;
    checked.map_err(OfferError::of)?;
    let member = recipient_id(change.tx(), org_id, id, caller).await?;
    let member = member.ok_or(OfferError::NobodyToReveal)?;
    // Whoever deletes their account locks it before their organizations.
    keep_user(change.tx(), member).await?;
    orgs::lock(change.tx(), org_id).await?;
    // They can have left before the lock.
    let member = recipient_id(change.tx(), org_id, id, caller).await?;
    let member = member.ok_or(OfferError::NobodyToReveal)?;
    let now = engine.clock.now();
    let before = open(change.tx(), org_id, id, now).await?;
    if token.is_some() && before.is_some_and(|before| before.token == rotation.token) {
        return Ok(());
    }
    let (seconds, until) = (rotation.overlap / SECOND, now.plus(OPEN_FOR));
    on!(change.on(), c => sqlx::query(SQL)
        .bind(id).bind(org_id).bind(member).bind(caller).bind(&rotation.token).bind(seconds).bind(now).bind(until)
        .execute(c).await.map(drop))?;
    letters::of_new_secret(engine, &mut change, org_id, (id, member), caller, until).await?;
    let offered = Happened::new(Event::KeyRotationOffered, Target::Key(id))
        .changed("recipient", None::<&str>, member.to_string())
        .changed("overlap_seconds", None::<i64>, seconds)
        .changed("reveal_until_at", None::<i64>, until.as_millis());
    Ok(change.commit(offered).await?)
}

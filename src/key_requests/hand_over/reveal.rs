//! Revealing a new secret: this rotates the key.

use super::{
    ended::last_event,
    row::{creator, open},
};
use crate::{
    Engine,
    access::{Permit, to},
    event::Event,
    fault::{Fault, from_fault},
    id::KeyId,
    keys::{
        create::{CreatedKey, NewKey},
        rotate::{RotateKeyError, Rotation, check, replace, to_replace},
    },
    orgs,
    revision::AsKnown,
    time::Timestamp,
};

/// A new secret that was just revealed.
#[derive(Debug)]
pub struct Revealed {
    /// The key with its new secret.
    pub created: CreatedKey,
    /// The key's kind, environment and settings.
    pub key: NewKey,
    /// Until when the old secret works; `None` if it does not.
    pub old_ends_at: Option<Timestamp>,
}

/// Why nothing was revealed.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// The org has no such key.
    #[error("The key was not found.")]
    NotFound,
    /// Someone else asked for the key, or nobody did.
    #[error("Only the person who asked for this key can reveal its new secret.")]
    NotForCaller,
    /// The caller has revealed it before.
    #[error("The new secret was already revealed, and was shown at that time.")]
    AlreadyRevealed,
    /// It was withdrawn.
    #[error("The new secret was withdrawn before you revealed it. The current secret still works.")]
    Withdrawn,
    /// Someone else has rotated the key.
    #[error("Someone else has rotated this key meanwhile. Ask them for the new secret.")]
    RotatedByOthers,
    /// Nothing waits for the caller: it was not revealed in time, or whoever offered it can no longer rotate the key.
    #[error("No new secret of this key waits for you. Ask an owner to rotate the key.")]
    NoneOpen,
    /// The key cannot be rotated now.
    #[error(transparent)]
    Rotation(RotateKeyError),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RevealError);

impl RevealError {
    fn of(error: RotateKeyError) -> Self {
        match error {
            RotateKeyError::NotFound => Self::NotFound,
            RotateKeyError::Fault(fault) => Self::Fault(fault),
            error => Self::Rotation(error),
        }
    }
}

/// Rotates a key whose new secret waits for the caller, and returns its plaintext, which cannot be retrieved later. Of several
/// concurrent calls, one rotates it.
///
/// # Errors
/// [`RevealError`]. Nothing is changed then.
pub async fn reveal(
    engine: &Engine,
    permit: &Permit<to::RequestKeys>,
    id: KeyId,
) -> Result<Revealed, RevealError> {
    let org_id = permit.org_id();
    let caller = permit.caller().actor.user_id();
    let caller = caller.ok_or(RevealError::NotForCaller)?;
    let replaced = to_replace(engine, id).await?;
    let mut change = engine.change(permit).await?;
    let tx = change.tx();
    // The key first, as in all changes of keys. Whether it can be rotated is said only to whom it concerns.
    let checked = check(engine, tx, org_id, &AsKnown::from(id), replaced, None).await;
    // Whoever removes the caller locks the organization, and has ended what waits for them.
    orgs::lock(tx, org_id).await?;
    let creator = creator(tx, org_id, id).await?;
    if creator.ok_or(RevealError::NotFound)? != Some(caller) {
        return Err(RevealError::NotForCaller);
    }
    let now = engine.clock.now();
    let Some(offered) = open(tx, org_id, id, now)
        .await?
        .filter(|open| open.user_id == caller)
    else {
        return Err(match last_event(tx, org_id, id).await? {
            Some((Event::KeyRotated, by)) if by.as_deref() == Some(&*caller.to_string()) => {
                RevealError::AlreadyRevealed
            }
            Some((Event::KeyRotated, _)) => RevealError::RotatedByOthers,
            Some((Event::KeyRotationWithdrawn, _)) => RevealError::Withdrawn,
            _ => RevealError::NoneOpen,
        });
    };
    let rotation = Rotation {
        overlap: offered.overlap(),
        token: offered.token.clone(),
    };
    let checked = checked.map_err(RevealError::of)?;
    let rotated = replace(engine, tx, org_id, checked, rotation).await;
    let rotated = rotated.map_err(RevealError::of)?;
    let happened = rotated.happened();
    let happened = happened.changed("offered_by", None::<&str>, offered.offered_by.to_string());
    let (key, old_ends_at) = (rotated.key.clone(), rotated.old_ends_at);
    let positions = change.commit_at(happened).await?;
    Ok(Revealed {
        created: rotated.created(positions.last),
        key,
        old_ends_at: Some(old_ends_at).filter(|at| *at > now),
    })
}

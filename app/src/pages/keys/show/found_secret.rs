//! Which secret of a key was found, current or replaced.

use latchkey::{id::SecretId, keys::secrets::Secret, time::Timestamp};

use crate::text::time::TimeText;

/// Which secret of the key the user looked up.
#[derive(Debug, Clone)]
pub enum FoundSecret {
    Current,
    /// One that a rotation replaced.
    Old {
        replaced: TimeText,
        /// When it stopped working, or will.
        ends: TimeText,
        /// Whether it has not ended yet.
        is_running: bool,
    },
}

impl FoundSecret {
    /// The secret with this ID among those of the key, the latest first; `None` if the key has no such secret.
    pub fn of(id: SecretId, secrets: &[Secret], now: Timestamp) -> Option<Self> {
        let place = secrets.iter().position(|secret| secret.id == id)?;
        let secret = secrets.get(place)?;
        let Some(ends) = secret.ends_at else {
            return Some(Self::Current);
        };
        // The rotation that replaced it created the next one.
        let next = place.checked_sub(1).and_then(|before| secrets.get(before));
        Some(Self::Old {
            replaced: TimeText::full(next.map_or(ends, |next| next.created_at)),
            ends: TimeText::full(ends),
            is_running: secret.is_running_out(now),
        })
    }
}

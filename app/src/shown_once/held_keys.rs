//! Keys that were just shown, for repeated submits of the same form: a double click, Enter and a click, an impatient
//! second click. The browser shows the response to the last submit.
//!
//! Each session holds at most one key, for at most 30 seconds and only in this process, and each user only a few. It is
//! erased earlier by a sign-out, by a change of the key, and by a change of what the user can do, made by any instance.
//! The plaintext is erased when its last owner drops it (`PlainKey`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use latchkey::{
    Engine,
    changed::{Changed, Changes},
    clock::Monotonic,
    event::{Event, Stale, Target},
    id::{OrgId, UserId},
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    time::sleep,
};
use tower_sessions::session::Id;

use super::{CreatedCodes, CreatedInvitation, CreatedKey, CreatedToken};

/// How long a key is held, in milliseconds.
const HELD_FOR: i64 = 30_000;
/// The most sessions of a user that can hold a key. In further sessions, a repeated submit leads to the key's page.
const MAX_EACH: usize = 4;
/// The most sessions of all users.
const MAX_SESSIONS: usize = 1_000;

/// The held keys by session.
#[derive(Debug, Default)]
pub struct HeldKeys(Mutex<HashMap<Id, (UserId, Slot)>>);

type Slot = Arc<AsyncMutex<Option<Held>>>;

/// A held key.
#[derive(Debug, Clone)]
pub struct Held {
    /// The digest of the form that created or rotated the key.
    form: [u8; 32],
    pub secret: Secret,
    pub of: Of,
    since: Monotonic,
}

/// What a held secret belongs to. Later changes of it erase the secret.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// `None` for recovery codes, which belong to the user alone.
    pub target: Option<Target>,
    pub org_id: Option<OrgId>,
    /// The position of the creation or rotation in the audit log. While it is the key's last entry, the key has not been
    /// changed.
    pub position: i64,
}

/// A secret that a page shows once.
#[derive(Debug, Clone)]
pub enum Secret {
    Key(Box<CreatedKey>),
    Token(CreatedToken),
    Invitation(CreatedInvitation),
    Codes(CreatedCodes),
}

impl Held {
    /// Creates it for the key that was the response to `form`.
    pub fn new(form: &impl Serialize, secret: Secret, of: Of, now: Monotonic) -> Self {
        Self {
            form: digest(form),
            secret,
            of,
            since: now,
        }
    }

    /// Whether the key was the response to this form and is still held.
    pub fn answers(&self, form: &impl Serialize, now: Monotonic) -> bool {
        now.since(self.since) < HELD_FOR && self.form == digest(form)
    }

    /// Whether one of the changes is later than the secret, and concerns it or what the user can do.
    fn is_stale(&self, user_id: UserId, changes: &[Changed]) -> bool {
        let concerns = |change: &Changed| match change.event.stale() {
            Stale::Access => change.target == Target::User(user_id),
            Stale::Org => change.org_id.is_some() && change.org_id == self.of.org_id,
            _ => Some(change.target) == self.of.target && change.event != Event::KeyLookedUp,
        };
        let is_later = |change: &Changed| {
            let position = change.position;
            position.is_none_or(|position| position > self.of.position)
        };
        changes
            .iter()
            .any(|change| is_later(change) && concerns(change))
    }
}

fn digest(form: &impl Serialize) -> [u8; 32] {
    // A form consists of strings and lists of strings, which JSON can always represent.
    let json = serde_json::to_vec(form).unwrap_or_default();
    Sha256::digest(json).into()
}

/// Stores a key in the slot of a session, and erases it after 30 seconds.
pub fn hold(place: &mut OwnedMutexGuard<Option<Held>>, key: Held) {
    let slot = Arc::downgrade(OwnedMutexGuard::mutex(place));
    let form = key.form;
    **place = Some(key);
    tokio::spawn(async move {
        sleep(Duration::from_millis(HELD_FOR as u64)).await;
        if let Some(slot) = slot.upgrade() {
            let mut held = slot.lock().await;
            held.take_if(|held| held.form == form);
        }
    });
}

impl HeldKeys {
    /// Holds no keys yet, and will hold none that the engine's changes make stale.
    pub fn new(engine: &Engine) -> Arc<Self> {
        let held = Arc::new(Self::default());
        let listening = Arc::downgrade(&held);
        engine.on_change(move |changes| {
            if let Some(held) = listening.upgrade() {
                match changes {
                    Changes::Known(changes) => held.forget_stale(changes),
                    Changes::Unknown => held.sessions().clear(),
                }
            }
        });
        held
    }

    /// Erases the keys that changes make stale.
    fn forget_stale(&self, changes: &[Changed]) {
        // Nothing can be held of a key before it is created.
        let is_first = |event| matches!(event, Event::KeyCreated | Event::KeyImported);
        let changes = changes.iter().filter(|change| !is_first(change.event));
        let changes: Arc<[Changed]> = changes.copied().collect();
        if changes.is_empty() {
            return;
        }
        for (user_id, slot) in self.sessions().values() {
            let user_id = *user_id;
            if let Ok(mut held) = slot.try_lock() {
                held.take_if(|held| held.is_stale(user_id, &changes));
                continue;
            }
            // A submit is in progress, and can be about to hold a key that is stale already.
            let (slot, changes) = (Arc::clone(slot), Arc::clone(&changes));
            tokio::spawn(async move {
                let mut held = slot.lock().await;
                held.take_if(|held| held.is_stale(user_id, &changes));
            });
        }
    }

    /// The number of keys that are held, without those of sessions with a submit in progress.
    pub fn count(&self) -> usize {
        let sessions = self.sessions();
        let slots = sessions.values().map(|(_, slot)| slot.try_lock());
        slots
            .filter(|slot| slot.as_ref().is_ok_and(|held| held.is_some()))
            .count()
    }

    /// Locks the slot of a user's session. Waits until no other submit is in progress.
    pub async fn of_session(
        self: &Arc<Self>,
        session: Option<(Id, UserId)>,
    ) -> OwnedMutexGuard<Option<Held>> {
        let slot = session.and_then(|(id, person)| self.slot(id, person));
        slot.unwrap_or_default().lock_owned().await
    }

    fn slot(self: &Arc<Self>, id: Id, person: UserId) -> Option<Slot> {
        let mut sessions = self.sessions();
        if let Some((_, slot)) = sessions.get(&id) {
            return Some(Arc::clone(slot));
        }
        // Drops unused slots: they have no key and no submit in progress.
        sessions.retain(|_, (_, slot)| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|held| held.is_some())
        });
        let of_person = sessions.values().filter(|(whose, _)| *whose == person);
        if of_person.count() >= MAX_EACH || sessions.len() >= MAX_SESSIONS {
            return None;
        }
        let slot = Slot::default();
        sessions.insert(id, (person, Arc::clone(&slot)));
        Some(slot)
    }

    /// Erases the key of a session.
    pub fn forget(&self, id: Id) {
        self.sessions().remove(&id);
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<Id, (UserId, Slot)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_person_has_a_few_places_and_takes_none_of_anothers() {
        let held = Arc::new(HeldKeys::default());
        let (mallory, dana) = (UserId::new(0, [1; 10]), UserId::new(0, [2; 10]));
        let mut places = Vec::new();
        for number in 0..2_000 {
            places.push(held.of_session(Some((Id(number), mallory))).await);
        }
        assert_eq!(held.sessions().len(), MAX_EACH);
        drop(held.of_session(Some((Id(-1), dana))).await);
        assert_eq!(held.sessions().len(), MAX_EACH + 1);
        drop(places);
        drop(held.of_session(Some((Id(-2), mallory))).await);
        assert_eq!(held.sessions().len(), 1, "slots without a key are dropped");
    }
}

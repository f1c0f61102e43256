//! Forms that use up what a repeat of the same submit would need: a session, a code, or a link. A double click, Enter and a
//! click, and an impatient second click submit a form twice, and the browser shows the response to the last submit.
//!
//! A repeat leads where the first submit led, in the session that the first one started. It is recognized for 30 seconds
//! and only in this process, by the path of the form, everything that was entered, and the mark of the browser
//! (`same_browser.rs`). Without the mark, someone who has the link, the password and the code is treated as if there had
//! been no first submit, so a code or a link never works twice. Once the session that the first submit started has ended,
//! nothing leads to it.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use latchkey::{clock::Monotonic, id::UserId};
use sha2::{Digest, Sha256};
use tokio::{sync::Mutex as AsyncMutex, time::sleep};
use tower_sessions::session::Id;

/// How long a repeat is recognized, in milliseconds.
pub const KEPT_FOR: i64 = 30_000;
/// The most answers that are kept. Each belongs to a form that has succeeded. A form of someone who is not signed in takes a
/// password, a code or a link, and a user has [`MAX_OF_USER`], so nobody can fill this within 30 seconds.
const MAX: usize = 2_000;
/// The most answers that are kept of one user.
const MAX_OF_USER: usize = 20;

/// The answers of forms that have just succeeded, each with the user who submitted it.
#[derive(Default)]
pub struct Repeats(Mutex<HashMap<Submit, (Option<UserId>, Slot)>>);

/// Locked while a submit is in progress.
pub type Slot = Arc<AsyncMutex<Option<Kept>>>;

/// What identifies a submit: the digest of the browser's mark, the path, and what was entered.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Submit([u8; 32]);

/// The answer to a form that succeeded.
pub struct Kept {
    pub path: String,
    /// The message for the page, as its cookie has it.
    pub notice: Option<String>,
    /// The session that the form started.
    pub session: Option<Id>,
    /// Whether the form ended the session of its request.
    pub ended_session: bool,
    pub since: Monotonic,
}

impl fmt::Debug for Repeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Repeats")
    }
}

impl Submit {
    pub fn of(mark: &str, path: &str, entered: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        let of = [mark.as_bytes(), path.as_bytes()];
        for part in of.iter().chain(entered) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }
}

impl Repeats {
    /// The slot of a submit by this user, if someone is signed in; `None` if there are too many.
    pub fn slot(&self, submit: Submit, user: Option<UserId>) -> Option<Slot> {
        let mut slots = self.slots();
        if let Some((_, slot)) = slots.get(&submit) {
            return Some(Arc::clone(slot));
        }
        // Drops unused slots: they have no answer and no submit in progress.
        slots.retain(|_, (_, slot)| {
            Arc::strong_count(slot) > 1 || slot.try_lock().is_ok_and(|kept| kept.is_some())
        });
        let of_user = || slots.values().filter(|(of, _)| *of == user).count();
        if slots.len() >= MAX || (user.is_some() && of_user() >= MAX_OF_USER) {
            return None;
        }
        let slot = Slot::default();
        slots.insert(submit, (user, Arc::clone(&slot)));
        Some(slot)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<Submit, (Option<UserId>, Slot)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Erases an answer after its time.
pub fn erase_later(slot: &Slot) {
    let slot = Arc::downgrade(slot);
    tokio::spawn(async move {
        sleep(Duration::from_millis(KEPT_FOR as u64)).await;
        if let Some(slot) = slot.upgrade() {
            *slot.lock().await = None;
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submit_is_one_browser_one_form_and_one_content() {
        let submit = |mark, path, body: &str| Submit::of(mark, path, &[body.as_bytes()]);
        let first = submit("a", "/account", "password=x");
        assert!(first == submit("a", "/account", "password=x"));
        for (mark, path, body) in [
            ("b", "/account", "password=x"),
            ("a", "/account/delete", "password=x"),
            ("a", "/account", "password=y"),
            ("a/", "account", "password=x"),
            ("a", "/accountp", "assword=x"),
        ] {
            assert!(first != submit(mark, path, body), "{mark} {path} {body}");
        }
    }

    #[tokio::test]
    async fn slots_that_are_not_used_are_dropped_and_their_number_is_limited() {
        let repeats = Repeats::default();
        let submit = |number: usize| Submit::of("a", "/account", &[&number.to_be_bytes()]);
        for number in 0..100 {
            drop(repeats.slot(submit(number), None));
        }
        assert_eq!(repeats.slots().len(), 1);
        let held: Vec<Option<Slot>> = (0..MAX)
            .map(|number| repeats.slot(submit(number), None))
            .collect();
        assert!(held.iter().all(Option::is_some));
        assert!(repeats.slot(submit(MAX), None).is_none());
        let repeat = repeats.slot(submit(0), None);
        assert!(repeat.is_some(), "a repeat finds its own");
    }

    #[test]
    fn one_user_leaves_room_for_others() {
        let repeats = Repeats::default();
        let submit =
            |number: usize| Submit::of("a", "/orgs/x/keys/import", &[&number.to_be_bytes()]);
        let (one, other) = (Some(UserId::new(0, [1; 10])), Some(UserId::new(0, [2; 10])));
        let held: Vec<_> = (0..MAX)
            .filter_map(|number| repeats.slot(submit(number), one))
            .collect();
        assert_eq!(held.len(), MAX_OF_USER);
        assert!(repeats.slot(submit(MAX), other).is_some());
        assert!(repeats.slot(submit(MAX + 1), None).is_some());
    }
}

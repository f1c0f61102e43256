//! The session of a request, and the browser that it comes from.

use axum::http::request::Parts;
use latchkey::{
    accounts::{
        known_browser::{self, By},
        second_factor,
        sessions::{self, Codes, Device, SessionHash, SessionRecord, SignedIn},
        sign_in::sign_out,
    },
    caller::Person,
    fault::Fault,
};
use tokio::sync::OwnedMutexGuard;
use tower_sessions::{
    Session,
    session::{self, Id},
};

use super::PageRequest;
use crate::{
    error::AppError,
    session_cookie::{CookieChange, SessionCookie},
    shown_once::Held,
};

impl PageRequest {
    /// Starts a session for a user who has just authenticated, under a new ID (ASVS 7.2.4). The browser becomes known
    /// to their account. Returns `false`, and starts none, if a code is needed, because the user has turned on a second factor
    /// since their password was checked.
    ///
    /// # Errors
    /// If the session cannot be stored.
    pub async fn open_session(&self, who: SignedIn, by: By) -> Result<bool, AppError> {
        self.start_session(who, by).await
    }

    /// Starts a session under a new ID for a user who has changed their password in this one.
    ///
    /// # Errors
    /// If the session cannot be stored.
    pub async fn renew_session(&self, who: SignedIn) -> Result<(), AppError> {
        self.start_session(who, By::PasswordChange).await.map(drop)
    }

    async fn start_session(&self, who: SignedIn, by: By) -> Result<bool, AppError> {
        let session = &self.session;
        let before = self.record().await?;
        let codes = match (by, before) {
            (By::PasswordChange, Some(before)) => before.codes.continued(self.session_hash()),
            (By::Code(factor), _) => Codes {
                factor: Some(factor),
                origin: None,
            },
            _ => Codes::default(),
        };
        session.clear().await;
        let cycled = session.clone();
        let cycle = async move { cycled.cycle_id().await.map_err(failed) };
        // Signing in as another user signs out the previous one.
        match before.map(|before| before.who.user_id) {
            Some(user_id) if user_id != who.user_id => {
                let visit = self.visit.clone();
                sign_out(self.engine(), &Person { user_id, visit }, cycle).await?;
            }
            _ => cycle.await?,
        }
        self.keep(who, codes).await?;
        // Stored now: after the answer, it would be too late to ask for a code.
        match session.save().await {
            Ok(()) => {}
            Err(error) if lacks_code(&error) => {
                session.clear().await;
                return Ok(false);
            }
            Err(error) => return Err(failed(error)),
        }
        self.remember_browser(who, by)?;
        Ok(true)
    }

    /// Lets the browser have the session that the first submit of the same form started. Returns `false` if that has ended.
    ///
    /// # Errors
    /// If the session cannot be read.
    pub async fn resume_session(&self, session: Id) -> Result<bool, AppError> {
        let Some(record) = sessions::load(self.engine(), hash_of_id(session)).await? else {
            return Ok(false);
        };
        self.session_cookie.set(CookieChange::Resumed(session));
        let by = record.codes.factor.map_or(By::PasswordChange, By::Code);
        self.remember_browser(record.who, by)?;
        Ok(true)
    }

    /// Makes the account know this browser, without a session.
    ///
    /// # Errors
    /// If the system's random number generator fails.
    pub fn remember_browser(&self, who: SignedIn, by: By) -> Result<(), AppError> {
        let shown = self.known_browser.shown();
        let kept = known_browser::remember(self.engine(), shown, who, by).map_err(Fault::from)?;
        self.known_browser.keep(kept);
        Ok(())
    }

    /// Makes the account know the browser of this session for codes too, since its user has just entered one.
    ///
    /// # Errors
    /// If the session cannot be read.
    pub async fn remember_browser_with_code(&self) -> Result<(), AppError> {
        let record = self.record().await?.ok_or(AppError::SignedOut)?;
        let factor = second_factor::of_user(self.engine(), record.who.user_id).await?;
        let by = factor.map_or(By::Password, |factor| By::Code(factor.since));
        self.remember_browser(record.who, by)
    }

    /// The hash of the session's ID, as it is stored.
    pub fn session_hash(&self) -> SessionHash {
        hash_of(&self.session).unwrap_or_else(|| SessionHash::of(&0_i128.to_be_bytes()))
    }

    /// The ID of the session, which is a secret.
    pub fn session_id(&self) -> Option<Id> {
        self.session.id()
    }

    /// The ID of the session, which is stored now if the request has started it.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub async fn stored_session(&self) -> Result<Option<Id>, AppError> {
        if self.session.id().is_none() && !self.session.is_empty().await {
            self.session.save().await.map_err(failed)?;
        }
        Ok(self.session.id())
    }

    /// The session's record, if a user is signed in.
    pub(super) async fn record(&self) -> Result<Option<SessionRecord>, AppError> {
        self.session.get(SessionRecord::KEY).await.map_err(failed)
    }

    /// Stores the user in the session and restarts its idle timeout. The browser keeps its mark as long as the session.
    pub(super) async fn keep(&self, who: SignedIn, codes: Codes) -> Result<(), AppError> {
        self.same_browser.remember();
        let used_at = self.engine().clock().now();
        let record = SessionRecord {
            who,
            used_at,
            device: Device::of(&self.visit),
            codes,
        };
        self.session
            .insert(SessionRecord::KEY, record)
            .await
            .map_err(failed)
    }

    /// Locks this session's slot for the key that was last shown. Waits until no other submit is in progress.
    pub async fn held_key(&self) -> OwnedMutexGuard<Option<Held>> {
        let person = self.person().await.ok().map(|person| person.user_id);
        let session = self.session.id().zip(person);
        self.site.held_keys.of_session(session).await
    }

    /// Erases the key that was last shown in this session.
    pub fn forget_held_key(&self) {
        if let Some(id) = self.session.id() {
            self.site.held_keys.forget(id);
        }
    }

    /// Signs the user out and deletes the session, also in the browser.
    ///
    /// # Errors
    /// If the session cannot be deleted.
    pub async fn end_session(&self) -> Result<(), AppError> {
        self.forget_held_key();
        let (person, session) = (self.person().await, self.session.clone());
        let flush = async move { session.flush().await.map_err(failed) };
        match person {
            Ok(person) => {
                self.session_cookie.set(CookieChange::Removed);
                sign_out(self.engine(), &person, flush).await
            }
            // If nobody is signed in, there is no sign-out to record.
            Err(_) => flush.await,
        }
    }
}

/// The hash of the ID of a request's session, if it has one.
pub fn session_of(parts: &Parts) -> Option<SessionHash> {
    hash_of(parts.extensions.get()?)
}

/// Like [`session_of`], but a session that the request has begun is stored, which gives it its ID. The session of a repeat is
/// that of the first submit.
pub async fn stored_session_of(parts: &Parts) -> Option<SessionHash> {
    let cookie: Option<&SessionCookie> = parts.extensions.get();
    if let Some(CookieChange::Resumed(session)) = cookie.and_then(SessionCookie::change) {
        return Some(hash_of_id(session));
    }
    let session: &Session = parts.extensions.get()?;
    if session.id().is_none() && !session.is_empty().await {
        session.save().await.ok()?;
    }
    hash_of(session)
}

fn hash_of(session: &Session) -> Option<SessionHash> {
    session.id().map(hash_of_id)
}

fn hash_of_id(session: Id) -> SessionHash {
    SessionHash::of(&session.0.to_be_bytes())
}

fn lacks_code(error: &session::Error) -> bool {
    use tower_sessions::session_store::Error::Backend;
    matches!(error, session::Error::Store(Backend(cause)) if cause == SessionRecord::LACKS_CODE)
}

fn failed(error: session::Error) -> AppError {
    AppError::unavailable(&error)
}

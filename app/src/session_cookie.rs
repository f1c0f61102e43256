//! What the response to a request does to the session cookie besides keeping the one of a session that was started. The
//! server sets the cookie.

use std::sync::{Arc, Mutex, PoisonError};

use tower_sessions::session::Id;

/// What a request wants for the session cookie. Clones share the state of one request.
#[derive(Clone, Default)]
pub struct SessionCookie(Arc<Mutex<Option<CookieChange>>>);

/// A change of the session cookie.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CookieChange {
    /// The request has ended the session that its cookie names.
    Removed,
    /// The request is a repeat, and the first one started this session.
    Resumed(Id),
}

impl SessionCookie {
    /// Sets what the response does to the cookie.
    pub fn set(&self, change: CookieChange) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(change);
    }

    /// What the response does to the cookie.
    pub fn change(&self) -> Option<CookieChange> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

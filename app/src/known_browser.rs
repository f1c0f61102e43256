//! The known-browser token of a request. The server reads it from a cookie and writes it to one.

use std::sync::{Arc, Mutex, PoisonError};

/// The token that the browser sent, and the one that it should store. Clones share the state of one request.
#[derive(Debug, Clone, Default)]
pub struct KnownBrowser {
    shown: Arc<str>,
    kept: Arc<Mutex<Option<String>>>,
}

impl KnownBrowser {
    /// Creates it with the token that the browser sent.
    pub fn new(shown: &str) -> Self {
        Self {
            shown: shown.into(),
            kept: Arc::default(),
        }
    }

    /// The token that the browser sent; empty if none.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Sets the token that the browser should store.
    pub fn keep(&self, text: String) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// Takes the new token that the browser should store, if there is one.
    pub fn kept(&self) -> Option<String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take()
    }
}

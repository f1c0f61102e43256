//! What a browser keeps to be known to accounts, on one request. The server reads it from a cookie and writes it there.

use std::sync::{Arc, Mutex, PoisonError};

/// What the browser showed, and what it is to keep. A clone is of the same request.
#[derive(Debug, Clone, Default)]
pub struct KnownBrowser {
    shown: Arc<str>,
    kept: Arc<Mutex<Option<String>>>,
}

impl KnownBrowser {
    /// A browser that showed this.
    pub fn new(shown: &str) -> Self {
        Self {
            shown: shown.into(),
            kept: Arc::default(),
        }
    }

    /// What it showed; empty if nothing.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// Has it keep this from now on.
    pub fn keep(&self, text: String) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// What it is to keep, if that is something new.
    pub fn kept(&self) -> Option<String> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.take()
    }
}

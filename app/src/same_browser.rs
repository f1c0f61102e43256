//! The mark by which a browser is recognized that submits a form again (`repeats.rs`). It is random and proves nothing. No
//! browser gets it for looking around: it is set where a session starts, where a code is asked for, and where an account is
//! created or a link about one is opened. The server reads it from a cookie and writes it to one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// The mark that the browser sent, and whether the response sets one. Clones share the state of one request.
#[derive(Clone, Default)]
pub struct SameBrowser {
    mark: Option<Arc<str>>,
    is_wanted: Arc<AtomicBool>,
}

impl SameBrowser {
    /// Creates it with the mark that the browser sent.
    pub fn new(mark: Option<&str>) -> Self {
        Self {
            mark: mark.map(Arc::from),
            is_wanted: Arc::default(),
        }
    }

    /// The mark that the browser sent.
    pub fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }

    /// Gives the browser a mark, unless it has one.
    pub fn recognize(&self) {
        if self.mark.is_none() {
            self.remember();
        }
    }

    /// Lets the browser keep its mark, or a new one, for as long as a session can last.
    pub fn remember(&self) {
        self.is_wanted.store(true, Ordering::Relaxed);
    }

    /// Whether the response sets the mark.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted.load(Ordering::Relaxed)
    }
}

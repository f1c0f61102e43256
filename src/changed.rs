//! Changes that take effect in this process, for whatever else keeps something in memory that they make stale.

use std::{
    fmt,
    sync::{PoisonError, RwLock},
};

use crate::{
    event::{Event, Target},
    id::OrgId,
};

/// A change that this process made, or that it read from the feed. Its own changes it also reads from the feed, later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// The kind of event.
    pub event: Event,
    /// What was changed.
    pub target: Target,
    /// The org in whose log it is, if any.
    pub org_id: Option<OrgId>,
    /// The position of its entry in the log of the installation; `None` if it is not known yet.
    pub position: Option<i64>,
}

/// What changed.
#[derive(Debug, Clone, Copy)]
pub enum Changes<'a> {
    /// These changes.
    Known(&'a [Changed]),
    /// Anything: some changes may have been missed.
    Unknown,
}

type Listener = Box<dyn Fn(Changes<'_>) + Send + Sync>;

/// What is called with each change. A listener must not wait.
#[derive(Default)]
pub(crate) struct Listeners(RwLock<Vec<Listener>>);

impl Listeners {
    pub(crate) fn add(&self, listener: Listener) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.push(listener);
    }

    pub(crate) fn call(&self, changes: Changes<'_>) {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        for listener in &*all {
            listener(changes);
        }
    }
}

impl fmt::Debug for Listeners {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listeners")
    }
}

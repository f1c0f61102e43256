//! When a request is decided on, and for how long.

use crate::{
    Engine,
    clock::Monotonic,
    db::StorageError,
    time::{SECOND, Timestamp},
};

/// The time of day, for what expires, and a clock that never goes back, for how old memory is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub wall: Timestamp,
    pub monotonic: Monotonic,
    /// What is in memory and was read then, or before, is not trusted.
    pub stale: Monotonic,
}

/// For how many milliseconds what a request found is decided on. Memory is trusted when the request begins; one that then
/// waits for the database must not decide on what others count as forgotten by then.
pub(crate) const DECIDED_WITHIN: i64 = 4 * SECOND;

impl Now {
    pub fn of(engine: &Engine) -> Self {
        let monotonic = engine.clock.monotonic();
        Self {
            wall: engine.clock.now(),
            monotonic,
            stale: engine.cache.stale_since(monotonic),
        }
    }

    /// Fails when what was found by now may be too old to decide on.
    pub fn still(self, engine: &Engine) -> Result<(), StorageError> {
        if engine.clock.monotonic().since(self.monotonic) < DECIDED_WITHIN {
            Ok(())
        } else {
            Err(StorageError::late())
        }
    }

    /// Whether nothing was forgotten since `changes` were counted. A request that waited for the database may have found
    /// what was forgotten while it waited, and others count on it that this decides nothing (see [`crate::effects`]): then it
    /// looks again, for as long as it may.
    pub fn is_unchanged(self, engine: &Engine, changes: u64) -> Result<bool, StorageError> {
        if engine.cache.changes() == changes {
            return Ok(true);
        }
        self.still(engine)?;
        Ok(false)
    }
}

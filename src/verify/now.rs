//! The time of a decision, and how long it may take.

use crate::{
    Engine,
    clock::Monotonic,
    db::StorageError,
    time::{SECOND, Timestamp},
};

/// The wall clock time, for expiries, and the monotonic time, for the age of cache entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub wall: Timestamp,
    pub monotonic: Monotonic,
    /// Cache entries that were read then or earlier are stale.
    pub stale: Monotonic,
}

/// How long a request may use the records that it found, in milliseconds. Cache entries are checked for staleness when
/// the request starts. A request that then waits for the database must not use records that others already consider
/// evicted.
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

    /// Fails if the records that were found may have become too old for a decision.
    pub fn still(self, engine: &Engine) -> Result<(), StorageError> {
        if engine.clock.monotonic().since(self.monotonic) < DECIDED_WITHIN {
            Ok(())
        } else {
            Err(StorageError::late())
        }
    }

    /// Whether there was no change since the counter `changes` was read. A request that waited for the database may
    /// have found records that were evicted in the meantime, and other code relies on such records not being used (see
    /// [`crate::effects`]). The request then looks them up again, as long as its time allows.
    pub fn is_unchanged(self, engine: &Engine, changes: u64) -> Result<bool, StorageError> {
        if engine.cache.changes() == changes {
            return Ok(true);
        }
        self.still(engine)?;
        Ok(false)
    }
}

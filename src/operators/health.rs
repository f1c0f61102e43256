//! How this instance is doing.

use crate::{
    Engine,
    access::Operator,
    db::{StorageError, on},
    limits::Limits,
    time::Timestamp,
};

/// How a queue of work is filled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLoad {
    /// What is done in the queue.
    pub name: &'static str,
    /// Places in use: work that waits or runs.
    pub taken: usize,
    /// All places. Further work is rejected.
    pub places: usize,
}

/// Usage that is counted in memory and not stored yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backlog {
    /// Counts in memory.
    pub counts: usize,
    /// Whether a batch is being stored now, or could not be stored and is retried.
    pub is_storing: bool,
    /// When this instance last stored a batch; `None` if it has not counted anything in the last day.
    pub stored_at: Option<Timestamp>,
}

/// Returns the load of this instance's queues.
pub fn queues(engine: &Engine, _operator: &Operator) -> Vec<QueueLoad> {
    let load = |name, (taken, places): (usize, usize)| QueueLoad {
        name,
        taken,
        places,
    };
    let [strangers, known] = engine.hashing.loads();
    vec![
        load("Passwords of new browsers", strangers),
        load("Passwords of known browsers", known),
        load("Imports", engine.importing.load()),
        load("Small imports", engine.importing_small.load()),
        load("Exports", engine.exporting.load()),
    ]
}

/// Returns how much usage waits to be stored by this instance.
///
/// # Errors
/// If the database cannot be reached.
pub async fn backlog(engine: &Engine, _operator: &Operator) -> Result<Backlog, StorageError> {
    const SQL: &str = "SELECT MAX(flushed_at) FROM usage_batches WHERE instance = $1";
    let (counts, is_storing) = (engine.recorder.waiting(), engine.recorder.is_storing());
    let stored_at = on!(engine.db.read(), c => sqlx::query_scalar(SQL)
        .bind(engine.recorder.instance()).fetch_one(c).await)?;
    Ok(Backlog {
        counts,
        is_storing,
        stored_at,
    })
}

/// Returns the limits of each organization.
pub fn limits(engine: &Engine, _operator: &Operator) -> Limits {
    engine.limits
}

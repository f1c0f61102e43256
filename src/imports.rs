//! Whether any key was imported: only then may a text that looks like a mistyped key of ours be one.
//!
//! A key with a wrong checksum is refused without asking the database (design §3). A key that was created elsewhere may have
//! our prefix and our length and no checksum, so where there are such keys, and only there, it is looked up.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Engine,
    db::{StorageError, on},
};

/// What is known, in memory.
#[derive(Debug, Default)]
pub(crate) struct Imports(AtomicBool);

impl Imports {
    /// Whether any key is known to be imported.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes that there are imported keys. A note stays: without them it costs a look-up for a mistyped key.
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Notes what other instances imported, and what was imported before this one started. A look into an index, and none
/// once there is something.
///
/// # Errors
/// When the database does not answer.
pub async fn refresh(engine: &Engine) -> Result<(), StorageError> {
    if engine.imports.any() {
        return Ok(());
    }
    const SQL: &str = "SELECT EXISTS (SELECT 1 FROM key_secrets WHERE imported)";
    let any: bool = on!(engine.db.read(), c => sqlx::query_scalar(SQL).fetch_one(c).await)?;
    if any {
        engine.imports.note();
    }
    Ok(())
}

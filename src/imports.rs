//! Tracks whether any keys were imported.
//!
//! A key with this instance's prefix and a wrong checksum is normally rejected without querying the database (design
//! §3). An imported key can have the same prefix and length without a checksum, so such keys are looked up if, and only
//! if, the instance has imported keys.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::{
    Engine,
    db::{StorageError, on},
};

/// Whether imported keys exist, cached in memory.
#[derive(Debug, Default)]
pub(crate) struct Imports(AtomicBool);

impl Imports {
    /// Whether any key is known to be imported.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Records that imported keys exist. The flag is never reset: at worst it costs a lookup for each mistyped key.
    pub(crate) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Checks for keys that other instances imported or that were imported before this instance started. An index lookup;
/// nothing once imported keys are known to exist.
///
/// # Errors
/// If the database cannot be reached.
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

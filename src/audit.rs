//! The audit log: who did what, to what, when and from where.
//!
//! It is append-only (the database rejects updates and deletes), in commit order, and chained: each row's hash is an
//! HMAC-SHA256 over the previous hash and the row itself, under a key derived from the pepper. Anyone who can write
//! to the database but does not have the pepper cannot change a row undetected.
//!
//! A row takes about 400 bytes. An org with 10,000 keys that each change once a month writes 50 MB a year.

mod append;
mod chain;
mod checkpoint;
mod last_change;
mod list;
mod repeated;
pub mod retention;
mod row;
pub mod security_events;

use crate::{
    Engine,
    access::{Permit, to},
    event::Event,
    party::Party,
    work_queue::{Busy, Place},
};

pub use append::CHANNEL;
pub(crate) use append::{Appended, NewEntry, Positions, append};
pub(crate) use chain::last_is_under;
pub use chain::{BrokenChain, EntryPlace, Head, verify};
pub use checkpoint::{InvalidCheckpoint, check_beginning, seal};
pub use last_change::last_change;
pub use list::{
    Actor, AuditQuery, Entry, EventFilter, InvalidEventFilter, Page, list, list_of_instance,
};
pub use repeated::has_just_done;
use security_events::{Log, SecurityEvent};

/// Reserves a place in the export queue. The caller builds the file while holding it, and keeps it until the file is
/// sent.
///
/// # Errors
/// If too many exports are in progress, in total or in this org.
pub async fn enter_export(
    engine: &Engine,
    permit: &Permit<to::SeeAuditLog>,
) -> Result<Place<Party>, Busy> {
    engine.exporting.enter_in_line(permit.whose()).await
}

/// Records that the caller exported the org's log.
pub fn exported(engine: &Engine, permit: &Permit<to::SeeAuditLog>) {
    let log = Log::Org(permit.org_id());
    let exported = SecurityEvent::new(Event::ExportMade, permit.caller().clone(), log);
    engine.note(exported.with("file", "audit_log"));
}

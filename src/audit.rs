//! The audit log: who did what, to what, when and from where.
//!
//! It is append-only (the database refuses anything else), in the order of commits, and chained: each row's hash is an
//! HMAC-SHA256 over the hash before it and the row itself, under a key derived from the pepper, so that whoever can write
//! to the database but does not have the pepper can change no row unnoticed.
//!
//! A row takes some 400 bytes; an org with 10,000 keys that are each changed once a month writes 50 MB a year.

mod append;
mod chain;
mod checkpoint;
mod last_change;
mod list;
pub mod retention;
mod row;
pub mod security_events;

use crate::{
    Engine,
    access::{Permit, to},
    event::Event,
    id::OrgId,
    work_queue::{Busy, Place},
};

pub use append::CHANNEL;
pub(crate) use append::{Appended, NewEntry, Positions, append};
pub(crate) use chain::last_is_under;
pub use chain::{BrokenChain, EntryPlace, Head, verify};
pub use checkpoint::{InvalidCheckpoint, check_beginning, seal};
pub use last_change::last_change;
pub use list::{Actor, AuditQuery, Entry, EventFilter, InvalidEventFilter, Page, list};
use security_events::{Log, SecurityEvent};

/// A place in the queue of exports. Whoever has one puts rows together in it, and keeps it until the file is sent.
///
/// # Errors
/// When too many exports are under way, in all or in this org.
pub fn enter_export(
    engine: &Engine,
    permit: &Permit<to::SeeAuditLog>,
) -> Result<Place<OrgId>, Busy> {
    engine.exporting.enter(permit.org_id())
}

/// Notes that the caller exported the org's log.
pub fn exported(engine: &Engine, permit: &Permit<to::SeeAuditLog>) {
    let log = Log::Org(permit.org_id());
    let exported = SecurityEvent::new(Event::ExportMade, permit.caller().clone(), log);
    engine.note(exported.with("file", "audit_log"));
}

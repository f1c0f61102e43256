//! Exports of the list of keys.

use crate::{
    Engine,
    access::{Permit, to},
    audit::security_events::{Log, SecurityEvent},
    event::Event,
    party::Party,
    work_queue::{Busy, Place},
};

/// Reserves a place in the export queue. The caller keeps it until the file is sent.
///
/// # Errors
/// If too many exports are in progress, in total or in this org.
pub async fn enter_export(
    engine: &Engine,
    permit: &Permit<to::SeeKeyDetails>,
) -> Result<Place<Party>, Busy> {
    engine.exporting.enter_in_line(permit.whose()).await
}

/// Records that the caller exported the org's keys.
pub fn exported(engine: &Engine, permit: &Permit<to::SeeKeyDetails>) {
    let log = Log::Org(permit.org_id());
    let exported = SecurityEvent::new(Event::ExportMade, permit.caller().clone(), log);
    engine.note(exported.with("file", "keys"));
}

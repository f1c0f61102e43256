//! Exports of usage.

use crate::{
    Engine,
    access::{Permit, to},
    audit::security_events::{Log, SecurityEvent},
    event::Event,
};

/// Records that the caller exported the org's usage.
pub fn exported(engine: &Engine, permit: &Permit<to::ExportUsage>) {
    let log = Log::Org(permit.org_id());
    let exported = SecurityEvent::new(Event::ExportMade, permit.caller().clone(), log);
    engine.note(exported.with("file", "usage"));
}

//! An audit log entry as JSON.

use std::collections::BTreeMap;

use latchkey::{
    audit::{Actor, Entry},
    event::Event,
    id::OrgId,
    time::{Rfc3339, Timestamp},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::openapi::words;

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryObject {
    /// `evt_` followed by the ID of the organization and the number of the entry.
    id: String,
    /// The number of the entry in the organization's log, starting at 1 without gaps.
    seq: i64,
    /// When it happened.
    #[schema(value_type = jiff::Timestamp)]
    at: Rfc3339,
    /// The event.
    #[schema(value_type = words::AuditEvent)]
    event: Event,
    /// Who did it.
    actor: Party,
    /// How it was done: `page`, `api` or `cli`.
    via: String,
    /// The IP address that sent the request. After 90 days, only its network.
    #[schema(required)]
    address: Option<String>,
    /// The kind of program that sent the request, such as `firefox` or `curl`.
    #[schema(required)]
    client: Option<String>,
    /// The object that the event is about.
    #[schema(required)]
    target: Option<Party>,
    /// The fields that changed. Other events have details: the denied `action`, the `reason` of a failed sign-in, the
    /// exported `file`, or the number of ended `sessions`. Sign-ins, denials and exports beyond an hour's limits are
    /// summarized in one entry each hour with the number of `more` events.
    changes: BTreeMap<String, FieldChange>,
    /// The `X-Request-Id` of the request. A request that changes several keys has an entry for each key.
    #[schema(required)]
    request_id: Option<String>,
}

/// The actor or target of an entry.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditParty)]
pub struct Party {
    /// `user`, `token`, `command_line`, `unknown`, `key`, `agent`, `project`, `org`, `invitation` or `key_request`.
    kind: String,
    /// The ID. Null for the command line and unknown actors.
    #[schema(required)]
    id: Option<String>,
    /// The current name. Null if it was deleted. Invitations have none.
    #[schema(required)]
    name: Option<String>,
}

/// The old and new value of a field. For notes and similar text, `to` is `changed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldChange {
    /// The old value.
    from: Value,
    /// The new value.
    to: Value,
}

impl EntryObject {
    /// The entry of an organization. Its ID does not depend on what happens in others.
    pub fn new(entry: Entry, org: OrgId) -> Self {
        let org = org.to_string();
        let org = org.trim_start_matches("org_");
        let changes = entry.changes.into_iter();
        Self {
            id: format!("evt_{org}_{}", entry.seq),
            seq: entry.seq,
            at: entry.at.rfc3339(),
            event: entry.event,
            actor: entry.actor.into(),
            via: entry.via,
            address: entry.address,
            client: entry.client,
            target: entry.target.map(Party::from),
            changes: changes
                .map(|(field, change)| {
                    let change = FieldChange::new(&field, change);
                    (field, change)
                })
                .collect(),
            request_id: entry.request_id,
        }
    }
}

impl From<Actor> for Party {
    fn from(actor: Actor) -> Self {
        Self {
            kind: actor.kind,
            id: actor.id,
            name: actor.name,
        }
    }
}

impl FieldChange {
    fn new(field: &str, mut change: Value) -> Self {
        let mut side = |name: &str| {
            let value = change.get_mut(name).map(Value::take).unwrap_or_default();
            // The log stores times as milliseconds, and the API returns all times as RFC 3339.
            match value.as_i64().filter(|_| field.ends_with("_at")) {
                Some(millis) => serde_json::json!(Timestamp::from_millis(millis).rfc3339()),
                None => value,
            }
        };
        Self {
            from: side("from"),
            to: side("to"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_are_written_as_everywhere_in_the_api() {
        let written = |field, change| json!(FieldChange::new(field, change));
        let change = json!({"from": null, "to": 1_795_262_400_000_i64});
        let at = json!({"from": null, "to": "2026-11-21T12:00:00.000Z"});
        assert_eq!(written("expires_at", change.clone()), at);
        assert_eq!(written("limit", change.clone()), change);
        let unchanged = json!({"from": false, "to": ["*.example.com"]});
        assert_eq!(written("domains", unchanged.clone()), unchanged);
    }
}

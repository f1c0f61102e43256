//! An entry of the audit log as the API writes it.

use std::collections::BTreeMap;

use latchkey::{
    audit::{Actor, Entry},
    event::Event,
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{key_object::instant, openapi::words};

/// Something that happened.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct EntryObject {
    /// `evt_` and its position in the log of the installation.
    id: String,
    /// Its number in the organization's log: 1 and up, without gaps.
    seq: i64,
    /// When it happened.
    #[schema(value_type = jiff::Timestamp)]
    at: Option<jiff::Timestamp>,
    /// What happened.
    #[schema(value_type = words::AuditEvent)]
    event: Event,
    /// Who did it.
    actor: Party,
    /// What they used: `page`, `api` or `cli`.
    via: String,
    /// The address that the request came from; its network when the entry is more than 90 days old.
    #[schema(required)]
    address: Option<String>,
    /// The kind of program that sent the request, such as `firefox` or `curl`.
    #[schema(required)]
    client: Option<String>,
    /// What it was done to.
    #[schema(required)]
    target: Option<Party>,
    /// The fields that changed. Of a denial it says which `action` was denied, of a failed sign-in for what `reason`, of an
    /// export which `file` was made, and how many `sessions` ended. Of sign-ins, denials and exports beyond the limits of
    /// an hour one entry says how many `more` there were.
    changes: BTreeMap<String, FieldChange>,
    /// The `X-Request-Id` of the request that did it. A request that changes many keys has an entry for each.
    #[schema(required)]
    request_id: Option<String>,
}

/// Someone or something that an entry names.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditParty)]
pub struct Party {
    /// `user`, `token`, `command_line`, `unknown`, `key`, `agent`, `project` or `org`.
    kind: String,
    /// Its id; null for the command line and for whoever is unknown.
    #[schema(required)]
    id: Option<String>,
    /// Its name now; null when it was deleted.
    #[schema(required)]
    name: Option<String>,
}

/// What a field was before and after. Of texts that only members read, such as notes, `to` is `changed`.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldChange {
    /// Before.
    from: Value,
    /// After.
    to: Value,
}

impl From<Entry> for EntryObject {
    fn from(entry: Entry) -> Self {
        let changes = entry.changes.into_iter();
        Self {
            id: format!("evt_{}", entry.position),
            seq: entry.seq,
            at: instant(entry.at),
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
            // The log holds times as milliseconds; the API writes all of its times alike.
            match value.as_i64().filter(|_| field.ends_with("_at")) {
                Some(millis) => serde_json::json!(instant(Timestamp::from_millis(millis))),
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
        let at = json!({"from": null, "to": "2026-11-21T12:00:00Z"});
        assert_eq!(written("expires_at", change.clone()), at);
        assert_eq!(written("limit", change.clone()), change);
        let unchanged = json!({"from": false, "to": ["*.example.com"]});
        assert_eq!(written("domains", unchanged.clone()), unchanged);
    }
}

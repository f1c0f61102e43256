//! Recognizes the changes of keys that do what reviews ask for. It is called in the transaction of every change, so that
//! nobody has to report what they did.

use std::collections::BTreeMap;

use crate::{
    audit::NewEntry,
    convention::{Convention, Scope},
    db::{StorageError, Tx, on, places},
    event::{Event, Target},
    id::{KeyId, OrgId},
};

/// Keys per statement.
const KEYS_AT_ONCE: usize = 500;

/// Closes what was asked of the owners of keys, where these changes do it.
pub(crate) async fn note_done(
    tx: &mut Tx,
    convention: &Convention,
    entries: &[NewEntry],
) -> Result<(), StorageError> {
    // All entries of a change have the same caller and time.
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let mut keys: BTreeMap<(OrgId, Event), Vec<KeyId>> = BTreeMap::new();
    for entry in entries {
        if let (Some(org_id), Some(Target::Key(id))) = (entry.org_id, entry.target)
            && does(entry, convention)
        {
            keys.entry((org_id, entry.event)).or_default().push(id);
        }
    }
    let (at, actor) = (first.at, first.caller.actor);
    for ((org_id, event), ids) in keys {
        let asked = asked_by(event);
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let sql = format!(
                "UPDATE reviews SET done_at = $1, done_event = $2, done_by_kind = $3, done_by_id = $4 \
                 WHERE org_id = $5 AND superseded_at IS NULL AND done_at IS NULL AND answered_at IS NULL \
                 AND verdict IN ({asked}) AND key_id IN ({})",
                places(6, ids.len())
            );
            on!(tx.on(), c => {
                let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(ids.len() == 1)
                    .bind(at).bind(event.as_str()).bind(actor.kind()).bind(actor.id()).bind(org_id);
                for id in ids {
                    query = query.bind(id);
                }
                query.execute(c).await.map(drop)
            })?;
        }
    }
    Ok(())
}

/// The verdicts whose request an event of a key fulfills, as an SQL list. A key that no longer works needs nothing else.
const fn asked_by(event: Event) -> &'static str {
    match event {
        Event::KeyRotated => "'rotate'",
        Event::KeyUpdated => "'narrow'",
        _ => "'rotate', 'narrow', 'revoke'",
    }
}

/// Whether a change of a key can be what a review asked for.
fn does(entry: &NewEntry, convention: &Convention) -> bool {
    match entry.event {
        Event::KeyRotated | Event::KeyRevoked | Event::KeyDisabled => true,
        Event::KeyUpdated => {
            let scopes = |side: &str| {
                let listed = entry.changes.get("scopes")?.get(side)?;
                serde_json::from_value::<Vec<Scope>>(listed.clone()).ok()
            };
            let (from, to) = (scopes("from"), scopes("to"));
            from.zip(to)
                .is_some_and(|(from, to)| is_narrower(convention, &from, &to))
        }
        _ => false,
    }
}

/// Whether a key with the scopes `to` is allowed to do less than one with `from`, and nothing else.
fn is_narrower(convention: &Convention, from: &[Scope], to: &[Scope]) -> bool {
    if convention.is_full_access(to) {
        return false;
    }
    let is_part = to.len() < from.len() && to.iter().all(|scope| from.contains(scope));
    is_part || convention.is_full_access(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fewer_scopes_are_narrower_and_no_scope_is_everything() {
        let convention = Convention::built_in("latchkey").unwrap();
        let narrower = |from: &[&str], to: &[&str]| {
            let read = |scopes: &[&str]| -> Vec<Scope> {
                scopes.iter().map(|scope| scope.parse().unwrap()).collect()
            };
            is_narrower(&convention, &read(from), &read(to))
        };
        assert!(narrower(&["bots:read", "bots:write"], &["bots:read"]));
        assert!(narrower(&[], &["bots:read"]), "no scope means all");
        assert!(narrower(&["admin"], &["bots:read", "bots:write"]));
        for (from, to) in [
            (&["bots:read"][..], &[][..]),
            (&["bots:read"], &["bots:read"]),
            (&["bots:read"], &["bots:read", "bots:write"]),
            (&["bots:read", "bots:write"], &["analytics:read"]),
            (&["bots:read", "bots:write"], &["admin"]),
            (&["admin"], &[]),
        ] {
            assert!(!narrower(from, to), "{from:?} {to:?}");
        }
    }
}

//! Whether a user has just done something, for a form that is submitted twice: the second submit finds nothing left to do.

use serde_json::{Map, Value};

use crate::{
    Engine,
    caller::Person,
    db::{StorageError, on},
    event::Event,
    time::{MINUTE, Timestamp},
};

/// How long ago it can be, in milliseconds.
const JUST_NOW: i64 = 10 * MINUTE;
/// The number of the user's newest entries that are looked at.
const ENTRIES: i64 = 100;

/// Whether the user themself has caused this event in the last minutes, in the log of the org with this slug, or of the
/// instance, on the object with this ID: its own, the public ID of an agent, or the slug of the org. Needs no permit, since it shows nothing of what
/// others did, and the user can have left or deleted the org.
///
/// # Errors
/// If the database cannot be reached.
pub async fn has_just_done(
    engine: &Engine,
    person: &Person,
    org: Option<&str>,
    event: Event,
    id: &str,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT latest.at, latest.target_id, latest.changes FROM (SELECT org_id, event, at, target_id, changes \
         FROM audit_log WHERE actor_kind = 'user' AND actor_id = $1 ORDER BY position DESC LIMIT $2) AS latest \
         LEFT JOIN orgs ON orgs.id = latest.org_id \
         WHERE (orgs.slug = $3 OR latest.org_id IS NULL AND $3 = '') AND latest.event = $4";
    let is_org = org == Some(id);
    let rows: Vec<(Timestamp, Option<String>, String)> = on!(engine.db.read(), c => sqlx::query_as(SQL)
        .bind(person.user_id).bind(ENTRIES).bind(org.unwrap_or_default()).bind(event.as_str()).fetch_all(c).await)?;
    let after = engine.clock.now().plus(-JUST_NOW);
    Ok(rows.iter().any(|(at, target, changes)| {
        let is_it =
            target.as_deref() == Some(id) || public_id(changes).as_deref() == Some(id) || is_org;
        *at > after && is_it
    }))
}

/// The public ID of a deleted agent.
fn public_id(changes: &str) -> Option<String> {
    let changes: Map<String, Value> = serde_json::from_str(changes).ok()?;
    Some(changes.get("public_id")?.get("from")?.as_str()?.to_owned())
}

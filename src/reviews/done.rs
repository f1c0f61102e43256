//! Recognizes the changes of keys that do what reviews ask for. It is called in the transaction of every change, so that
//! nobody has to report what they did.

use std::collections::BTreeMap;

use crate::{
    audit::NewEntry,
    convention::Convention,
    db::{StorageError, Tx, on, places},
    event::{Event, Target},
    id::{KeyId, OrgId},
    time::Timestamp,
};

use super::{
    Aspect, Verdict,
    narrowed::{adds_domains, extends, narrowed},
    undone::reopen_undone,
};

/// Keys per statement.
const KEYS_AT_ONCE: usize = 500;

/// Closes what was asked of the owners of keys, where these changes do it, and names it in their entries.
pub(crate) async fn note_done(
    tx: &mut Tx,
    convention: &Convention,
    entries: &mut [NewEntry],
) -> Result<(), StorageError> {
    // All entries of a change have the same caller and time.
    let Some(first) = entries.first() else {
        return Ok(());
    };
    let mut keys: BTreeMap<(OrgId, Event, Asked), Vec<KeyId>> = BTreeMap::new();
    let mut enabled: BTreeMap<OrgId, Vec<KeyId>> = BTreeMap::new();
    for entry in &*entries {
        let (Some(org_id), Some(Target::Key(id))) = (entry.org_id, entry.target) else {
            continue;
        };
        if entry.event == Event::KeyEnabled {
            enabled.entry(org_id).or_default().push(id);
        }
        // Before what this change does: the same change can take one thing back and do another.
        if entry.event == Event::KeyUpdated {
            reopen_undone(tx, convention, org_id, id).await?;
        }
        if let Some(asked) = asked_by(entry, convention) {
            let ids = keys.entry((org_id, entry.event, asked)).or_default();
            ids.push(id);
        }
    }
    for (org_id, ids) in enabled {
        reopen(tx, org_id, &ids).await?;
    }
    let (at, actor) = (first.at, first.caller.actor);
    // What disabling did is done for good by another change.
    for ((org_id, event, Asked { condition, done_at }), ids) in keys {
        for ids in ids.chunks(KEYS_AT_ONCE) {
            let sql = format!(
                "UPDATE reviews SET done_at = {done_at}, done_event = $2, done_by_kind = $3, done_by_id = $4 \
                 WHERE org_id = $5 AND superseded_at IS NULL AND answered_at IS NULL \
                 AND (COALESCE(done_at > $1, TRUE) OR (done_event = $6 AND $2 <> $6)) AND {condition} AND key_id IN ({}) \
                 RETURNING key_id, verdict, aspect, done_at",
                places(7, ids.len())
            );
            let mut done: Vec<(KeyId, Verdict, Option<Aspect>, Timestamp)> = on!(tx.on(), c => {
                let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).persistent(ids.len() == 1)
                    .bind(at).bind(event.as_str()).bind(actor.kind()).bind(actor.id()).bind(org_id)
                    .bind(Event::KeyDisabled.as_str());
                for id in ids {
                    query = query.bind(id);
                }
                query.fetch_all(c).await
            })?;
            done.retain(|(.., done_at)| *done_at <= at);
            name_done(entries, event, &done);
        }
    }
    Ok(())
}

/// Adds what was done of what was asked to the entries of these changes: `done_as_asked`, such as `narrow.scopes`.
fn name_done(
    entries: &mut [NewEntry],
    event: Event,
    done: &[(KeyId, Verdict, Option<Aspect>, Timestamp)],
) {
    let mut by_key: BTreeMap<KeyId, Vec<String>> = BTreeMap::new();
    for (id, verdict, aspect, _) in done {
        let word = match aspect {
            Some(aspect) => format!("{verdict}.{aspect}"),
            None => verdict.to_string(),
        };
        by_key.entry(*id).or_default().push(word);
    }
    for entry in entries.iter_mut().filter(|entry| entry.event == event) {
        let Some(Target::Key(id)) = entry.target else {
            continue;
        };
        if let Some(mut words) = by_key.remove(&id) {
            words.sort();
            let change = serde_json::json!({ "from": null, "to": words });
            entry.changes.insert("done_as_asked".to_owned(), change);
        }
    }
}

/// Opens again what was done by disabling these keys, which have been enabled.
async fn reopen(tx: &mut Tx, org_id: OrgId, ids: &[KeyId]) -> Result<(), StorageError> {
    for ids in ids.chunks(KEYS_AT_ONCE) {
        let sql = format!(
            "UPDATE reviews SET done_at = NULL, done_event = NULL, done_by_kind = NULL, done_by_id = NULL \
             WHERE org_id = $1 AND done_event = $2 AND superseded_at IS NULL AND key_id IN ({})",
            places(3, ids.len())
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(ids.len() == 1)
                .bind(org_id).bind(Event::KeyDisabled.as_str());
            for id in ids {
                query = query.bind(id);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// What a change of a key fulfills.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Asked {
    /// The requests, as an SQL condition on `reviews`.
    condition: String,
    /// When they are done, as an SQL expression. `$1` is the time of the change.
    done_at: String,
}

impl Asked {
    /// Requests that are done now.
    fn now(condition: String) -> Self {
        Self {
            condition,
            done_at: "$1".to_owned(),
        }
    }
}

/// The requests that a change of a key fulfills; `None` if there are none.
fn asked_by(entry: &NewEntry, convention: &Convention) -> Option<Asked> {
    let condition = match entry.event {
        Event::KeyRotated => {
            // A secret that leaked works for others until it ends.
            let ends_at = entry.changes.get("old_secret_ends_at");
            let ends_at = ends_at.and_then(|change| change.get("to")?.as_i64());
            let ends_at = ends_at.map_or("$1".to_owned(), |at| at.to_string());
            return Some(Asked {
                condition: "verdict = 'rotate'".to_owned(),
                done_at: format!("CASE WHEN aspect = 'leaked' THEN {ends_at} ELSE $1 END"),
            });
        }
        Event::KeyOldSecretEnded => {
            Some("verdict = 'rotate' AND aspect = 'leaked' AND done_at > $1".to_owned())
        }
        // A key that no longer works needs nothing else.
        Event::KeyRevoked => Some("verdict <> 'keep'".to_owned()),
        // What will be done when an old secret ends stays so, whatever happens until then.
        Event::KeyDisabled => Some("verdict <> 'keep' AND done_at IS NULL".to_owned()),
        Event::KeyUpdated => {
            let aspects = narrowed(&entry.changes, convention);
            let words: Vec<&str> = aspects.into_iter().map(Aspect::as_str).collect();
            let narrows = (!words.is_empty()).then(|| {
                format!(
                    "(verdict = 'narrow' AND COALESCE(aspect IN ('{}'), TRUE))",
                    words.join("', '")
                )
            });
            let allows =
                adds_domains(&entry.changes).then(|| "verdict = 'allow_domains'".to_owned());
            let extends = extends(&entry.changes).then(|| "verdict = 'extend'".to_owned());
            let asked: Vec<String> = narrows.into_iter().chain(allows).chain(extends).collect();
            (!asked.is_empty()).then(|| format!("({})", asked.join(" OR ")))
        }
        _ => None,
    };
    condition.map(Asked::now)
}

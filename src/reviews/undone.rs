//! Recognizes the changes of keys that take back what reviews asked for, so that it is asked again.

use serde_json::{Map, Value};
use sqlx::AssertSqlSafe;

use crate::{
    convention::Convention,
    db::{StorageError, Tx, from_json, on},
    event::Event,
    id::{KeyId, OrgId, ReviewId},
    key::settings::KeySettings,
    keys::store::{COLUMNS, SettingsRow},
    time::Timestamp,
};

use super::{
    Aspect, Verdict,
    narrowed::{are_gone, extends, is_as_short, is_put_back, narrowed},
};

/// Opens again what a change of this key's settings did, where the settings are now back as they were before it. The log
/// says what that change was; what it did stays done once retention has deleted its entry.
pub(super) async fn reopen_undone(
    tx: &mut Tx,
    convention: &Convention,
    org_id: OrgId,
    key_id: KeyId,
) -> Result<(), StorageError> {
    // A key has at most one such row with each verdict and aspect.
    const DONE: &str = "SELECT id, verdict, aspect, done_at FROM reviews \
         WHERE org_id = $1 AND key_id = $2 AND done_event = $3 AND superseded_at IS NULL";
    const CHANGES: &str = "SELECT changes FROM audit_log \
         WHERE org_id = $1 AND target_id = $2 AND event = $3 AND at = $4 ORDER BY seq";
    const REOPEN: &str = "UPDATE reviews SET done_at = NULL, done_event = NULL, done_by_kind = NULL, done_by_id = NULL \
         WHERE org_id = $1 AND id = $2";
    let updated = Event::KeyUpdated.as_str();
    let done: Vec<(ReviewId, Verdict, Option<Aspect>, Timestamp)> = on!(tx.on(), c => sqlx::query_as(DONE)
        .bind(org_id).bind(key_id).bind(updated).fetch_all(c).await)?;
    if done.is_empty() {
        return Ok(());
    }
    // The change has written the key's row, so that nobody else changes it meanwhile.
    let now = format!("SELECT {COLUMNS} FROM keys WHERE keys.org_id = $1 AND keys.id = $2");
    let now: SettingsRow = on!(tx.on(), c => sqlx::query_as(AssertSqlSafe(now))
        .bind(org_id).bind(key_id).fetch_one(c).await)?;
    let now = now.read()?;
    for (id, verdict, aspect, at) in done {
        let changes: Vec<String> = on!(tx.on(), c => sqlx::query_scalar(CHANGES)
            .bind(org_id).bind(key_id).bind(updated).bind(at).fetch_all(c).await)?;
        let mut is_undone = false;
        for changes in changes {
            let changes: Map<String, Value> = from_json(&changes)?;
            is_undone |= undoes(&now, (verdict, aspect), &changes, convention);
        }
        if is_undone {
            on!(tx.on(), c => sqlx::query(REOPEN).bind(org_id).bind(id).execute(c).await.map(drop))?;
        }
    }
    Ok(())
}

/// Whether a key with the settings `now` has back all that a change with these `changes` did of what was asked.
fn undoes(
    now: &KeySettings,
    (verdict, aspect): (Verdict, Option<Aspect>),
    changes: &Map<String, Value>,
    convention: &Convention,
) -> bool {
    match verdict {
        Verdict::AllowDomains => are_gone(changes, now),
        Verdict::Extend => extends(changes) && is_as_short(changes, now),
        Verdict::Narrow => {
            let mut did = narrowed(changes, convention);
            did.retain(|did| aspect.is_none_or(|asked| asked == *did));
            let mut did = did.into_iter().peekable();
            did.peek().is_some() && did.all(|did| is_put_back(did, changes, now, convention))
        }
        Verdict::Keep | Verdict::Rotate | Verdict::Revoke => false,
    }
}

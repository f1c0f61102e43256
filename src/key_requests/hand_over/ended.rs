//! How a hand-over ends that nobody has withdrawn.

use crate::{
    audit::NewEntry,
    db::{StorageError, Tx, on, places},
    event::{Event, Target},
    id::{KeyId, OrgId, UserId},
};

/// Keys per statement.
const KEYS_AT_ONCE: usize = 500;

/// Ends those of keys that a change rotates or revokes, whoever does it and in which way. It is called in the transaction of every
/// change, so that no way is forgotten.
pub(crate) async fn end_with(tx: &mut Tx, entries: &[NewEntry]) -> Result<(), StorageError> {
    let ended = entries.iter().filter_map(|entry| match entry.target {
        Some(Target::Key(id)) if matches!(entry.event, Event::KeyRotated | Event::KeyRevoked) => {
            Some(id)
        }
        _ => None,
    });
    let ended: Vec<KeyId> = ended.collect();
    for ids in ended.chunks(KEYS_AT_ONCE) {
        let sql = format!(
            "DELETE FROM key_hand_overs WHERE key_id IN ({})",
            places(1, ids.len())
        );
        on!(tx.on(), c => {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(sql)).persistent(ids.len() == 1);
            for id in ids {
                query = query.bind(id);
            }
            query.execute(c).await.map(drop)
        })?;
    }
    Ok(())
}

/// Ends those of a member whose membership ends, so that they do not find them if they are invited again. Returns how many that
/// were.
pub(crate) async fn end_of_member(
    tx: &mut Tx,
    org_id: OrgId,
    user_id: UserId,
) -> Result<u64, StorageError> {
    const SQL: &str = "DELETE FROM key_hand_overs WHERE org_id = $1 AND user_id = $2";
    Ok(
        on!(tx.on(), c => sqlx::query(SQL).bind(org_id).bind(user_id)
        .execute(c).await.map(|done| done.rows_affected()))?,
    )
}

/// The last event that can have ended the hand-over of a key, and who caused it. `None` if it is not in the audit log.
pub(super) async fn last_event(
    tx: &mut Tx,
    org_id: OrgId,
    id: KeyId,
) -> Result<Option<(Event, Option<String>)>, StorageError> {
    const SQL: &str = "SELECT event, actor_id FROM audit_log WHERE org_id = $1 AND target_id = $2 \
         AND event IN ($3, $4, $5, $6) ORDER BY seq DESC LIMIT 1";
    Ok(
        on!(tx.on(), c => sqlx::query_as(SQL).bind(org_id).bind(id.to_string())
        .bind(Event::KeyRotationOffered.as_str()).bind(Event::KeyRotationWithdrawn.as_str())
        .bind(Event::KeyRotated.as_str()).bind(Event::KeyRevoked.as_str())
        .fetch_optional(c).await)?,
    )
}

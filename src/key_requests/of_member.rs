//! What happens to the requests of someone who is no longer a member.

use crate::{
    db::{StorageError, Tx, on},
    id::{OrgId, UserId},
    time::Timestamp,
};

/// Withdraws all requests of a member whose membership ends, so that they do not find an approval if they are invited again.
pub(crate) async fn withdraw_all(
    tx: &mut Tx,
    org_id: OrgId,
    user_id: UserId,
    now: Timestamp,
) -> Result<(), StorageError> {
    const SQL: &str = "UPDATE key_requests SET state = 'withdrawn', ended_at = $3 WHERE org_id = $1 AND user_id = $2 \
         AND (state = 'open' OR (state = 'approved' AND approved_until > $3))";
    on!(tx.on(), c => sqlx::query(SQL).bind(org_id).bind(user_id).bind(now).execute(c).await.map(drop))?;
    Ok(())
}

//! Revoking service tokens.

use crate::{
    Engine,
    access::{Operator, Permit, to},
    change::{Change, Happened},
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{OrgId, ServiceTokenId},
    idempotency,
    time::Timestamp,
};

/// Why a token was not revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeTokenError {
    /// The token was not found.
    #[error("The service token was not found.")]
    NotFound,
    /// The token is already revoked, since this time.
    #[error("This service token is already revoked.")]
    AlreadyRevoked(Timestamp),
    /// The database failed.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(RevokeTokenError);

/// Revokes any token of the instance, including those of organizations. The revocation of an organization's token is
/// recorded in that organization's audit log.
///
/// # Errors
/// If no token has this ID, or it is already revoked.
pub async fn revoke(
    engine: &Engine,
    operator: &Operator,
    id: ServiceTokenId,
) -> Result<(), RevokeTokenError> {
    const ORG_OF: &str = "SELECT org_id FROM service_tokens WHERE id = $1";
    let mut change = engine.change_instance(operator).await?;
    let org_id: Option<Option<OrgId>> =
        on!(change.on(), c => sqlx::query_scalar(ORG_OF).bind(id).fetch_optional(c).await)?;
    let org_id = org_id.ok_or(RevokeTokenError::NotFound)?;
    if let Some(org_id) = org_id {
        change.is_of(org_id);
    }
    end(engine, change, org_id, id).await
}

/// Revokes a token of the permit's organization.
///
/// # Errors
/// If the organization has no token with this ID, or it is already revoked.
pub async fn revoke_of_org(
    engine: &Engine,
    permit: &Permit<to::ManageTokens>,
    id: ServiceTokenId,
) -> Result<(), RevokeTokenError> {
    let change = engine.change(permit).await?;
    end(engine, change, Some(permit.org_id()), id).await
}

async fn end(
    engine: &Engine,
    mut change: Change,
    org_id: Option<OrgId>,
    id: ServiceTokenId,
) -> Result<(), RevokeTokenError> {
    const SQL: &str = "UPDATE service_tokens SET revoked_at = $1 \
         WHERE id = $2 AND COALESCE(org_id, '') = COALESCE($3, '') AND revoked_at IS NULL";
    let revoked = on!(change.on(), c => sqlx::query(SQL)
        .bind(engine.clock.now()).bind(id).bind(org_id).execute(c).await.map(|done| done.rows_affected()))?;
    if revoked == 0 {
        const REVOKED_AT: &str = "SELECT revoked_at FROM service_tokens \
             WHERE id = $1 AND COALESCE(org_id, '') = COALESCE($2, '')";
        let revoked_at: Option<Option<Timestamp>> = on!(change.on(), c => sqlx::query_scalar(REVOKED_AT)
            .bind(id).bind(org_id).fetch_optional(c).await)?;
        let revoked_at = revoked_at.flatten().ok_or(RevokeTokenError::NotFound)?;
        return Err(RevokeTokenError::AlreadyRevoked(revoked_at));
    }
    idempotency::forget(&mut change, id).await?;
    let revoked = Happened::new(Event::TokenRevoked, Target::Token(id));
    Ok(change.commit(revoked).await?)
}

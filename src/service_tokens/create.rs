//! Creating service tokens.

use super::{PREFIX, RANDOM_CHARACTERS, TokenScope};
use crate::{
    Engine,
    access::{Operator, Permit, to},
    change::{Change, Happened},
    db::on,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{OrgId, ServiceTokenId, UserId},
    key::text::PlainKey,
    name::DisplayName,
    orgs,
    time::Timestamp,
};

/// The maximum number of tokens of one organization that are neither revoked nor expired.
pub const MAX_ORG_TOKENS: i64 = 100;

/// A service token to create.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// The name.
    pub name: DisplayName,
    /// The scope.
    pub scope: TokenScope,
    /// When the token expires; `None` for never.
    pub expires_at: Option<Timestamp>,
    /// An idempotency key: with the same creation token, an organization gets only one service token.
    pub creation_token: Option<String>,
}

/// A service token that was just created.
#[derive(Debug)]
pub struct CreatedToken {
    /// The token's ID.
    pub id: ServiceTokenId,
    /// The plaintext, which is not stored.
    pub plain: PlainKey,
    /// The position of the creation's entry in the audit log.
    pub position: i64,
}

/// Why a token was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateTokenError {
    /// The organization has [`MAX_ORG_TOKENS`].
    #[error(
        "This organization has {MAX_ORG_TOKENS} service tokens, which is the maximum. Revoke those that are no longer needed."
    )]
    TooMany,
    /// An earlier request with the same creation token created the token. Its plaintext is no longer available.
    #[error("This service token was already created. It is shown only once.")]
    AlreadyCreated(ServiceTokenId),
    /// Storage or randomness failed.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(CreateTokenError);

/// Creates a token for the whole instance.
///
/// # Errors
/// [`CreateTokenError`]. No token is created.
pub async fn create_for_instance(
    engine: &Engine,
    operator: &Operator,
    new: NewToken,
) -> Result<CreatedToken, CreateTokenError> {
    const CREATED: &str =
        "SELECT id FROM service_tokens WHERE org_id IS NULL AND creation_token = $1";
    let creator = operator.caller().actor.user_id();
    let mut change = engine.change_instance(operator).await?;
    let created: Option<ServiceTokenId> = on!(change.on(), c => sqlx::query_scalar(CREATED)
        .bind(new.creation_token.as_deref()).fetch_optional(c).await)?;
    if let Some(id) = created {
        return Err(CreateTokenError::AlreadyCreated(id));
    }
    Ok(insert(engine, change, None, creator, new).await?)
}

/// Creates a token that can access only the permit's organization.
///
/// # Errors
/// [`CreateTokenError`]. No token is created.
pub async fn create_for_org(
    engine: &Engine,
    permit: &Permit<to::ManageTokens>,
    new: NewToken,
) -> Result<CreatedToken, CreateTokenError> {
    let org_id = permit.org_id();
    let creator = permit.caller().actor.user_id();
    let mut change = engine.change(permit).await?;
    // Concurrent creations wait for each other, so that each counts the others.
    orgs::lock(change.tx(), org_id).await?;
    const CREATED: &str = "SELECT id FROM service_tokens WHERE org_id = $1 AND creation_token = $2";
    let created: Option<ServiceTokenId> = on!(change.on(), c => sqlx::query_scalar(CREATED)
        .bind(org_id).bind(new.creation_token.as_deref()).fetch_optional(c).await)?;
    if let Some(id) = created {
        return Err(CreateTokenError::AlreadyCreated(id));
    }
    const COUNT: &str = "SELECT COUNT(*) FROM service_tokens WHERE org_id = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > $2)";
    let tokens: i64 = on!(change.on(), c => sqlx::query_scalar(COUNT)
        .bind(org_id).bind(engine.clock.now()).fetch_one(c).await)?;
    if tokens >= MAX_ORG_TOKENS {
        return Err(CreateTokenError::TooMany);
    }
    Ok(insert(engine, change, Some(org_id), creator, new).await?)
}

async fn insert(
    engine: &Engine,
    mut change: Change,
    org_id: Option<OrgId>,
    created_by: Option<UserId>,
    new: NewToken,
) -> Result<CreatedToken, Fault> {
    const SQL: &str = "INSERT INTO service_tokens (id, name, scope, digest, pepper_version, display, created_at, \
         expires_at, org_id, created_by, creation_token) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let now = engine.clock.now();
    let plain = PlainKey::generate(PREFIX, RANDOM_CHARACTERS, &engine.random)?;
    let id = ServiceTokenId::new(now.as_millis(), engine.random.bytes()?);
    let digest = engine.peppers.digest(&plain);
    on!(change.on(), c => sqlx::query(SQL)
        .bind(id).bind(new.name.clone()).bind(new.scope).bind(digest.as_bytes())
        .bind(engine.peppers.current_version()).bind(plain.display_form(PREFIX.len() + 4)).bind(now)
        .bind(new.expires_at).bind(org_id).bind(created_by).bind(new.creation_token).execute(c).await.map(drop))?;
    let created = Happened::new(Event::TokenCreated, Target::Token(id));
    let positions = change.commit_at(created).await?;
    Ok(CreatedToken {
        id,
        plain,
        position: positions.last,
    })
}

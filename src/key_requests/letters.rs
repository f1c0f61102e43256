//! The letters about requests. They name the key and the people, and lead to the page with all the rest.

use sqlx::AssertSqlSafe;

use super::KeyRequest;
use crate::{
    Engine,
    access::HAS_REQUIRED_FACTOR,
    accounts::attempts::{self, Attempt, AttemptError, Subject},
    change::Change,
    db::{StorageError, on},
    email::EmailAddress,
    id::{KeyId, KeyRequestId, OrgId, UserId},
    mail::{Content, Letter, Sender},
    name::{DisplayName, KeyName, Slug},
    time::Timestamp,
};

/// The maximum number of owners who get a letter.
const MAX_OWNERS: i64 = 20;

/// Counts a request whose owners are told by mail. `None` without mail, or if this person's owners have been told of enough
/// requests today.
pub(super) async fn count(
    engine: &Engine,
    org_id: OrgId,
    user_id: UserId,
) -> Result<Option<Attempt>, StorageError> {
    if !engine.sends_mail {
        return Ok(None);
    }
    match attempts::count(engine, &[Subject::KeyRequestMails(org_id, user_id)]).await {
        Ok(counted) => Ok(Some(counted)),
        Err(AttemptError::TooMany { .. }) => Ok(None),
        Err(AttemptError::Storage(error)) => Err(error),
    }
}

/// Tells the owners of a new request after the commit. An unconfirmed address is not known to be theirs.
pub(super) async fn to_owners(
    engine: &Engine,
    change: &mut Change,
    org_id: OrgId,
    requester: UserId,
    request: KeyRequestId,
    key: &KeyName,
) -> Result<(), StorageError> {
    let sql = format!(
        "SELECT users.email FROM memberships JOIN users ON users.id = memberships.user_id \
         JOIN orgs ON orgs.id = memberships.org_id AND {HAS_REQUIRED_FACTOR} WHERE memberships.org_id = $1 AND memberships.role = 'owner' AND users.disabled_at IS NULL \
         AND users.email_confirmed ORDER BY users.id LIMIT $2"
    );
    let owners: Vec<EmailAddress> = on!(change.on(), c => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(org_id).bind(MAX_OWNERS).fetch_all(c).await)?;
    let (org, slug, requester) = names(change, org_id, requester).await?;
    for to in owners {
        let content = Content::KeyRequested {
            org: org.clone(),
            slug: slug.clone(),
            requester: requester.clone(),
            key: key.clone(),
            request,
        };
        post(engine, change, org_id, Letter { to, content });
    }
    Ok(())
}

/// Tells the requester of a decision after the commit. `until` is when an approval ends.
pub(super) async fn to_requester(
    engine: &Engine,
    change: &mut Change,
    org_id: OrgId,
    request: &KeyRequest,
    owner: UserId,
    until: Option<Timestamp>,
) -> Result<(), StorageError> {
    if !engine.sends_mail {
        return Ok(());
    }
    let to = address(change, org_id, request.requester.0).await?;
    let (org, slug, owner) = names(change, org_id, owner).await?;
    if let Some(to) = to {
        let content = Content::KeyRequestDecided {
            org,
            slug,
            owner,
            key: request.wanted.settings.name.clone(),
            request: request.id,
            until,
        };
        post(engine, change, org_id, Letter { to, content });
    }
    Ok(())
}

/// Tells a member after the commit that they can reveal a new secret of a key.
pub(super) async fn of_new_secret(
    engine: &Engine,
    change: &mut Change,
    org_id: OrgId,
    (key_id, member): (KeyId, UserId),
    owner: UserId,
    until: Timestamp,
) -> Result<(), StorageError> {
    const NAME: &str = "SELECT name FROM keys WHERE org_id = $1 AND id = $2";
    if !engine.sends_mail {
        return Ok(());
    }
    let Some(to) = address(change, org_id, member).await? else {
        return Ok(());
    };
    let key: KeyName = on!(change.on(), c => sqlx::query_scalar(NAME)
        .bind(org_id).bind(key_id).fetch_one(c).await)?;
    let (org, slug, owner) = names(change, org_id, owner).await?;
    let content = Content::NewSecretOffered {
        org,
        slug,
        owner,
        key,
        key_id,
        until,
    };
    post(engine, change, org_id, Letter { to, content });
    Ok(())
}

/// The address of a member who can sign in, if it is known to be theirs.
async fn address(
    change: &mut Change,
    org_id: OrgId,
    user_id: UserId,
) -> Result<Option<EmailAddress>, StorageError> {
    let sql = format!(
        "SELECT users.email FROM memberships JOIN users ON users.id = memberships.user_id \
         JOIN orgs ON orgs.id = memberships.org_id AND {HAS_REQUIRED_FACTOR} \
         WHERE memberships.org_id = $1 AND users.id = $2 AND users.disabled_at IS NULL AND users.email_confirmed"
    );
    Ok(on!(change.on(), c => sqlx::query_scalar(AssertSqlSafe(sql))
        .bind(org_id).bind(user_id).fetch_optional(c).await)?)
}

fn post(engine: &Engine, change: &mut Change, org_id: OrgId, letter: Letter) {
    let sender = Sender::Org(org_id);
    match engine.mail_place(sender) {
        Ok(place) => change.posts(place, letter),
        Err(_) => engine.outbox.note_dropped(sender),
    }
}

/// The names of the org and of a user, and the slug of the org.
async fn names(
    change: &mut Change,
    org_id: OrgId,
    user_id: UserId,
) -> Result<(DisplayName, Slug, DisplayName), StorageError> {
    const SQL: &str = "SELECT orgs.name, orgs.slug, users.name AS person FROM orgs JOIN users ON users.id = $2 \
         WHERE orgs.id = $1";
    Ok(on!(change.on(), c => sqlx::query_as(SQL).bind(org_id).bind(user_id).fetch_one(c).await)?)
}

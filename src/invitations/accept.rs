//! Accepting an invitation: the token is spent and the person becomes a member, in one transaction.

use super::{
    InvitationToken, STANDS,
    accepted::remember,
    open::{Opened, open},
};
use crate::{
    Engine,
    access::Org,
    accounts::{
        SignUpPolicy, User,
        attempts::{self, AttemptError, Subject, minutes},
        hash_queues::HashFor,
        password::{self, NewPassword},
        sessions::SignedIn,
        sign_up::{insert_user, joined, new_user_id},
    },
    caller::{Person, Visit},
    change::Change,
    db::{on, places},
    email::EmailAddress,
    fault::{Fault, from_fault},
    id::{OrgId, UserId},
    idempotency::note_gone,
    limits::{LimitReached, Limited, check_added, check_room},
    members,
    name::DisplayName,
    orgs,
    role::Role,
};

/// Why an invitation was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// The token was spent, withdrawn or replaced, or has expired.
    #[error("This invitation was used, withdrawn, or has expired. Ask for a new one.")]
    Gone,
    /// The invitation is for another address than that of the account.
    #[error("This invitation is for another e-mail address.")]
    OtherAddress,
    /// The account has not confirmed its address, and the link was not sent there.
    #[error("Confirm your e-mail address on the page “Account” first, then open the link again.")]
    Unconfirmed,
    /// The person is a member already. Their role stays as it is.
    #[error("You are already a member of this organization.")]
    AlreadyMember(Org),
    /// The address got an account in the meantime.
    #[error("This e-mail address has an account now. Enter its password.")]
    HasAccount,
    /// The policy does not allow new accounts.
    #[error(
        "New accounts are created by the operator of this Latchkey instance. Ask them to create one, then open the link again."
    )]
    SignUpClosed,
    /// Too many new accounts from one network.
    #[error("Too many attempts. Try again in {}.", minutes(*.retry_after))]
    TooMany {
        /// Seconds until the next attempt is possible.
        retry_after: i64,
    },
    /// The organization has no room for another member.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(AcceptError);

/// Makes a signed-in user a member. They have just signed in, or have a session.
///
/// # Errors
/// [`AcceptError`]. The invitation remains as it was.
pub async fn accept(
    engine: &Engine,
    token: &InvitationToken,
    person: Person,
) -> Result<Org, AcceptError> {
    const OWN: &str =
        "SELECT id, name, email, email_confirmed FROM users WHERE id = $1 AND disabled_at IS NULL";
    const CONFIRM: &str = "UPDATE users SET email_confirmed = TRUE WHERE id = $1";
    const IS_MEMBER: &str = "SELECT 1 FROM memberships WHERE org_id = $1 AND user_id = $2";
    let Opened { org, .. } = open(engine, token).await?.ok_or(AcceptError::Gone)?;
    let user_id = person.user_id;
    let mut change = engine.change_by_invitation(person.into()).await?;
    let Spent {
        email,
        role,
        by_mail,
        digest,
        ..
    } = spend(engine, &mut change, org.id, token).await?;
    let own: Option<User> = on!(change.on(), c => sqlx::query_as(OWN)
        .bind(user_id).fetch_optional(c).await)?;
    let own = own.filter(|own| own.email == email);
    let own = own.ok_or(AcceptError::OtherAddress)?;
    // Whoever has a link that was sent by mail alone has the address. Without mail, no address can be confirmed.
    if !own.email_confirmed && by_mail {
        on!(change.on(), c => sqlx::query(CONFIRM).bind(user_id).execute(c).await.map(drop))?;
    } else if !own.email_confirmed && engine.sends_mail {
        return Err(AcceptError::Unconfirmed);
    }
    let is_member = on!(change.on(), c => sqlx::query(IS_MEMBER)
        .bind(org.id).bind(user_id).fetch_optional(c).await.map(|row| row.is_some()))?;
    if is_member {
        return Err(AcceptError::AlreadyMember(org));
    }
    join(engine, change, org.id, user_id, role, &digest).await?;
    Ok(org)
}

/// Checks that the organization has room for another member, before anything that depends on whether the address has an
/// account: a full organization must not show that.
///
/// # Errors
/// If it has no room, or the database cannot be reached.
pub async fn check_room_for(engine: &Engine, opened: &Opened) -> Result<(), AcceptError> {
    Ok(check_room(engine, opened.org.id, Limited::Members, 1).await??)
}

/// Whether invited people can create accounts.
pub fn creates_accounts(engine: &Engine) -> bool {
    engine.sign_up != SignUpPolicy::Closed
}

/// Creates an account for the invitation's address, which becomes a member.
///
/// # Errors
/// [`AcceptError`]. No account is created, and the invitation remains as it was.
pub async fn accept_with_new_account(
    engine: &Engine,
    token: &InvitationToken,
    name: DisplayName,
    password: NewPassword,
    visit: Visit,
) -> Result<(SignedIn, Org), AcceptError> {
    // Everything that can fail is checked before the hash, which is expensive.
    let opened = open(engine, token).await?.ok_or(AcceptError::Gone)?;
    if !creates_accounts(engine) {
        return Err(AcceptError::SignUpClosed);
    }
    check_room_for(engine, &opened).await?;
    let Opened { org, email, .. } = opened;
    let place = engine.hashing.enter(HashFor::of_visit(&visit))?;
    let subject = Subject::InvitedSignUp(org.id, &email);
    let attempt = match attempts::count(engine, &[subject]).await {
        Ok(attempt) => attempt,
        Err(AttemptError::TooMany { retry_after }) => {
            return Err(AcceptError::TooMany { retry_after });
        }
        Err(AttemptError::Storage(error)) => return Err(error.into()),
    };
    let password_hash = match password::hash(engine, place, password).await {
        Ok(hash) => hash,
        Err(fault) => {
            attempt.take_back(engine).await?;
            return Err(fault.into());
        }
    };
    let user_id = new_user_id(engine)?;
    let person = Person { user_id, visit };
    let mut change = engine.change_by_invitation(person.into()).await?;
    let Spent {
        email,
        role,
        by_mail,
        digest,
        ..
    } = spend(engine, &mut change, org.id, token).await?;
    let user = User {
        id: user_id,
        name,
        email,
        email_confirmed: by_mail,
    };
    let now = engine.clock.now();
    if !insert_user(change.tx(), &user, &password_hash, now).await? {
        return Err(AcceptError::HasAccount);
    }
    join(engine, change, org.id, user_id, role, &digest).await?;
    Ok((SignedIn { user_id, epoch: 0 }, org))
}

/// An invitation that was accepted.
#[derive(sqlx::FromRow)]
struct Spent {
    email: EmailAddress,
    role: Role,
    by_mail: bool,
    /// The digest of its token, as it was stored.
    digest: Vec<u8>,
    creation_token: Option<String>,
}

/// Deletes the invitation of a token within a transaction. Of several concurrent requests, one finds it.
async fn spend(
    engine: &Engine,
    change: &mut Change,
    org_id: OrgId,
    token: &InvitationToken,
) -> Result<Spent, AcceptError> {
    let digests = token.digests(engine);
    let sql = format!(
        "DELETE FROM invitations WHERE org_id = $1 AND expires_at > $2 AND {STANDS} AND digest IN ({}) RETURNING email, role, by_mail, digest, creation_token",
        places(3, digests.len())
    );
    orgs::lock(change.tx(), org_id).await?;
    change.is_of(org_id);
    let found: Option<Spent> = on!(change.on(), c => {
        let mut query = sqlx::query_as(sqlx::AssertSqlSafe(sql)).bind(org_id).bind(engine.clock.now());
        for digest in &digests {
            query = query.bind(digest.as_bytes());
        }
        query.fetch_optional(c).await
    })?;
    let spent = found.ok_or(AcceptError::Gone)?;
    note_gone(change.tx(), spent.creation_token.as_deref()).await?;
    Ok(spent)
}

async fn join(
    engine: &Engine,
    mut change: Change,
    org_id: OrgId,
    user_id: UserId,
    role: Role,
    digest: &[u8],
) -> Result<(), AcceptError> {
    let now = engine.clock.now();
    remember(engine, &mut change, org_id, user_id, digest).await?;
    members::insert(change.tx(), org_id, user_id, role, now).await?;
    check_added(engine, change.tx(), org_id, Limited::Members).await??;
    Ok(change.commit(joined(user_id, role)).await?)
}

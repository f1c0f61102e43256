//! Inviting someone.

use super::{InvitationToken, LIFETIME, MAX_OPEN};
use crate::{
    Engine,
    access::{Permit, to},
    accounts::{
        attempts::{self, Attempt, AttemptError, Subject, minutes},
        confirmed::PasswordNeeded,
    },
    caller::Actor,
    change::{Change, Happened},
    db::{StorageError, on},
    email::EmailAddress,
    event::{Event, Target},
    fault::{Fault, from_fault},
    id::{InvitationId, OrgId, UserId},
    idempotency::note_gone,
    limits::{LimitReached, Limited, check_room},
    mail::{Content, Letter, MailPlace, Sender},
    name::DisplayName,
    orgs,
    role::Role,
    time::Timestamp,
};

/// An invitation to create.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// The address of the person, who alone can accept it.
    pub email: EmailAddress,
    /// The role that they will have.
    pub role: Role,
    /// Whether the caller gets the link, even if it is also sent by mail. Without mail, they always do.
    pub shows_link: bool,
    /// An idempotency key: with the same creation token, an organization gets only one invitation.
    pub creation_token: Option<String>,
}

/// An invitation whose link was just created.
#[derive(Debug)]
pub struct CreatedInvitation {
    /// The invitation's ID.
    pub id: InvitationId,
    /// The address that it is for.
    pub email: EmailAddress,
    /// The role that it gives.
    pub role: Role,
    /// The token for the link, which is not stored; `None` if the link was sent by mail alone.
    pub token: Option<InvitationToken>,
    /// When it expires.
    pub expires_at: Timestamp,
    /// The position of the event in the audit log.
    pub position: i64,
}

/// Why nobody was invited.
#[derive(Debug, thiserror::Error)]
pub enum InviteError {
    /// An account with the address is a member.
    #[error("`{0}` is already a member of this organization. Change their role instead.")]
    AlreadyMember(EmailAddress),
    /// The organization has [`MAX_OPEN`] invitations.
    #[error(
        "This organization has {MAX_OPEN} open invitations, which is the maximum. Withdraw those that are no longer needed."
    )]
    TooMany,
    /// The caller has fewer permissions than the role.
    #[error("Only owners can invite owners.")]
    RoleTooHigh,
    /// Only a user who has just entered their password invites an owner.
    #[error(transparent)]
    PasswordNeeded(#[from] PasswordNeeded),
    /// The organization has no such invitation.
    #[error("This invitation was used, withdrawn, or has expired.")]
    NotFound,
    /// Too many letters to the address, or of the organization, or too many links of the person who invites.
    #[error("Too many invitations were created. Try again in {}.", minutes(*.retry_after))]
    TooOften {
        /// Seconds until the next letter is possible.
        retry_after: i64,
    },
    /// An earlier request with the same creation token created the invitation. Its link is no longer available.
    #[error("This invitation was already created. Its link is shown only once.")]
    AlreadyCreated(InvitationId),
    /// The organization has no room for another member.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// An internal error.
    #[error(transparent)]
    Fault(Fault),
}

from_fault!(InviteError);

/// Invites someone. An earlier invitation of the same address is replaced, and its link no longer works.
///
/// # Errors
/// [`InviteError`]. Nothing is changed.
pub async fn create(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    new: NewInvitation,
) -> Result<CreatedInvitation, InviteError> {
    let org_id = permit.org_id();
    check_room(engine, org_id, Limited::Members, 1).await??;
    let place = engine.mail_place(Sender::Org(org_id))?;
    let letter = count_letter(engine, permit, &new.email).await?;
    let created = insert(engine, permit, new, place).await;
    take_back_unless_sent(engine, letter, &created).await?;
    created
}

async fn insert(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    new: NewInvitation,
    place: Option<MailPlace>,
) -> Result<CreatedInvitation, InviteError> {
    const DELETE: &str = "DELETE FROM invitations WHERE org_id = $1 AND (email = $2 OR expires_at <= $3) \
         RETURNING creation_token";
    const COUNT: &str = "SELECT COUNT(*) FROM invitations WHERE org_id = $1";
    const INSERT: &str = "INSERT INTO invitations (id, org_id, email, role, digest, created_at, created_by, \
         creation_token, expires_at, by_mail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let by_mail = engine.sends_mail && !new.shows_link;
    let (org_id, now) = (permit.org_id(), engine.clock.now());
    let mut change = engine.change(permit).await?;
    orgs::lock(change.tx(), org_id).await?;
    check_grant(&mut change, permit, new.role).await?;
    if let Some(id) = created_before(&mut change, org_id, &new).await? {
        return Err(InviteError::AlreadyCreated(id));
    }
    if is_member(&mut change, org_id, &new.email).await? {
        return Err(InviteError::AlreadyMember(new.email));
    }
    let replaced: Vec<Option<String>> = on!(change.on(), c => sqlx::query_scalar(DELETE)
        .bind(org_id).bind(new.email.clone()).bind(now).fetch_all(c).await)?;
    for creation_token in replaced {
        note_gone(change.tx(), creation_token.as_deref()).await?;
    }
    let open: i64 =
        on!(change.on(), c => sqlx::query_scalar(COUNT).bind(org_id).fetch_one(c).await)?;
    if open >= MAX_OPEN {
        return Err(InviteError::TooMany);
    }
    let id = InvitationId::new(now.as_millis(), engine.random.bytes()?);
    let token = InvitationToken::generate(&engine.random)?;
    let expires_at = now.plus(LIFETIME);
    let digest = token.digest(engine);
    on!(change.on(), c => sqlx::query(INSERT)
        .bind(id).bind(org_id).bind(new.email.clone()).bind(new.role).bind(digest.as_bytes()).bind(now)
        .bind(inviter(permit)).bind(new.creation_token.clone()).bind(expires_at).bind(by_mail).execute(c).await.map(drop))?;
    let invited = Happened::new(Event::MemberInvited, Target::Invitation(id));
    let invited = invited.changed("role", None::<&str>, new.role.to_string());
    let letter = letter(
        &mut change,
        permit,
        new.email.clone(),
        new.role,
        &token,
        expires_at,
    )
    .await?;
    change.posts(place, letter);
    let positions = change.commit_at(invited).await?;
    Ok(CreatedInvitation {
        id,
        email: new.email,
        role: new.role,
        token: (!by_mail).then_some(token),
        expires_at,
        position: positions.last,
    })
}

/// Counts a letter, or without mail a link, of someone who invites in the pages. The operator's are not limited.
pub(super) async fn count_letter(
    engine: &Engine,
    permit: &Permit<to::InviteMembers>,
    email: &EmailAddress,
) -> Result<Option<Attempt>, InviteError> {
    let Some(user_id) = inviter(permit) else {
        return Ok(None);
    };
    let org_id = permit.org_id();
    let of_letter = [
        Subject::InvitationMails(org_id),
        Subject::InvitationMailsTo(org_id, email),
        Subject::InvitationMailsOf(user_id, email),
    ];
    let counted = match engine.sends_mail {
        true => attempts::count_letter_to(engine, &of_letter, user_id, email).await,
        // Whoever has the link to an address can find out whether it has an account.
        false => attempts::count(engine, &[Subject::InvitationLinks(user_id)]).await,
    };
    match counted {
        Ok(letter) => Ok(Some(letter)),
        Err(AttemptError::TooMany { retry_after }) => Err(InviteError::TooOften { retry_after }),
        Err(AttemptError::Storage(error)) => Err(error.into()),
    }
}

/// Takes back a counted letter or link that is not sent, because nobody was invited.
pub(super) async fn take_back_unless_sent(
    engine: &Engine,
    letter: Option<Attempt>,
    created: &Result<CreatedInvitation, InviteError>,
) -> Result<(), StorageError> {
    match letter {
        Some(letter) if created.is_err() => letter.take_back(engine).await,
        _ => Ok(()),
    }
}

/// The letter that invites, which is posted after the commit.
pub(super) async fn letter(
    change: &mut Change,
    permit: &Permit<to::InviteMembers>,
    to: EmailAddress,
    role: Role,
    token: &InvitationToken,
    expires_at: Timestamp,
) -> Result<Letter, StorageError> {
    const SQL: &str = "SELECT orgs.name AS org, users.name AS inviter FROM orgs \
         LEFT JOIN users ON users.id = $2 WHERE orgs.id = $1";
    let (org, inviter): (DisplayName, Option<DisplayName>) = on!(change.on(), c => sqlx::query_as(SQL)
        .bind(permit.org_id()).bind(inviter(permit)).fetch_one(c).await)?;
    let content = Content::Invitation {
        org,
        inviter,
        role,
        token: token.clone(),
        expires_at,
    };
    Ok(Letter { to, content })
}

/// The owner who invites in the pages.
pub(super) fn inviter(permit: &Permit<to::InviteMembers>) -> Option<UserId> {
    permit.caller().actor.user_id()
}

/// Checks that the caller can give this role. The operator can give every role.
pub(super) async fn check_grant(
    change: &mut Change,
    permit: &Permit<to::InviteMembers>,
    role: Role,
) -> Result<(), InviteError> {
    const SQL: &str = "SELECT role FROM memberships WHERE org_id = $1 AND user_id = $2";
    let Actor::User(user_id) = permit.caller().actor else {
        return Ok(());
    };
    let own: Option<Role> = on!(change.on(), c => sqlx::query_scalar(SQL)
        .bind(permit.org_id()).bind(user_id).fetch_optional(c).await)?;
    if !own.is_some_and(|own| own.may_grant(role)) {
        return Err(InviteError::RoleTooHigh);
    }
    if role == Role::Owner {
        permit.check_confirmed()?;
    }
    Ok(())
}

async fn created_before(
    change: &mut Change,
    org_id: OrgId,
    new: &NewInvitation,
) -> Result<Option<InvitationId>, StorageError> {
    const SQL: &str = "SELECT id FROM invitations WHERE org_id = $1 AND creation_token = $2";
    Ok(on!(change.on(), c => sqlx::query_scalar(SQL)
        .bind(org_id).bind(new.creation_token.as_deref()).fetch_optional(c).await)?)
}

async fn is_member(
    change: &mut Change,
    org_id: OrgId,
    email: &EmailAddress,
) -> Result<bool, StorageError> {
    const SQL: &str = "SELECT 1 FROM memberships JOIN users ON users.id = memberships.user_id \
         WHERE memberships.org_id = $1 AND users.email = $2";
    Ok(on!(change.on(), c => sqlx::query(SQL)
        .bind(org_id).bind(email.clone()).fetch_optional(c).await.map(|row| row.is_some()))?)
}

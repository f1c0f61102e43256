//! The forms of the page "Members".

use std::sync::Arc;

use latchkey::{
    access::{Permit, to},
    email::EmailAddress,
    event::{Event, Target},
    id::{InvitationId, UserId},
    invitations::{self, CreatedInvitation as Created, InviteError, NewInvitation, WithdrawError},
    keys::create::sent_creation_token,
    members::{self, MemberError},
    role::{Action, Role},
};
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    form::{
        errors::{FieldError, WHOLE_FORM},
        sent_back::{MAX_NAME, sent_back},
    },
    pages::{
        answer::FormAnswer,
        confirm::{confirm_if_typed, missing_password},
        done::Done,
        field_reader::FieldReader,
        home::home_of,
        loading::finished,
    },
    request::PageRequest,
    shown_once::{CreatedInvitation, Held, Of, Secret, hold},
    text::time::TimeText,
};

/// The fields of the page's forms.
#[derive(Clone, Default, Deserialize, Serialize)]
pub struct MemberForm {
    /// `role`, `remove`, `leave`, `invite`, `renew` or `withdraw`.
    pub change: String,
    /// The user ID of the member to change or remove.
    #[serde(default)]
    pub member: String,
    #[serde(default)]
    pub role: String,
    /// The e-mail address to invite.
    #[serde(default)]
    pub email: String,
    /// The ID of the invitation to renew or withdraw.
    #[serde(default)]
    pub invitation: String,
    /// Distinguishes a repeated submit from another invitation of the same address.
    #[serde(default)]
    pub creation_token: String,
    /// The user's password, which ownership requires.
    #[serde(default)]
    pub password: String,
}

impl MemberForm {
    /// The form to render again. Never contains the password.
    fn sent_back(&self) -> Self {
        Self {
            change: sent_back(&self.change, MAX_NAME),
            member: sent_back(&self.member, MAX_NAME),
            role: sent_back(&self.role, MAX_NAME),
            email: sent_back(&self.email, MAX_NAME),
            invitation: sent_back(&self.invitation, MAX_NAME),
            creation_token: sent_back(&self.creation_token, MAX_NAME),
            password: String::new(),
        }
    }

    fn member(&self) -> Result<UserId, AppError> {
        self.member.parse().map_err(|_| AppError::NotFound)
    }
}

type Answer = Result<FormAnswer<MemberForm, CreatedInvitation>, AppError>;

/// Handles the page's forms.
pub async fn submit(request: PageRequest, form: MemberForm) -> Answer {
    match form.change.as_str() {
        "role" => change_role(&request, &form).await,
        "remove" => remove(&request, &form).await,
        "leave" => leave(&request, &form).await,
        "invite" | "renew" => {
            let permit = request.permit().await?;
            // A hang-up must not lose the link between its creation and the slot that keeps it for a repeated submit.
            finished(tokio::spawn(link(request, permit, form))).await
        }
        "withdraw" => withdraw(&request, &form).await,
        _ => Err(AppError::Unreadable),
    }
}

async fn change_role(request: &PageRequest, form: &MemberForm) -> Answer {
    match try_change_role(request, form).await {
        Err(AppError::Forbidden(_) | AppError::AccessEnded)
            if has_just_demoted_self(request, form).await? =>
        {
            Ok(role_changed(request, request.user_id().await?))
        }
        answer => answer,
    }
}

fn role_changed(
    request: &PageRequest,
    member: UserId,
) -> FormAnswer<MemberForm, CreatedInvitation> {
    FormAnswer::done(request.path(), Done::MemberRoleChanged.of_person(member))
}

async fn try_change_role(request: &PageRequest, form: &MemberForm) -> Answer {
    let mut permit: Permit<to::ChangeRoles> = request.permit().await?;
    let member = form.member()?;
    let Ok(role) = form.role.parse::<Role>() else {
        return Ok(FormAnswer::refused(form.sent_back(), "role", CHOOSE));
    };
    match confirm_if_typed(request, &form.password, || form.sent_back()).await {
        Ok(Some(confirmed)) => permit = permit.confirmed(&confirmed),
        Ok(None) => {}
        Err(answer) => return answer,
    }
    match members::change_role(request.engine(), &permit, member, role).await {
        Ok(()) => Ok(role_changed(request, member)),
        Err(error) => refused(form, error),
    }
}

/// Whether the first submit of the same form has already given the user this role, with which they cannot change roles.
async fn has_just_demoted_self(request: &PageRequest, form: &MemberForm) -> Result<bool, AppError> {
    let own = request.user_id().await?;
    let role = request.membership().await?.rights().role;
    Ok(form.member == own.to_string()
        && form.role == role.to_string()
        && request
            .has_just_done(request.org(), Event::MemberRoleChanged, own)
            .await?)
}

async fn remove(request: &PageRequest, form: &MemberForm) -> Answer {
    let permit: Permit<to::RemoveMembers> = request.permit().await?;
    let member = form.member()?;
    let done = || FormAnswer::done(request.path(), Done::MemberRemoved.of_person(member));
    match members::remove(request.engine(), &permit, member).await {
        Ok(()) => Ok(done()),
        Err(MemberError::NotFound)
            if request
                .has_just_done(request.org(), Event::MemberRemoved, member)
                .await? =>
        {
            Ok(done())
        }
        Err(error) => refused(form, error),
    }
}

async fn leave(request: &PageRequest, form: &MemberForm) -> Answer {
    match left(request, request.org()).await? {
        Ok(()) => {
            let home = home_of(request, request.user_id().await?).await?;
            Ok(FormAnswer::done(home, Done::OrgLeft))
        }
        Err(error) => refused(form, error),
    }
}

/// Makes the user leave the organization with this slug, unless they have just left it.
pub async fn left(request: &PageRequest, org: &str) -> Result<Result<(), MemberError>, AppError> {
    let left = match request.permit_to_leave(org).await {
        Ok(permit) => members::leave(request.engine(), &permit).await,
        Err(AppError::NotFound | AppError::NoLongerMember(_)) => Err(MemberError::NotFound),
        Err(error) => return Err(error),
    };
    if let Err(MemberError::NotFound) = left {
        let user_id = request.user_id().await?;
        if request
            .has_just_done(org, Event::MemberLeft, user_id)
            .await?
        {
            return Ok(Ok(()));
        }
    }
    Ok(left)
}

fn refused(form: &MemberForm, error: MemberError) -> Answer {
    match error {
        MemberError::NotFound => Err(AppError::NotFound),
        MemberError::LastOwner(_) => Ok(FormAnswer::refused(form.sent_back(), WHOLE_FORM, error)),
        MemberError::PasswordNeeded(_) => {
            Ok(FormAnswer::refused(form.sent_back(), "password", error))
        }
        MemberError::Fault(fault) => Err(fault.into()),
    }
}

/// Creates the link of a new invitation or a new one of an existing invitation.
async fn link(
    request: PageRequest,
    mut permit: Permit<to::InviteMembers>,
    form: MemberForm,
) -> Answer {
    let engine = request.engine();
    let mut held = request.held_key().await;
    let now = engine.clock().monotonic();
    let again = held.as_ref().filter(|held| held.answers(&form, now));
    if let Some(Secret::Invitation(shown)) = again.map(|held| held.secret.clone())
        && invitations::open(engine, &shown.token).await?.is_some()
    {
        return Ok(FormAnswer::Shown(shown));
    }
    let new = match form.change.as_str() {
        "renew" => None,
        _ => match read(&form, engine.sends_mail()) {
            Ok(new) => Some(new),
            Err(errors) => return Ok(FormAnswer::refused_fields(form.sent_back(), errors)),
        },
    };
    match confirm_if_typed(&request, &form.password, || form.sent_back()).await {
        Ok(Some(confirmed)) => permit = permit.confirmed(&confirmed),
        Ok(None) => {}
        Err(answer) => return answer,
    }
    let created = if let Some(new) = new {
        invitations::create(engine, &permit, new).await
    } else {
        let id: InvitationId = form.invitation.parse().map_err(|_| AppError::NotFound)?;
        invitations::renew(engine, &permit, id).await
    };
    match created {
        Ok(created) => {
            let of = Of {
                target: Some(Target::Invitation(created.id)),
                org_id: Some(permit.org_id()),
                position: created.position,
            };
            let Some(shown) = shown(&request, created) else {
                return Ok(sent(&request));
            };
            let secret = Secret::Invitation(shown.clone());
            hold(&mut held, Held::new(&form, secret, of, now));
            Ok(FormAnswer::Shown(shown))
        }
        // A repeated submit, which sends no other letter.
        Err(InviteError::AlreadyCreated(_)) if engine.sends_mail() => Ok(sent(&request)),
        Err(error) => not_invited(&form, error),
    }
}

/// The answer if the link was sent by mail.
fn sent(request: &PageRequest) -> FormAnswer<MemberForm, CreatedInvitation> {
    FormAnswer::done(request.path(), Done::InvitationSent)
}

/// The link to show, if it was not sent by mail.
fn shown(request: &PageRequest, created: Created) -> Option<CreatedInvitation> {
    Some(CreatedInvitation {
        token: Arc::new(created.token?),
        email: created.email.to_string(),
        role: created.role,
        expires: TimeText::full(created.expires_at).full,
        path: request.path().to_owned(),
        addresses: Arc::clone(request.addresses()),
    })
}

fn not_invited(form: &MemberForm, error: InviteError) -> Answer {
    let field = match error {
        // The user's role was changed in the meantime, and the page has no form to show this at.
        InviteError::RoleTooHigh if form.change == "renew" => {
            return Err(AppError::Forbidden(Action::InviteMembers));
        }
        InviteError::PasswordNeeded(_) => "password",
        InviteError::AlreadyMember(_) => "email",
        InviteError::RoleTooHigh => "role",
        InviteError::TooMany | InviteError::Limit(_) | InviteError::AlreadyCreated(_) => WHOLE_FORM,
        InviteError::TooOften { retry_after } => {
            return Ok(FormAnswer::throttled(form.sent_back(), retry_after, error));
        }
        InviteError::NotFound => return Err(AppError::NotFound),
        InviteError::Fault(fault) => return Err(fault.into()),
    };
    Ok(FormAnswer::refused(form.sent_back(), field, error))
}

const CHOOSE: &str = "Choose a role.";

fn read(form: &MemberForm, by_mail: bool) -> Result<NewInvitation, Vec<FieldError>> {
    let mut fields = FieldReader::default();
    let email = fields.take("email", form.email.parse::<EmailAddress>());
    let role = fields.take("role", form.role.parse::<Role>().map_err(|_| CHOOSE));
    match (email, role) {
        (Some(email), Some(role)) => Ok(NewInvitation {
            email,
            role,
            shows_link: false,
            // Without mail, a repeated submit gets the link that is held for it.
            creation_token: sent_creation_token(&form.creation_token).filter(|_| by_mail),
        }),
        // The engine asks for the password once the rest is right.
        _ => {
            if form.role == Role::Owner.as_str() {
                fields.errors.extend(missing_password(&form.password));
            }
            Err(fields.errors)
        }
    }
}

async fn withdraw(request: &PageRequest, form: &MemberForm) -> Answer {
    let permit: Permit<to::InviteMembers> = request.permit().await?;
    let id: InvitationId = form.invitation.parse().map_err(|_| AppError::NotFound)?;
    match invitations::withdraw(request.engine(), &permit, id).await {
        Ok(()) => {}
        Err(WithdrawError::NotFound) => {
            let event = Event::InvitationWithdrawn;
            if !request.has_just_done(request.org(), event, id).await? {
                return Err(AppError::NotFound);
            }
        }
        Err(WithdrawError::Fault(fault)) => return Err(fault.into()),
    }
    Ok(FormAnswer::done(request.path(), Done::InvitationWithdrawn))
}

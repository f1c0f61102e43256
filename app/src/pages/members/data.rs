//! The data of the page "Members".

use std::collections::HashMap;

use latchkey::{
    access::to,
    invitations::{self, Invitation},
    key_requests,
    keys::create::new_creation_token,
    members::{self, Member},
    role::{Action, AdminRights, Role},
};

use crate::{error::AppError, request::PageRequest, text::time::TimeText};

/// The members of an organization.
#[derive(Debug, Clone)]
pub struct MemberList {
    /// The organization's name.
    pub org_name: String,
    /// Owners first, then admins, then members, each by name.
    pub rows: Vec<MemberRow>,
    /// Whether the user can change roles and remove members.
    pub may_change: bool,
    /// The invitations that can be accepted, for users who can invite.
    pub invitations: Option<Vec<InvitationRow>>,
    /// What admins can do in this organization.
    pub admins_may: AdminRights,
    /// Whether invitations are sent by mail.
    pub sends_mail: bool,
    /// The creation token of the form that invites.
    pub creation_token: String,
}

/// A member of an organization.
#[derive(Debug, Clone)]
pub struct MemberRow {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
    /// When the user joined.
    pub since: TimeText,
    /// When the user last used the pages, if they did.
    pub last_seen: Option<TimeText>,
    /// Whether the user's account has a second factor.
    pub second_factor: bool,
    /// Whether this is the current user.
    pub is_viewer: bool,
    /// Whether no other owner could sign in.
    pub is_last_owner: bool,
    /// The number of their requests for keys that would end with their membership, for the user themselves and for whoever can
    /// remove members.
    pub waiting: i64,
}

/// An invitation that can be accepted.
#[derive(Debug, Clone)]
pub struct InvitationRow {
    pub id: String,
    pub email: String,
    pub role: Role,
    pub inviter: String,
    pub expires: TimeText,
}

/// Loads the members, whom every member can see, and the invitations, which owners can see.
pub async fn list(request: PageRequest) -> Result<MemberList, AppError> {
    let membership = request.membership().await?;
    let permit = membership.permit()?;
    let engine = request.engine();
    let now = engine.clock().now();
    let members = members::list(engine, &permit).await?;
    let viewer = permit.caller().actor.user_id();
    let active = members.iter().filter(|member| is_active_owner(member));
    let active_owners = active.count();
    let mut waiting = match membership.permit_if_allowed::<to::RemoveMembers>() {
        Some(permit) => key_requests::count_of_members(engine, &permit).await?,
        None => HashMap::new(),
    };
    if let Some(viewer) = viewer {
        let own = key_requests::count_of_caller(engine, &membership.permit()?).await?;
        waiting.insert(viewer, own);
    }
    let rows = members.into_iter().map(|member| MemberRow {
        waiting: waiting.get(&member.user_id).copied().unwrap_or_default(),
        is_viewer: viewer == Some(member.user_id),
        is_last_owner: member.role == Role::Owner
            && active_owners == usize::from(is_active_owner(&member)),
        id: member.user_id.to_string(),
        name: member.name.to_string(),
        email: member.email.to_string(),
        role: member.role,
        second_factor: member.second_factor,
        since: TimeText::date(member.created_at),
        last_seen: member.last_seen_at.map(|at| TimeText::relative(at, now)),
    });
    let rows = rows.collect();
    let invitations = match membership.permit_if_allowed::<to::InviteMembers>() {
        Some(permit) => Some(invitations::list(engine, &permit).await?),
        None => None,
    };
    let may = |action| membership.may(action);
    Ok(MemberList {
        org_name: membership.org().name.to_string(),
        rows,
        may_change: may(Action::ChangeRoles) && may(Action::RemoveMembers),
        invitations: invitations.map(|all| all.into_iter().map(row).collect()),
        admins_may: membership.rights().admin_rights,
        sends_mail: engine.sends_mail(),
        creation_token: new_creation_token(engine)?,
    })
}

fn is_active_owner(member: &Member) -> bool {
    member.role == Role::Owner && member.disabled_at.is_none()
}

fn row(invitation: Invitation) -> InvitationRow {
    let inviter = invitation.inviter.map(|name| name.to_string());
    InvitationRow {
        id: invitation.id.to_string(),
        email: invitation.email.to_string(),
        role: invitation.role,
        inviter: inviter.unwrap_or_else(|| "Operator".to_owned()),
        expires: TimeText::full(invitation.expires_at),
    }
}

//! The card above the table: the form that invites, or the one that the URL requests for a member.

use latchkey::role::{AdminRights, Role};
use leptos::prelude::*;

use super::{
    data::{InvitationRow, MemberList, MemberRow},
    form::MemberForm,
};
use crate::{
    form::{
        choice_group::ChoiceGroup,
        errors::{Errors, FormError},
        field::Field,
    },
    pages::{
        confirm::{PasswordAgain, Question},
        forms::fields_and_errors,
    },
    request::PageRequest,
    text::{number::grouped, words::role_can},
};

/// The card, if the URL or a rejected form requests one that the user can submit.
pub fn card(request: &PageRequest, list: &MemberList) -> Option<AnyView> {
    let blank = || MemberForm {
        creation_token: list.creation_token.clone(),
        role: Role::Member.to_string(),
        ..MemberForm::default()
    };
    let (typed, errors) = fields_and_errors(blank);
    let errors = Errors::new(errors);
    let path = request.path().to_owned();
    let member = |change: &str, parameter: &str| {
        let sent = (typed.change == change).then(|| typed.member.clone());
        let id = sent.unwrap_or_else(|| request.parameter(parameter));
        let row = list.rows.iter().find(|row| row.id == id);
        row.filter(|_| list.may_change).cloned()
    };
    let is_wanted = |parameter: &str| !request.parameter(parameter).is_empty();
    let org_name = list.org_name.clone();
    if typed.change == "leave" || (typed.change.is_empty() && is_wanted("leave")) {
        let own = list.rows.iter().find(|row| row.is_viewer)?.clone();
        let is_alone = list.rows.len() == 1;
        return Some(view! { <LeaveCard path row=own is_alone org_name errors/> }.into_any());
    }
    if let Some(row) = member("role", "edit") {
        return Some(
            view! { <RoleCard path row typed admins_may=list.admins_may errors/> }.into_any(),
        );
    }
    if let Some(row) = member("remove", "remove") {
        return Some(view! { <RemoveCard path row org_name errors/> }.into_any());
    }
    let invitations = list.invitations.as_ref()?;
    let renewed = if typed.change == "renew" {
        typed.invitation.clone()
    } else {
        request.parameter("renew")
    };
    if let Some(row) = invitations.iter().find(|row| row.id == renewed) {
        return Some(view! { <RenewCard path row=row.clone() errors/> }.into_any());
    }
    let withdrawn = request.parameter("withdraw");
    if let Some(row) = invitations.iter().find(|row| row.id == withdrawn) {
        return Some(view! { <WithdrawCard path row=row.clone()/> }.into_any());
    }
    let is_alone = list.rows.len() == 1 && invitations.is_empty();
    (typed.change == "invite" || is_wanted("invite") || is_alone)
        .then(|| view! { <InviteCard path typed admins_may=list.admins_may errors sends_mail=list.sends_mail/> }.into_any())
}

/// The path of another page of the organization with this path of its members.
fn beside(members: &str, page: &str) -> String {
    let org = members.strip_suffix("members").unwrap_or(members);
    format!("{org}{page}")
}

/// The choice of a role, with what each can do.
#[component]
fn Roles(
    /// The path of the members.
    path: String,
    chosen: String,
    admins_may: AdminRights,
    errors: Errors,
) -> impl IntoView {
    let security = beside(&path, "settings/security");
    let choices = Role::ALL.into_iter().rev().map(|role| {
        view! {
            <label class="choice">
                <input type="radio" name="role" value=role.as_str() checked=chosen == role.as_str() required/>
                <span><b>{role.title()}</b><small>{role_can(role, Some(admins_may))}</small></span>
            </label>
        }
    });
    let choices = choices.collect_view();
    view! {
        <ChoiceGroup field="role" legend="Role" hint=true errors>
            <div class="choices">{choices}</div>
            <p class="hint" id="role-hint">"Owners choose in the "<a class="link" href=security>"security settings"</a>" what admins can do."</p>
        </ChoiceGroup>
    }
}

/// The password, which is only needed to make someone an owner. Style sheets show it when that role is chosen.
#[component]
fn OwnerPassword(errors: Errors) -> impl IntoView {
    view! {
        <div class="for-owner"><PasswordAgain hint="Owners can do everything. Enter your password to confirm." errors/></div>
    }
}

/// A new link for an invitation as owner.
#[component]
fn RenewCard(path: String, row: InvitationRow, errors: Errors) -> impl IntoView {
    let action = path.clone();
    view! {
        <section class="card" aria-labelledby="renew">
            <header><h2 id="renew">"Create a link for “"{row.email}"”"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=action class="form">
                    <FormError errors consequence="The old link still works."/>
                    <input type="hidden" name="change" value="renew"/>
                    <input type="hidden" name="invitation" value=row.id/>
                    <PasswordAgain hint="Owners can do everything. Enter your password to confirm." errors/>
                    <div class="actions"><button class="btn primary">"Create link"</button><a class="btn" href=path>"Cancel"</a></div>
                </form>
            </div>
        </section>
    }
}

#[component]
fn WithdrawCard(path: String, row: InvitationRow) -> impl IntoView {
    let action = path.clone();
    let title = format!("Withdraw the invitation of “{}”?", row.email);
    view! {
        <Question title action cancel=path button="Withdraw">
            <p>"Its link no longer works. You can invite this person again."</p>
            <input type="hidden" name="change" value="withdraw"/>
            <input type="hidden" name="invitation" value=row.id/>
        </Question>
    }
}

#[component]
fn InviteCard(
    path: String,
    typed: MemberForm,
    admins_may: AdminRights,
    errors: Errors,
    sends_mail: bool,
) -> impl IntoView {
    let action = path.clone();
    let (hint, button) = match sends_mail {
        true => (
            "The invitation is sent to this address. Only an account with this address can use it.",
            "Send invitation",
        ),
        false => (
            "You get a link to send to this person. Only an account with this address can use it.",
            "Create invitation",
        ),
    };
    view! {
        <section class="card" aria-labelledby="invite">
            <header><h2 id="invite">"Invite someone"</h2></header>
            <div class="body">
                <form novalidate=true method="post" action=action class="form">
                    <FormError errors consequence="Nobody was invited."/>
                    <input type="hidden" name="change" value="invite"/>
                    <input type="hidden" name="creation_token" value=typed.creation_token/>
                    <Field name="email" label="E-mail" hint=hint
                        kind="email" autocomplete="off" maxlength=254 value=typed.email focused=true errors/>
                    <Roles path=path.clone() chosen=typed.role admins_may errors/>
                    <OwnerPassword errors/>
                    <div class="actions"><button class="btn primary">{button}</button><a class="btn" href=path>"Cancel"</a></div>
                </form>
            </div>
        </section>
    }
}

#[component]
fn RoleCard(
    path: String,
    row: MemberRow,
    typed: MemberForm,
    admins_may: AdminRights,
    errors: Errors,
) -> impl IntoView {
    let chosen = if typed.change == "role" && typed.role.parse::<Role>().is_ok() {
        typed.role
    } else {
        row.role.to_string()
    };
    let action = path.clone();
    let gives_up = (row.is_viewer && row.role == Role::Owner).then(|| {
        view! { <p>"This is your own role. If you are no longer an owner, only another owner can make you one again."</p> }
    });
    let content = if row.is_last_owner {
        view! { <OnlyOwner path row=row.clone()/> }.into_any()
    } else {
        view! {
            <form novalidate=true method="post" action=action class="form">
                <FormError errors/>
                <input type="hidden" name="change" value="role"/>
                <input type="hidden" name="member" value=row.id/>
                <Roles path=path.clone() chosen admins_may errors/>
                {gives_up}
                <OwnerPassword errors/>
                <div class="actions"><button class="btn primary">"Change role"</button><a class="btn" href=path>"Cancel"</a></div>
            </form>
        }
        .into_any()
    };
    view! {
        <section class="card" aria-labelledby="edit">
            <header><h2 id="edit">"Change the role of “"{row.name}"”"</h2></header>
            <div class="body">{content}</div>
        </section>
    }
}

#[component]
fn RemoveCard(path: String, row: MemberRow, org_name: String, errors: Errors) -> impl IntoView {
    let title = format!("Remove “{}”?", row.name);
    if row.is_last_owner {
        return view! {
            <section class="card" aria-labelledby="remove">
                <header><h2 id="remove">{title}</h2></header>
                <div class="body"><OnlyOwner path row/></div>
            </section>
        }
        .into_any();
    }
    let action = path.clone();
    // Keys that someone asked for and revealed are theirs, too.
    let keys = format!("{}?creator={}", beside(&path, "keys"), row.id);
    view! {
        <Question title action cancel=path button="Remove">
            <FormError errors/>
            <p>
                {row.email}" loses access to "<b>{org_name}</b>" immediately. Keys, projects and service tokens that they \
                created remain. Rotate keys whose secrets they know: "<a href=keys>"keys that they created or revealed"</a>"."
            </p>
            <EndingRequests whose="Their" count=row.waiting/>
            <input type="hidden" name="change" value="remove"/>
            <input type="hidden" name="member" value=row.id/>
        </Question>
    }
    .into_any()
}

#[component]
fn LeaveCard(
    path: String,
    row: MemberRow,
    /// Whether the organization has no other member.
    is_alone: bool,
    org_name: String,
    errors: Errors,
) -> impl IntoView {
    let title = format!("Leave “{org_name}”?");
    if !row.is_last_owner {
        let action = path.clone();
        return view! {
            <Question title action cancel=path button="Leave organization">
                <FormError errors/>
                <LeaveText waiting=row.waiting/>
                <input type="hidden" name="change" value="leave"/>
            </Question>
        }
        .into_any();
    }
    let (other, label) = match is_alone {
        true => (format!("{path}?invite=1"), "invite another owner"),
        false => (path.clone(), "make another member an owner"),
    };
    let delete = beside(&path, "delete");
    view! {
        <section class="card" aria-labelledby="leave">
            <header><h2 id="leave">{title}</h2></header>
            <div class="body"><div class="form">
                <FormError errors/>
                <p>
                    "You are the only owner. Before you leave, "<a class="link" href=other>{label}</a>", or "
                    <a class="link" href=delete>"delete the organization"</a>"."
                </p>
                <div class="actions"><a class="btn" href=path>"Back"</a></div>
            </div></div>
        </section>
    }
    .into_any()
}

/// What leaving an organization means.
#[component]
pub fn LeaveText(
    /// The number of own requests for keys that end with the membership.
    waiting: i64,
) -> impl IntoView {
    view! {
        <p>
            "You lose access immediately. Keys, projects and service tokens that you created remain. To come back, you need a new \
            invitation."
        </p>
        <EndingRequests whose="Your" count=waiting/>
    }
}

/// Says which requests for keys end with a membership.
#[component]
fn EndingRequests(whose: &'static str, count: i64) -> impl IntoView {
    let requests = match count {
        0 => return None,
        1 => "request for a key, which waits for a decision or to be revealed, is".to_owned(),
        _ => format!(
            "{} requests for keys, which wait for a decision or to be revealed, are",
            grouped(count)
        ),
    };
    Some(view! { <p>{whose}" "{requests}" withdrawn."</p> })
}

/// Why the last owner remains one.
#[component]
fn OnlyOwner(path: String, row: MemberRow) -> impl IntoView {
    let who = if row.is_viewer {
        "You are the only owner.".to_owned()
    } else {
        format!("{} is the only owner.", row.name)
    };
    view! {
        <div class="form">
            <p>{who}" Make someone else an owner first."</p>
            <div class="actions"><a class="btn" href=path>"Back"</a></div>
        </div>
    }
}

//! `/orgs/{org}/members`: the members of an organization, and its invitations.

use latchkey::role::Role;
use leptos::prelude::*;

use super::{
    cards::card,
    data::{InvitationRow, MemberList, MemberRow, list},
    shown::CreatedInvitationView,
};
use crate::{
    pages::{forms::shown, frame::PageHead, owners::AskOwner, page::page},
    request::PageRequest,
    shown_once::CreatedInvitation,
    text::{breakable::Breakable, time::Time},
};

/// The page. Which member is about to be changed is part of the URL.
#[component]
pub fn MembersPage() -> impl IntoView {
    page(list, |request, list| match shown::<CreatedInvitation>() {
        Some(created) => view! { <CreatedInvitationView created/> }.into_any(),
        None => view! { <MembersView request list/> }.into_any(),
    })
}

#[component]
fn MembersView(request: PageRequest, list: MemberList) -> impl IntoView {
    let path = request.path().to_owned();
    let card = card(&request, &list);
    let MemberList {
        org_name,
        rows,
        may_change,
        invitations,
        sends_mail,
        ..
    } = list;
    let count = match rows.len() {
        1 => "1 person".to_owned(),
        several => format!("{several} people"),
    };
    let may_invite = invitations.is_some();
    let lead = view! { {count}" in "<b>{org_name}</b>". "{(!may_invite).then(|| view! { <AskOwner to="invite people"/> })} }
        .into_any();
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row path=path.clone() row may_change/> })
        .collect_view();
    let invite = (may_invite && card.is_none())
        .then(|| view! { <a class="btn primary" href=format!("{path}?invite=1")>"Invite"</a> });
    let invitations = invitations.filter(|rows| !rows.is_empty());
    let invitations =
        invitations.map(|rows| view! { <Invitations path=path.clone() rows sends_mail/> });
    view! {
        <PageHead title="Members" lead>{invite}</PageHead>
        <div class="stack">
            {card}
            <div class="card">
                <table class="table wide members">
                    <caption class="visually-hidden">"Members"</caption>
                    <thead><tr>
                        <th scope="col">"Name"</th><th scope="col">"E-mail"</th><th scope="col">"Role"</th><th scope="col" class="drop-2">"Since"</th>
                        {may_change.then(|| view! { <th scope="col">"Second factor"</th><th scope="col">"Last seen"</th> })}
                        <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
            {invitations}
        </div>
    }
}

#[component]
fn Row(path: String, row: MemberRow, may_change: bool) -> impl IntoView {
    let link = |text: &'static str, query: String, name: Option<String>| {
        let name = name.map(|name| view! { <span class="visually-hidden">" "{name}</span> });
        view! { <a class="btn quiet" href=format!("{path}?{query}")>{text}{name}</a> }
    };
    let of_row = |text, parameter: &str| {
        let query = format!("{parameter}={}", row.id);
        link(text, query, Some(row.name.clone()))
    };
    let edit = may_change.then(|| of_row("Change role", "edit"));
    let end = match (row.is_viewer, may_change) {
        (true, _) => Some(link("Leave", "leave=1".to_owned(), None)),
        (false, true) => Some(of_row("Remove", "remove")),
        (false, false) => None,
    };
    let last_seen = may_change.then(|| {
        let seen = match row.last_seen.clone() {
            Some(text) => view! { <Time text/> }.into_any(),
            None => "Never".into_any(),
        };
        let factor = match row.second_factor {
            true => view! { <span class="tag ok">"On"</span> },
            false => view! { <span class="tag plain">"Off"</span> },
        };
        view! {
            <td data-label="Second factor"><span>{factor}</span></td>
            <td class="muted nowrap" data-label="Last seen">{seen}</td>
        }
    });
    view! {
        <tr>
            <th scope="row"><span class="name">{row.name.clone()}{row.is_viewer.then(|| view! { <span class="muted">" (you)"</span> })}</span></th>
            <td class="muted" data-label="E-mail"><Breakable text=row.email.clone()/></td>
            <td data-label="Role"><span class="tag plain">{row.role.title()}</span></td>
            <td class="muted nowrap drop-2" data-label="Since"><Time text=row.since.clone()/></td>
            {last_seen}
            <td class="end"><div class="row">{edit}{end}</div></td>
        </tr>
    }
}

#[component]
fn Invitations(path: String, rows: Vec<InvitationRow>, sends_mail: bool) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| view! { <Pending path=path.clone() row sends_mail/> })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="invitations">
            <header><h2 id="invitations">"Invitations"</h2></header>
            <table class="table wide members">
                <caption class="visually-hidden">"Invitations that can be accepted"</caption>
                <thead><tr>
                    <th scope="col">"E-mail"</th><th scope="col">"Role"</th><th scope="col">"Invited by"</th><th scope="col">"Expires"</th>
                    <th scope="col"><span class="visually-hidden">"Actions"</span></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
}

#[component]
fn Pending(path: String, row: InvitationRow, sends_mail: bool) -> impl IntoView {
    let text = if sends_mail { "Resend" } else { "Create link" };
    let of = |email: &str| view! { <span class="visually-hidden">" for "{email.to_owned()}</span> };
    let renew = if row.role == Role::Owner {
        // It requires the password, so it has a form of its own.
        let href = format!("{path}?renew={}", row.id);
        view! { <a class="btn quiet" href=href>{text}{of(&row.email)}</a> }.into_any()
    } else {
        view! { <button class="btn quiet" name="change" value="renew">{text}{of(&row.email)}</button> }.into_any()
    };
    let withdraw = format!("{path}?withdraw={}", row.id);
    view! {
        <tr>
            <th scope="row"><span class="name"><Breakable text=row.email.clone()/></span></th>
            <td data-label="Role"><span class="tag plain">{row.role.title()}</span></td>
            <td class="muted" data-label="Invited by">{row.inviter}</td>
            <td class="muted nowrap" data-label="Expires"><Time text=row.expires/></td>
            <td class="end">
                <form method="post" action=path class="row">
                    <input type="hidden" name="invitation" value=row.id/>
                    {renew}
                    <a class="btn quiet" href=withdraw>"Withdraw"{of(&row.email)}</a>
                </form>
            </td>
        </tr>
    }
}

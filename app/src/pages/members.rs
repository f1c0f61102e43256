//! `/orgs/{org}/members`: the members of an organization.

use latchkey::members;
use leptos::prelude::*;

use crate::{
    error::AppError,
    pages::{frame::PageHead, page::page},
    request::PageRequest,
    text::time::{Time, TimeText},
};

/// The members of an organization.
#[derive(Debug, Clone)]
pub struct Members {
    /// The organization's name.
    pub org_name: String,
    /// Owners first, then admins, then members, each by name.
    pub rows: Vec<MemberRow>,
}

/// A member of an organization.
#[derive(Debug, Clone)]
pub struct MemberRow {
    pub name: String,
    pub email: String,
    /// The title of the role.
    pub role: String,
    /// When the user joined.
    pub since: TimeText,
    /// Whether this is the current user.
    pub is_viewer: bool,
}

/// Loads the members. Every member can see them.
async fn members(request: PageRequest) -> Result<Members, AppError> {
    let membership = request.membership().await?;
    let permit = membership.permit()?;
    let rows = members::list(request.engine(), &permit)
        .await?
        .into_iter()
        .map(|member| MemberRow {
            is_viewer: permit.caller().actor.user_id() == Some(member.user_id),
            name: member.name.to_string(),
            email: member.email.to_string(),
            role: member.role.title().to_owned(),
            since: TimeText::date(member.created_at),
        })
        .collect();
    Ok(Members {
        org_name: membership.org().name.to_string(),
        rows,
    })
}

#[component]
pub fn MembersPage() -> impl IntoView {
    page(members, |_, members| view! { <MembersView members/> })
}

#[component]
fn MembersView(members: Members) -> impl IntoView {
    let count = match members.rows.len() {
        1 => "1 person".to_owned(),
        several => format!("{several} people"),
    };
    let lead = view! { {count}" in "<b>{members.org_name}</b>"." }.into_any();
    view! {
        <PageHead title="Members" lead/>
        <div class="card">
            <table class="table wide">
                <caption class="visually-hidden">"Members"</caption>
                <thead><tr>
                    <th scope="col">"Name"</th><th scope="col">"E-mail"</th><th scope="col">"Role"</th><th scope="col">"Since"</th>
                </tr></thead>
                <tbody>
                    {members.rows.into_iter().map(|row| view! { <Row row/> }).collect_view()}
                </tbody>
            </table>
        </div>
    }
}

#[component]
fn Row(row: MemberRow) -> impl IntoView {
    view! {
        <tr>
            <th scope="row"><span class="name">{row.name}{row.is_viewer.then(|| view! { <span class="muted">" (you)"</span> })}</span></th>
            <td class="muted" data-label="E-mail">{row.email}</td>
            <td data-label="Role"><span class="tag plain">{row.role}</span></td>
            <td class="muted nowrap" data-label="Since"><Time text=row.since/></td>
        </tr>
    }
}

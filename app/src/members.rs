//! `/orgs/{org}/members`: who is in the org.

use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use serde::{Deserialize, Serialize};

use crate::{
    error::AppError,
    layout::PageHead,
    not_found::ErrorView,
    time_text::{Time, TimeText},
};

/// The people in an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Members {
    /// The org's name.
    pub org_name: String,
    /// Owners first, then admins, then members, each by name.
    pub rows: Vec<MemberRow>,
}

/// A person in an org.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// Their name.
    pub name: String,
    /// Their address.
    pub email: String,
    /// Their role, to read.
    pub role: String,
    /// Since when they are in the org.
    pub since: TimeText,
    /// Whether it is the one who looks.
    pub is_viewer: bool,
}

/// The people in an org, for everyone in it.
#[server(prefix = "/api", endpoint = "members")]
pub async fn list_members(org: String) -> Result<Members, AppError> {
    crate::error::answer(on_the_server::members(&org).await)
}

#[cfg(feature = "ssr")]
mod on_the_server {
    use latchkey::orgs;

    use super::{MemberRow, Members};
    use crate::{error::AppError, session, time_text::TimeText};

    pub async fn members(org: &str) -> Result<Members, AppError> {
        let membership = session::membership(org).await?;
        let permit = membership.permit()?;
        let rows = orgs::members(&*session::engine()?, &permit)
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
}

/// The page.
#[component]
pub fn MembersPage() -> impl IntoView {
    let params = use_params_map();
    let members = Resource::new(
        move || params.with(|params| params.get("org").unwrap_or_default()),
        list_members,
    );
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match members.await {
                    Ok(members) => view! { <MembersView members/> }.into_any(),
                    Err(error) => view! { <ErrorView error/> }.into_any(),
                }
            })}
        </Transition>
    }
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

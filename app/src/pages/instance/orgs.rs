//! `/instance/organizations`: all organizations.

use latchkey::operators::orgs::{self, OrgSummary};
use leptos::prelude::*;

use super::{
    head::InstanceHead,
    list_page::{PAGE_SIZE, Pager, Place, SearchBar},
};
use crate::{
    error::AppError,
    pages::page::page,
    request::PageRequest,
    text::{
        number::grouped,
        time::{Time, TimeText},
    },
};

struct OrgList {
    place: Place,
    orgs: Vec<OrgSummary>,
    next: Option<String>,
}

async fn load(request: PageRequest) -> Result<OrgList, AppError> {
    let operator = request.operator().await?;
    let place = Place::of(&request);
    let (orgs, next) = match &place.search {
        Some(search) => {
            let before = place.before.parse().ok();
            orgs::list(request.engine(), &operator, search, before, PAGE_SIZE).await?
        }
        None => (Vec::new(), None),
    };
    Ok(OrgList {
        place,
        orgs,
        next: next.map(|id| id.to_string()),
    })
}

#[component]
pub fn InstanceOrgsPage() -> impl IntoView {
    page(load, |_, list| view! { <OrgsView list/> })
}

#[component]
fn OrgsView(list: OrgList) -> impl IntoView {
    let OrgList { place, orgs, next } = list;
    let table = if orgs.is_empty() {
        view! { <p class="muted body">"No organizations found."</p> }.into_any()
    } else {
        let rows = orgs
            .into_iter()
            .map(|org| view! { <Row org/> })
            .collect_view();
        view! {
            <table class="table wide">
                <caption class="visually-hidden">"Organizations"</caption>
                <thead><tr>
                    <th scope="col">"Name"</th><th scope="col">"URL name"</th><th scope="col">"Keys not revoked"</th>
                    <th scope="col">"Members"</th><th scope="col">"Created"</th><th scope="col">"Status"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    view! {
        <InstanceHead title="Organizations"/>
        <SearchBar place=place.clone() what="organizations" hint="Name or URL name"/>
        <div class="stack">
            <div class="card">{table}</div>
            <Pager place what="organizations" next/>
        </div>
    }
}

#[component]
fn Row(org: OrgSummary) -> impl IntoView {
    let href = format!("/instance/organizations/{}", org.org.id);
    let status = match org.deleted_at {
        Some(at) => view! { "Deleted "<Time text=TimeText::date(at)/> }.into_any(),
        None => "Active".into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a class="name" href=href>{org.org.name.to_string()}</a></th>
            <td data-label="URL name"><code>{org.org.slug.to_string()}</code></td>
            <td data-label="Keys not revoked">{grouped(org.keys)}</td>
            <td data-label="Members">{grouped(org.members)}</td>
            <td class="muted nowrap" data-label="Created"><Time text=TimeText::date(org.created_at)/></td>
            <td class="muted nowrap" data-label="Status">{status}</td>
        </tr>
    }
}

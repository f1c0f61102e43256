//! The page with the list of requests.

use leptos::{either::Either, prelude::*};

use super::data::{ALL, BEFORE, RequestRow, Requests, load};
use crate::{
    icons::{Icon, Symbol},
    pages::{
        frame::PageHead,
        key_requests::{allowed::AllowedTags, ask_path, requests_path, state::StateTag},
        not_in_list::NotFoundInAddress,
        page::page,
    },
    text::{query::query_of, time::Time},
};

#[component]
pub fn RequestsPage() -> impl IntoView {
    page(load, |request, list| {
        let is_first = request.parameter(BEFORE).is_empty();
        view! { <RequestsView org=request.org().to_owned() list is_first/> }
    })
}

#[component]
fn RequestsView(
    org: String,
    list: Requests,
    /// Whether the list begins with the newest.
    is_first: bool,
) -> impl IntoView {
    let path = requests_path(&org);
    let Requests {
        rows,
        next,
        may_decide,
        may_ask,
        all,
        unknown,
        new_secrets,
    } = list;
    let new_secrets = new_secrets.into_iter().map(|(id, name)| {
        let key = format!("/orgs/{org}/keys/{id}");
        view! {
            <div class="notice ok">
                <Icon symbol=Symbol::Check/>
                <p>"A new secret of "<a href=key>{name}</a>" is ready to reveal."</p>
            </div>
        }
    });
    let new_secrets = new_secrets.collect_view();
    let ask =
        may_ask.then(|| view! { <a class="btn primary" href=ask_path(&org)>"Ask for a key"</a> });
    let lead = match may_decide {
        true => {
            "People who cannot create keys ask for them here. An approved key is created when its requester reveals it."
        }
        false => {
            "An owner decides on each request. You reveal an approved key yourself, within seven days."
        }
    };
    let switch = may_decide.then(|| view! { <Switch path=path.clone() all/> });
    let content = if rows.is_empty() {
        Either::Left(view! { <NoRequests may_decide all/> })
    } else {
        let rows = rows
            .into_iter()
            .map(|row| view! { <Row path=path.clone() row may_decide/> })
            .collect_view();
        let asked_by = may_decide.then(|| view! { <th scope="col">"Asked by"</th> });
        Either::Right(view! {
            <div class="card">
                <table class="table wide">
                    <caption class="visually-hidden">"Requests for keys, newest first"</caption>
                    <thead><tr>
                        <th scope="col">"Key"</th>{asked_by}<th scope="col">"What it would allow"</th>
                        <th scope="col">"Status"</th><th scope="col">"Asked"</th>
                    </tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        })
    };
    view! {
        <PageHead title="Key requests" lead=lead.into_any()>{ask}</PageHead>
        <NotFoundInAddress unknown/>
        {switch}
        <div class="stack">
            {new_secrets}
            {content}
            <Pager path next is_first all/>
        </div>
    }
}

/// Switches between the requests that wait and all of them.
#[component]
fn Switch(path: String, all: bool) -> impl IntoView {
    let link = |href: String, text: &'static str, is_here: bool| {
        let current = is_here.then_some("page");
        view! { <a href=href aria-current=current>{text}</a> }
    };
    let every = format!("{path}{}", query_of(&[("show", ALL)]));
    view! {
        <div class="bar">
            <nav class="seg" aria-label="Which requests">
                {link(path, "Waiting", !all)}
                {link(every, "All", all)}
            </nav>
        </div>
    }
}

#[component]
fn Row(path: String, row: RequestRow, may_decide: bool) -> impl IntoView {
    let requester = may_decide.then(|| {
        let you = row
            .is_own
            .then(|| view! { <span class="muted">" (you)"</span> });
        view! { <td data-label="Asked by">{row.requester.clone()}{you}</td> }
    });
    let is_hindered = !row.allowed.obstacles.is_empty();
    let until = row
        .until
        .filter(|_| !is_hindered)
        .map(|text| view! { " "<span class="under muted">"until "<Time text/></span> });
    view! {
        <tr>
            <th scope="row"><a class="name" href=format!("{path}/{}", row.id)>{row.name}</a></th>
            {requester}
            <td data-label="What it would allow">
                {row.allowed.sentence.clone()}
                <AllowedTags allowed=row.allowed.clone()/>
                " "<span class="under muted">{row.allowed.kind}</span>
            </td>
            <td data-label="Status"><StateTag state=row.state is_own=row.is_own is_hindered=is_hindered/>{until}</td>
            <td class="muted nowrap" data-label="Asked"><Time text=row.created/></td>
        </tr>
    }
}

#[component]
fn NoRequests(may_decide: bool, all: bool) -> impl IntoView {
    let (title, text) = match (may_decide, all) {
        (true, false) => (
            "No requests wait",
            "When someone asks for a key, the request appears here, and you are told by mail if that is set up.",
        ),
        (true, true) => (
            "No requests yet",
            "People who cannot create keys can ask for one on the page of keys.",
        ),
        (false, _) => (
            "No requests yet",
            "Say what you need a key for and what it must be able to do. An owner approves or declines it.",
        ),
    };
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Inbox/>
            <h2>{title}</h2>
            <p>{text}</p>
        </div></div>
    }
}

/// The cursor only moves to older requests, so the way back is a link to the newest.
#[component]
fn Pager(path: String, next: Option<String>, is_first: bool, all: bool) -> impl IntoView {
    let query = |before: Option<&str>| {
        let show = if all { ALL } else { "" };
        let pairs = [("show", show), (BEFORE, before.unwrap_or_default())];
        format!("{path}{}", query_of(&pairs))
    };
    let newest =
        (!is_first).then(|| view! { <a class="btn" rel="first" href=query(None)>"Newest"</a> });
    let older = next
        .as_deref()
        .map(|id| view! { <a class="btn" rel="next" href=query(Some(id))>"Older"</a> });
    (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages of requests"><span></span>{newest}{older}</nav> }
    })
}

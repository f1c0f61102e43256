//! `/orgs/{org}/usage/refusals`: the latest requests that did not pass, for owners and admins, each with what can be done about it.

use latchkey::outcome::Outcome;
use leptos::{either::Either, prelude::*};
use leptos_meta::Title;

use super::{
    TITLE,
    address::Address,
    data::{Refusals, load},
    table::RefusalTable,
};
use crate::{
    form::filters::{Choice, Input},
    icons::{Icon, Symbol},
    pages::{
        frame::{Breadcrumbs, PageHead},
        page::page,
    },
};

#[component]
pub fn RefusalsPage() -> impl IntoView {
    page(load, |request, refusals| {
        let address = Address::read(request.org().to_owned(), request.query());
        view! { <RefusalsView address refusals/> }
    })
}

#[component]
fn RefusalsView(address: Address, refusals: Refusals) -> impl IntoView {
    let zone = refusals.zone.to_string();
    let times = format!(". Times are in {zone}.");
    let org = address.org.clone();
    let key = refusals.key_name.clone().map(|name| {
        let href = format!("/orgs/{org}/keys/{}", address.key);
        view! { " with the key "<a href=href>{name}</a> }
    });
    let agent = refusals.agent_name.clone().map(|name| {
        let href = format!("/orgs/{org}/agents/{}", address.agent);
        view! { " of the agent "<a href=href>{name}</a> }
    });
    let lead = if key.is_none() && agent.is_none() {
        format!("The latest 1,000 rejected or rate-limited requests of the last 30 days{times}")
            .into_any()
    } else {
        view! { "Requests"{key}{agent}{times} }.into_any()
    };
    let usage = (format!("/orgs/{}/usage", address.org), "Usage".to_owned());
    let export = (!refusals.rows.is_empty())
        .then(|| view! { <a class="btn" href=address.export_href() download="" title="Times in the file are in UTC">"Export CSV"</a> });
    let is_invalid = !refusals.invalid.is_empty();
    view! {
        <Title text=TITLE/>
        <Breadcrumbs above=vec![usage] here=TITLE.to_owned()/>
        <PageHead title=TITLE lead>{export}</PageHead>
        <Filters address=address.clone() classes=refusals.classes invalid=refusals.invalid/>
        {if refusals.rows.is_empty() {
            Either::Left(view! { <NoRefusals address is_invalid/> })
        } else {
            let next = refusals.next;
            Either::Right(view! {
                <div class="stack">
                    <div class="card"><RefusalTable rows=refusals.rows/></div>
                    <Pager address next/>
                </div>
            })
        }}
    }
}

#[component]
fn Filters(address: Address, classes: Vec<String>, invalid: Vec<&'static str>) -> impl IntoView {
    let problem = move |name: &str, sentence: &'static str| {
        invalid.contains(&name).then(|| sentence.to_owned())
    };
    let refused = Outcome::ALL
        .iter()
        .filter(|outcome| **outcome != Outcome::Valid);
    let codes = refused.map(|outcome| (outcome.code().to_owned(), outcome.title().to_owned()));
    let codes = std::iter::once((String::new(), "Any reason".to_owned())).chain(codes);
    let several = classes.len() > 1;
    let classes = classes.into_iter().map(|class| (class.clone(), class));
    let classes: Vec<_> = std::iter::once((String::new(), "Any class".to_owned()))
        .chain(classes)
        .collect();
    let clear = address
        .is_filtered()
        .then(|| view! { <a class="btn quiet" href=address.path()>"Clear"</a> });
    view! {
        <form class="bar filters" role="search" aria-label=TITLE method="get" action=address.path()>
            <Input name="q" label="Search" kind="search" value=address.q.clone() problem=problem("q", "Enter at most 200 characters.")/>
            <Choice name="code" label="Why" options=codes.collect() chosen=address.code.clone() problem=problem("code", "Select a reason.")/>
            {several.then(|| view! { <Choice name="class" label="Endpoint class" options=classes chosen=address.class.clone() problem=problem("class", "Select a class.")/> })}
            <Input name="key" label="Key ID" kind="text" value=address.key.clone() problem=problem("key", "Enter an ID such as key_01…")/>
            <Input name="agent" label="Agent" kind="text" value=address.agent.clone() problem=problem("agent", "Enter the public ID of an agent.")/>
            <div class="actions"><button class="btn">"Filter"</button>{clear}</div>
        </form>
    }
}

#[component]
fn NoRefusals(address: Address, is_invalid: bool) -> impl IntoView {
    let (title, text) = match (is_invalid, address.is_filtered()) {
        (true, _) => (
            "Invalid filters",
            "Correct the marked filters, or clear all filters.",
        ),
        (false, true) => (
            "No requests found",
            "No rejected or rate-limited request of the last 30 days matches these filters.",
        ),
        (false, false) => (
            "All requests passed",
            "Requests that Latchkey rejects or rate limits appear here within a few seconds, with the reason and what to do about it.",
        ),
    };
    let clear = address.is_filtered().then(|| {
        view! { <div class="actions"><a class="btn" href=address.path()>"Clear filters"</a></div> }
    });
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Usage/>
            <h2>{title}</h2>
            <p>{text}</p>
            {clear}
        </div></div>
    }
}

/// The cursor only moves to older requests, so the way back is a link to the newest.
#[component]
fn Pager(address: Address, next: Option<String>) -> impl IntoView {
    let newest = (!address.cursor.is_empty())
        .then(|| view! { <a class="btn" rel="first" href=address.at_the_start()>"Newest"</a> });
    let older =
        next.map(|id| view! { <a class="btn" rel="next" href=address.continued(&id)>"Older"</a> });
    (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager" aria-label="Pages of requests that did not pass"><span></span>{newest}{older}</nav> }
    })
}

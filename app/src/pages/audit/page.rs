//! `/orgs/{org}/audit`: the audit log, for owners and admins. Filters and position are in the URL, so that every step
//! is a link or a form that works without JavaScript and can be shared.

use leptos::{either::Either, prelude::*};

use super::{
    address::Address,
    data::{About, AuditLog, list_entries},
    filters::Filters,
    table::EntryTable,
};
use crate::{
    icons::{Icon, Symbol},
    pages::{frame::PageHead, page::page},
    text::{number::counted, time::zone},
};

#[component]
pub fn AuditPage() -> impl IntoView {
    page(list_entries, |request, log| {
        let address = Address::read(request.org().to_owned(), request.query());
        view! { <AuditView address log/> }
    })
}

#[component]
fn AuditView(address: Address, log: AuditLog) -> impl IntoView {
    let times = format!("Times are in {}.", zone());
    let lead = match log.about.clone() {
        Some(About { what, name, href }) => {
            view! { "Changes to the "{what}" "<a href=href>{name}</a>". "{times} }.into_any()
        }
        None => view! { "Changes, sign-ins, denied access and exports: who, when and from where. "{times} }.into_any(),
    };
    let export = (!log.rows.is_empty())
        .then(|| view! { <a class="btn" href=address.export_href(None) title="Times in the file are in UTC">"Export CSV"</a> });
    let is_invalid = !log.invalid.is_empty();
    view! {
        <PageHead title="Audit log" lead>{export}</PageHead>
        <Filters address=address.clone() actors=log.actors.clone() invalid=log.invalid.clone()/>
        {if log.rows.is_empty() {
            Either::Left(view! { <NoEntries address is_invalid/> })
        } else {
            let (shown, next) = (log.rows.len(), log.next);
            Either::Right(view! {
                <div class="stack">
                    <div class="card"><EntryTable address=address.clone() rows=log.rows/></div>
                    <Pager address shown next/>
                </div>
            })
        }}
    }
}

#[component]
fn NoEntries(address: Address, is_invalid: bool) -> impl IntoView {
    let (title, text) = match (is_invalid, address.is_filtered()) {
        (true, _) => (
            "Invalid filters",
            "Correct the marked filters, or clear all filters.",
        ),
        (false, true) => ("No entries found", "No entries match these filters."),
        (false, false) => (
            "No entries yet",
            "Each change to keys, agents, projects, members and settings is recorded here.",
        ),
    };
    let clear = address.is_filtered().then(|| {
        view! { <div class="actions"><a class="btn" href=address.path()>"Clear filters"</a></div> }
    });
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Audit/>
            <h2>{title}</h2>
            <p>{text}</p>
            {clear}
        </div></div>
    }
}

/// The cursor only moves to older entries, so the way back is a link to the newest.
#[component]
fn Pager(address: Address, shown: usize, next: Option<i64>) -> impl IntoView {
    let newest = address
        .before
        .map(|_| view! { <a class="btn" rel="first" href=address.at_the_start()>"Newest"</a> });
    let older = next.map(
        |seq| view! { <a class="btn" rel="next" href=address.starting_before(seq)>"Older"</a> },
    );
    let count = counted(i64::try_from(shown).unwrap_or(i64::MAX), "entry", "entries");
    (newest.is_some() || older.is_some()).then(|| {
        view! {
            <nav class="pager" aria-label="Pages of entries">
                <span>{count}" on this page. An export contains up to 10,000 of the newest matching entries."</span>
                {newest}
                {older}
            </nav>
        }
    })
}

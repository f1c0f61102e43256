//! The history of a resource, shown on its own page.

use latchkey::time::Timestamp;
use leptos::{either::Either, prelude::*};

use crate::{
    pages::audit::{address::Address, changes::Changes, rows::HistoryItem},
    text::time::{Time, zone},
};

/// The URL of the audit log, filtered by a key.
pub fn entries_of_key(org: &str, key: &str) -> String {
    format!("/orgs/{org}/audit?key={key}")
}

/// The URL of the audit log, filtered by a request for a key.
pub fn entries_of_request(org: &str, request: &str) -> String {
    entries_of_key(org, request)
}

/// The URL of the audit log, filtered by an agent.
pub fn entries_of_agent(org: &str, agent: &str) -> String {
    entries_of_key(org, agent)
}

/// The URL of the audit log with the changes between two times: of one key, or of all. The log is filtered by days in the
/// zone of the user.
pub fn entries_of_period(org: &str, key: Option<&str>, from: Timestamp, to: Timestamp) -> String {
    let day = |at: Timestamp| zone().local(at).date().to_string();
    let address = Address {
        org: org.to_owned(),
        event: key.map_or_else(|| "key.*".to_owned(), |_| String::new()),
        key: key.unwrap_or_default().to_owned(),
        from: day(from),
        to: day(to.plus(-1)),
        ..Address::default()
    };
    address.at_the_start()
}

#[component]
pub fn HistoryCard(
    /// Newest first.
    items: Vec<HistoryItem>,
    /// The URL of all entries.
    href: String,
) -> impl IntoView {
    let list = if items.is_empty() {
        Either::Left(view! { <p class="body muted small">"No entries yet."</p> })
    } else {
        let items = items
            .into_iter()
            .map(|item| view! { <Item item/> })
            .collect_view();
        Either::Right(view! { <ol class="history body">{items}</ol> })
    };
    view! {
        <section class="card" aria-labelledby="history">
            <header><h2 id="history">"History"</h2><a class="link small" href=href>"Audit log"</a></header>
            {list}
        </section>
    }
}

#[component]
fn Item(item: HistoryItem) -> impl IntoView {
    let HistoryItem {
        what,
        actor,
        at,
        changes,
    } = item;
    let changes = (!changes.is_empty()).then(|| view! { <Changes changes/> });
    view! { <li><b>{what}</b>" by "{actor}" · "<Time text=at/>{changes}</li> }
}

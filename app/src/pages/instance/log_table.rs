//! The log of an organization or of the instance, as operators see it.

use std::collections::{HashMap, HashSet};

use latchkey::audit;
use leptos::prelude::*;

use crate::{
    pages::audit::{ChangesCell, EntryRow, Names, entry_row},
    text::{
        query::query_of,
        time::{Time, zone},
    },
};

/// The number of entries on a page.
pub const LOG_SIZE: u16 = 50;

#[component]
pub fn LogTable(
    title: &'static str,
    /// The path of the page.
    path: String,
    /// The slug of the organization; empty for the instance.
    slug: String,
    /// The names of the organization's projects by ID.
    projects: HashMap<String, String>,
    entries: audit::Page,
    before: Option<i64>,
) -> impl IntoView {
    let names = Names {
        org: slug,
        referred: projects,
        agents: HashMap::new(),
        invitations: HashMap::new(),
        requests: HashSet::new(),
    };
    let rows: Vec<EntryRow> = entries
        .entries
        .iter()
        .map(|entry| entry_row(entry, &names))
        .collect();
    let table = if rows.is_empty() {
        view! { <p class="muted body">"No entries."</p> }.into_any()
    } else {
        let rows = rows
            .into_iter()
            .map(|row| view! { <Row row/> })
            .collect_view();
        view! {
            <table class="table wide log">
                <caption class="visually-hidden">"Entries, newest first"</caption>
                <thead><tr><th scope="col">"Time"</th><th scope="col">"Who"</th><th scope="col">"What"</th><th scope="col">"Changes"</th><th scope="col">"From"</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        }
        .into_any()
    };
    let times = format!("Newest first. Times are in {}.", zone());
    let newest =
        before.map(|_| view! { <a class="btn" rel="first" href=path.clone()>"Newest"</a> });
    let older = entries.next.map(|seq| {
        let href = format!("{path}{}", query_of(&[("before", &seq.to_string())]));
        view! { <a class="btn" rel="next" href=href>"Older"</a> }
    });
    let pager = (newest.is_some() || older.is_some()).then(|| {
        view! { <nav class="pager body" aria-label="Pages of entries"><span>{times}</span>{newest}{older}</nav> }
    });
    view! {
        <section class="card" aria-labelledby="log">
            <header><h2 id="log">{title}</h2></header>
            {table}
            {pager}
        </section>
    }
}

#[component]
fn Row(row: EntryRow) -> impl IntoView {
    let target = row.target.map(|target| {
        let name = target.name;
        match target.is_id {
            true => view! { " "<code>{name}</code> }.into_any(),
            false => view! { " "<b>{name}</b> }.into_any(),
        }
    });
    let after = (!row.after.is_empty()).then(|| format!(" {}", row.after));
    let address = row.address.map(|address| format!("{address} "));
    view! {
        <tr>
            <td class="when muted" data-label="Time"><Time text=row.at/></td>
            <td class="who" data-label="Who">{row.actor}</td>
            <th scope="row">{row.before}{target}{after}</th>
            <ChangesCell changes=row.changes/>
            <td class="from muted" data-label="From">{address}<span class="under">{row.via}</span></td>
        </tr>
    }
}

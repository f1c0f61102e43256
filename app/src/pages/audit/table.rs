//! The table of audit log entries.

use leptos::{either::Either, prelude::*};

use crate::{
    pages::audit::{
        address::Address,
        changes::{ChangeText, Changes},
        rows::{EntryRow, TargetText},
    },
    text::{breakable::Breakable, time::Time},
};

#[component]
pub fn EntryTable(address: Address, rows: Vec<EntryRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row address=address.clone() row/> })
        .collect_view();
    view! {
        <table class="table wide log">
            <caption class="visually-hidden">"Entries, newest first"</caption>
            <thead><tr>
                <th scope="col">"Time"</th><th scope="col">"Who"</th><th scope="col">"What"</th>
                <th scope="col">"Changes"</th><th scope="col">"From"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[component]
fn Row(address: Address, row: EntryRow) -> impl IntoView {
    let actor = match row.actor_id {
        Some(id) => {
            Either::Left(view! { <a class="name" href=address.of_actor(id)>{row.actor}</a> })
        }
        None => Either::Right(row.actor),
    };
    let target = row.target.map(|target| view! { " "<Target target/> });
    let after = (!row.after.is_empty()).then(|| format!(" {}", row.after));
    // The space separates the two on phones, where they are on one line.
    let address = row.address.map(|address| format!("{address} "));
    view! {
        <tr>
            <td class="when muted" data-label="Time"><Time text=row.at/></td>
            <td class="who" data-label="Who">{actor}</td>
            <th scope="row">{row.before}{target}{after}</th>
            <ChangesCell changes=row.changes/>
            <td class="from muted" data-label="From">{address}<span class="under">{row.via}</span></td>
        </tr>
    }
}

/// The cell with the changes of an entry.
#[component]
pub fn ChangesCell(changes: Vec<ChangeText>) -> impl IntoView {
    if changes.is_empty() {
        Either::Left(view! { <td class="differs none muted" data-label="Changes">"–"</td> })
    } else {
        Either::Right(view! { <td class="differs" data-label="Changes"><Changes changes/></td> })
    }
}

#[component]
fn Target(target: TargetText) -> impl IntoView {
    let TargetText { name, href, is_id } = target;
    match (href, is_id) {
        (Some(href), _) => view! { <a class="link" href=href>{name}</a> }.into_any(),
        (None, true) => view! { <code>{name}</code> }.into_any(),
        (None, false) => view! { <b><Breakable text=name/></b> }.into_any(),
    }
}

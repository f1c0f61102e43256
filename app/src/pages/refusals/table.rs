//! The table of rejected requests.

use leptos::prelude::*;

use super::data::RefusalRow;
use crate::text::{breakable::Breakable, time::Time};

#[component]
pub fn RefusalTable(rows: Vec<RefusalRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row row/> })
        .collect_view();
    view! {
        <table class="table wide log refusals">
            <caption class="visually-hidden">"Requests that did not pass, newest first"</caption>
            <thead><tr>
                <th scope="col">"Time"</th><th scope="col">"Why"</th><th scope="col">"Key"</th>
                <th scope="col">"From"</th><th scope="col">"What to do"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

#[component]
fn Row(row: RefusalRow) -> impl IntoView {
    let key = match row.key {
        Some((name, Some(href))) => view! { <a class="name" href=href>{name}</a> }.into_any(),
        Some((prefix, None)) => view! { <code>{prefix}</code> }.into_any(),
        None => view! { <span class="muted">"–"</span> }.into_any(),
    };
    let agent = row.agent.map(|(name, href)| {
        view! { " "<span class="under">"Agent: "<a class="link" href=href>{name}</a></span> }
    });
    let more = row
        .more
        .map(|more| view! { " "<span class="under">{more}</span> });
    let origin = row
        .origin
        .map(|origin| view! { <span class="origin"><Breakable text=origin/></span>" " });
    let network = row.network.map(|network| format!("{network} "));
    let remedy = match row.remedy {
        Some(remedy) => {
            view! {
                <td class="remedy" data-label="What to do"><a class="btn small" href=remedy.href><span><Breakable text=remedy.text/></span></a></td>
            }
            .into_any()
        }
        None => view! { <td class="remedy muted" data-label="What to do"><span class="advice">{row.advice}</span></td> }.into_any(),
    };
    view! {
        <tr>
            <td class="when muted" data-label="Time"><Time text=row.at/></td>
            <th scope="row">{row.title}{more}</th>
            <td class="who" data-label="Key">{key}{agent}</td>
            <td class="from muted" data-label="From">{origin}{network}<span class="under">{row.under}</span></td>
            {remedy}
        </tr>
    }
}

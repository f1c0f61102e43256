//! Requests by key and by agent.

use leptos::prelude::*;

use crate::{
    pages::usage::{
        data::{PartRow, UsageByKey},
        stats::Change,
    },
    text::{number::grouped, words::period_before},
    values::usage::Range,
};

/// The tables. The one of agents is shown only if public IDs were used instead of keys.
#[component]
pub fn ByKey(
    by_key: UsageByKey,
    /// The range of the report.
    range: Range,
) -> impl IntoView {
    let shown = by_key.rows.len();
    let left_out = (by_key.keys > shown as i64)
        .then(|| view! { <span class="muted small">"The "{shown}" busiest of "{grouped(by_key.keys)}</span> });
    let agents = (!by_key.agents.is_empty()).then(|| {
        view! {
            <section class="card" aria-labelledby="by-agent">
                <header>
                    <h2 id="by-agent">"By agent"</h2>
                    <span class="muted small">"Requests that use its public ID instead of a key"</span>
                </header>
                <Parts of="Agent" labelled_by="by-agent" rows=by_key.agents range/>
            </section>
        }
    });
    view! {
        <section class="card" aria-labelledby="by-key">
            <header><h2 id="by-key">"By key"</h2>{left_out}</header>
            <Parts of="Key" labelled_by="by-key" rows=by_key.rows range/>
        </section>
        {agents}
    }
}

#[component]
fn Parts(
    of: &'static str,
    labelled_by: &'static str,
    rows: Vec<PartRow>,
    range: Range,
) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| view! { <Row row/> })
        .collect_view();
    view! {
            <table class="table" aria-labelledby=labelled_by>
                <thead><tr>
                    <th scope="col">{of}</th>
                    <th scope="col" class="num">"Passed"</th>
                    <th scope="col" class="num">"Rate limited"</th>
                    <th scope="col" class="num">"Rejected"</th>
                    <th scope="col" class="num"><abbr title=format!("Compared with the same part of the {}", period_before(range))>"Change"</abbr></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
    }
}

#[component]
fn Row(row: PartRow) -> impl IntoView {
    let PartRow {
        href,
        name,
        counts,
        before,
    } = row;
    let change = match Change::of_requests(counts.all(), before.all()) {
        Change::By(text) => text.into_any(),
        Change::Same => "0%".into_any(),
        Change::New => view! { <span class="muted">"new"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a class="name" href=href>{name}</a></th>
            <td class="num" data-label="Passed">{grouped(counts.passed)}</td>
            <td class="num" data-label="Rate limited">{grouped(counts.limited)}</td>
            <td class="num" data-label="Rejected">{grouped(counts.refused)}</td>
            <td class="num" data-label="Change">{change}</td>
        </tr>
    }
}

//! Each key's part in the org's requests.

use leptos::prelude::*;

use super::{
    Range,
    report::{KeyRow, UsageByKey},
    stats::Change,
};
use crate::number_text::grouped;

/// The table.
#[component]
pub fn ByKey(
    /// The address of the org.
    base: String,
    /// The keys.
    by_key: UsageByKey,
    /// The range that changes are measured against.
    range: Range,
) -> impl IntoView {
    let shown = by_key.rows.len();
    let left_out = (by_key.keys > shown as i64)
        .then(|| view! { <span class="muted small">"The "{shown}" busiest of "{grouped(by_key.keys)}</span> });
    let rows = by_key
        .rows
        .into_iter()
        .map(|row| view! { <Row base=base.clone() row/> })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="by-key">
            <header><h2 id="by-key">"By key"</h2>{left_out}</header>
            <table class="table" aria-labelledby="by-key">
                <thead><tr>
                    <th scope="col">"Key"</th>
                    <th scope="col" class="num">"Passed"</th>
                    <th scope="col" class="num">"Rate limited"</th>
                    <th scope="col" class="num">"Refused"</th>
                    <th scope="col" class="num"><abbr title=format!("On {}", range.before())>"Change"</abbr></th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </section>
    }
}

#[component]
fn Row(base: String, row: KeyRow) -> impl IntoView {
    let KeyRow {
        id,
        name,
        counts,
        before,
    } = row;
    let change = match Change::of_requests(counts.all(), before.all()) {
        Some(change) => {
            view! { <span class=change.class()>{change.text.clone()}</span> }.into_any()
        }
        None => view! { <span class="muted">"new"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a class="name" href=format!("{base}/keys/{id}")>{name}</a></th>
            <td class="num" data-label="Passed">{grouped(counts.passed)}</td>
            <td class="num" data-label="Rate limited">{grouped(counts.limited)}</td>
            <td class="num" data-label="Refused">{grouped(counts.refused)}</td>
            <td class="num" data-label="Change">{change}</td>
        </tr>
    }
}

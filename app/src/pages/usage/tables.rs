//! The total divided: by key and agent, or by what the question says.

use latchkey::usage::question::Dimension;
use leptos::prelude::*;

use super::{
    data::{Row, Table},
    stats::Change,
    words::{dimension_name, dimension_title},
};
use crate::{chart::Counts, text::number::grouped};

/// A table of the largest groups and all other requests.
#[component]
pub fn GroupTable(
    table: Table,
    /// What is compared with.
    before_name: String,
) -> impl IntoView {
    let Table { by, rows, other } = table;
    let id = format!("by-{}", by.as_str());
    let note = match by {
        Dimension::Agent => Some("Requests that use its public ID instead of a key".to_owned()),
        _ if other.all() > 0 && !rows.is_empty() => {
            Some(format!("The {} with the most requests", rows.len()))
        }
        _ => None,
    };
    let nothing = rows.is_empty();
    let rows = rows
        .into_iter()
        .map(|row| view! { <GroupRow row/> })
        .collect_view();
    let other = (other.all() > 0).then(|| {
        view! {
            <tr>
                <th scope="row" class="muted">"All other requests"</th>
                <Numbers counts=other/>
                <td class="num" data-label="Change"><span class="muted">"–"</span></td>
            </tr>
        }
    });
    let is_empty = nothing && other.is_none();
    view! {
        <section class="card" aria-labelledby=id.clone()>
            <header><h2 id=id.clone()>{dimension_title(by)}</h2>{note.map(|note| view! { <span class="muted small">{note}</span> })}</header>
            {is_empty.then(|| view! { <p class="body muted small">"No requests in this period."</p> })}
            <table class="table" aria-labelledby=id.clone() hidden=is_empty>
                <thead><tr>
                    <th scope="col">{dimension_name(by)}</th>
                    <th scope="col" class="num">"Passed"</th>
                    <th scope="col" class="num">"Rate limited"</th>
                    <th scope="col" class="num">"Rejected"</th>
                    <th scope="col" class="num"><abbr title=format!("Compared with the same part of the {before_name}")>"Change"</abbr></th>
                </tr></thead>
                <tbody>{rows}{other}</tbody>
            </table>
        </section>
    }
}

#[component]
fn GroupRow(row: Row) -> impl IntoView {
    let Row {
        href,
        name,
        told_apart,
        counts,
        before,
    } = row;
    let told_apart =
        told_apart.map(|told_apart| view! { <code class="muted small">{told_apart}</code> });
    let change = match Change::of_requests(counts.all(), before.all()) {
        Change::By(text) => text.into_any(),
        Change::Same => "0%".into_any(),
        Change::New => view! { <span class="muted">"new"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row"><a class="name" href=href>{name}</a>{told_apart}</th>
            <Numbers counts/>
            <td class="num" data-label="Change">{change}</td>
        </tr>
    }
}

#[component]
fn Numbers(counts: Counts) -> impl IntoView {
    view! {
        <td class="num" data-label="Passed">{grouped(counts.passed)}</td>
        <td class="num" data-label="Rate limited">{grouped(counts.limited)}</td>
        <td class="num" data-label="Rejected">{grouped(counts.refused)}</td>
    }
}

//! What the valid requests of a key came with: origins, scopes, networks and clients.

use latchkey::{
    Engine,
    access::{Permit, to},
    id::KeyId,
    usage::seen::{Facet, SeenValue, of_key},
};
use leptos::{either::Either, prelude::*};

use crate::{
    error::AppError,
    text::{
        number::grouped,
        time::{Time, TimeText},
    },
};

/// How many values are shown before the others are folded.
const SHOWN: usize = 5;

/// The values of one kind, the most frequent first.
#[derive(Debug, Clone)]
pub struct SeenGroup {
    facet: Facet,
    rows: Vec<SeenRow>,
}

#[derive(Debug, Clone)]
struct SeenRow {
    /// `None` for all values that are not listed.
    value: Option<String>,
    count: i64,
    /// `None` if that is not known.
    first: Option<TimeText>,
    last: TimeText,
}

/// Loads what the requests of a key came with. Kinds without values are left out.
///
/// # Errors
/// If the database cannot be reached.
pub async fn seen(
    engine: &Engine,
    permit: &Permit<to::SeeUsageDetails>,
    key: KeyId,
) -> Result<Vec<SeenGroup>, AppError> {
    let now = engine.clock().now();
    let values = of_key(engine, permit, key).await?;
    let group = |facet: Facet| {
        let of_facet = values.iter().filter(|value| value.facet == facet);
        let row = |seen: &SeenValue| SeenRow {
            value: (!seen.value.is_empty()).then(|| seen.value.clone()),
            count: seen.count,
            first: seen.first_at.map(TimeText::date),
            last: TimeText::relative(seen.last_at, now),
        };
        SeenGroup {
            facet,
            rows: of_facet.map(row).collect(),
        }
    };
    let groups = Facet::ALL.map(group).into_iter();
    Ok(groups.filter(|group| !group.rows.is_empty()).collect())
}

/// The heading of a group, and its name when it is counted.
fn words(facet: Facet) -> (&'static str, &'static str) {
    match facet {
        Facet::Origin => ("Origin", "origins"),
        Facet::Scope => ("Scope required", "scopes"),
        Facet::Network => ("Network", "networks"),
        Facet::Client => ("Client", "clients"),
    }
}

#[component]
pub fn SeenCard(
    groups: Vec<SeenGroup>,
    /// The key's scopes. Empty if it has full access.
    scopes: Vec<String>,
) -> impl IntoView {
    let required = groups.iter().find(|group| group.facet == Facet::Scope);
    let unused = required.map(|group| {
        let is_required = |scope: &String| {
            group
                .rows
                .iter()
                .any(|row| row.value.as_ref() == Some(scope))
        };
        let unused = scopes.into_iter().filter(|scope| !is_required(scope));
        unused.collect::<Vec<_>>()
    });
    let unused = unused.filter(|unused| !unused.is_empty()).map(|unused| {
        view! { <p class="body small muted">"No request required "{unused.join(", ")}"."</p> }
    });
    let is_empty = groups.is_empty();
    let tables = groups
        .into_iter()
        .map(|group| view! { <Group group/> })
        .collect_view();
    view! {
        <section class="card" aria-labelledby="seen">
            <header><h2 id="seen">"Where requests come from"</h2><span class="muted small">"Requests that passed, since first seen. Forgotten 90 days after last seen"</span></header>
            {if is_empty {
                Either::Left(view! {
                    <p class="body muted small">"Origins, scopes, networks and clients of requests appear here within a few seconds, if your API servers send them."</p>
                })
            } else {
                Either::Right(tables)
            }}
            {unused}
        </section>
    }
}

#[component]
fn Group(group: SeenGroup) -> impl IntoView {
    let (heading, plural) = words(group.facet);
    let mut first = group.rows;
    let more = first.split_off(first.len().min(SHOWN));
    let more = (!more.is_empty()).then(|| {
        let summary = format!("{} more {plural}", more.len());
        view! { <details class="fold body"><summary>{summary}</summary><Rows heading rows=more/></details> }
    });
    view! { <Rows heading rows=first/>{more} }
}

#[component]
fn Rows(heading: &'static str, rows: Vec<SeenRow>) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let value = match row.value {
                Some(value) => view! { <code>{value}</code> }.into_any(),
                None => view! { <span class="muted">"All others"</span> }.into_any(),
            };
            let first = match row.first {
                Some(first) => Either::Left(view! { <Time text=first/> }),
                None => Either::Right("Not recorded"),
            };
            view! {
                <tr>
                    <th scope="row">{value}</th>
                    <td class="num" data-label="Requests">{grouped(row.count)}</td>
                    <td class="num muted" data-label="First seen">{first}</td>
                    <td class="num muted" data-label="Last seen"><Time text=row.last/></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <table class="table seen">
            <thead><tr><th scope="col">{heading}</th><th scope="col" class="num">"Requests"</th><th scope="col" class="num">"First seen"</th><th scope="col" class="num">"Last seen"</th></tr></thead>
            <tbody>{rows}</tbody>
        </table>
    }
}

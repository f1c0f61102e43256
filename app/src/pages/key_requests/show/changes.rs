//! What owners have changed in a request: what was asked for, and what it is now.

use std::collections::HashMap;

use latchkey::{
    convention::{Convention, NoScope},
    key_requests::{KeyRequest, State, Wanted},
};
use leptos::prelude::*;

use crate::pages::{
    audit::both_values,
    key_requests::{allowed::expires_text, rules::Rules},
};

/// The fields that differ: the title, what was asked for, and what it is now.
pub fn changes(
    request: &KeyRequest,
    convention: &Convention,
    rules: &Rules<'_>,
) -> Vec<(String, String, String)> {
    let Some(asked) = &request.asked else {
        return Vec::new();
    };
    let mut fields = request.changes();
    // One row for the expiry, whichever way it was given.
    let expiry = ["expires_at", "expires_in_days"].map(|field| fields.remove(field).is_some());
    let is = &request.wanted;
    let of_both = |text: &dyn Fn(&Wanted) -> String| (text(asked), text(is));
    let or_none = |text: &str| match text {
        "" | "{}" => "none".to_owned(),
        text => text.to_owned(),
    };
    let rows = fields.iter().filter_map(|(field, change)| {
        let (title, from, to) = both_values(field, change, &HashMap::new());
        let (from, to) = match field.as_str() {
            "scopes" => of_both(&|key| match key.settings.scopes.is_empty() {
                true if convention.no_scope_means == NoScope::All => "full access".to_owned(),
                _ if std::ptr::eq(key, asked) => from.clone(),
                _ => to.clone(),
            }),
            // The log does not say what they contain, and members do not see projects.
            "notes" => of_both(&|key| or_none(&key.settings.notes)),
            "metadata" => of_both(&|key| or_none(key.settings.metadata.as_json())),
            "project" => (
                rules.project(asked.settings.project)?,
                rules.project(is.settings.project)?,
            ),
            _ => (from, to),
        };
        Some((title, from, to))
    });
    let mut rows: Vec<_> = rows.collect();
    if expiry.contains(&true) {
        let (from, to) = of_both(&expires_text);
        rows.push(("Expires".to_owned(), from, to));
    }
    rows
}

/// The table, for the requester and owners.
#[component]
pub fn ChangesCard(
    changes: Vec<(String, String, String)>,
    /// The owner who last changed something, if they are still known.
    by: Option<String>,
    state: State,
) -> impl IntoView {
    let now = match state {
        State::Open | State::Declined | State::Withdrawn => "Changed to",
        State::Approved | State::Created | State::Expired => "Approved",
    };
    let by = by.unwrap_or_else(|| "an owner".to_owned());
    (!changes.is_empty()).then(|| {
        let rows = changes.into_iter().map(|(title, from, to)| {
            view! {
                <tr>
                    <th scope="row">{title}</th>
                    <td data-label="Asked for">{from}</td>
                    <td data-label=now>{to}</td>
                </tr>
            }
        });
        view! {
            <section class="card" aria-labelledby="changed">
                <header><h2 id="changed">"Changed by "{by}</h2></header>
                <table class="table">
                    <caption class="visually-hidden">"What an owner has changed"</caption>
                    <thead><tr><th scope="col">"Setting"</th><th scope="col">"Asked for"</th><th scope="col">{now}</th></tr></thead>
                    <tbody>{rows.collect_view()}</tbody>
                </table>
            </section>
        }
    })
}

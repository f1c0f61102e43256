//! `/orgs/{org}/review`: the keys with findings, the most urgent first, for owners and admins. Each has a form of its own,
//! and leads to the next one.

use latchkey::reviews::ReviewState;
use leptos::{either::Either, prelude::*};

use super::{
    address::{Address, Shown},
    data::{Queue, QueueRow, load},
    filters::Filters,
    form::ReviewForm,
    key_row::KeyRow,
    progress::ProgressLine,
    tabs::{Tab, Tabs},
};
use crate::{
    form::errors::{Errors, FormError},
    icons::{Icon, Symbol},
    pages::{
        forms::fields_and_errors, frame::PageHead, not_in_list::NotFoundInAddress, page::page,
    },
    text::number::grouped,
};

#[component]
pub fn ReviewPage() -> impl IntoView {
    page(load, |request, queue| {
        let address = Address::read(request.org().to_owned(), request.query());
        view! { <ReviewView address queue/> }
    })
}

#[component]
fn ReviewView(address: Address, queue: Queue) -> impl IntoView {
    let (typed, errors) = fields_and_errors(ReviewForm::default);
    let lead = match queue.steps.is_owner {
        true => "Keys with findings, the most urgent first. Keep a key for a time, or change it.",
        false => {
            "Keys with findings, the most urgent first. Keep a key for a time, or ask its owners to change it."
        }
    };
    let keys = format!("/orgs/{}/keys", address.org);
    let policies = format!("/orgs/{}/settings/policies", address.org);
    let ids: Vec<String> = queue.rows.iter().map(|row| row.id.clone()).collect();
    let rows: Vec<(QueueRow, String)> = queue
        .rows
        .into_iter()
        .zip(0..)
        .map(|(row, place)| {
            // After the last one, the page is refilled below the one before it.
            let next = ids
                .get(place + 1)
                .or(place.checked_sub(1).and_then(|before| ids.get(before)));
            (row, next.cloned().unwrap_or_default())
        })
        .collect();
    // A key that meanwhile stopped working has no row.
    let elsewhere = match ids.contains(&typed.key) {
        true => Vec::new(),
        false => errors.clone(),
    };
    let is_empty = rows.is_empty();
    // Without findings there is nothing to count, which the page says below.
    let has_progress = queue.progress.all > 0 || address.is_filtered();
    let last = queue.before + rows.len() as i64;
    let rows = rows
        .into_iter()
        .map(|(row, next)| {
            let is_typed = row.id == typed.key;
            let (typed, errors) = match is_typed {
                true => (typed.clone(), errors.clone()),
                false => (ReviewForm::default(), Vec::new()),
            };
            let (action, keys, token) = (address.href(), keys.clone(), queue.token.clone());
            view! { <KeyRow row keys action next token typed errors=Errors::new(errors) steps=queue.steps now=queue.now/> }
        })
        .collect_view();
    let range = format!(
        "{} to {} of {}",
        grouped(queue.before + 1),
        grouped(last),
        grouped(queue.matching)
    );
    let previous = queue.previous.map(
        |place| view! { <a class="btn" rel="prev" href=address.at("", &place)>"Previous"</a> },
    );
    let next = queue
        .next
        .map(|place| view! { <a class="btn" rel="next" href=address.at(&place, "")>"Next"</a> });
    view! {
        <PageHead title="Findings" lead=lead.into_any()><a class="btn" href=policies>"Key policies"</a></PageHead>
        <Tabs org=address.org.clone() tab=Tab::Findings asked=queue.asked is_owner=queue.steps.is_owner/>
        <Filters address=address.clone() projects=queue.projects kinds=queue.kinds/>
        <NotFoundInAddress unknown=address.unknown.clone()/>
        <FormError errors=Errors::new(elsewhere)/>
        {has_progress.then(|| view! { <ProgressLine address=address.clone() progress=queue.progress.clone()/> })}
        {if is_empty {
            Either::Left(view! { <NothingToReview address=address.clone() all=queue.progress.all/> })
        } else {
            Either::Right(view! {
                <div class="stack">
                    <ol class="queue">{rows}</ol>
                    <nav class="pager" aria-label="Pages of keys"><span>{range}</span>{previous}{next}</nav>
                </div>
            })
        }}
    }
}

#[component]
fn NothingToReview(
    address: Address,
    /// How many keys with findings there are, whatever was reviewed.
    all: i64,
) -> impl IntoView {
    let (title, text) = match (address.is_filtered(), address.shown) {
        (true, _) => ("No keys found", "No key matches these filters."),
        // Without findings, nothing was reviewed.
        (false, _) if all == 0 => (
            "No findings",
            "No active key has findings. Keys that need attention are listed here.",
        ),
        (false, Shown::State(ReviewState::Open)) => (
            "Nothing to review",
            "Every finding is reviewed, or its owners are asked to change the key.",
        ),
        (false, Shown::State(ReviewState::Asked)) => {
            ("Nothing asked", "Owners are not asked to change any key.")
        }
        (false, Shown::State(ReviewState::Reviewed)) => (
            "Nothing reviewed",
            "Keys that you keep for a time are listed here until then.",
        ),
        (false, Shown::Since) => (
            "Nobody reviewed a key",
            "No person has reviewed a key with findings since the date.",
        ),
        (false, Shown::All) => ("No keys found", "No key is on this page of the list."),
    };
    let clear = (address.href() != address.path()).then(|| {
        view! { <div class="actions"><a class="btn" href=address.path()>"Clear filters"</a></div> }
    });
    view! {
        <div class="card"><div class="empty">
            <Icon symbol=Symbol::Check/>
            <h2>{title}</h2>
            <p>{text}</p>
            {clear}
        </div></div>
    }
}

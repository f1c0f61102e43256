//! The bar above the list of keys: search and filters.

use latchkey::key::{Environment, secret_text::SecretPrefixes};
use leptos::prelude::*;

use crate::{
    islands::search_box::SearchBox,
    pages::keys::list::address::{Address, StatusChoice},
    text::words::environment_title,
};

#[component]
pub fn Filters(
    /// The current filters.
    address: Address,
    /// Whether the rows show the prefix and the last four characters.
    with_display: bool,
    /// By which secrets are recognized.
    secrets: SecretPrefixes,
) -> impl IntoView {
    let environments = std::iter::once(None)
        .chain(Environment::ALL.iter().copied().map(Some))
        .map(|environment| {
            let current = (environment == address.environment).then_some("true");
            let text = environment.map_or("All", environment_title);
            view! { <a href=address.with_environment(environment) aria-current=current>{text}</a> }
        })
        .collect_view();
    let states = StatusChoice::ALL
        .map(|(status, _, text)| {
            let current = (status == address.status).then_some("true");
            view! { <a href=address.with_status(status) aria-current=current>{text}</a> }
        })
        .collect_view();
    // A search keeps the other filters and the sort order.
    let kept = address
        .kept_by_a_search()
        .map(|(name, word)| view! { <input type="hidden" name=name value=word/> })
        .collect_view();
    let narrowed = address.narrowed_to().map(|(title, value, all)| {
        view! { <p class="narrowed small"><span class="muted">{title}": "</span><code>{value.to_owned()}</code>" "<a class="link" href=all>"Show all"</a></p> }
    });
    let placeholder = if with_display {
        "Name, ID, prefix or last four"
    } else {
        "Name or ID"
    };
    view! {
        <form class="bar" role="search" method="get" action=address.path()>
            <SearchBox value=address.search.clone() placeholder=placeholder.to_owned() find=format!("{}/find", address.path()) secrets/>
            {kept}
            <div class="seg" role="group" aria-label="Environment">{environments}</div>
            <div class="seg" role="group" aria-label="Status">{states}</div>
        </form>
        {narrowed}
    }
}

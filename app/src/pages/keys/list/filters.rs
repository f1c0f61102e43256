//! The bar above the list of keys: search and filters.

use latchkey::{key::Environment, search::Search};
use leptos::prelude::*;

use crate::{
    icons::{Icon, Symbol},
    pages::keys::list::address::{Address, StatusChoice},
    text::words::environment_title,
};

#[component]
pub fn Filters(
    /// The current filters.
    address: Address,
    /// Whether the rows show the prefix and the last four characters.
    with_display: bool,
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
    let kept = [
        (
            "environment",
            address.environment.map_or("", Environment::as_str),
        ),
        ("status", address.status.word()),
        ("sort", address.sort.word()),
        ("dir", address.direction_word()),
    ]
    .into_iter()
    .filter(|(_, word)| !word.is_empty())
    .map(|(name, word)| view! { <input type="hidden" name=name value=word/> })
    .collect_view();
    let placeholder = if with_display {
        "Name, prefix or last four"
    } else {
        "Name"
    };
    view! {
        <form class="bar" role="search" method="get" action=address.path()>
            <div class="search">
                <Icon symbol=Symbol::Search/>
                <input class="input" type="search" name="q" value=address.search.clone() maxlength=Search::MAX_CHARACTERS aria-label="Search keys" placeholder=placeholder/>
            </div>
            {kept}
            <div class="seg" role="group" aria-label="Environment">{environments}</div>
            <div class="seg" role="group" aria-label="Status">{states}</div>
        </form>
    }
}
